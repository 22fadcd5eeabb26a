"""Speech to text: the contract that every recogniser keeps, and what it returns."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RATE_HZ: Final = 16_000
"""Samples a second of everything a recogniser is given."""

_PIECE_BYTES: Final = RATE_HZ // 2
"""A quarter of a second: a recogniser looks for pauses between pieces, as in a live stream."""

UNKNOWN: Final = "[unk]"
"""Stands in a transcript for sound that fits none of the sentences."""


_NOT_A_WORD: Final = re.compile(r"[^\w' ]+|_")


class Vocabulary(StrEnum):
    """What a recogniser may hear."""

    SENTENCES = "sentences"
    """Only what was given to `set_sentences`, in any mixture of their word pairs, and `UNKNOWN`."""

    FREE = "free"
    """Every word and phrase the model knows."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word as heard."""

    text: str

    start_s: float
    """Seconds from the first sample of the utterance."""

    end_s: float
    """Seconds from the first sample of the utterance."""

    confidence: float | None = None
    """0 to 1, the recogniser's own; None where it tells alternatives instead."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to hear an utterance."""

    text: str
    """Written as `Transcript.text` is."""

    behind_nats: float
    """How much less likely than the best one; 0 for the best."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard. Silence is the empty transcript."""

    words: tuple[Word, ...] = ()

    alternatives: tuple[Alternative, ...] = ()
    """Ways to hear it, best first, its own text among them; empty with a free vocabulary."""

    @property
    def text(self) -> str:
        """The words with a blank between them, lower case, without punctuation."""
        return " ".join(word.text for word in self.words)


class Recognition(ABC):
    """One utterance while it is being decoded. For one thread at a time."""

    @abstractmethod
    def accept(self, pcm: bytes) -> str:
        """Take the next piece of sound.

        Args:
            pcm: mono, signed 16 bit little endian, `RATE_HZ`; whole samples, any length.

        Returns:
            The text so far, which later sound may still change. Blocks for the decoding.
        """

    @abstractmethod
    def finish(self) -> Transcript:
        """End the utterance; the object is of no use afterwards. Blocks for the last decoding."""


class Transcriber(ABC):
    """A loaded speech model. Its methods may be called from several threads."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Which model this is, for people."""

    @abstractmethod
    def set_sentences(self, sentences: Sequence[str]) -> tuple[str, ...]:
        """Make these the closed vocabulary of the recognitions begun from now on.

        A sentence with a word that the model does not know is left out as a whole: without that
        word it would be another sentence.

        Args:
            sentences: as people write them, numbers spelled out.

        Returns:
            The unknown words, sorted.
        """

    @abstractmethod
    def begin(self, vocabulary: Vocabulary) -> Recognition:
        """Start a new utterance.

        Raises:
            ModelError: the recogniser cannot be made.
        """

    def decode(self, pcm: bytes, *, vocabulary: Vocabulary) -> Transcript:
        """Transcribe a whole utterance at once; `pcm` as in `Recognition.accept`.

        Raises:
            ModelError: the recogniser cannot be made, or it failed on the sound.
        """
        recognition = self.begin(vocabulary)
        for start in range(0, len(pcm), _PIECE_BYTES):
            recognition.accept(pcm[start : start + _PIECE_BYTES])
        return recognition.finish()


def plain(sentence: str) -> str:
    """The sentence as a transcript is written: lower case, no punctuation but the apostrophe."""
    return " ".join(_NOT_A_WORD.sub(" ", sentence.lower().replace("’", "'")).split())
