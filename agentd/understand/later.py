"""Sentences about later: reminders, commands for another time, and what was promised before.

A command for later is understood now, down to its actions, so that what cannot be done is said now
and not when nobody listens. Nothing here promises anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from agentd.understand.chain import Chain, Heard
from agentd.understand.guard import Guard
from agentd.understand.moment import Moments, When
from agentd.understand.naming import Directory
from agentd.understand.phrase import Fit, Phrasebook
from agentd.understand.recogniser import Context, Recognition
from agentd.understand.rule_sentence import RuleParser
from agentd.understand.said import Said
from agentd.understand.words import Words
from llmagentos.home import Home
from llmagentos.utterance import (
    Act,
    AtTime,
    Delayed,
    Nothing,
    Observation,
    Outcome,
    PromiseRequest,
    Reminder,
    TimerRequest,
)  # fmt: skip

STAGE: Final = "later"
"""Name of the stage, for `Interpretation.stage`."""

_REQUESTS: Final = {
    "list_timer": ("list", "timer"),
    "list_reminder": ("list", "reminder"),
    "list_rule": ("list", "rule"),
    "list_any": ("list", ""),
    "cancel_reminder": ("cancel", "reminder"),
    "cancel_reminders": ("cancel_all", "reminder"),
    "cancel_command": ("cancel", "command"),
    "cancel_rule": ("cancel", "rule"),
    "cancel_any": ("cancel_all", ""),
}
"""Group of sentences -> what to do with promises of which kind."""

_LACKING: Final = {
    "reminder_without_time": "remind_when",
    "reminder_without_text": "remind_what",
}
"""Group of sentences that lack something -> the question back."""


class Later:
    """Not for several threads at once, as the recognisers that it asks."""

    def __init__(self, chain: Chain, words: Words, *, guard: Guard) -> None:
        self._chain, self._words, self._guard = chain, words, guard
        self._moments = Moments(words)
        groups = dict(words.later)
        self._timers = Phrasebook.of({"timer": groups.pop("timer")})
        self._book = Phrasebook.of(groups)
        self._rules = RuleParser(chain, words)
        self._directory = Directory(Home(), words=words)

    def refresh(self, home: Home) -> None:
        """Take over a new home."""
        self._rules.refresh(home)
        self._directory = Directory(home, words=self._words)

    def recognise(self, text: str, observation: Observation, context: Context) -> Heard | None:
        """What a sentence about later means; None when it is about now."""
        said = Said.of(text).without_courtesy(self._words)
        outcome = self._request(said)
        if outcome is not None:
            return _heard(outcome)
        rule = self._rules.parse(said, observation, context)
        if rule is not None:
            return _heard(rule)
        if self._guard.forbids_model(text):
            return None
        return self._command(said, observation, context) or self._for_a_while(
            said, observation, context
        )

    def complete(
        self, heard: Heard, text: str, observation: Observation, context: Context
    ) -> Heard:
        """Add what the recognisers leave: the command of a delay, and lengths they do not read."""
        found = heard.found
        if found is None and heard.refused.reason == "rejected":
            timer = self._timer(Said.of(text).without_courtesy(self._words))
            return _heard(timer) if timer else heard
        if found is None or not isinstance(found.outcome, Delayed) or found.outcome.actions:
            return heard
        when = When(after_s=found.outcome.seconds)
        inner = self._chain.recognise(found.outcome.text, observation, context)
        return self._promise(when, found.outcome.text, inner)

    def _request(self, said: Said) -> Outcome | None:
        """A reminder, or a word about what was promised; by its form alone."""
        fits = list(self._book.fits(said))
        asked = next((fit for fit in fits if fit.name in _REQUESTS), None)
        if asked:
            return PromiseRequest(*_REQUESTS[asked.name], _plain(asked, "text"))
        timed = [(fit, when) for fit in fits if fit.slots and (when := self._when(fit))]
        whole = [(fit, when) for fit, when in timed if fit.name == "reminder"]
        if whole:
            fit, when = max(whole, key=lambda each: _size(each[0]))
            if not when.is_vague:
                return Reminder(_plain(fit, "text"), when.after_s, when.at)
            return Nothing("incomplete", self._words.say("which_time"))
        lacking = [fit.name for fit, _ in timed] + [f.name for f in fits if "text" in f.slots]
        question = next((_LACKING[name] for name in lacking if name in _LACKING), None)
        return Nothing("incomplete", self._words.say(question)) if question else None

    def _timer(self, said: Said) -> TimerRequest | None:
        """A new timer of a length that only we read: `an hour and a half`."""
        for fit in self._timers.fits(said):
            if seconds := self._moments.spans.read(fit.slots["span"].words):
                return TimerRequest("start", seconds, _plain(fit, "name").casefold() or None)
        return None

    def _when(self, fit: Fit) -> When | None:
        if "time" in fit.slots:
            return self._moments.read_time(fit.slots["time"].words, needs_at=False)
        return self._moments.read(fit.slots["when"].words) if "when" in fit.slots else None

    def _command(self, said: Said, observation: Observation, context: Context) -> Heard | None:
        """A command with a time before or behind it."""
        for when, command in self._splits(said):
            inner = self._chain.recognise(command.plain(), observation, context)
            is_command = inner.found is not None and isinstance(inner.found.outcome, Act)
            if not is_command and (when.is_vague or when.is_bare):
                continue
            whole = self._chain.recognise(said.plain(), observation, context).found
            if whole and (when.is_vague or not isinstance(whole.outcome, Act)):
                return None
            if when.is_bare and (whole or self._directory.find(command.plain())):
                return _refused("ambiguous", self._words.say("time_or_level"))
            if when.is_vague:
                return _refused("incomplete", self._words.say("which_time"))
            return self._promise(when, command.plain(), inner)
        return None

    def _for_a_while(self, said: Said, observation: Observation, context: Context) -> Heard | None:
        """A command that is to last so long: not done, since nobody would end it."""
        words = said.words
        for at in range(1, len(words)):
            length = self._words.rule["for"].match_at(words, at)
            if length and self._moments.spans.read(words[at + length :]):
                inner = self._chain.recognise(said.part(0, at).plain(), observation, context)
                if inner.found and isinstance(inner.found.outcome, Act):
                    return _refused("for_a_while", self._words.say("for_a_while"), inner.explain)
        return None

    def _splits(self, said: Said) -> Iterator[tuple[When, Said]]:
        """Every way to cut a time off its end or its beginning, the longest time first."""
        size = len(said.words)
        for at in range(1, size):
            if when := self._moments.read(said.words[at:]):
                yield when, said.part(0, at)
        for at in range(size - 1, 0, -1):
            if when := self._moments.read(said.words[:at]):
                yield when, said.part(at, size)

    def _promise(self, when: When, text: str, inner: Heard) -> Heard:
        found = inner.found
        if found is None or not isinstance(found.outcome, Act):
            refused = inner.refused if found is None else Nothing("rejected")
            if self._guard.forbids_model(text) == "negation":
                return _refused("negation", self._words.say("no"), inner.explain)
            # No model is asked: it would offer to do now what was wanted later.
            reason = "later" if refused.reason == "rejected" else refused.reason
            said = refused.text or self._words.say("later_what", text=text)
            return _refused(reason, said, inner.explain)
        outcome: Outcome
        if when.at:
            outcome = AtTime(when.at, text, found.outcome.actions)
        else:
            outcome = Delayed(when.after_s or 0, text, found.outcome.actions)
        return Heard(replace(found, outcome=outcome, recogniser=STAGE), _NOT, inner.explain)


_NOT: Final = Nothing("rejected")


def _heard(outcome: Outcome) -> Heard:
    if isinstance(outcome, Nothing):
        return _refused(outcome.reason, outcome.text)
    return Heard(Recognition(outcome, STAGE), _NOT)


def _refused(reason: str, text: str, explain: dict[str, object] | None = None) -> Heard:
    return Heard(None, Nothing(reason, text), explain or {})


def _size(fit: Fit) -> int:
    """How many words its time takes: of two ways to read it, the longer time is meant."""
    return sum(len(fit.slots[slot].words) for slot in ("when", "time") if slot in fit.slots)


def _plain(fit: Fit, slot: str) -> str:
    return fit.slots[slot].plain() if slot in fit.slots else ""
