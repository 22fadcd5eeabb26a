"""A rule as it is written: what is taken, and what is said of a mistake."""

from __future__ import annotations

from datetime import time

import pytest

from agentd.agents.promise import PromiseError
from agentd.agents.rule import AtTime, Crosses, Deed, Every, Hours, Takes
from llmagentos.plan import Action
from tests.agentd.agents.garden import rule

ON = {"device": "pump", "action": "turn_on"}
PRESSED = {"device": "button", "value": "pressed"}


@pytest.mark.parametrize(
    ("when", "trigger"),
    [
        (PRESSED, Takes("button", "pressed")),
        ({**PRESSED, "quantity": "state", "for_s": 5}, Takes("button", "pressed", "state", 5.0)),
        ({"device": "soil", "below": 30, "hysteresis": 2}, Crosses("soil", 30.0, False, None, 2.0)),
        ({"device": "soil", "above": -5.5}, Crosses("soil", -5.5, True)),
        ({"at": "07:05", "days": ["sun", "mon", "sun"]}, AtTime(time(7, 5), (0, 6))),
        ({"every_s": 60}, Every(60.0)),
    ],
)
def test_a_trigger(when, trigger) -> None:
    assert rule(when=when).when == trigger


def test_the_rest_of_a_rule() -> None:
    made = rule(
        when=PRESSED, do=[{**ON, "for_s": 20}], say="Watering.", quiet_hours="22:00-06:30",
        cooldown_s=60, enabled=False,
    )  # fmt: skip
    assert made.do == (Deed(Action("pump", "turn_on"), 20.0, Action("pump", "turn_off")),)
    assert (made.quiet, made.cooldown_s) == (Hours(time(22), time(6, 30)), 60.0)
    assert (made.say, made.is_enabled, made.devices) == ("Watering.", False, {"pump"})


def test_a_lease_ends_what_was_done_unless_something_else_does() -> None:
    made = rule(
        when=PRESSED, do=[ON, {"device": "lamp", "action": "turn_on", "for_s": 5}], lease_s=30
    )
    assert [deed.for_s for deed in made.do] == [30, 5]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        pytest.param({"when": {}}, "when: when takes exactly one of value, above, below, at, every_s; found none", id="no trigger"),
        pytest.param({"when": {"device": "soil", "above": 1, "below": 2}}, "found above and below", id="two triggers"),
        pytest.param({"when": {"above": 1}}, "when.device: when with above needs device", id="whose"),
        pytest.param({"when": {"device": "nose", "above": 1}}, "when.device: no [[device]] 'nose'", id="unknown device"),
        pytest.param({"when": {"at": "7:00"}}, "when.at", id="a time without its nought"),
        pytest.param({"when": {"at": "24:00"}}, "when.at", id="no such time"),
        pytest.param({"when": {"at": "07:00", "days": ["someday"]}}, "when.days", id="no such day"),
        pytest.param({"when": {"at": "07:00", "device": "soil"}}, "when.device: when with at takes days, late_s beside it, not device", id="a time of a device"),
        pytest.param({"when": {"every_s": 60, "for_s": 5}}, "when with every_s takes nothing beside it, not for_s", id="every for"),
        pytest.param({"when": {**PRESSED, "hysteresis": 1}}, "when.hysteresis", id="hysteresis of a value"),
        pytest.param({"when": {"every_s": 0}}, "when.every_s", id="without a pause"),
        pytest.param({"when": {"device": "soil", "above": "x"}}, "when.above", id="no number"),
        pytest.param({"when": PRESSED, "do": []}, "do: a rule needs do or say", id="does nothing"),
        pytest.param({"when": PRESSED, "do": [{"device": "pump", "action": "fly"}]}, "do.action: 'pump' cannot 'fly'; allowed are turn_on, turn_off, toggle", id="unknown action"),
        pytest.param({"when": PRESSED, "do": [{"device": "soil", "action": "turn_on"}]}, "do.action: 'soil' cannot 'turn_on'; allowed are none", id="a sensor does nothing"),
        pytest.param({"when": PRESSED, "do": [{**ON, "args": {"x": 1}}]}, "do.args: 'turn_on' takes exactly these arguments: none", id="argument"),
        pytest.param({"when": PRESSED, "do": [{"device": "pump", "action": "toggle", "for_s": 5}]}, "do.for_s: 'toggle' has no end", id="a toggle has no end"),
        pytest.param({"when": PRESSED, "do": [{"device": "lock", "action": "lock", "for_s": 5}]}, "do.for_s: 'lock' has no end", id="a rule never unlocks by ending"),
        pytest.param({"when": PRESSED, "do": [{"device": "pump", "action": "toggle"}], "lease_s": 5}, "lease_s: 'toggle' has no end", id="a toggle has no lease"),
        pytest.param({"when": PRESSED, "only_if": [{}]}, "only_if: a condition needs device, between or days", id="empty condition"),
        pytest.param({"when": PRESSED, "only_if": [{"device": "tank"}]}, "'tank' needs either value, or min and max", id="condition without value"),
        pytest.param({"when": PRESSED, "only_if": [{"device": "tank", "value": 1, "min": 2}]}, "needs either value, or min and max", id="both"),
        pytest.param({"when": PRESSED, "only_if": [{"min": 2}]}, "needs device", id="whose range"),
        pytest.param({"when": PRESSED, "only_if": [{"device": "tank", "min": 2, "between": "01:00-02:00"}]}, "a condition of its own", id="mixed"),
        pytest.param({"when": PRESSED, "quiet_hours": "22:00-22:00"}, "quiet_hours: 22:00-22:00 begins and ends at the same time", id="empty hours"),
        pytest.param({"when": PRESSED, "quiet_hours": "at night"}, "quiet_hours", id="no hours"),
        pytest.param({"when": PRESSED, "say": "x" * 201}, "say", id="a long speech"),
        pytest.param({"when": PRESSED, "id": "A b"}, "id", id="id"),
        pytest.param({"when": PRESSED, "colour": "red"}, "unknown key 'colour'; allowed are id, when, do", id="unknown key"),
        pytest.param({}, "'when' is missing", id="no when"),
    ],
)  # fmt: skip
def test_a_mistake_names_rule_and_key(table, said) -> None:
    with pytest.raises(PromiseError) as found:
        rule(**table)
    assert said in str(found.value)
    assert str(found.value).startswith(f"rule {table.get('id', 'r')!r}: ")


@pytest.mark.parametrize("table", [[], "x", None, 5])
def test_what_is_no_table_is_no_rule(table) -> None:
    from agentd.agents.rules import read_table

    with pytest.raises(PromiseError):
        read_table(table, known={})
