"""Interlocks and required readings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentd.safety import GateState, review, watch
from agentd.schema import Limits, Requirement
from llmagentos.cause import Origin
from llmagentos.plan import Action, Ruling
from llmagentos.reading import Quality, State
from tests.agentd.safety.stage import (
    AGENT,
    NOW,
    OFF,
    ON,
    PERSON,
    RULE,
    START,
    fired,
    gate_after,
    observe,
    plan,
    rows,
    rule_for,
    verdict_for,
)


@pytest.mark.parametrize("origin", [PERSON, RULE, AGENT], ids=["person", "rule", "agent"])
def test_an_interlock_gives_everybody_the_same_refusal(origin: Origin) -> None:
    locked = rows(heater=Limits(interlock="climate"), fan=Limits(interlock="climate"))
    wish = plan(ON, now=NOW, origin=origin)
    (verdict,) = review(wish, GateState(START), observe(fan="on"), locked)
    assert verdict.rule == "interlock"
    assert verdict.reason == "The heater and the fan are interlocked, and the fan is on."


def test_one_plan_cannot_switch_both_sides_of_an_interlock_on() -> None:
    locked = rows(heater=Limits(interlock="climate"), fan=Limits(interlock="climate"))
    wish = plan(ON, Action("fan", "turn_on"), now=NOW)
    verdicts = review(wish, GateState(START), observe(heater="off", fan="off"), locked)
    assert [verdict.ruling for verdict in verdicts] == [Ruling.ALLOW, Ruling.DENY]


def test_one_plan_may_switch_an_interlock_over() -> None:
    locked = rows(heater=Limits(interlock="climate"), fan=Limits(interlock="climate"))
    wish = plan(Action("fan", "turn_off"), ON, now=NOW)
    verdicts = review(wish, GateState(START), observe(heater="off", fan="on"), locked)
    assert [verdict.ruling for verdict in verdicts] == [Ruling.ALLOW, Ruling.ALLOW]


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        pytest.param(State("tank", {"state": 6.0}), "allow", id="enough"),
        pytest.param(State("tank", {"state": 4.0}), "requires", id="too low"),
        pytest.param(State("tank", {"state": 6.0}, None, Quality.STALE), "requires", id="stale"),
        pytest.param(State("tank", {}, None, Quality.UNAVAILABLE), "requires", id="away"),
        pytest.param(State("tank", {"state": float("nan")}), "requires", id="not a number"),
        pytest.param(None, "requires", id="never seen"),
    ],
)
def test_a_required_reading_must_be_fresh_and_in_range(state: State | None, rule: str) -> None:
    needy = rows(heater=Limits(requires=(Requirement("tank", min=5),)))
    observation = replace(observe(), states={"tank": state} if state else {})
    assert rule_for(ON, needy, observation=observation) == rule
    assert rule_for(OFF, needy, observation=observation) == "allow"


def test_an_output_goes_off_when_its_reading_turns_stale() -> None:
    needy = rows(heater=Limits(requires=(Requirement("tank", min=5),)))
    stale = State("tank", {"state": 50.0}, NOW, Quality.STALE, "no reading for 9 s")
    observation = replace(
        observe(heater="on"), states={"tank": stale, "heater": State("heater", {"state": "on"})}
    )
    (order,) = watch(GateState(START), observation, needy)
    assert (order.action, order.rule) == (OFF, "requires")
    assert "no fresh reading of the tank level" in order.reason


LOCKED = Limits(interlock="climate", interlock_wait_s=30)


@pytest.mark.parametrize(
    ("fan_off_at_s", "rule"), [(980.0, "interlock"), (970.0, "allow")], ids=["too soon", "waited"]
)
def test_an_interlock_waits_for_the_other_to_be_off_long_enough(
    fan_off_at_s: float, rule: str
) -> None:
    locked = rows(heater=LOCKED, fan=LOCKED)
    gate = gate_after(locked["fan"], (900.0, "on"), (fan_off_at_s, "off"))
    verdict = verdict_for(ON, locked, gate, observe(heater="off", fan="off"))
    assert (verdict.rule or "allow") == rule
    if rule == "interlock":
        assert "the fan has to be off for 10 seconds more" in verdict.reason


def test_one_plan_cannot_switch_over_what_has_to_wait() -> None:
    locked = rows(heater=LOCKED, fan=LOCKED)
    gate = gate_after(locked["fan"], (900.0, "on"))
    wish = plan(Action("fan", "turn_off"), ON, now=NOW)
    verdicts = review(wish, gate, observe(heater="off", fan="on"), locked)
    assert [verdict.ruling for verdict in verdicts] == [Ruling.ALLOW, Ruling.DENY]


def test_an_output_that_cannot_be_read_counts_as_it_was_last_seen() -> None:
    locked = rows(heater=Limits(interlock="climate"), fan=Limits(interlock="climate"))
    gate = gate_after(locked["fan"], (900.0, "on"))
    away = State("fan", {}, NOW, Quality.UNAVAILABLE, "the adapter is away")
    assert rule_for(ON, locked, gate, replace(observe(), states={"fan": away})) == "interlock"


def test_an_interlock_broken_by_hand_switches_both_off() -> None:
    locked = rows(heater=Limits(interlock="climate"), fan=Limits(interlock="climate"))
    orders = fired(GateState(START), observe(heater="on", fan="on"), locked)
    assert {(order.action.device, order.rule) for order in orders} == {
        ("heater", "interlock"),
        ("fan", "interlock"),
    }
