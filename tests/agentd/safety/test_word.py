"""Whose word counts: holds, ranks, leases, and a yes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentd import safety
from agentd.safety import GateState, Row
from agentd.schema import Limits
from llmagentos.cause import Origin, Rank
from llmagentos.plan import Action
from tests.agentd.safety.stage import (
    AGENT,
    LEARNER,
    OFF,
    ON,
    PERSON,
    RULE,
    SAFETY,
    fired,
    gate_after,
    observe,
    rows,
    rule_for,
)


@pytest.mark.parametrize(
    ("origin", "rule"),
    [(PERSON, "allow"), (RULE, "manual_hold"), (AGENT, "manual_hold"), (SAFETY, "allow")],
    ids=["person", "rule", "agent", "safety"],
)
def test_a_persons_command_holds_against_lower_ranks(origin: Origin, rule: str) -> None:
    all_rows = rows(heater=Limits(manual_hold_s=600))
    gate = gate_after(all_rows["heater"], (900.0, "off"), rank=Rank.PERSON)
    assert rule_for(ON, all_rows, gate, origin=origin) == rule


def test_a_hold_ends() -> None:
    all_rows = rows(heater=Limits(manual_hold_s=50))
    gate = gate_after(all_rows["heater"], (900.0, "off"), rank=Rank.PERSON)
    assert rule_for(ON, all_rows, gate, origin=RULE) == "allow"


@pytest.mark.parametrize(
    ("action", "more", "rule"),
    [
        pytest.param(ON, {}, "confirm", id="risky direction"),
        pytest.param(ON, {"is_confirmed": True}, "allow", id="after a yes"),
        pytest.param(OFF, {}, "allow", id="safe direction"),
        pytest.param(ON, {"origin": RULE}, "allow", id="a rule the owner wrote"),
        pytest.param(ON, {"origin": AGENT}, "confirm", id="an agent"),
    ],
)
def test_confirm_asks_in_the_risky_direction_only(
    action: Action, more: dict[str, object], rule: str
) -> None:
    assert rule_for(action, rows(heater=Limits(confirm=True)), **more) == rule  # type: ignore[arg-type]


def test_a_models_choice_on_a_risky_device_needs_a_yes() -> None:
    unlock = Action("door", "unlock")
    assert rule_for(unlock, rows()) == "allow"
    assert rule_for(unlock, rows(), chosen_by="model") == "confirm"
    assert rule_for(unlock, rows(), chosen_by="model", is_confirmed=True) == "allow"


def held(limits: Limits) -> tuple[dict[str, Row], GateState]:
    """A heater that a person switched off 100 s ago."""
    all_rows = rows(heater=limits)
    return all_rows, gate_after(all_rows["heater"], (900.0, "off"), rank=Rank.PERSON)


def test_what_a_person_promised_after_it_is_not_held_off() -> None:
    all_rows, gate = held(Limits())
    gate = safety.exempt(gate, ["heater"], RULE.who)
    assert rule_for(ON, all_rows, gate, origin=RULE) == "allow"
    assert rule_for(ON, all_rows, gate, origin=replace(RULE, who="r2")) == "manual_hold"
    assert rule_for(ON, all_rows, gate, origin=replace(AGENT, who=RULE.who)) == "manual_hold"


def test_the_next_direct_command_holds_off_that_promise_too() -> None:
    all_rows, gate = held(Limits())
    gate = safety.exempt(gate, ["heater"], RULE.who)
    gate = gate_after(all_rows["heater"], (950.0, "off"), rank=Rank.PERSON, gate=gate)
    assert rule_for(ON, all_rows, gate, origin=RULE) == "manual_hold"


@pytest.mark.parametrize(
    ("by", "origin", "at_s", "rule"),
    [
        pytest.param(Rank.RULE, AGENT, 1000.0, "precedence", id="agent after rule, same turn"),
        pytest.param(Rank.RULE, AGENT, 998.5, "precedence", id="agent after rule, shortly after"),
        pytest.param(Rank.RULE, AGENT, 998.0, "allow", id="agent after rule, settled"),
        pytest.param(Rank.AGENT, LEARNER, 999.0, "precedence", id="learner after agent"),
        pytest.param(Rank.PERSON, RULE, 999.0, "precedence", id="rule after person"),
        pytest.param(Rank.AGENT, RULE, 1000.0, "allow", id="rule after agent"),
        pytest.param(Rank.RULE, RULE, 1000.0, "allow", id="rule after rule"),
        pytest.param(Rank.SAFETY, AGENT, 1000.0, "allow", id="agent after the gate itself"),
    ],
)
def test_a_lower_rank_loses_against_what_a_higher_one_has_just_done(
    by: Rank, origin: Origin, at_s: float, rule: str
) -> None:
    all_rows = rows(heater=Limits(manual_hold_s=0))
    gate = gate_after(all_rows["heater"], (at_s, "off"), rank=by)
    assert rule_for(ON, all_rows, gate, origin=origin) == rule


@pytest.mark.parametrize(
    ("limits", "rank", "age_s", "rules"),
    [
        pytest.param(Limits(), Rank.AGENT, 9.9, [], id="agent within its ten seconds"),
        pytest.param(Limits(), Rank.AGENT, 10.0, ["lease_s"], id="agent after them"),
        pytest.param(Limits(), Rank.LEARNER, 10.0, ["lease_s"], id="learner"),
        pytest.param(Limits(), Rank.RULE, 500.0, [], id="rule without lease"),
        pytest.param(Limits(), Rank.PERSON, 500.0, [], id="person without lease"),
        pytest.param(Limits(lease_s=4), Rank.PERSON, 4.0, ["lease_s"], id="person, device's own"),
        pytest.param(Limits(lease_s=4), Rank.AGENT, 4.0, ["lease_s"], id="agent, device's own"),
        pytest.param(Limits(lease_s=4), None, 4.0, [], id="a hand on its button"),
    ],
)
def test_what_is_not_said_again_in_time_runs_out(
    limits: Limits, rank: Rank | None, age_s: float, rules: list[str]
) -> None:
    all_rows = rows(heater=limits)
    gate = gate_after(all_rows["heater"], (1000.0 - age_s, "on"), rank=rank)
    orders = fired(gate, observe(heater="on"), all_rows)
    assert [order.rule for order in orders] == rules
    assert all(order.action == OFF for order in orders)


def test_saying_it_again_renews_a_lease() -> None:
    all_rows = rows(heater=Limits())
    gate = gate_after(all_rows["heater"], (985.0, "on"), (993.0, "on"), rank=Rank.AGENT)
    assert not fired(gate, observe(heater="on"), all_rows)


def test_a_lease_is_over_only_when_the_output_has_followed() -> None:
    all_rows = rows(heater=Limits(lease_s=4))
    gate = gate_after(all_rows["heater"], (990.0, "on"), rank=Rank.PERSON)
    stuck = gate_after(all_rows["heater"], (995.0, "on"), rank=Rank.SAFETY, gate=gate)
    assert [each.rule for each in fired(stuck, observe(heater="on"), all_rows)] == ["lease_s"]
    followed = gate_after(all_rows["heater"], (995.0, "off"), rank=Rank.SAFETY, gate=gate)
    assert followed.track("heater").claim.lease_until_s is None


def test_a_lease_ends_in_the_safe_state_and_spares_what_keeps() -> None:
    all_rows = {**rows(), "heater": replace(rows()["heater"], safe_state="on")}
    gate = gate_after(all_rows["heater"], (900.0, "off"), rank=Rank.AGENT)
    gate = gate_after(all_rows["lamp"], (900.0, "on"), rank=Rank.AGENT, gate=gate)
    orders = fired(gate, observe(heater="off", lamp="on"), all_rows)
    assert [order.action for order in orders] == [ON]


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        pytest.param({}, "confirm", id="no yes"),
        pytest.param({"is_confirmed": True}, "confirm", id="a yes from nowhere"),
        pytest.param({"is_confirmed": True, "confirmed_on": "cli"}, "confirm", id="same channel"),
        pytest.param({"is_confirmed": True, "confirmed_on": "voice"}, "allow", id="another one"),
        pytest.param({"confirmed_on": "voice"}, "confirm", id="a channel without a yes"),
    ],
)
def test_a_second_channel_must_say_the_yes(more: dict[str, object], rule: str) -> None:
    all_rows = rows(heater=Limits(confirm="second_channel"))
    assert rule_for(ON, all_rows, **more) == rule
    assert rule_for(OFF, all_rows, **more) == "allow"


def test_a_thermostat_that_needs_a_yes_asks_for_it() -> None:
    assert rule_for(Action("stat", "turn_on"), rows(stat=Limits(confirm=True))) == "confirm"
