"""Why: a sentence that names what started it."""

from __future__ import annotations

import pytest

from agentd.journal import Entry
from agentd.why import explain
from llmagentos.home import Device, Home

HOME = Home(devices=(Device("lamp", "desk lamp", "light"), Device("stat", "thermostat", "climate")))
ENTRY = Entry(
    cause="box/0/1", at_s=0.0, device="lamp", action="turn_on", stage="read_back", rule="",
    reason="", channel="voice", who="", chosen_by="rule", text="light please",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "because somebody said “light please” by voice."),
        ({"text": None}, "because somebody asked for it by voice."),
        ({"chosen_by": "model"}, "as the language model proposed."),
        ({"channel": "rule", "who": "stat"}, "because the thermostat asked for it."),
        ({"channel": "rule", "who": "dusk"}, "because rule “dusk” said so."),
        ({"channel": "safety", "reason": "It was on too long."}, "It was on too long."),
        ({"action": "set_brightness"}, "The desk lamp got set brightness at"),
    ],
    ids=["said", "forgotten", "model", "thermostat", "rule", "gate", "setting"],
)
def test_the_cause_is_named(changes: dict[str, str], words: str) -> None:
    fields = {name: getattr(ENTRY, name) for name in Entry.__slots__}
    assert words in explain((Entry(**{**fields, **changes}),), HOME, "lamp")


def test_nothing_known_is_said_to_be_nothing_known() -> None:
    assert explain((), HOME, "lamp").startswith("The desk lamp was not switched by anybody")
