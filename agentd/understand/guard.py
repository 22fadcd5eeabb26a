"""What the form of a sentence forbids: questions, refusals and conditions never act."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agentd.understand.span import Spans
from agentd.understand.words import Words, tokens
from llmagentos.utterance import Act, Answer, Delayed, Outcome, TimerRequest

_TERSE: Final = 4
"""Words up to which a sentence may ask without the form of a question: "study temperature"."""


class Guard:
    """Looks at the form of a sentence alone, not at the home."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._spans = Spans(words)

    def forbids(self, text: str, outcome: Outcome) -> str:
        """Why this sentence must not lead to this outcome; empty when it may.

        Returns:
            question, negation, condition, contradiction, time or statement.
        """
        if isinstance(outcome, TimerRequest) and outcome.op == "status":
            return ""
        if isinstance(outcome, Act | Delayed | TimerRequest) and self.is_question(text):
            return "question"
        if isinstance(outcome, Act):
            if _contradicts(outcome):
                return "contradiction"
            return self._forbids_action(text) or self._takes_time_for_level(text, outcome)
        if (
            isinstance(outcome, Answer)
            and len(tokens(text)) > _TERSE
            and not self.is_question(text)
        ):
            return "statement"
        return ""

    def forbids_model(self, text: str) -> str:
        """Why not even the model may be asked for a wish behind this sentence; empty when it may.

        Complaints and statements may hide a wish ("I cannot see a thing in here"); questions,
        outright refusals and conditions do not.
        """
        said = tokens(text)
        if self.is_question(text):
            return "question"
        if self._words.negation["refusals"].occurs(said) or self._starts_negated(text):
            return "negation"
        return ""

    def is_question(self, text: str) -> bool:
        """Whether it asks, or asks to be told, rather than to have something done."""
        said = tokens(text)
        openers, markers = self._words.question["openers"], self._words.question["markers"]
        return any(openers.starts(said[i:]) for i in self._beginnings(said)) or (
            markers.occurs(said)
        )

    def _forbids_action(self, text: str) -> str:
        said = tokens(text)
        if self._words.negation["markers"].occurs(said) or self._starts_negated(text):
            return "negation"
        return "condition" if self._words.condition.occurs(said) else ""

    def _takes_time_for_level(self, text: str, act: Act) -> str:
        """`time` where a level may be one: "open the blind in five" is not 5 percent."""
        if not any(isinstance(v, float) for action in act.actions for v in action.args.values()):
            return ""
        said, before = tokens(text), self._words.clock["not_a_level"]
        for index in range(len(said)):
            length = before.match_at(said, index)
            number = self._spans.number(said, index + length) if length else None
            if number and not any(u.match_at(said, number.end) for u in self._words.units.values()):
                return "time"
        return ""

    def _starts_negated(self, text: str) -> bool:
        said, openers = tokens(text), self._words.negation["openers"]
        return any(openers.starts(said[i:]) for i in self._beginnings(said))

    def _beginnings(self, said: tuple[str, ...]) -> Iterator[int]:
        """Where the sentence may begin: at its first word, or after any number of greetings."""
        for index, word in enumerate(said):
            yield index
            if word not in self._words.lead_in:
                return


def _contradicts(act: Act) -> bool:
    """Whether it wants two things of one device that cannot both be: on and off."""
    wanted = {(action.device, action.name) for action in act.actions if not action.args}
    return len({device for device, _ in wanted}) < len(wanted)
