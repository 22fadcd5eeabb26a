"""What cannot even be meant so is refused, and numbers are brought into range."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentd.safety import GateState, review
from llmagentos.cause import Origin
from llmagentos.plan import Action, Ruling
from llmagentos.reading import Quality, State
from tests.agentd.safety.stage import (
    NOW,
    ON,
    PERSON,
    SAFETY,
    START,
    observe,
    plan,
    rows,
    rule_for,
)


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        pytest.param(Action("lamp", "turn_on"), "allow", id="known action"),
        pytest.param(Action("lamp", "explode"), "allowed", id="unknown action"),
        pytest.param(Action("moon", "turn_on"), "allowed", id="unknown device"),
        pytest.param(Action("tank", "turn_on"), "allowed", id="a sensor"),
        pytest.param(Action("lamp", "set_brightness"), "range", id="argument missing"),
        pytest.param(Action("lamp", "set_brightness", {"brightness": "x"}), "range", id="text"),
        pytest.param(Action("lamp", "set_brightness", {"brightness": True}), "range", id="bool"),
        pytest.param(
            Action("lamp", "set_brightness", {"brightness": float("nan")}), "range", id="nan"
        ),
        pytest.param(Action("stat", "set_hvac_mode", {"mode": "dry"}), "range", id="no such mode"),
        pytest.param(Action("stat", "set_hvac_mode", {"mode": "heat"}), "allow", id="mode"),
    ],
)
def test_only_what_the_table_knows_passes(action: Action, rule: str) -> None:
    assert rule_for(action, rows()) == rule


@pytest.mark.parametrize(
    ("asked", "granted", "word"),
    [(90.0, 25, "at most 25"), (1.0, 5, "at least 5")],
    ids=["too warm", "too cold"],
)
def test_a_number_out_of_range_is_clamped_and_told(asked: float, granted: int, word: str) -> None:
    wish = plan(Action("stat", "set_temperature", {"temperature": asked}), now=NOW)
    (verdict,) = review(wish, GateState(START), observe(), rows())
    assert verdict.ruling is Ruling.CLAMP
    assert verdict.granted == Action("stat", "set_temperature", {"temperature": granted})
    assert word in verdict.reason


def test_an_unavailable_device_is_refused_with_its_reason() -> None:
    away = State("heater", {}, NOW, Quality.UNAVAILABLE, "the adapter is away")
    observation = replace(observe(), states={"heater": away})
    (verdict,) = review(plan(ON, now=NOW), GateState(START), observation, rows())
    assert (verdict.rule, verdict.reason) == (
        "unavailable",
        "The heater is not available: the adapter is away.",
    )


@pytest.mark.parametrize("origin", [PERSON, SAFETY], ids=["person", "safety"])
def test_form_binds_even_the_gates_own_actions(origin: Origin) -> None:
    assert rule_for(Action("lamp", "explode"), rows(), origin=origin) == "allowed"
    assert rule_for(Action("dial", "set_value", {"value": 900}), rows(), origin=origin) == "range"
