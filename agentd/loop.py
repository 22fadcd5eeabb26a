"""The tick: sense, observe, infer, review, act, publish. Nothing here waits for anything.

The loop is driven by `app.py`, which gives it the time; whatever takes long has a thread of its
own and posts to the inbox. What is risky is written down before it is done: such a plan leaves
the tick after its review and comes back through the inbox once its intent is on disk, to be
reviewed again. Its answer is given once what was done is on disk too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final

from agentd import safety
from agentd.agents.keeper import Keeper
from agentd.agents.promise import Wish
from agentd.gate import Gate
from agentd.inbox import Batch, Begun, Inbox, Latch, Proposal
from agentd.intent import Intents
from agentd.ledger import Ledger, Unwritten
from agentd.step import Step, Steps, pass_by
from agentd.world import SWEEP_S, House, World
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.plan import Action, Applied, Decision, Plan, Ruling, Stage, Verdict
from llmagentos.reading import Reading, State
from llmagentos.utterance import Observation

_log = logging.getLogger(__name__)

IDLE_S: Final = SWEEP_S
"""Pause between turns when nothing happens: outputs are read back and limits checked this often."""

BUSY_S: Final = 0.05
"""Pause between turns while something is under way (a cover travels)."""

_ONCE: Final = frozenset({"toggle", "press"})
"""Actions that do something else, or more, when they are done a second time."""


@dataclass(frozen=True)
class Turn:
    """What one tick changed; handed to everyone who publishes."""

    states: tuple[State, ...] = ()
    decisions: tuple[Decision, ...] = ()
    latches: tuple[Latch, ...] = ()
    readings: tuple[Reading, ...] = ()
    said: tuple[Wish, ...] = ()
    """Wishes with a sentence for people."""
    failed: tuple[Applied, ...] = ()
    """Orders of the gate that failed: their devices stay out of use until a person resets them."""


_QUIET: Final = Turn()

Publish = Callable[[Turn], None]
"""Takes what a turn changed; must not block."""


class Loop:
    """The one thread that decides and acts."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        next_cause: Callable[[], Cause],
        publish: Publish,
        now: Instant,
        ledger: Ledger | None = None,
        keeper: Keeper | None = None,
        boot_id: str = "",
        remembered: Mapping[str, str] | None = None,
        is_clock_set: Callable[[], bool] = lambda: True,
        steps: Steps = pass_by,
    ) -> None:
        """An empty house; `adopt` furnishes it.

        Args:
            inbox: what comes in.
            next_cause: numbers what starts here.
            publish: takes what each turn changed.
            now: the start; outputs whose past is unknown count as switched off now.
            ledger: what is written down before an act and before an answer; None remembers for
                as long as the loop lives.
            keeper: of promises and rules; None for none.
            boot_id: of the machine: monotonic times hold within one boot.
            remembered: the gate's documents of the last run; None for none.
            is_clock_set: whether the wall clock can be trusted by now; must not block.
            steps: told of every state that a plan passes.
        """
        self._inbox = inbox
        self._next_cause = next_cause
        self._publish = publish
        self._ledger: Ledger = ledger or Unwritten()
        self._keeper = keeper
        self._is_clock_set = is_clock_set
        self._steps = steps
        self._gate = Gate(self._ledger, now=now, boot_id=boot_id, remembered=remembered)
        self._world = World(note=self._gate.note, steps=steps)
        self._intents = Intents(self._ledger, inbox)
        self._ordered_at_s: dict[str, float] = {}
        self._owed: dict[str, safety.Order] = {}
        """What was ordered of a device that was away then; carried out as soon as it is back."""
        self._decisions: list[Decision] = []
        self._failed: list[Applied] = []
        self._answers: list[tuple[Future[Decision], Decision]] = []
        self._said: list[Wish] = []

    @property
    def is_stopped(self) -> bool:
        """Whether a stop is latched."""
        return self._gate.is_stopped

    def adopt(self, house: House, now: Instant) -> None:
        """Take over a house. What did not change keeps its state; what works no more says so."""
        self._gate.adopt(house.rows, now)
        self._world.adopt(house, now)
        if self._keeper:
            self._keeper.adopt(house.rules, house.home, zone=house.zone)

    def make_safe(
        self, now: Instant, *, rule: str, reason: str, only: Collection[str] | None = None
    ) -> None:
        """Drive every output, or those named, to its declared safe state, in this thread, now."""
        observation = self._observe(now)
        orders = self._gate.safe_orders(observation, rule=rule, reason=reason, only=only)
        self._obey(orders, now)

    @property
    def faults(self) -> dict[str, str]:
        """Devices that stay safe until a person resets them, with the reason."""
        return self._gate.faults

    def exempt(self, devices: Collection[str], who: str) -> None:
        """Let a promise or rule that a person has just made pass that person's own hold; in the
        tick's thread."""
        self._gate.exempt(devices, who)

    def observe(self, now: Instant) -> Observation:
        """All that is known; may be called from any thread."""
        observation = self._observe(now)
        return (
            replace(observation, timers=self._keeper.timers(now)) if self._keeper else observation
        )

    def _observe(self, now: Instant) -> Observation:
        return replace(self._world.observe(now), is_clock_set=self._is_clock_set())

    def preview(self, plan: Plan, now: Instant) -> tuple[Verdict, ...]:
        """What the gate would say to a plan; may be called from any thread."""
        return self._gate.review(self._absolute(plan), self._observe(now))

    def tick(self, batch: Batch, now: Instant) -> float:
        """One turn of the flow.

        Returns:
            Seconds until the next turn is due, if nothing comes in before.
        """
        self._latch(batch.latches, now)
        before = dict(self._world.states)
        readings = self._sense(batch.readings, now)
        self._enforce(now)
        for begun in batch.begun:
            self._resume(begun, now)
        wishes = [*batch.proposals, *self._infer(readings, before, now)]
        for proposal in sorted(wishes, key=lambda each: -each.plan.origin.rank):
            self._decide(proposal, now)
        self._publish_turn(batch.latches, readings, now)
        if self._world.is_moving:
            return BUSY_S
        return min(IDLE_S, max(0.001, self._keeper.due_in_s)) if self._keeper else IDLE_S

    # sense ------------------------------------------------------------------------------------

    def _sense(self, readings: Iterable[Reading], now: Instant) -> tuple[Reading, ...]:
        """Take in the readings, read the outputs back; the readings that count."""
        home = self._world.house.home
        known = tuple(each for each in readings if each.device in home.by_id)
        self._world.take_in(known)
        self._world.sweep(now)
        return known

    # infer ------------------------------------------------------------------------------------

    def _infer(
        self, readings: Iterable[Reading], before: Mapping[str, State], now: Instant
    ) -> list[Proposal]:
        """What the controllers, the promises and the rules want."""
        wanted = [self._proposal(name, actions, now) for name, actions in self._world.wishes(now)]
        if self._keeper is None:
            return wanted
        for wish in self._keeper.turn(self._observe(now), readings, before, now):
            if wish.say:
                self._said.append(wish)
            if wish.actions:
                wanted.append(self._proposal(wish.who, wish.actions, now, wish=wish))
        return wanted

    def _proposal(
        self, who: str, actions: tuple[Action, ...], now: Instant, *, wish: Wish | None = None
    ) -> Proposal:
        plan = Plan(actions, self._next_cause(), Origin(Rank.RULE, "rule", who), now)
        if wish:
            plan = replace(plan, text=wish.text, because=wish.made_by, reading=wish.reading,
                           occasion=wish.occasion)  # fmt: skip
        return Proposal(plan, Future())

    # review, act ------------------------------------------------------------------------------

    def _latch(self, latches: Iterable[Latch], now: Instant) -> None:
        for latch in latches:
            if latch.is_stop:
                self._gate.stop()
                reason = "Everything was stopped."
                orders = self._gate.safe_orders(self._observe(now), rule="stop", reason=reason)
                self._obey(orders, now, cause=latch.cause)
            else:
                self._gate.reset(latch.device)

    def _enforce(self, now: Instant) -> None:
        """Let the limits fire; an output that does not follow is tried again once a second."""
        orders = self._gate.watch(self._observe(now))
        recent = {name for name, at_s in self._ordered_at_s.items() if now.mono_s - at_s < IDLE_S}
        due = [order for order in orders if order.action.device not in recent]
        due += [each for name, each in self._owed.items() if self._world.is_available(name)]
        self._ordered_at_s |= {order.action.device: now.mono_s for order in due}
        self._obey(due, now)

    def _obey(
        self, orders: Iterable[safety.Order], now: Instant, *, cause: Cause | None = None
    ) -> None:
        """Carry out what the gate itself wants; one that fails does not hold up the others. What
        cannot be made safe is told once, tried on, and stays out of use until a person resets it.
        """
        for order in orders:
            plan = Plan(
                (order.action,), cause or self._next_cause(), Origin(Rank.SAFETY, "safety"), now
            )
            verdict = Verdict(Ruling.ALLOW, order.action, order.action, order.rule, order.reason)
            applied = self._world.act(verdict, plan, now)
            self._note_debt(order)
            if applied.stage is Stage.FAILED and not self._is_news(applied):
                continue
            applied = replace(applied, reason=applied.reason or order.reason)
            self._decisions.append(Decision(plan, (applied,)))

    def _note_debt(self, order: safety.Order) -> None:
        """Remember an order to a device that is away; forget the one that was reached."""
        if self._world.is_available(order.action.device):
            self._owed.pop(order.action.device, None)
        else:
            self._owed[order.action.device] = order

    def _is_news(self, applied: Applied) -> bool:
        """Latch the fault of a device that is there and does not follow; False when that is known
        already."""
        device = applied.action.device
        if not self._world.is_available(device):
            return True
        if not self._gate.fault(device, applied.reason):
            return False
        self._failed.append(applied)
        return True

    def _decide(self, proposal: Proposal, now: Instant) -> None:
        """Do a plan, or have its intent written first where that must be."""
        self._steps(Step.RECEIVED)
        wanted = proposal.plan
        plan = self._absolute(wanted)
        self._intents.overtake(plan)
        verdicts = self._gate.review(plan, self._observe(now))
        self._steps(Step.JUDGED)
        must_wait = bool(plan.occasion) and (
            wanted.origin.rank is Rank.RULE or any(each.name in _ONCE for each in wanted.actions)
        )
        granted = [verdict.granted for verdict in verdicts if verdict.granted]
        if granted and (must_wait or any(map(self._gate.is_risky, granted))):
            self._intents.begin(replace(proposal, plan=plan), granted)
        else:
            self._carry_out(proposal, plan, verdicts, now)

    def _resume(self, begun: Begun, now: Instant) -> None:
        """Do a plan whose intent is on disk, as far as it still holds."""
        self._steps(Step.INTENDED)
        plan, overtaken = begun.proposal.plan, self._intents.end(begun)
        verdicts = tuple(
            _overtaken(verdict) if verdict.asked.device in overtaken else verdict
            for verdict in self._gate.review(plan, self._observe(now))
        )
        is_repeat = not begun.is_new and not begun.error
        if begun.error:
            reason = f"It could not be written down, so I leave it: {begun.error}"
            verdicts = tuple(_denied(verdict.asked, "journal", reason) for verdict in verdicts)
        elif is_repeat:
            reason = "It was begun before; I do not do it a second time."
            verdicts = tuple(_denied(verdict.asked, "duplicate", reason) for verdict in verdicts)
        self._carry_out(begun.proposal, plan, verdicts, now, is_repeat=is_repeat)

    def _carry_out(
        self,
        proposal: Proposal,
        plan: Plan,
        verdicts: Iterable[Verdict],
        now: Instant,
        *,
        is_repeat: bool = False,
    ) -> None:
        applied: list[Applied] = []
        for verdict in verdicts:
            if applied and verdict.granted:  # what came before may not have worked
                alone = replace(plan, actions=(verdict.asked,))
                (verdict,) = self._gate.review(alone, self._observe(now))
            applied.append(self._world.act(verdict, plan, now))
        self._steps(Step.APPLIED)
        decision = Decision(plan, tuple(applied))
        self._decisions.append(decision)
        self._answers.append((proposal.decision, decision))
        if self._keeper and plan.occasion:
            self._keeper.told(plan.occasion, None if is_repeat else decision)

    def _absolute(self, plan: Plan) -> Plan:
        return replace(plan, actions=tuple(map(self._world.absolute, plan.actions)))

    # publish ----------------------------------------------------------------------------------

    def _publish_turn(
        self, latches: tuple[Latch, ...], readings: tuple[Reading, ...], now: Instant
    ) -> None:
        """Tell what changed; who waits for a decision gets it once that is on disk."""
        states, decisions = self._world.take_changed(), tuple(self._decisions)
        turn = Turn(states, decisions, latches, readings, tuple(self._said), tuple(self._failed))
        self._decisions, self._said, self._failed = [], [], []
        if turn != _QUIET:
            self._publish(turn)
        self._gate.save(now)
        if self._answers or latches:
            answers, self._answers = self._answers, []
            self._ledger.settle().add_done_callback(lambda _: self._answer(answers, latches))

    def _answer(
        self, answers: Iterable[tuple[Future[Decision], Decision]], latches: Iterable[Latch]
    ) -> None:
        """On any thread. What could not be written was done all the same: the journal itself
        says, to whoever asks for the box's health, that it is failing."""
        for awaited, decision in answers:
            self._steps(Step.ANSWERED)
            if awaited.set_running_or_notify_cancel():
                awaited.set_result(decision)
        for latch in latches:
            latch.done.set_result(None)


def _denied(action: Action, rule: str, reason: str) -> Verdict:
    return Verdict(Ruling.DENY, action, None, rule, reason)


def _overtaken(verdict: Verdict) -> Verdict:
    reason = "A newer command came before this one was carried out."
    return _denied(verdict.asked, "newer", reason)
