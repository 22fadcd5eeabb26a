"""Two opinions before anything acts: does the free decode bear out the closed one?

A closed vocabulary pulls any sound towards a command: unrelated speech comes out as one, with
full confidence. So the same sound is decoded a second time with the model's free vocabulary.
The free text is full of wrong words but of right sounds, hence the letters of both are compared,
without the blanks. Letters alone would let a sentence pass that differs in the one word that
turns its meaning round, or that is a piece of a longer one; hence the other questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Final

from agentd.voice.sentence import NUMBERS, Pick
from models.transcribe import UNKNOWN, Transcript

LEAST_RATIO: Final = 0.6
"""Smallest likeness that counts as agreement. On recorded orders it costs 2 points of acceptance
and removes seven of eight commands made out of other speech."""

MOST_BEYOND_S: Final = 0.25
"""Most speech that one opinion alone hears before or after the sentence. None of 252 recorded
commands reaches it; "never turn on the pump" and "the theatre was full" stand at 0.4 s."""

SILENCE: Final = "nothing was said"
"""Reason when both opinions are empty."""

_DENIALS: Final = frozenset(("don't", "not", "never", "didn't", "won't", "shouldn't"))
"""Words that turn a command into its contrary or into talk about one."""

_OPPOSITES: Final = (
    frozenset(("on", "off")),
    frozenset(("open", "close", "closed", "shut")),
    frozenset(("lock", "unlock", "locked", "unlocked")),
    frozenset(("up", "down")),
    frozenset(("raise", "lower")),
)
"""Words of which only one can have been said. A free text that has another one contradicts."""

_DECISIVE: Final = NUMBERS.union(*_OPPOSITES)
"""Words that must have been heard: to put one in because it fits would be a guess that acts."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether the two opinions are one, and why not."""

    is_agreed: bool

    ratio: float
    """Likeness of the letters, 0 to 1."""

    reason: str = ""
    """Why it is not agreed, without a word of what was said; empty when agreed."""

    is_open: bool = False
    """Whether the free decode merely failed to bear the sentence out, so that another hearing of
    the same sound may settle it; False where something spoke against the sentence."""


def agree(pick: Pick, closed: Transcript, free: Transcript) -> Agreement:
    """Compare two opinions of one sound.

    Args:
        pick: the home's sentence that the closed decode comes to.
        closed: the decode with the home's sentences.
        free: the decode with the model's own vocabulary.
    """
    ratio = likeness(pick.text, free.text)
    against = (
        _nothing_said(pick, free)
        or _unclear(pick)
        or _contradiction(pick.text.split(), free.text.split())
        or _more_said(closed, free)
    )
    if against:
        return Agreement(False, ratio, against)
    missing = _not_borne_out(pick, closed, free, ratio)
    return Agreement(not missing, ratio, missing, is_open=bool(missing))


def likeness(one: str, other: str) -> float:
    """How much of the letters of two texts is the same, in order, blanks left out; 0 to 1."""
    one, other = one.replace(" ", ""), other.replace(" ", "")
    return SequenceMatcher(None, one, other, autojunk=False).ratio() if one and other else 0.0


def _nothing_said(pick: Pick, free: Transcript) -> str:
    """Reason when there is no sentence at all."""
    if pick.text:
        return ""
    return "no sentence of this home was heard" if free.text else SILENCE


def _unclear(pick: Pick) -> str:
    """Reason when the sentence itself is doubtful."""
    if UNKNOWN in pick.text.split():
        return "part of it fits no sentence of this home"
    if not pick.is_sentence:
        return "it is made of pieces of several sentences"
    if pick.has_rival:
        return "two sentences of this home fit it equally well"
    return ""


def _not_borne_out(pick: Pick, closed: Transcript, free: Transcript, ratio: float) -> str:
    """Reason when the free decode does not support the sentence, nor speak against it."""
    if _DECISIVE & set(pick.text.split()) - set(closed.text.split()) - set(free.text.split()):
        return "the word that decides was not heard"
    return "" if ratio >= LEAST_RATIO else f"the second opinion differs, {ratio:.2f} alike"


def _contradiction(said: list[str], heard: list[str]) -> str:
    """Reason when the free text has a word that turns the sentence round."""
    if _DENIALS & set(_lead(heard, said)):
        return "it may have been a denial"
    if any(_contradicts(said, heard, words) for words in _OPPOSITES):
        return "the second opinion heard the opposite"
    if _contradicts(said, heard, NUMBERS):
        return "the second opinion heard another number"
    return ""


def _more_said(closed: Transcript, free: Transcript) -> str:
    """Reason when the sentence is but a piece of what was said, or its end was made up. That the
    free decode misses a beginning is common and means nothing."""
    if not closed.words or not free.words:
        return ""
    if closed.words[0].start_s - free.words[0].start_s > MOST_BEYOND_S:
        return "more was said before the sentence"
    if abs(free.words[-1].end_s - closed.words[-1].end_s) > MOST_BEYOND_S:
        return "the two opinions end differently"
    return ""


def _lead(heard: list[str], said: list[str]) -> list[str]:
    """What was heard before the first word that both opinions share."""
    shared = set(said)
    return list(takewhile(lambda word: word not in shared, heard))


def _contradicts(said: list[str], heard: list[str], words: frozenset[str]) -> bool:
    """Whether both texts use these words, and differently."""
    ours, theirs = words & set(said), words & set(heard)
    return bool(ours and theirs - ours)
