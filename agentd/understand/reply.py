"""What the box says: made only from what was applied and read, never from what was wished."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agentd.understand.answer import Describer
from agentd.understand.words import Words
from llmagentos.cause import Cause
from llmagentos.home import Device, Home
from llmagentos.plan import Action, Applied, Decision, Ruling, Stage, Verdict
from llmagentos.reading import State
from llmagentos.utterance import Interpretation

_QUESTION: Final = re.compile(r"[^.!?]*\?")

_READ_BACK = frozenset({Stage.READ_BACK, Stage.WITNESSED})


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one sentence."""

    text: str
    """What to say; never empty."""

    interpretation: Interpretation

    decision: Decision | None = None
    """What the tick decided and did; None where nothing was proposed or it has not answered."""

    needs_yes: bool = False
    """Whether a question waits for a yes."""

    confirmed: bool = False
    """Whether every action was read back."""

    cause: Cause | None = None
    """The cause that the actions carry."""

    verdicts: tuple[Verdict, ...] = ()
    """Of `interpret`: what the gate would say."""


class ReplyMaker:
    """Puts decisions into the words of one language."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._describe = Describer(words)

    def of_decision(self, decision: Decision, home: Home) -> str:
        """What happened, in one or more sentences: what is so, what is not, and why."""
        applied = decision.applied
        parts = [
            *self._read_back([a for a in applied if a.stage in _READ_BACK], home),
            *self._under_way([a for a in applied if a.stage in (Stage.ACCEPTED, Stage.SENT)], home),
            *(self._failed(a, home) for a in applied if a.stage is Stage.FAILED),
            *(self._refused(a, home) for a in applied if a.stage is Stage.REFUSED
              and not _waits_for_yes(a)),
        ]  # fmt: skip
        return sentences(dict.fromkeys(parts)) or sentences([self._words.say("done")])

    def unanswered(self) -> str:
        """The tick has not answered in time."""
        return sentences([self._words.say("not_confirmed_yet")])

    def question(self, decision: Decision, home: Home) -> str:
        """The gate wants a yes: its reason, and what would be done."""
        waiting = [applied for applied in decision.applied if _waits_for_yes(applied)]
        what = self.wish((asked_of(applied) for applied in waiting), home)
        return self.asking((a.verdict.reason for a in waiting if a.verdict), what)

    def asking(self, reasons: Iterable[str], what: str) -> str:
        """A question for a yes: why it is asked, and what a yes does.

        A reason that asks the same itself is left out.
        """
        told = (_QUESTION.sub("", reason).strip() for reason in reasons)
        question = self._words.say("shall_i", what=what)
        return " ".join((sentences(dict.fromkeys(told)), question)).strip()

    def wrong_channel(self, decision: Decision) -> str:
        """Why a yes was not taken: the gate's reason, the same on every channel."""
        return sentences(dict.fromkeys(
            a.verdict.reason for a in decision.applied if _waits_for_yes(a) and a.verdict
        ))  # fmt: skip

    def wish(self, actions: Iterable[Action], home: Home) -> str:
        """Actions as one wish: `turn on the desk lamp and open the blind`."""
        return self._words.join([self._wish(action, home) for action in actions])

    def _wish(self, action: Action, home: Home) -> str:
        value = next(iter(action.args.values()), None)
        shown = int(value) if isinstance(value, float) and value.is_integer() else value
        return self._words.act(action.name, _device(action, home).name, shown)

    def _read_back(self, applied: list[Applied], home: Home) -> Iterable[str]:
        """One sentence for each state, with all the devices that are in it."""
        by_state: dict[str, list[str]] = {}
        for one in {one.action.device: one for one in applied}.values():
            device = _device(one.action, home)
            yield from self._clamped(one)
            full = self._describe.sentence(device, State(device.id, one.state))
            rest = full.removeprefix(self._describe.subject(device))
            by_state.setdefault(rest, []).append(device.name)
        for rest, listed in by_state.items():
            yield self._together(listed, rest)

    def _together(self, listed: list[str], rest: str) -> str:
        names = self._words.join(listed)
        if len(listed) > 1:
            rest = rest.replace(
                f" {self._words.say('verb_one')} ", f" {self._words.say('verb_more')} ", 1
            )
        return _capital(names + rest)

    def _clamped(self, applied: Applied) -> Iterable[str]:
        verdict = applied.verdict
        if verdict and verdict.ruling is Ruling.CLAMP and verdict.reason:
            yield verdict.reason

    def _under_way(self, applied: list[Applied], home: Home) -> Iterable[str]:
        """What is on its way: where the device shows it ("opening"), that is said."""
        silent = []
        for one in applied:
            device = _device(one.action, home)
            if one.state.get("state") in ("opening", "closing"):
                yield self._describe.sentence(device, State(device.id, one.state))
            else:
                silent.append(self._words.definite(device.name))
        if silent:
            yield self._words.say("not_confirmed", name=self._words.join(silent))

    def _failed(self, applied: Applied, home: Home) -> str:
        name = self._describe.subject(_device(applied.action, home))
        if not applied.reason:
            return self._words.say("failed_bare", name=name)
        return self._words.say("failed", name=name, reason=applied.reason.rstrip("."))

    def _refused(self, applied: Applied, home: Home) -> str:
        verdict = applied.verdict
        reason = (verdict.reason if verdict else "") or applied.reason
        name = self._describe.subject(_device(applied.action, home))
        return reason or self._words.say("refused_bare", name=name)


def asked_of(applied: Applied) -> Action:
    """What was asked for, before the gate looked at it."""
    return applied.verdict.asked if applied.verdict else applied.action


def pending_of(decision: Decision) -> tuple[Action, ...]:
    """The actions that wait for a yes."""
    return tuple(asked_of(applied) for applied in decision.applied if _waits_for_yes(applied))


def is_read_back(decision: Decision) -> bool:
    """Whether every action was read back from its device."""
    return bool(decision.applied) and all(a.stage in _READ_BACK for a in decision.applied)


def sentences(parts: Iterable[str]) -> str:
    """Sentences with capitals and full stops; a reason that has its own keeps it."""
    return " ".join(_capital(p) if p[-1] in ".?!" else f"{_capital(p)}." for p in parts if p)


def _waits_for_yes(applied: Applied) -> bool:
    return applied.verdict is not None and applied.verdict.ruling is Ruling.CONFIRM


def _device(action: Action, home: Home) -> Device:
    """The device of an action; a nameless one where the home lost it meanwhile."""
    found = home.by_id.get(action.device)
    return found or Device(id=action.device, name=action.device, kind="switch")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
