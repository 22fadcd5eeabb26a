"""Promises by sentence: timers, reminders, commands for later; and which of them still stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo
from typing import Final

from agentd.agents.promise import Kind, Promise, PromiseError
from agentd.understand.arming import RuleMaker
from agentd.understand.conversation import Conversation, Pending
from agentd.understand.doing import Preview, make_plan
from agentd.understand.interpreter import Understood
from agentd.understand.moment import day_of, resolve
from agentd.understand.port import PromisePort
from agentd.understand.promise_reply import PromiseReply
from agentd.understand.reply import Reply, ReplyMaker, sentences
from agentd.understand.words import Words, tokens
from llmagentos.cause import Cause
from llmagentos.clock import Instant
from llmagentos.kind import effect, is_active
from llmagentos.plan import Action, Ruling, Verdict
from llmagentos.utterance import (
    AtTime,
    Delayed,
    LocalTime,
    NewRule,
    Observation,
    PromiseRequest,
    Reminder,
    TimerRequest,
    Utterance,
)  # fmt: skip

Promised = TimerRequest | Delayed | AtTime | Reminder | NewRule | PromiseRequest
"""The outcomes that are about promises."""

_SURE: Final = frozenset({"allowed", "range"})
"""Rules of the gate that will refuse later what they refuse now: what a device cannot do."""

_KINDS: Final = {
    "timer": (Kind.TIMER,),
    "reminder": (Kind.REMINDER,),
    "command": (Kind.DELAYED, Kind.CLOCK),
    "": (Kind.REMINDER, Kind.DELAYED, Kind.CLOCK),
}
"""`PromiseRequest.kind` -> what it is about."""


class Promiser:
    """Turns outcomes into promises, one sentence at a time."""

    def __init__(
        self, port: PromisePort, words: Words, *, preview: Preview, zone: tzinfo | None
    ) -> None:
        """Build it.

        Args:
            port: keeps the promises.
            words: the language.
            preview: asks the gate whether a command can be promised at all.
            zone: the home's time zone; None for the system's.
        """
        self._port, self._words, self._preview, self._zone = port, words, preview, zone
        self._replies, self._telling = PromiseReply(words), ReplyMaker(words)
        self._rules = RuleMaker(port, words, preview=preview)

    def keep(
        self,
        heard: Utterance,
        found: Understood,
        cause: Cause,
        *,
        talk: Conversation,
        observation: Observation,
    ) -> Reply:
        """Promise, or say why not; blocks up to 2 s until it is on disk."""
        outcome = found.interpretation.outcome
        try:
            match outcome:
                case TimerRequest():
                    text = self._timer(outcome, heard, cause, talk, observation)
                case Delayed() | AtTime():
                    text = self._command(outcome, heard, found, cause, talk, observation)
                case Reminder():
                    text = self._reminder(outcome, heard, cause, talk, observation)
                case NewRule():
                    text = self._rules.arm(
                        outcome, heard, found, cause, talk=talk, observation=observation
                    )
                case PromiseRequest(op="list", kind="rule"):
                    text = self._rules.listed(observation)
                case PromiseRequest(kind="rule"):
                    text = self._rules.cancel(outcome, observation)
                case PromiseRequest(op="list", kind=kind):
                    text = self._list(kind, heard, cause, observation)
                case PromiseRequest():
                    text = self._cancel(outcome)
                case _:
                    raise TypeError(f"not about a promise: {outcome!r}")
        except PromiseError as exc:
            text = sentences([str(exc)])
        needs_yes = talk.pending is not None
        return Reply(text, found.interpretation, needs_yes=needs_yes, cause=cause)

    def would(self, outcome: Promised, observation: Observation) -> str:
        """What `keep` would do, in words; promises nothing."""
        match outcome:
            case TimerRequest():
                return self._replies.wish(outcome)
            case Delayed(seconds, _, actions):
                when = self._replies.when(after_s=seconds, at=None)
            case AtTime(at, _, actions):
                moment = self._moment(at, observation)
                if isinstance(moment, str):
                    return moment
                when = self._replies.when(after_s=None, at=moment)
            case NewRule():
                return self._rules.would(outcome, observation.home)
            case Reminder(text):
                return sentences([self._words.say("reminder_would", text=text)])
            case _:
                return sentences([self._words.say("promise_would")])
        what = self._telling.wish(actions, observation.home)
        return sentences([self._words.say("command_would", when=when, what=what)])

    def take_back(self, names: tuple[str, ...]) -> str:
        """Cancel what was promised a moment ago; what to say, empty when it is gone already."""
        try:
            gone = [
                name for name in names if self._rules.take_back(name) or self._port.cancel(name)
            ]
        except PromiseError as exc:
            return sentences([str(exc)])
        return sentences([self._words.say("taken_back")]) if gone else ""

    def _timer(
        self, wish: TimerRequest, heard: Utterance, cause: Cause, talk: Conversation,
        observation: Observation,
    ) -> str:  # fmt: skip
        answer = self._port.timer(wish, origin=heard.origin, cause=cause, now=observation.now)
        if wish.op == "start" and not answer.problem:
            made = (each.id for each in self._port.all() if each.made_by == cause)
            talk.promised = tuple(made)
        return self._replies.of_timer(wish, answer, observation.home)

    def _command(
        self, wish: Delayed | AtTime, heard: Utterance, found: Understood, cause: Cause,
        talk: Conversation, observation: Observation,
    ) -> str:  # fmt: skip
        moment = self._moment(wish.at, observation) if isinstance(wish, AtTime) else None
        if isinstance(moment, str):
            return moment
        plan = make_plan(heard, found, wish.actions, cause)
        verdicts = self._preview(plan)
        if sure := [v for v in verdicts if v.ruling is Ruling.DENY and v.rule in _SURE]:
            return sentences([sure[0].reason])
        after_s = float(wish.seconds) if isinstance(wish, Delayed) else None
        when = self._replies.when(after_s=after_s, at=moment)
        what = self._telling.wish(wish.actions, observation.home)
        asking = [v for v in verdicts if v.ruling is Ruling.CONFIRM]
        if asking or (found.confirmed is None and _is_on_and_risky(wish.actions, observation)):
            return self._ask(asking, wish, found, talk, f"{what} {when}", observation.now)
        made = self._port.schedule(
            wish.actions, text=wish.text, origin=plan.origin, cause=cause, now=observation.now,
            after_s=after_s, at=moment,
        )  # fmt: skip
        talk.promised = (made.id,)
        said = [self._words.say("command_promised", when=when, what=what)]
        said += [self._words.say("refused_now", reason=v.reason)
                 for v in verdicts if v.ruling is Ruling.DENY][:1]  # fmt: skip
        return sentences(said)

    def _ask(
        self, asking: list[Verdict], wish: Delayed | AtTime, found: Understood,
        talk: Conversation, what: str, now: Instant,
    ) -> str:  # fmt: skip
        """Have the yes before the promise: when it is due nobody may be there to ask."""
        reasons = [verdict.reason for verdict in asking]
        if found.confirmed:
            talk.pending = replace(found.confirmed, wish=wish)
            return sentences(dict.fromkeys(reasons))
        question = self._telling.asking(reasons, what)
        talk.pending = Pending(wish, now, found.chosen_by, question)
        return question

    def _reminder(
        self, wish: Reminder, heard: Utterance, cause: Cause, talk: Conversation,
        observation: Observation,
    ) -> str:  # fmt: skip
        moment = self._moment(wish.at, observation) if wish.at else None
        if isinstance(moment, str):
            return moment
        after_s = None if wish.after_s is None else float(wish.after_s)
        made = self._port.remind(
            wish.text, origin=heard.origin, cause=cause, now=observation.now,
            after_s=after_s, at=moment,
        )  # fmt: skip
        talk.promised = (made.id,)
        when = self._replies.when(after_s=after_s, at=moment)
        return sentences([self._words.say("reminder_promised", when=when, text=wish.text)])

    def _moment(self, at: LocalTime, observation: Observation) -> LocalTime | str:
        """The next such time with its day, or what to say where there is none."""
        if not observation.is_clock_set:
            return sentences([self._words.say("clock_unknown")])
        found = resolve(at, now_s=observation.now.wall_s, zone=self._zone)
        return found or sentences([self._words.say("time_is_over")])

    def _list(
        self, kind: str, heard: Utterance, cause: Cause, observation: Observation
    ) -> str:  # fmt: skip
        now, timers = observation.now, ""
        if kind == "timer" or (not kind and self._port.timers(now)):
            status = TimerRequest("status")
            answer = self._port.timer(status, origin=heard.origin, cause=cause, now=now)
            timers = self._replies.of_timer(status, answer, observation.home)
        if kind == "timer":
            return timers
        kept = [(each, self._port.left_s(each, now)) for each in self._of(kind)]
        kept.sort(key=lambda each: float("inf") if each[1] is None else each[1])
        listed = [(each, self._due(each, left_s, now)) for each, left_s in kept]
        if not listed and not timers:
            return sentences([self._words.say(f"none_{kind or 'promised'}")])
        return self._replies.listed(listed, timers)

    def _due(self, promise: Promise, left_s: float | None, now: Instant) -> str:
        """When a promise is due, in words."""
        if left_s is None:
            return self._words.say("once_clock_is_set")
        if promise.kind is Kind.CLOCK or promise.due.at is not None:
            return self._replies.when(after_s=None, at=day_of(now.wall_s + left_s, now, self._zone))
        return self._replies.when(after_s=max(left_s, 1.0), at=None)

    def _cancel(self, wish: PromiseRequest) -> str:
        said = frozenset(tokens(wish.text)) - self._words.filler
        meant = [p for p in self._of(wish.kind) if said <= frozenset(tokens(p.text))]
        if not meant:
            return sentences([self._words.say(f"none_{wish.kind or 'promised'}")])
        if wish.op == "cancel" and len(meant) > 1:
            names = self._words.join((self._replies.named(p) for p in meant), last="list_or")
            return sentences([self._words.say("ambiguous", names=names)])
        gone = [p for p in meant if self._port.cancel(p.id)]
        listed = self._words.join(self._replies.named(p) for p in gone)
        return sentences([self._words.say("cancelled", names=listed)])

    def _of(self, kind: str) -> list[Promise]:
        return [each for each in self._port.all() if each.kind in _KINDS.get(kind, ())]


def _is_on_and_risky(actions: tuple[Action, ...], observation: Observation) -> bool:
    """Whether it would switch on, later, what needs a yes and happens to be on now.

    The gate asks for no yes to what changes nothing, but until then somebody may switch it off.
    """
    for action in actions:
        device, state = observation.home.by_id[action.device], observation.states.get(action.device)
        after = effect(device.kind, action.name, action.args)
        is_on = state is not None and is_active(device.kind, state.values)
        if device.is_risky and is_on and is_active(device.kind, after):
            return True
    return False
