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
from itertools import takewhile
from typing import Final

from agentd.voice.sentence import Pick
from models.transcribe import UNKNOWN

LEAST_RATIO: Final = 0.6
"""Smallest likeness that counts as agreement. On recorded orders it costs 0.6 points of
acceptance and removes seven of eight commands made out of other speech."""

SILENCE: Final = "nothing was said"
"""Reason when both opinions are empty."""

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


def agree(pick: Pick, free_text: str) -> Agreement:
    """Compare what the home's sentences make of a sound to the free decode of the same sound."""
    ratio = likeness(pick.text, free_text)
    reason = _objection(pick, free_text.split(), ratio)
    return Agreement(not reason, ratio, reason)


def likeness(one: str, other: str) -> float:
    """How much of the letters of two texts is the same, in order, blanks left out; 0 to 1."""
    one, other = one.replace(" ", ""), other.replace(" ", "")
    return SequenceMatcher(None, one, other, autojunk=False).ratio() if one and other else 0.0


def _objection(pick: Pick, heard: list[str], ratio: float) -> str:
    """What speaks against acting; empty for nothing."""
    said = pick.text.split()
    if not said:
        return "no sentence of this home was heard" if heard else SILENCE
    if UNKNOWN in said:
        return "part of it fits no sentence of this home"
    if pick.has_rival:
        return "two sentences of this home fit it equally well"
    if _DENIALS & set(_lead(heard, said)):
        return "it may have been a denial"
    if any(_contradicts(said, heard, words) for words in _OPPOSITES):
        return "the second opinion heard the opposite"
    if _contradicts(said, heard, _NUMBERS):
        return "the second opinion heard another number"
    if ratio < LEAST_RATIO:
        return f"the second opinion differs, {ratio:.2f} alike"
    return ""


def _lead(heard: list[str], said: list[str]) -> list[str]:
    """What was heard before the first word that both opinions share."""
    shared = set(said)
    return list(takewhile(lambda word: word not in shared, heard))


def _contradicts(said: list[str], heard: list[str], words: frozenset[str]) -> bool:
    """Whether both texts use these words, and differently."""
    ours, theirs = words & set(said), words & set(heard)
    return bool(ours and theirs - ours)
