"""Which way is the risky one."""

from __future__ import annotations

import pytest

from agentd import safety
from agentd.schema import Limits
from llmagentos.plan import Action
from tests.agentd.safety.stage import (
    OFF,
    ON,
    rows,
)


@pytest.mark.parametrize(
    ("action", "is_active", "is_risky"),
    [
        pytest.param(ON, False, True, id="switches on"),
        pytest.param(ON, True, False, id="is on already"),
        pytest.param(OFF, True, False, id="switches off"),
        pytest.param(Action("lamp", "turn_on"), False, False, id="keeps its state"),
        pytest.param(Action("heater", "toggle"), False, True, id="toggle"),
        pytest.param(Action("bell", "press"), False, True, id="press"),
        pytest.param(Action("door", "unlock"), False, True, id="unlocks"),
        pytest.param(Action("door", "lock"), True, False, id="locks"),
        pytest.param(Action("dial", "set_value", {"value": 5}), True, True, id="sets a number"),
        pytest.param(Action("dial", "set_value", {"value": 0}), True, False, id="sets it to rest"),
    ],
)
def test_the_risky_direction(action: Action, is_active: bool, is_risky: bool) -> None:
    row = rows()[action.device]
    assert safety.is_risky(action, row, safety.Track(is_active=is_active)) is is_risky


def test_what_needs_a_yes_is_risky_even_when_it_keeps() -> None:
    row = rows(lamp=Limits(confirm=True))["lamp"]
    assert safety.is_risky(Action("lamp", "turn_on"), row, safety.Track())
