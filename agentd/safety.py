"""The gate: every action of every source passes here, and it may act on its own.

Pure: no clock, no I/O. `review` judges a plan, `watch` finds what must be switched off by itself,
`note` and the others return the next `GateState`. Reasons are whole sentences, the same words by
voice, over MQTT and in the log.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from agentd import argument
from agentd.schema import Limits, Requirement
from llmagentos.cause import Rank
from llmagentos.clock import Instant
from llmagentos.home import Device
from llmagentos.kind import ACTIONS, Scalar, effect, is_active
from llmagentos.plan import Action, Plan, Ruling, Verdict
from llmagentos.reading import Quality, State
from llmagentos.utterance import Observation

RATE_WINDOW_S: Final = 60.0
"""Window in which `rate_per_min` counts switchings to on."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the gate knows of one output."""

    device: Device
    limits: Limits
    safe_state: str | float
    """off, on, keep or a value."""

    @property
    def safe_action(self) -> Action | None:
        """What drives it to its declared safe state; None when that is to keep what it has."""
        device = self.device
        if self.safe_state == "keep":
            return None
        if isinstance(self.safe_state, str):
            name = _SAFE_ACTION[self.safe_state].get(device.kind, f"turn_{self.safe_state}")
            return Action(device.id, name)
        name, key = _SAFE_VALUE.get(device.kind, ("set_value", "value"))
        return Action(device.id, name, {key: self.safe_state})


_SAFE_ACTION: Final = {
    "off": {"cover": "close", "valve": "close", "lock": "lock"},
    "on": {"cover": "open", "valve": "open", "lock": "unlock"},
}
_SAFE_VALUE: Final = {
    "light": ("set_brightness", "brightness"),
    "fan": ("set_speed", "speed"),
    "cover": ("set_position", "position"),
    "valve": ("set_position", "position"),
    "climate": ("set_temperature", "temperature"),
}


@dataclass(frozen=True, slots=True)
class Track:
    """What the gate remembers of one output."""

    is_active: bool = False
    """Whether it is energised or open."""

    since: Instant | None = None
    """When it became so; None when unknown, which counts as the start of the daemon."""

    switched_at_s: tuple[float, ...] = ()
    """Monotonic seconds of its switchings to on within the last minute."""

    held_until_s: float = 0.0
    """Monotonic second until which a person's command holds it."""


@dataclass(frozen=True, slots=True)
class GateState:
    """All that the gate remembers."""

    started_at: Instant
    """Outputs whose past is unknown count as switched off at this instant."""

    tracks: Mapping[str, Track] = field(default_factory=dict)
    """By device id."""

    is_stopped: bool = False
    """Set by stop, cleared by a person's reset alone."""

    def track(self, device: str) -> Track:
        """What is remembered of a device, or an empty memory."""
        return self.tracks.get(device, Track())


@dataclass(frozen=True, slots=True)
class Order:
    """What the gate does by itself."""

    action: Action
    rule: str
    """Name of the row that fired."""
    reason: str
    """One sentence for people."""


Rows = Mapping[str, Row]


def review(
    plan: Plan, gate: GateState, observation: Observation, rows: Rows
) -> tuple[Verdict, ...]:
    """Judge every action of a plan, in order; each sees what the ones before it would leave."""
    verdicts: list[Verdict] = []
    for action in plan.actions:
        verdict = _judge(action, plan, gate, observation, rows)
        verdicts.append(verdict)
        if verdict.granted:
            observation = _foresee(observation, verdict.granted)
    return tuple(verdicts)


def watch(gate: GateState, observation: Observation, rows: Rows) -> tuple[Order, ...]:
    """What must be switched off now without anybody asking: limits fire by themselves."""
    orders: list[Order] = []
    for row in rows.values():
        state = observation.states.get(row.device.id)
        if state is None or not is_active(row.device.kind, state.values):
            continue
        if broken := _broken_while_on(row, gate, observation, rows):
            rule, reason = broken
            orders.append(Order(_off_action(row.device), rule, reason))
    return tuple(orders)


def safe_orders(
    observation: Observation, rows: Rows, *, rule: str, reason: str
) -> tuple[Order, ...]:
    """What drives every output to its declared safe state; a moving cover that keeps stops."""
    orders: list[Order] = []
    for row in rows.values():
        action = row.safe_action
        state = observation.states.get(row.device.id)
        if action is None and state and state.values.get("state") in ("opening", "closing"):
            action = Action(row.device.id, "stop")
        if action:
            orders.append(Order(action, rule, reason))
    return tuple(orders)


def note(
    gate: GateState, row: Row, values: Mapping[str, Scalar], now: Instant, *, rank: Rank | None
) -> GateState:
    """Remember what an output is like now, and who made it so (None: found by reading it back)."""
    old = gate.track(row.device.id)
    active = is_active(row.device.kind, values)
    new = old
    if active != old.is_active or old.since is None:
        recent = [at for at in old.switched_at_s if now.mono_s - at < RATE_WINDOW_S]
        known = old.since is not None or active
        since = now if known else gate.started_at
        new = replace(new, is_active=active, since=since)
        if active:
            new = replace(new, switched_at_s=(*recent, now.mono_s))
    if rank is Rank.PERSON:
        new = replace(new, held_until_s=now.mono_s + row.limits.manual_hold_s)
    if new == old:
        return gate
    return replace(gate, tracks={**gate.tracks, row.device.id: new})


def stop(gate: GateState) -> GateState:
    """Latch the stop."""
    return replace(gate, is_stopped=True)


def reset(gate: GateState) -> GateState:
    """Lift the stop."""
    return replace(gate, is_stopped=False)


def _judge(
    action: Action, plan: Plan, gate: GateState, observation: Observation, rows: Rows
) -> Verdict:
    row = rows.get(action.device)
    if row is None or not row.device.can(action.name):
        return _deny(action, "allowed", _cannot(row, action, observation))
    if problem := argument.find_problem(row.device, action):
        return _deny(action, "range", problem)
    state = observation.states.get(action.device)
    if state and not state.is_available:
        text = f"The {row.device.name} is not available: {state.reason or 'no reason known'}."
        return _deny(action, "unavailable", text.replace("..", "."))
    granted = argument.clamp(row.device, action)
    if refusal := _refusal(granted, row, plan, gate, observation, rows):
        return _deny(action, *refusal)
    if question := _needs_yes(granted, row, plan, state):
        return Verdict(Ruling.CONFIRM, action, None, "confirm", question)
    if granted != action:
        return Verdict(
            Ruling.CLAMP,
            action,
            granted,
            "range",
            argument.explain_clamp(row.device, action, granted),
        )
    return Verdict(Ruling.ALLOW, action, action)


def _refusal(
    action: Action, row: Row, plan: Plan, gate: GateState, observation: Observation, rows: Rows
) -> tuple[str, str] | None:
    """(rule, reason) of the first row that forbids, else None. The gate's own orders pass."""
    if plan.origin.rank is Rank.SAFETY:
        return None
    if gate.is_stopped and not _is_towards_safe(action, row):
        return "stop", "Everything is stopped until somebody resets it."
    now, name = observation.now, row.device.name
    track = gate.track(row.device.id)
    held_s = track.held_until_s - now.mono_s
    if plan.origin.rank < Rank.PERSON and held_s > 0:
        return "manual_hold", f"A person set the {name}; that holds for {_span(held_s)} more."
    if not _switches_on(action, row, track):
        return None
    return (
        _interlocked(row, observation, rows)
        or _too_early(row, gate, now)
        or _too_often(row, track, now)
        or _requirement_broken(row, observation)
    )


def _switches_on(action: Action, row: Row, track: Track) -> bool:
    after = effect(row.device.kind, action.name, action.args)
    if row.device.kind == "climate" and action.name == "turn_on":
        return not track.is_active
    return is_active(row.device.kind, after) and not track.is_active


def _is_towards_safe(action: Action, row: Row) -> bool:
    return action == row.safe_action or action.name in ("turn_off", "stop")


def _interlocked(row: Row, observation: Observation, rows: Rows) -> tuple[str, str] | None:
    group = row.limits.interlock
    if group is None:
        return None
    for other in rows.values():
        state = observation.states.get(other.device.id)
        if other is row or other.limits.interlock != group or state is None:
            continue
        if is_active(other.device.kind, state.values):
            reason = (
                f"The {row.device.name} and the {other.device.name} are interlocked, "
                f"and the {other.device.name} is on."
            )
            return "interlock", reason
    return None


def _too_early(row: Row, gate: GateState, now: Instant) -> tuple[str, str] | None:
    if row.limits.min_off_s is None:
        return None
    since = gate.track(row.device.id).since or gate.started_at
    left_s = row.limits.min_off_s - since.age_s(now)
    if left_s <= 0:
        return None
    return "min_off_s", f"The {row.device.name} has to rest for {_span(left_s)} more."


def _too_often(row: Row, track: Track, now: Instant) -> tuple[str, str] | None:
    if row.limits.rate_per_min is None:
        return None
    recent = [at for at in track.switched_at_s if now.mono_s - at < RATE_WINDOW_S]
    if len(recent) < row.limits.rate_per_min:
        return None
    left_s = RATE_WINDOW_S - (now.mono_s - recent[0])
    reason = f"The {row.device.name} was switched on too often; wait {_span(left_s)}."
    return "rate_per_min", reason


def _requirement_broken(row: Row, observation: Observation) -> tuple[str, str] | None:
    for required in row.limits.requires:
        if problem := _lacks(required, observation):
            return "requires", f"The {row.device.name} stays off: {problem}."
    return None


def _lacks(required: Requirement, observation: Observation) -> str | None:
    sensor = observation.home.by_id.get(required.device)
    state = observation.states.get(required.device)
    name = sensor.name if sensor else required.device
    if state is None or state.quality is not Quality.GOOD:
        return f"there is no fresh reading of the {name}"
    value = state.values.get(required.quantity or "state")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return f"the {name} gives no number"
    unit = f" {sensor.unit}" if sensor and sensor.unit else ""
    if required.min is not None and value < required.min:
        return f"the {name} is at {value:g}{unit}, below {required.min:g}{unit}"
    if required.max is not None and value > required.max:
        return f"the {name} is at {value:g}{unit}, above {required.max:g}{unit}"
    return None


def _broken_while_on(
    row: Row, gate: GateState, observation: Observation, rows: Rows
) -> tuple[str, str] | None:
    """(rule, reason) why an active output must go off, else None."""
    since = gate.track(row.device.id).since or gate.started_at
    max_on_s = row.limits.max_on_s
    if max_on_s is not None and since.age_s(observation.now) >= max_on_s:
        reason = f"The {row.device.name} was on for {_span(max_on_s)}, the longest it may be."
        return "max_on_s", reason
    return _requirement_broken(row, observation) or _interlocked(row, observation, rows)


def _off_action(device: Device) -> Action:
    name = {"cover": "stop", "valve": "close", "lock": "lock"}.get(device.kind, "turn_off")
    if device.kind == "number":
        return Action(device.id, "set_value", {"value": 0})
    return Action(device.id, name)


def _needs_yes(action: Action, row: Row, plan: Plan, state: State | None) -> str | None:
    """The question to ask before the risky direction, else None."""
    if plan.is_confirmed or plan.origin.rank in (Rank.SAFETY, Rank.RULE):
        return None
    is_model_on_risky = plan.chosen_by == "model" and row.device.is_risky
    if not (row.limits.confirm or is_model_on_risky):
        return None
    after = effect(row.device.kind, action.name, action.args)
    now_active = bool(state) and is_active(row.device.kind, state.values if state else {})
    if now_active or not is_active(row.device.kind, after):
        return None
    return f"Shall I really {action.name.replace('_', ' ')} the {row.device.name}?"


def _cannot(row: Row | None, action: Action, observation: Observation) -> str:
    device = observation.home.by_id.get(action.device)
    if device is None:
        return f"There is no device {action.device[:64]!r}."
    state = observation.states.get(action.device)
    if state and not state.is_available:
        return f"The {device.name} is not available: {state.reason or 'no reason known'}."
    allowed = [name for name in ACTIONS[device.kind] if device.can(name)] if row else []
    can = ", ".join(name.replace("_", " ") for name in allowed) or "nothing; it only reports"
    return f"The {device.name} cannot {action.name[:40].replace('_', ' ')}; it can {can}."


def _deny(action: Action, rule: str, reason: str) -> Verdict:
    return Verdict(Ruling.DENY, action, None, rule, reason)


def _foresee(observation: Observation, action: Action) -> Observation:
    """The observation as it would be after the action."""
    device = observation.home.by_id[action.device]
    old = observation.states.get(action.device, State(action.device))
    values = {**old.values, **effect(device.kind, action.name, action.args)}
    return replace(
        observation, states={**observation.states, action.device: replace(old, values=values)}
    )


def _span(seconds: float) -> str:
    """Seconds as people say them, rounded up."""
    whole = math.ceil(seconds)
    if whole < 120:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < 7200:
        return f"{math.ceil(whole / 60)} minutes"
    return f"{math.ceil(whole / 3600)} hours"
