"""How long and how often: each limit forbids, and fires by itself."""

from __future__ import annotations

import pytest

from agentd import safety
from agentd.safety import GateState, watch
from agentd.schema import Limits
from llmagentos.cause import Origin
from llmagentos.clock import Instant
from llmagentos.plan import Action
from tests.agentd.safety.stage import (
    AGENT,
    NOW,
    OFF,
    ON,
    PERSON,
    RULE,
    START,
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


@pytest.mark.parametrize(
    ("off_at_s", "rule"), [(950.0, "min_off_s"), (900.0, "allow")], ids=["too early", "rested"]
)
def test_min_off_keeps_it_off(off_at_s: float, rule: str) -> None:
    limited = rows(heater=Limits(min_off_s=100))
    gate = gate_after(limited["heater"], (800.0, "on"), (off_at_s, "off"))
    assert rule_for(ON, limited, gate) == rule


def test_after_a_start_an_output_counts_as_just_switched_off() -> None:
    limited = rows(heater=Limits(min_off_s=100))
    gate = gate_after(limited["heater"], (950.0, "off"), gate=GateState(Instant(940.0, 0.0)))
    assert rule_for(ON, limited, gate) == "min_off_s"


@pytest.mark.parametrize(("count", "rule"), [(3, "rate_per_min"), (2, "allow")])
def test_it_is_not_switched_on_too_often(count: int, rule: str) -> None:
    limited = rows(heater=Limits(rate_per_min=3))
    seen = [(950.0 + 2 * n + half, "on" if half == 0 else "off") for n in range(count)
            for half in (0, 1)]  # fmt: skip
    assert rule_for(ON, limited, gate_after(limited["heater"], *seen)) == rule


@pytest.mark.parametrize(("on_at_s", "count"), [(800.0, 1), (950.0, 0)], ids=["over", "within"])
def test_max_on_fires_by_itself(on_at_s: float, count: int) -> None:
    limited = rows(heater=Limits(max_on_s=100))
    gate = gate_after(limited["heater"], (on_at_s, "on"))
    orders = watch(gate, observe(heater="on"), limited)
    assert len(orders) == count
    assert all(order.action == OFF and order.rule == "max_on_s" for order in orders)


def test_a_blink_does_not_end_a_stretch() -> None:
    limited = rows(heater=Limits(max_on_s=100))
    blinked = gate_after(limited["heater"], (880.0, "on"), (950.0, "off"), (951.0, "on"))
    assert [order.rule for order in fired(blinked, observe(heater="on"), limited)] == ["max_on_s"]
    rested = gate_after(limited["heater"], (880.0, "on"), (950.0, "off"), (953.0, "on"))
    assert not fired(rested, observe(heater="on"), limited)


@pytest.mark.parametrize(
    ("off_at_s", "rule"), [(999.5, "max_on_s"), (997.0, "allow")], ids=["at once", "after a pause"]
)
def test_what_was_on_for_too_long_does_not_go_on_again_at_once(off_at_s: float, rule: str) -> None:
    limited = rows(heater=Limits(max_on_s=100))
    gate = gate_after(limited["heater"], (800.0, "on"), (off_at_s, "off"))
    assert rule_for(ON, limited, gate) == rule


@pytest.mark.parametrize("origin", [PERSON, RULE, AGENT], ids=["person", "rule", "agent"])
def test_min_on_keeps_it_on_for_everybody(origin: Origin) -> None:
    limited = rows(heater=Limits(min_on_s=100))
    gate = gate_after(limited["heater"], (950.0, "on"))
    verdict = verdict_for(OFF, limited, gate, observe(heater="on"), origin)
    assert verdict.reason == "The heater has to run for 50 seconds more."
    ran = gate_after(limited["heater"], (900.0, "on"))
    assert rule_for(OFF, limited, ran, observe(heater="on"), origin) == "allow"


def test_a_stop_and_a_fault_pass_before_min_on() -> None:
    limited = rows(heater=Limits(min_on_s=100))
    gate = gate_after(limited["heater"], (950.0, "on"))
    assert rule_for(OFF, limited, safety.stop(gate), observe(heater="on")) == "allow"
    faulty = safety.fault(gate, "heater", "it smells")
    assert rule_for(OFF, limited, faulty, observe(heater="on")) == "allow"


@pytest.mark.parametrize(
    ("min_on_s", "off_at_s", "rule"),
    [
        pytest.param(None, 950.0, "duty_per_day_s", id="used up"),
        pytest.param(None, 949.0, "allow", id="a second left"),
        pytest.param(10.0, 945.0, "duty_per_day_s", id="too little left to run"),
    ],
)
def test_a_day_has_only_so_much_of_being_on(
    min_on_s: float | None, off_at_s: float, rule: str
) -> None:
    limited = rows(heater=Limits(duty_per_day_s=50, min_on_s=min_on_s))
    gate = gate_after(limited["heater"], (900.0, "on"), (off_at_s, "off"))
    assert rule_for(ON, limited, gate) == rule


def test_what_is_on_goes_off_when_its_day_is_used_up() -> None:
    limited = rows(heater=Limits(duty_per_day_s=50))
    gate = gate_after(limited["heater"], (900.0, "on"), (930.0, "off"), (980.0, "on"))
    (order,) = fired(gate, observe(heater="on"), limited)
    assert (order.rule, order.action) == ("duty_per_day_s", OFF)
    assert "was on for 50 seconds of the last 24 hours" in order.reason


def test_a_day_later_it_may_be_on_again() -> None:
    limited = rows(heater=Limits(duty_per_day_s=50))
    gate = gate_after(limited["heater"], (900.0, "on"), (950.0, "off"))
    for hours, rule in ((23.0, "duty_per_day_s"), (25.0, "allow")):
        assert rule_for(ON, limited, gate, observe(at(900 + hours * 3600))) == rule


def test_presses_count_as_switchings() -> None:
    limited = rows(bell=Limits(rate_per_min=1))
    press = Action("bell", "press")
    assert rule_for(press, limited) == "allow"
    gate = told(GateState(START), limited["bell"], None, 990.0, plan(press, now=NOW))
    assert rule_for(press, limited, gate) == "rate_per_min"
