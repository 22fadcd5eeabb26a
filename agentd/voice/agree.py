"""Two opinions before anything acts: does the free decode bear out the closed one?

A closed vocabulary pulls any sound towards a command: unrelated speech comes out as one, with
full confidence. So the same sound is decoded a second time with the model's free vocabulary.
The free text is full of wrong words but of right sounds, hence the letters of both are compared,
without the blanks. Letters alone would let a sentence pass that differs in the one word that
turns its meaning round, hence the list of such words.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from models.transcribe import UNKNOWN, Transcript

LEAST_RATIO: Final = 0.6
"""Smallest likeness that counts as agreement. On recorded orders it costs 0.6 points of
acceptance and removes seven of eight commands made out of other speech."""

_DENIALS: Final = frozenset(("don't", "not", "never", "didn't", "won't", "shouldn't", "stopped"))
"""Words that turn a command into its contrary or into talk about one."""

_OPPOSITES: Final = (
    frozenset(("on", "off")),
    frozenset(("open", "close", "closed", "shut")),
    frozenset(("lock", "unlock", "locked", "unlocked")),
    frozenset(("up", "down")),
    frozenset(("raise", "lower")),
)
"""Words of which only one can have been said. A free text that has another one contradicts."""

_NUMBERS: Final = frozenset((
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
    "half", "quarter",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether the two opinions are one, and why not."""

    is_agreed: bool

    ratio: float
    """Likeness of the letters, 0 to 1."""

    reason: str = ""
    """Why it is not agreed, without a word of what was said; empty when agreed."""


def agree(closed: Transcript, free: Transcript) -> Agreement:
    """Compare the decode with the home's sentences to the free decode of the same sound."""
    said, heard = closed.text.split(), free.text.split()
    ratio = likeness(closed.text, free.text)
    return Agreement(not (reason := _objection(said, heard, ratio)), ratio, reason)


def likeness(one: str, other: str) -> float:
    """How much of the letters of two texts is the same, in order, blanks left out; 0 to 1."""
    one, other = one.replace(" ", ""), other.replace(" ", "")
    return SequenceMatcher(None, one, other, autojunk=False).ratio() if one and other else 0.0


def _objection(said: list[str], heard: list[str], ratio: float) -> str:
    """What speaks against acting; empty for nothing."""
    if not said:
        return "no sentence of this home was heard" if heard else "nothing was said"
    if UNKNOWN in said:
        return "part of it fits no sentence of this home"
    if _DENIALS & set(heard) - set(said):
        return "it may have been a denial"
    if any(_contradicts(said, heard, words) for words in _OPPOSITES):
        return "the second opinion heard the opposite"
    if _contradicts(said, heard, _NUMBERS):
        return "the second opinion heard another number"
    if ratio < LEAST_RATIO:
        return f"the second opinion differs, {ratio:.2f} alike"
    return ""


def _contradicts(said: list[str], heard: list[str], words: frozenset[str]) -> bool:
    """Whether both texts use these words, and differently."""
    ours, theirs = words & set(said), words & set(heard)
    return bool(ours and theirs - ours)
