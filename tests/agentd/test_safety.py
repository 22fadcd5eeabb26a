"""The gate: each row allows what it should and forbids what it must, with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentd import safety
from agentd.safety import GateState, Row, note, review, safe_orders, watch
from agentd.schema import Limits, Requirement
from llmagentos.cause import Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Device, Home
from llmagentos.kind import Scalar
from llmagentos.plan import Action, Ruling
from llmagentos.reading import Quality, State
from llmagentos.utterance import Observation
from tests.agentd.house import PERSON, RULE, plan

START = Instant(0.0, 1_790_000_000.0)
NOW = Instant(1000.0, 1_790_001_000.0)
AGENT = Origin(Rank.AGENT, "agent", "a1")
SAFETY = Origin(Rank.SAFETY, "safety")

LAMP = Device("lamp", "lamp", "light")
HEATER = Device("heater", "heater", "switch")
FAN = Device("fan", "fan", "fan")
LOCK = Device("door", "front door", "lock", is_risky=True)
STAT = Device("stat", "thermostat", "climate", minimum=5, maximum=25, modes=("off", "heat"))
TANK = Device("tank", "tank level", "sensor", unit="%")
DEVICES = (LAMP, HEATER, FAN, LOCK, STAT, TANK)


def rows(**limits: Limits) -> dict[str, Row]:
    outputs = [device for device in DEVICES if device is not TANK]
    safe = {"lamp": "keep", "door": "off"}
    return {
        each.id: Row(each, limits.get(each.id, Limits()), safe.get(each.id, "off"))
        for each in outputs
    }


def observe(now: Instant = NOW, **states: Scalar) -> Observation:
    known = {name: State(name, {"state": value}, now) for name, value in states.items()}
    return Observation(Home(devices=DEVICES), known, now)


def gate_after(
    row: Row, *values: tuple[float, str], rank: Rank | None = None, gate: GateState | None = None
) -> GateState:
    """The gate's memory after an output was seen in these states at these seconds."""
    gate = gate or GateState(START)
    for at_s, value in values:
        now = Instant(at_s, START.wall_s + at_s)
        gate = note(gate, row, {"state": value}, now, rank=rank)
    return gate


def rule_for(
    action: Action,
    all_rows: dict[str, Row],
    gate: GateState | None = None,
    observation: Observation | None = None,
    origin: Origin = PERSON,
    **more: object,
) -> str:
    """`allow`, or the name of the row that decided."""
    wish = plan(action, now=NOW, origin=origin, **more)
    (verdict,) = review(wish, gate or GateState(START), observation or observe(), all_rows)
    assert bool(verdict.reason) == (verdict.ruling is not Ruling.ALLOW)
    return verdict.rule or verdict.ruling.value


ON = Action("heater", "turn_on")
OFF = Action("heater", "turn_off")


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


def test_a_stop_lets_only_the_safe_direction_pass_until_reset() -> None:
    stopped = safety.stop(GateState(START))
    assert rule_for(ON, rows(), stopped) == "stop"
    assert rule_for(OFF, rows(), stopped) == "allow"
    assert rule_for(ON, rows(), safety.reset(stopped)) == "allow"


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


def test_an_unavailable_device_is_refused_with_its_reason() -> None:
    away = State("heater", {}, NOW, Quality.UNAVAILABLE, "the adapter is away")
    observation = replace(observe(), states={"heater": away})
    (verdict,) = review(plan(ON, now=NOW), GateState(START), observation, rows())
    assert (verdict.rule, verdict.reason) == (
        "unavailable",
        "The heater is not available: the adapter is away.",
    )


@pytest.mark.parametrize(("on_at_s", "count"), [(800.0, 1), (950.0, 0)], ids=["over", "within"])
def test_max_on_fires_by_itself(on_at_s: float, count: int) -> None:
    limited = rows(heater=Limits(max_on_s=100))
    gate = gate_after(limited["heater"], (on_at_s, "on"))
    orders = watch(gate, observe(heater="on"), limited)
    assert len(orders) == count
    assert all(order.action == OFF and order.rule == "max_on_s" for order in orders)


def test_an_output_goes_off_when_its_reading_turns_stale() -> None:
    needy = rows(heater=Limits(requires=(Requirement("tank", min=5),)))
    stale = State("tank", {"state": 50.0}, NOW, Quality.STALE, "no reading for 9 s")
    observation = replace(
        observe(heater="on"), states={"tank": stale, "heater": State("heater", {"state": "on"})}
    )
    (order,) = watch(GateState(START), observation, needy)
    assert (order.action, order.rule) == (OFF, "requires")
    assert "no fresh reading of the tank level" in order.reason


def test_safe_orders_cover_every_output_and_spare_what_keeps() -> None:
    orders = safe_orders(observe(lamp="on", heater="on"), rows(), rule="stop", reason="Stopped.")
    assert {(order.action.device, order.action.name) for order in orders} == {
        ("heater", "turn_off"),
        ("fan", "turn_off"),
        ("door", "lock"),
        ("stat", "turn_off"),
    }


def test_a_moving_cover_that_keeps_is_stopped() -> None:
    blind = Device("blind", "blind", "cover")
    observation = Observation(
        Home(devices=(blind,)), {"blind": State("blind", {"state": "opening"})}, NOW
    )
    (order,) = safe_orders(observation, {"blind": Row(blind, Limits(), "keep")}, rule="", reason="")
    assert order.action == Action("blind", "stop")
