"""A few outputs before the gate, for its tables of tests."""

from __future__ import annotations

from datetime import UTC

from agentd.safety import GateState, Order, Row, note, review, watch
from agentd.schema import Limits
from llmagentos.cause import Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Device, Home
from llmagentos.kind import Scalar
from llmagentos.plan import Action, Plan, Ruling, Verdict
from llmagentos.reading import State
from llmagentos.utterance import Observation
from tests.agentd.house import PERSON, RULE, plan

__all__ = ["PERSON", "RULE", "plan"]

START = Instant(0.0, 1_790_000_000.0)
NOW = Instant(1000.0, 1_790_001_000.0)
AGENT = Origin(Rank.AGENT, "agent", "a1")
LEARNER = Origin(Rank.LEARNER, "agent", "l1")
SAFETY = Origin(Rank.SAFETY, "safety")

LAMP = Device("lamp", "lamp", "light")
HEATER = Device("heater", "heater", "switch")
FAN = Device("fan", "fan", "fan")
LOCK = Device("door", "front door", "lock", is_risky=True)
STAT = Device("stat", "thermostat", "climate", minimum=5, maximum=25, modes=("off", "heat"))
DIAL = Device("dial", "dial", "number", unit="V", minimum=0, maximum=100)
BELL = Device("bell", "bell", "button")
TANK = Device("tank", "tank level", "sensor", unit="%")
DEVICES = (LAMP, HEATER, FAN, LOCK, STAT, DIAL, BELL, TANK)


def rows(**limits: Limits) -> dict[str, Row]:
    outputs = [device for device in DEVICES if device is not TANK]
    safe = {"lamp": "keep", "bell": "keep"}
    return {
        each.id: Row(each, limits.get(each.id, Limits()), safe.get(each.id, "off"), UTC)
        for each in outputs
    }


def observe(now: Instant = NOW, **states: Scalar) -> Observation:
    known = {name: State(name, {"state": value}, now) for name, value in states.items()}
    return Observation(Home(devices=DEVICES), known, now)


def gate_after(
    row: Row, *values: tuple[float, Scalar], rank: Rank | None = None, gate: GateState | None = None
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
    """`allow`, or the name of the rule that decided."""
    verdict = verdict_for(action, all_rows, gate, observation, origin, **more)
    assert bool(verdict.reason) == (verdict.ruling is not Ruling.ALLOW)
    return verdict.rule or verdict.ruling.value


def verdict_for(
    action: Action,
    all_rows: dict[str, Row],
    gate: GateState | None = None,
    observation: Observation | None = None,
    origin: Origin = PERSON,
    **more: object,
) -> Verdict:
    """What the gate says to one action."""
    seen = observation or observe()
    wish = plan(action, now=seen.now, origin=origin, **more)
    (verdict,) = review(wish, gate or GateState(START), seen, all_rows)
    return verdict


def told(gate: GateState, row: Row, value: Scalar, at_s: float, wish: Plan) -> GateState:
    """The gate's memory after a plan was carried out."""
    rank = wish.origin.rank
    return note(gate, row, {"state": value}, at(at_s), rank=rank, plan=wish)


def fired(gate: GateState, observation: Observation, all_rows: dict[str, Row]) -> list[Order]:
    """What the gate does by itself."""
    return list(watch(gate, observation, all_rows))


def at(mono_s: float) -> Instant:
    """An instant of this boot."""
    return Instant(mono_s, START.wall_s + mono_s)


ON = Action("heater", "turn_on")
OFF = Action("heater", "turn_off")
