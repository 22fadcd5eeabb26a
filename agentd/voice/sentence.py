"""The home's sentences, and which of them was said.

A recogniser with a phrase list knows which word may follow which, so "set the desk lamp" can come
out of a home that knows "set the fan to ten percent" and "turn on the desk lamp". Among the ways
to hear an utterance the most likely whole sentence is therefore preferred. Where another sentence
of another meaning is nearly as likely, the ear cannot tell, and nothing may be done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from models.transcribe import Alternative, Transcript, plain

MOST_BEHIND_NATS: Final = 4.5
"""A sentence this much less likely than the best way to hear is still preferred. Spoken by seven
synthetic voices, 113 of 140 commands come out right with it, 93 without."""

RIVAL_NATS: Final = 1.0
"""A sentence of another meaning that is this close to the chosen one is a rival: after a lost
"turn" the words on and off stand 0.04 to 0.6 apart."""

_MEANINGLESS: Final = frozenset(("a", "an", "the", "to", "in", "of", "please", "is", "it"))
_SAME: Final = {"switch": "turn", "shut": "close", "what's": "what"}


@dataclass(frozen=True, slots=True)
class Pick:
    """What was said, as far as the home's sentences tell."""

    text: str
    """The sentence; where none fits, the recogniser's own text."""

    has_rival: bool = False
    """True when another sentence of another meaning is nearly as likely."""


class Sentences:
    """The sentences that this home understands."""

    def __init__(self, sentences: Iterable[str] = ()) -> None:
        """Keep them as transcripts are written."""
        self._known = frozenset(plain(sentence) for sentence in sentences)

    def __len__(self) -> int:
        return len(self._known)

    def pick(self, heard: Transcript) -> Pick:
        """The most likely sentence among the ways to hear an utterance."""
        near = [a for a in heard.alternatives if a.behind_nats <= MOST_BEHIND_NATS]
        fitting = [a for a in near if a.text in self._known]
        if not fitting or not heard.text:
            return Pick(heard.text)
        best = fitting[0]
        return Pick(best.text, any(_is_rival(other, best) for other in fitting[1:]))


def _is_rival(other: Alternative, best: Alternative) -> bool:
    is_close = other.behind_nats - best.behind_nats <= RIVAL_NATS
    return is_close and _gist(other.text) != _gist(best.text)


def _gist(sentence: str) -> frozenset[str]:
    """The words that carry the meaning, whatever their order."""
    words = (_SAME.get(word, word) for word in sentence.split())
    return frozenset(words) - _MEANINGLESS
