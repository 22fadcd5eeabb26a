"""The recognisers in a row: the first that understands a sentence, or all of its parts, wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agentd.understand.guard import Guard
from agentd.understand.recogniser import Context, Recogniser, Recognition
from agentd.understand.words import Words, clauses, tokens
from llmagentos.home import Home
from llmagentos.utterance import Act, Nothing, Observation

_MOST_PARTS: Final = 4
"""Wishes in one sentence; what has more is rather a story."""

_REFUSALS: Final[Mapping[str, str]] = {
    "question": "not_understood",
    "negation": "no",
    "condition": "rules_later",
    "contradiction": "contradiction",
    "time": "time_or_level",
}
"""Why it is forbidden -> the reply. A statement may still hide a wish, so it is not here."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the recognisers made of a sentence."""

    found: Recognition | None
    """None when none of them understood it, or the form of the sentence forbids what they found."""

    refused: Nothing
    """What to say then: that it was not understood, or what stood in the way."""

    explain: dict[str, object] = field(default_factory=dict)
    """What each of them saw; JSON-able."""


class Chain:
    """Not for several threads at once, as its recognisers."""

    def __init__(self, recognisers: Sequence[Recogniser], words: Words, *, guard: Guard) -> None:
        self._recognisers = tuple(recognisers)
        self._words = words
        self._guard = guard

    def refresh(self, home: Home) -> None:
        """Take over a new home."""
        for recogniser in self._recognisers:
            recogniser.refresh(home)

    def recognise(self, text: str, observation: Observation, context: Context) -> Heard:
        """Understand a sentence, whole or as several wishes of which each is understood."""
        heard = self._whole(text, observation, context, said_in=text)
        if heard.found or heard.refused.reason != "rejected":
            return heard
        in_parts = self._in_parts(text, observation, context)
        return in_parts or self._conditional(text, observation, context) or heard

    def _whole(
        self, text: str, observation: Observation, context: Context, *, said_in: str
    ) -> Heard:
        explain: dict[str, object] = {}
        refused = Nothing("rejected")
        for recogniser in self._recognisers:
            found = recogniser.recognise(text, observation, context)
            explain[recogniser.name] = found.explain if found else None
            if found is None:
                continue
            if forbidden := self._guard.forbids(said_in, found.outcome):
                explain["forbidden"] = forbidden
                refused = self._refusal(forbidden)
            elif found.is_final:
                return Heard(found, refused, explain)
            elif isinstance(found.outcome, Nothing):
                refused = found.outcome
        return Heard(None, refused, explain)

    def _refusal(self, forbidden: str) -> Nothing:
        """What to say to a sentence that was understood and must not be done."""
        reply = _REFUSALS.get(forbidden)
        return Nothing(forbidden, self._words.say(reply)) if reply else Nothing("rejected")

    def _in_parts(self, text: str, observation: Observation, context: Context) -> Heard | None:
        """The sentence as several wishes; None when one of its parts is anything else."""
        parts = list(self._parts(text))
        if not 2 <= len(parts) <= _MOST_PARTS:
            return None
        found: list[Recognition] = []
        for part in parts:
            heard = self._whole(part, observation, context, said_in=text)
            if heard.found is None or not isinstance(heard.found.outcome, Act):
                return None
            found.append(heard.found)
            context = Context(context.area, heard.found.targets or context.previous)
        return self._together(found, text)

    def _conditional(self, text: str, observation: Observation, context: Context) -> Heard | None:
        """A command beside an "if" or "when": it must not be done now, and its reply says so."""
        said = tokens(text)
        at = next((i for i in range(len(said)) if self._words.condition.match_at(said, i)), None)
        if at is None:
            return None
        main = " ".join(said[:at]) if at else clauses(text)[-1]
        heard = self._whole(main, observation, context, said_in=main)
        if heard.found is None or not isinstance(heard.found.outcome, Act):
            return None
        return Heard(None, self._refusal("condition"), {**heard.explain, "forbidden": "condition"})

    def _together(self, found: list[Recognition], text: str) -> Heard | None:
        acts = [one.outcome.actions for one in found if isinstance(one.outcome, Act)]
        act = Act(tuple(action for actions in acts for action in actions))
        if self._guard.forbids(text, act):
            return None
        targets = tuple(target for one in found for target in one.targets)
        explain: dict[str, object] = {"parts": [dict(one.explain) for one in found]}
        one = Recognition(act, found[-1].recogniser, targets, explain)
        return Heard(one, Nothing("rejected"), explain)

    def _parts(self, text: str) -> Iterator[str]:
        """The text between commas and conjunctions."""
        for clause in clauses(text):
            said, start, index = tokens(clause), 0, 0
            while index < len(said):
                length = self._words.conjunctions.match_at(said, index)
                if length and index > start:
                    yield " ".join(said[start:index])
                start = index + length if length else start
                index += length or 1
            if said[start:]:
                yield " ".join(said[start:])
