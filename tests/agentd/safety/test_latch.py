"""The stop and faults stay until a person resets them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentd import safety
from agentd.safety import GateState, Row, safe_orders
from agentd.schema import Limits
from llmagentos.home import Device, Home
from llmagentos.kind import Scalar
from llmagentos.plan import Action
from llmagentos.reading import State
from llmagentos.utterance import Observation
from tests.agentd.safety.stage import (
    NOW,
    OFF,
    ON,
    START,
    fired,
    observe,
    rows,
    rule_for,
    verdict_for,
)


def test_a_stop_lets_only_the_safe_direction_pass_until_reset() -> None:
    stopped = safety.stop(GateState(START))
    assert rule_for(ON, rows(), stopped) == "stop"
    assert rule_for(OFF, rows(), stopped) == "allow"
    assert rule_for(ON, rows(), safety.reset(stopped)) == "allow"


def test_safe_orders_cover_every_output_and_spare_what_keeps() -> None:
    orders = safe_orders(observe(lamp="on", heater="on"), rows(), rule="stop", reason="Stopped.")
    assert {(order.action.device, order.action.name) for order in orders} == {
        ("heater", "turn_off"),
        ("fan", "turn_off"),
        ("door", "lock"),
        ("stat", "turn_off"),
        ("dial", "set_value"),
    }


def test_a_moving_cover_that_keeps_is_stopped() -> None:
    blind = Device("blind", "blind", "cover")
    observation = Observation(
        Home(devices=(blind,)), {"blind": State("blind", {"state": "opening"})}, NOW
    )
    (order,) = safe_orders(observation, {"blind": Row(blind, Limits(), "keep")}, rule="", reason="")
    assert order.action == Action("blind", "stop")


def test_what_a_stop_did_not_reach_is_driven_again() -> None:
    orders = fired(
        safety.stop(GateState(START)), observe(heater="on", lamp="on", fan="off"), rows()
    )
    assert [(order.action, order.rule) for order in orders] == [(OFF, "stop")]


def test_a_fault_leaves_the_safe_way_alone_until_it_is_reset() -> None:
    faulty = safety.fault(GateState(START), "heater", "it does not follow")
    verdict = verdict_for(ON, rows(), faulty)
    reason = "The heater has a fault until somebody resets it: it does not follow."
    assert (verdict.rule, verdict.reason) == ("fault", reason)
    assert rule_for(OFF, rows(), faulty) == "allow"
    assert rule_for(Action("fan", "turn_on"), rows(), faulty) == "allow"
    for mended in (safety.reset(faulty), safety.reset(faulty, "heater")):
        assert rule_for(ON, rows(), mended) == "allow"


def test_a_faulty_output_that_is_on_is_driven_to_safety() -> None:
    faulty = safety.fault(GateState(START), "heater", "it does not follow")
    (order,) = fired(faulty, observe(heater="on", fan="on"), rows())
    assert (order.action, order.rule) == (OFF, "fault")


def test_a_reset_of_one_device_leaves_the_stop() -> None:
    stopped = safety.fault(safety.stop(GateState(START)), "fan", "it squeaks")
    assert safety.reset(stopped, "fan").is_stopped


def test_off_is_not_the_safe_way_of_what_is_safe_when_on() -> None:
    freezer = {**rows(), "heater": replace(rows()["heater"], safe_state="on")}
    stopped = safety.stop(GateState(START))
    assert rule_for(OFF, freezer, stopped, observe(heater="on")) == "stop"
    assert rule_for(ON, freezer, stopped, observe(heater="off")) == "allow"
    (order,) = fired(stopped, observe(heater="off"), freezer)
    assert order.action == ON


def test_what_goes_off_is_driven_before_what_goes_on() -> None:
    mixed = rows()
    mixed["heater"] = replace(mixed["heater"], safe_state="on")
    orders = safe_orders(observe(heater="off", fan="on"), mixed, rule="stop", reason="Stopped.")
    assert orders[-1].action == ON


@pytest.mark.parametrize(
    ("kind", "safe", "values", "order"),
    [
        ("number", "off", {"state": 7.0}, Action("x", "set_value", {"value": 0})),
        ("number", "off", {"state": 0}, None),
        ("number", 30.0, {"state": 7.0}, Action("x", "set_value", {"value": 30.0})),
        ("number", 30.0, {"state": 30.01}, None),
        ("valve", "off", {"state": "open"}, Action("x", "close")),
        ("valve", "off", {"state": "closed"}, None),
        ("cover", "off", {"state": "closing", "position": 40}, None),
        ("cover", "keep", {"state": "opening"}, Action("x", "stop")),
        ("cover", "keep", {"state": "open"}, None),
        ("light", 30.0, {"state": "on", "brightness": 80}, Action("x", "set_brightness", {"brightness": 30.0})),
        ("light", 30.0, {"state": "on", "brightness": 29.4}, None),
        ("climate", "off", {"state": "heat"}, Action("x", "turn_off")),
        ("lock", "off", {"state": "unlocked"}, Action("x", "lock")),
        ("switch", "off", {}, None),
    ],
)  # fmt: skip
def test_every_kind_has_its_way_to_safety(
    kind: str, safe: str | float, values: dict[str, Scalar], order: Action | None
) -> None:
    device = Device("x", "x", kind)
    observation = Observation(Home(devices=(device,)), {"x": State("x", values)}, NOW)
    orders = fired(safety.stop(GateState(START)), observation, {"x": Row(device, Limits(), safe)})
    assert [each.action for each in orders] == ([order] if order else [])
