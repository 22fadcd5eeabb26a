"""A number that may change only slowly: one step is granted, the gate walks the rest."""

from __future__ import annotations

import pytest

from agentd import safety
from agentd.safety import GateState, note
from agentd.schema import Limits
from llmagentos.plan import Action, Ruling
from tests.agentd.safety.stage import (
    NOW,
    SAFETY,
    at,
    fired,
    gate_after,
    observe,
    plan,
    rows,
    rule_for,
    told,
    verdict_for,
)

SLOW = rows(dial=Limits(slope_per_s=10))
ROW = SLOW["dial"]


def to(value: float) -> Action:
    return Action("dial", "set_value", {"value": value})


def resting_at(value: float, since_s: float = 990.0) -> GateState:
    return gate_after(ROW, (since_s, value))


@pytest.mark.parametrize(
    ("value", "since_s", "asked", "granted"),
    [
        pytest.param(50.0, 990.0, 80.0, 60.0, id="one second's worth up, however long it rested"),
        pytest.param(50.0, 990.0, 20.0, 40.0, id="one second's worth down"),
        pytest.param(50.0, 999.5, 80.0, 55.0, id="half a second's worth"),
        pytest.param(50.0, 990.0, 55.0, 55.0, id="near enough"),
        pytest.param(0.0, 990.0, 100.0, 10.0, id="from rest"),
    ],
)
def test_a_command_is_granted_as_far_as_one_step(
    value: float, since_s: float, asked: float, granted: float
) -> None:
    verdict = verdict_for(to(asked), SLOW, resting_at(value, since_s), observe(dial=value))
    assert verdict.granted == to(granted)
    if asked != granted:
        assert (verdict.ruling, verdict.rule) == (Ruling.CLAMP, "slope_per_s")
        assert f"changes by at most 10 V a second, so it goes to {asked:g} V" in verdict.reason


def test_the_gate_walks_the_rest_of_the_way_and_rests_there() -> None:
    wish = plan(to(75.0), now=NOW)
    gate, value, walked = told(resting_at(50.0), ROW, 60.0, 1000.0, wish), 60.0, []
    for second in range(1, 5):
        for order in fired(gate, observe(at(1000.0 + second), dial=value), SLOW):
            value = float(order.action.args["value"] or 0)
            own = plan(order.action, now=NOW, origin=SAFETY)
            gate = told(gate, ROW, value, 1000.0 + second, own)
            walked.append((order.rule, value))
    assert walked == [("slope_per_s", 70.0), ("slope_per_s", 75.0)]


@pytest.mark.parametrize("what", ["another command", "the gate's own", "stop", "fault"])
def test_the_way_ends_when_something_else_is_said(what: str) -> None:
    gate = told(resting_at(50.0), ROW, 60.0, 1000.0, plan(to(90.0), now=NOW))
    if what == "another command":
        gate = told(gate, ROW, 62.0, 1000.5, plan(to(62.0), now=NOW))
    elif what == "the gate's own":
        gate = told(gate, ROW, 0.0, 1000.5, plan(to(0.0), now=NOW, origin=SAFETY))
    else:
        gate = safety.stop(gate) if what == "stop" else safety.fault(gate, "dial", "it hums")
        gate = safety.reset(note(gate, ROW, {"state": 60.0}, at(1000.5), rank=None))
    assert not fired(gate, observe(at(1002.0), dial=60.0), SLOW)


def test_the_gate_does_not_switch_on_by_walking() -> None:
    gate = told(resting_at(5.0), ROW, 10.0, 1000.0, plan(to(90.0), now=NOW))
    gate = note(gate, ROW, {"state": 0.0}, at(1000.5), rank=None)
    assert not fired(gate, observe(at(1002.0), dial=0.0), SLOW)


def test_what_was_set_just_now_has_no_step_from_rest() -> None:
    verdict = verdict_for(to(50.0), SLOW, resting_at(0.0, NOW.mono_s), observe(dial=0.0))
    assert (verdict.ruling, verdict.rule) == (Ruling.DENY, "slope_per_s")


def test_rules_judge_where_it_is_to_go_and_not_its_first_step() -> None:
    stopped = safety.stop(resting_at(50.0))
    assert rule_for(to(0.0), SLOW, stopped, observe(dial=50.0)) == "slope_per_s"
    assert rule_for(to(90.0), SLOW, stopped, observe(dial=50.0)) == "stop"
