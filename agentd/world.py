"""What the devices are like, and the hands that change them: the one caller of actuators.

Used by the tick's thread alone, but for `observe`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final

from agentd.agents.rule import Rule
from agentd.safety import Row
from agentd.step import Step, Steps, pass_by
from hal.contract import Actuator, Controller, HalError
from llmagentos.cause import Cause
from llmagentos.clock import Instant
from llmagentos.home import Home
from llmagentos.kind import Scalar, effect, opposite
from llmagentos.plan import Action, Applied, Plan, Stage, Verdict
from llmagentos.reading import Quality, Reading, State
from llmagentos.utterance import Observation

SWEEP_S: Final = 1.0
"""Pause between two looks at all outputs and at the age of all readings."""

_TOLERANCE: Final = 1.5
"""How far a number read back may lie from the one asked, in its own unit: an 8-bit duty cycle
cannot hold every percent."""

Note = Callable[[Row, Mapping[str, Scalar], Instant, Plan | None], None]
"""Told what an output was read back as, and whose plan made it so (None: nobody's)."""


@dataclass(frozen=True)
class House:
    """What the loop runs: built from the configuration, replaced as a whole on reload."""

    home: Home = field(default_factory=Home)
    rows: Mapping[str, Row] = field(default_factory=dict)
    """The gate's rows of every output that works."""
    actuators: Mapping[str, Actuator] = field(default_factory=dict)
    period_s: Mapping[str, float] = field(default_factory=dict)
    """Longest time between two readings of a sound sensor, for those that have one; an older
    reading is stale."""
    rules: tuple[Rule, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    """Devices that cannot be used, with the reason."""
    zone: tzinfo | None = None
    """What times of day mean here; None leaves it as it was."""


class World:
    """The house, and the state of everything in it."""

    def __init__(self, *, note: Note, steps: Steps = pass_by) -> None:
        """An empty house; `adopt` furnishes it."""
        self.house = House()
        self._note = note
        self._steps = steps
        self._states: dict[str, State] = {}
        self._underway: set[str] = set()
        self._swept_at_s = -SWEEP_S
        self._changed: dict[str, State] = {}

    @property
    def states(self) -> Mapping[str, State]:
        """The present states, by device id."""
        return self._states

    @property
    def is_moving(self) -> bool:
        """Whether something is under way (a cover travels)."""
        return bool(self._underway)

    def is_available(self, name: str) -> bool:
        """Whether an output can be told anything now."""
        state = self._states.get(name)
        return name in self.house.actuators and state is not None and state.is_available

    def observe(self, now: Instant) -> Observation:
        """All that is known; may be called from any thread."""
        return Observation(self.house.home, dict(self._states), now)

    def adopt(self, house: House, now: Instant) -> None:
        """Take over a house. What did not change keeps its state; what works no more says so."""
        self.house = house
        known = house.home.by_id
        self._states = {name: state for name, state in self._states.items() if name in known}
        self._underway &= set(house.actuators)
        for name in known:
            if reason := house.faults.get(name):
                self._mark(State(name, {}, now, Quality.UNAVAILABLE, reason))
            elif name in house.actuators:
                self.read_back(name, now)
            elif name not in self._states or not self._states[name].is_available:
                waiting = "waiting for its first reading"
                self._mark(State(name, {}, now, Quality.UNAVAILABLE, waiting))

    # seeing -----------------------------------------------------------------------------------

    def take_in(self, readings: Iterable[Reading]) -> None:
        """Let readings become states."""
        for reading in readings:
            if reading.quality is Quality.UNAVAILABLE:
                gone = State(reading.device, {}, reading.at, reading.quality, reading.reason)
                self._mark(gone)
                continue
            old = self._states.get(reading.device, State(reading.device))
            values = {**old.values, reading.quantity: reading.value}
            device = self.house.home.by_id[reading.device]
            if device.device_class in (None, reading.quantity) or "state" not in values:
                values["state"] = reading.value
            self._mark(State(reading.device, values, reading.at, reading.quality,
                             reading.reason, reading.cause))  # fmt: skip

    def sweep(self, now: Instant) -> None:
        """Read outputs back, move on what travels, find the sensors that fell silent; all of them
        once in `SWEEP_S`, what is under way each time."""
        due: Iterable[str] = tuple(self._underway)
        if now.mono_s - self._swept_at_s >= SWEEP_S:
            self._swept_at_s = now.mono_s
            due = self.house.actuators
            self._find_stale(now)
        for name in due:
            self._advance(name, now)
            self.read_back(name, now)

    def read_back(
        self, name: str, now: Instant, *, cause: Cause | None = None, plan: Plan | None = None
    ) -> State:
        """What an output is like, as it says itself."""
        old = self._states.get(name, State(name))
        try:
            values = self.house.actuators[name].read_back(now)
        except HalError as exc:
            state = State(name, {}, now, Quality.UNAVAILABLE, str(exc))
        else:
            state = State(name, dict(values), now, cause=cause or old.cause)
            self._note(self.house.rows[name], values, now, plan)
        self._mark(state)
        return state

    def wishes(self, now: Instant) -> list[tuple[str, tuple[Action, ...]]]:
        """(device, actions) that the controllers among the outputs want of others."""
        return [
            (name, actions)
            for name, actuator in self.house.actuators.items()
            if isinstance(actuator, Controller)
            if (actions := actuator.propose(self._states, now))
        ]

    def _find_stale(self, now: Instant) -> None:
        for name, period_s in self.house.period_s.items():
            state = self._states.get(name)
            if state is None or state.at is None or state.quality is not Quality.GOOD:
                continue
            age_s = state.at.age_s(now)
            if age_s > period_s:
                reason = f"no reading for {age_s:.0f} s"
                self._mark(replace(state, quality=Quality.STALE, reason=reason))

    # acting -----------------------------------------------------------------------------------

    def absolute(self, action: Action) -> Action:
        """A toggle becomes what it stands for now, so that doing it twice does it once."""
        device = self.house.home.by_id.get(action.device)
        if action.name != "toggle" or device is None:
            return action
        state = self._states.get(action.device, State(action.device))
        return Action(action.device, opposite(device.kind, state.values))

    def act(self, verdict: Verdict, plan: Plan, now: Instant) -> Applied:
        """Do what was granted and say what became of it."""
        granted = verdict.granted
        if granted is None:
            return Applied(verdict.asked, Stage.REFUSED, plan.cause, now, verdict=verdict,
                           reason=verdict.reason)  # fmt: skip
        name = granted.device
        before = self._states.get(name, State(name)).values
        applied = Applied(granted, Stage.FAILED, plan.cause, now, before=before, verdict=verdict)
        try:
            self.house.actuators[name].apply(granted, now)
            self._steps(Step.ACTUATED)
            self._advance(name, now)
        except HalError as exc:
            self.read_back(name, now)
            return replace(applied, reason=str(exc))
        state = self.read_back(name, now, cause=plan.cause, plan=plan)
        stage, reason = self._judge(granted, state)
        return replace(applied, stage=stage, state=state.values, reason=reason)

    def _advance(self, name: str, now: Instant) -> None:
        if self.house.actuators[name].advance(now):
            self._underway.add(name)
        else:
            self._underway.discard(name)

    def _judge(self, action: Action, state: State) -> tuple[Stage, str]:
        """How far an action got, from what the device itself says."""
        if not state.is_available:
            return Stage.FAILED, state.reason
        device = self.house.home.by_id[action.device]
        wanted = effect(device.kind, action.name, action.args)
        if all(_agrees(state.values.get(key), value) for key, value in wanted.items()):
            return Stage.READ_BACK, ""
        if action.device in self._underway:
            return Stage.SENT, ""
        seen = ", ".join(f"{key} {state.values.get(key)}" for key in wanted)
        return Stage.FAILED, f"I told the {device.name}, but it reads back {seen}."

    # telling ----------------------------------------------------------------------------------

    def take_changed(self) -> tuple[State, ...]:
        """The states that changed since the last call."""
        changed, self._changed = tuple(self._changed.values()), {}
        return changed

    def _mark(self, state: State) -> None:
        """Take over a state; only a change of what people see is told."""
        old = self._states.get(state.device)
        self._states[state.device] = state
        if old is None or _seen(old) != _seen(state):
            self._changed[state.device] = state


def _seen(state: State) -> tuple[Mapping[str, Scalar], Quality, str, Cause | None]:
    return state.values, state.quality, state.reason, state.cause


def _agrees(seen: Scalar, wanted: Scalar) -> bool:
    numbers = (int, float)
    if isinstance(seen, numbers) and isinstance(wanted, numbers) and not isinstance(seen, bool):
        return abs(seen - wanted) <= _TOLERANCE
    return seen == wanted
