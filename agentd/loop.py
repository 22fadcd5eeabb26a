"""The tick: sense, observe, infer, review, act, publish. Nothing here waits for anything.

The loop alone calls actuators. It is driven by `app.py`, which gives it the time; whatever takes
long has a thread of its own and posts to the inbox.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Final

from agentd import safety
from agentd.agents import rule
from agentd.agents.rule import Rule
from agentd.inbox import Batch, Inbox, Latch, Proposal
from hal.contract import Actuator, Controller, HalError
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Home
from llmagentos.kind import Scalar, effect, opposite
from llmagentos.plan import Action, Applied, Decision, Plan, Ruling, Stage, Verdict
from llmagentos.reading import Quality, Reading, State
from llmagentos.utterance import Observation

_log = logging.getLogger(__name__)

IDLE_S: Final = 1.0
"""Pause between turns when nothing happens: outputs are read back and limits checked this often."""

BUSY_S: Final = 0.05
"""Pause between turns while something is under way (a cover travels)."""

_TOLERANCE: Final = 1.5
"""How far a number read back may lie from the one asked, in its own unit: an 8-bit duty cycle
cannot hold every percent."""


@dataclass(frozen=True)
class House:
    """What the loop runs: built from the configuration, replaced as a whole on reload."""

    home: Home = field(default_factory=Home)
    rows: Mapping[str, safety.Row] = field(default_factory=dict)
    """The gate's rows of every output that works."""
    actuators: Mapping[str, Actuator] = field(default_factory=dict)
    period_s: Mapping[str, float] = field(default_factory=dict)
    """Longest time between two readings of a sound sensor, for those that have one; an older
    reading is stale."""
    rules: tuple[Rule, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    """Devices that cannot be used, with the reason."""


@dataclass(frozen=True)
class Turn:
    """What one tick changed; handed to everyone who publishes."""

    states: tuple[State, ...] = ()
    decisions: tuple[Decision, ...] = ()
    latches: tuple[Latch, ...] = ()


Publish = Callable[[Turn], None]
"""Takes what a turn changed; must not block."""


class Loop:
    """The state of the house and the one thread that changes it."""

    def __init__(
        self, inbox: Inbox, *, next_cause: Callable[[], Cause], publish: Publish, now: Instant
    ) -> None:
        """An empty house; `adopt` furnishes it."""
        self._inbox = inbox
        self._next_cause = next_cause
        self._publish = publish
        self._house = House()
        self._states: dict[str, State] = {}
        self._gate = safety.GateState(started_at=now)
        self._underway: set[str] = set()
        self._swept_at_s = -IDLE_S
        self._ordered_at_s: dict[str, float] = {}
        self._changed: dict[str, State] = {}
        self._decisions: list[Decision] = []
        self.turns = 0
        """Ticks done since the start: the proof of progress."""

    @property
    def is_stopped(self) -> bool:
        """Whether a stop is latched."""
        return self._gate.is_stopped

    def adopt(self, house: House, now: Instant) -> None:
        """Take over a house. What did not change keeps its state; what works no more says so."""
        self._house = house
        known = house.home.by_id
        self._states = {name: state for name, state in self._states.items() if name in known}
        self._underway &= set(house.actuators)
        for name in known:
            if reason := house.faults.get(name):
                self._mark(State(name, {}, now, Quality.UNAVAILABLE, reason))
            elif name in house.actuators:
                self._read_back(name, now)
            elif name not in self._states or not self._states[name].is_available:
                waiting = "waiting for its first reading"
                self._mark(State(name, {}, now, Quality.UNAVAILABLE, waiting))

    def make_safe(
        self, now: Instant, *, rule: str, reason: str, only: Collection[str] | None = None
    ) -> None:
        """Drive every output, or those named, to its declared safe state, in this thread, now."""
        rows = self._house.rows
        if only is not None:
            rows = {name: row for name, row in rows.items() if name in only}
        orders = safety.safe_orders(self._observation(now), rows, rule=rule, reason=reason)
        self._obey(orders, now)

    def observe(self, now: Instant) -> Observation:
        """All that is known; may be called from any thread."""
        return self._observation(now)

    def preview(self, plan: Plan, now: Instant) -> tuple[Verdict, ...]:
        """What the gate would say to a plan; may be called from any thread."""
        observation = self._observation(now)
        absolute = replace(plan, actions=tuple(self._absolute(each) for each in plan.actions))
        return safety.review(absolute, self._gate, observation, self._house.rows)

    def tick(self, batch: Batch, now: Instant) -> float:
        """One turn of the flow.

        Returns:
            Seconds until the next turn is due, if nothing comes in before.
        """
        self._latch(batch.latches, now)
        fired = self._sense(batch.readings, now)
        self._enforce(now)
        for proposal in (*batch.proposals, *self._infer(fired, now)):
            self._decide(proposal, now)
        self._publish_turn(batch.latches)
        self.turns += 1
        return BUSY_S if self._underway else IDLE_S

    # sense ------------------------------------------------------------------------------------

    def _sense(self, readings: Iterable[Reading], now: Instant) -> list[Proposal]:
        """Take in the readings, read the outputs back; returns what the rules want of it."""
        readings = [each for each in readings if each.device in self._house.home.by_id]
        fired = rule.fire(self._house.rules, readings, self._states)
        for reading in readings:
            self._take_in(reading)
        if now.mono_s - self._swept_at_s >= IDLE_S or self._underway:
            self._sweep(now)
        return [self._proposal(name.id, actions, now) for name, actions in fired]

    def _take_in(self, reading: Reading) -> None:
        old = self._states.get(reading.device, State(reading.device))
        if reading.quality is Quality.UNAVAILABLE:
            self._mark(State(reading.device, {}, reading.at, reading.quality, reading.reason))
            return
        values = {**old.values, reading.quantity: reading.value}
        device = self._house.home.by_id[reading.device]
        if reading.quantity == device.device_class or "state" not in values:
            values["state"] = reading.value
        self._mark(
            State(
                reading.device, values, reading.at, reading.quality, reading.reason, reading.cause
            )
        )

    def _sweep(self, now: Instant) -> None:
        """Read every output back, move on what travels, and find the sensors that fell silent."""
        if now.mono_s - self._swept_at_s >= IDLE_S:
            self._swept_at_s = now.mono_s
            due: Iterable[str] = self._house.actuators
            self._find_stale(now)
        else:
            due = tuple(self._underway)
        for name in due:
            self._advance(name, now)
            self._read_back(name, now)

    def _advance(self, name: str, now: Instant) -> None:
        if self._house.actuators[name].advance(now):
            self._underway.add(name)
        else:
            self._underway.discard(name)

    def _find_stale(self, now: Instant) -> None:
        for name, period_s in self._house.period_s.items():
            state = self._states.get(name)
            if state is None or state.at is None or state.quality is not Quality.GOOD:
                continue
            age_s = state.at.age_s(now)
            if age_s > period_s:
                reason = f"no reading for {age_s:.0f} s"
                self._mark(replace(state, quality=Quality.STALE, reason=reason))

    # infer ------------------------------------------------------------------------------------

    def _infer(self, fired: list[Proposal], now: Instant) -> list[Proposal]:
        """What the rules and the controllers want."""
        for name, actuator in self._house.actuators.items():
            if isinstance(actuator, Controller):
                actions = actuator.propose(self._states, now)
                if actions:
                    fired.append(self._proposal(name, actions, now))
        return fired

    def _proposal(self, who: str, actions: tuple[Action, ...], now: Instant) -> Proposal:
        origin = Origin(Rank.RULE, "rule", who)
        return Proposal(Plan(actions, self._next_cause(), origin, now), Future())

    # review, act ------------------------------------------------------------------------------

    def _latch(self, latches: Iterable[Latch], now: Instant) -> None:
        for latch in latches:
            if latch.is_stop:
                self._gate = safety.stop(self._gate)
                reason = "Everything was stopped."
                orders = safety.safe_orders(
                    self._observation(now), self._house.rows, rule="stop", reason=reason
                )
                self._obey(orders, now, cause=latch.cause)
            else:
                self._gate = safety.reset(self._gate)
            latch.done.set_result(None)

    def _enforce(self, now: Instant) -> None:
        """Let the limits fire; an output that does not follow is tried again once a second."""
        orders = safety.watch(self._gate, self._observation(now), self._house.rows)
        recent = {name for name, at_s in self._ordered_at_s.items() if now.mono_s - at_s < IDLE_S}
        due = [order for order in orders if order.action.device not in recent]
        self._ordered_at_s |= {order.action.device: now.mono_s for order in due}
        self._obey(due, now)

    def _obey(
        self, orders: Iterable[safety.Order], now: Instant, *, cause: Cause | None = None
    ) -> None:
        """Carry out what the gate itself wants; one that fails does not hold up the others."""
        for order in orders:
            plan = Plan(
                (order.action,), cause or self._next_cause(), Origin(Rank.SAFETY, "safety"), now
            )
            verdict = Verdict(Ruling.ALLOW, order.action, order.action, order.rule, order.reason)
            applied = self._act(verdict, plan, now)
            self._decisions.append(
                Decision(plan, (replace(applied, reason=applied.reason or order.reason),))
            )

    def _decide(self, proposal: Proposal, now: Instant) -> None:
        actions = tuple(self._absolute(action) for action in proposal.plan.actions)
        plan = replace(proposal.plan, actions=actions)
        observation = self._observation(now)
        verdicts = safety.review(plan, self._gate, observation, self._house.rows)
        decision = Decision(plan, tuple(self._act(verdict, plan, now) for verdict in verdicts))
        self._decisions.append(decision)
        if not proposal.decision.cancelled():
            proposal.decision.set_result(decision)

    def _absolute(self, action: Action) -> Action:
        """A toggle becomes what it stands for now, so that doing it twice does it once."""
        device = self._house.home.by_id.get(action.device)
        if action.name != "toggle" or device is None:
            return action
        state = self._states.get(action.device, State(action.device))
        return Action(action.device, opposite(device.kind, state.values))

    def _act(self, verdict: Verdict, plan: Plan, now: Instant) -> Applied:
        """Do what was granted and say what became of it."""
        granted = verdict.granted
        if granted is None:
            return Applied(
                verdict.asked,
                Stage.REFUSED,
                plan.cause,
                now,
                verdict=verdict,
                reason=verdict.reason,
            )
        name = granted.device
        before = self._states.get(name, State(name)).values
        applied = Applied(granted, Stage.FAILED, plan.cause, now, before=before, verdict=verdict)
        try:
            self._house.actuators[name].apply(granted, now)
            self._advance(name, now)
        except HalError as exc:
            self._read_back(name, now)
            return replace(applied, reason=str(exc))
        state = self._read_back(name, now, cause=plan.cause, rank=plan.origin.rank)
        stage, reason = self._judge(granted, state)
        return replace(applied, stage=stage, state=state.values, reason=reason)

    def _judge(self, action: Action, state: State) -> tuple[Stage, str]:
        """How far an action got, from what the device itself says."""
        if not state.is_available:
            return Stage.FAILED, state.reason
        device = self._house.home.by_id[action.device]
        wanted = effect(device.kind, action.name, action.args)
        if all(_agrees(state.values.get(key), value) for key, value in wanted.items()):
            return Stage.READ_BACK, ""
        if action.device in self._underway:
            return Stage.SENT, ""
        seen = ", ".join(f"{key} {state.values.get(key)}" for key in wanted)
        return Stage.FAILED, f"I told the {device.name}, but it reads back {seen}."

    def _read_back(
        self, name: str, now: Instant, *, cause: Cause | None = None, rank: Rank | None = None
    ) -> State:
        """What an output is like, as it says itself."""
        old = self._states.get(name, State(name))
        try:
            values = self._house.actuators[name].read_back(now)
        except HalError as exc:
            state = State(name, {}, now, Quality.UNAVAILABLE, str(exc))
        else:
            state = State(name, dict(values), now, cause=cause or old.cause)
            self._gate = safety.note(self._gate, self._house.rows[name], values, now, rank=rank)
        self._mark(state)
        return state

    # publish ----------------------------------------------------------------------------------

    def _mark(self, state: State) -> None:
        """Take over a state; only a change of what people see is published."""
        old = self._states.get(state.device)
        self._states[state.device] = state
        if old is None or _seen(old) != _seen(state):
            self._changed[state.device] = state

    def _publish_turn(self, latches: tuple[Latch, ...]) -> None:
        if not (self._changed or self._decisions or latches):
            return
        turn = Turn(tuple(self._changed.values()), tuple(self._decisions), latches)
        self._changed = {}
        self._decisions = []
        self._publish(turn)

    def _observation(self, now: Instant) -> Observation:
        return Observation(self._house.home, dict(self._states), now)


def _seen(state: State) -> tuple[Mapping[str, Scalar], Quality, str, Cause | None]:
    return state.values, state.quality, state.reason, state.cause


def _agrees(seen: Scalar, wanted: Scalar) -> bool:
    numbers = (int, float)
    if isinstance(seen, numbers) and isinstance(wanted, numbers) and not isinstance(seen, bool):
        return abs(seen - wanted) <= _TOLERANCE
    return seen == wanted
