"""A misspelt word may be one slip away from the device's own, and no further."""

from __future__ import annotations

import pytest

from agentd.understand.gazetteer import _one_slip


@pytest.mark.parametrize(
    ("said", "meant", "is_slip"),
    [
        ("heatre",  "heater",  True),
        ("celing",  "ceiling", True),
        ("lampss",  "lamps",   True),
        ("kitchin", "kitchen", True),
        ("kitchen", "kitchen", True),
        ("dining",  "living",  False),
        ("frotn",   "front",   True),
        ("study",   "studio",  False),
        ("black",   "back",    False),
        ("hall",    "wall",    False),
        ("heat",    "heater",  False),
    ],
)  # fmt: skip
def test_one_slip(said, meant, is_slip):
    assert _one_slip(said, meant) is is_slip
