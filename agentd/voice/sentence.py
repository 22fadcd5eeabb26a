"""The home's sentences, and which of them was said.

A recogniser with a phrase list knows which word may follow which, so "set the desk lamp" can come
out of a home that knows "set the fan to ten percent" and "turn on the desk lamp". Among the ways
to hear an utterance the most likely whole sentence is therefore preferred. Where another sentence
of another meaning is nearly as likely, the ear cannot tell, and nothing may be done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from models.transcribe import Alternative, Transcript, plain

MOST_BEHIND_NATS: Final = 4.5
"""A sentence this much less likely than the best way to hear is still preferred. Spoken by seven
synthetic voices, 113 of 140 commands come out right with it, 93 without."""

RIVAL_NATS: Final = 1.0
"""A sentence of another meaning that is this close to the chosen one is a rival: after a lost
"turn" the words on and off stand 0.04 to 0.6 apart."""

NUMBERS: Final = frozenset((
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
    "half", "quarter",
))  # fmt: skip
"""Words of numbers."""

_MEANINGLESS: Final = frozenset(("a", "an", "the", "to", "in", "of", "please", "is", "it"))
_SAME: Final = {"switch": "turn", "shut": "close", "what's": "what"}


@dataclass(frozen=True, slots=True)
class Pick:
    """What was said, as far as the home's sentences tell."""

    text: str
    """The sentence; where none fits, the recogniser's own text."""

    is_sentence: bool = True
    """Whether it is one of the home's, but for its numbers. What is not was put together from
    pieces of several, as it happens to other talk: "turn on the desk right"."""

    has_rival: bool = False
    """True when another sentence of another meaning is nearly as likely."""


class Sentences:
    """The sentences that this home understands."""

    def __init__(self, sentences: Iterable[str] = ()) -> None:
        """Keep them as transcripts are written."""
        self._known = frozenset(plain(sentence) for sentence in sentences)
        self._shapes = frozenset(_shape(sentence) for sentence in self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, text: str) -> bool:
        """Whether it is one of them, but for its numbers: not all of these can be listed."""
        return text in self._known or _shape(text) in self._shapes

    def pick(self, heard: Transcript) -> Pick:
        """The most likely sentence among the ways to hear an utterance."""
        near = [a for a in heard.alternatives if a.behind_nats <= MOST_BEHIND_NATS]
        fitting = [a for a in near if a.text in self]
        if not fitting or not heard.text:
            return Pick(heard.text, is_sentence=heard.text in self)
        best, *others = fitting
        return Pick(best.text, has_rival=any(_is_rival(other, best) for other in others))


def _is_rival(other: Alternative, best: Alternative) -> bool:
    is_close = other.behind_nats - best.behind_nats <= RIVAL_NATS
    return is_close and _gist(other.text) != _gist(best.text)


def _shape(sentence: str) -> str:
    """The sentence with a mark in place of each number."""
    words = ("#" if word in NUMBERS else word for word in sentence.split())
    return " ".join(word for word, _ in groupby(words))


def _gist(sentence: str) -> frozenset[str]:
    """The words that carry the meaning, whatever their order."""
    words = (_SAME.get(word, word) for word in sentence.split())
    return frozenset(words) - _MEANINGLESS
