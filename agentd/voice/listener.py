"""From sound to one sentence, by two opinions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentd.voice.agree import Agreement, agree
from agentd.voice.pcm import BYTES_A_SECOND, RATE_HZ
from agentd.voice.sentence import Sentences
from llmagentos.clock import Clock
from models.transcribe import Transcriber, Vocabulary

_HUSH_S: Final = 0.5
"""Quiet put before every utterance: a clip that begins with its first word often loses it. With
the quiet 37 of 37 synthetic commands are heard instead of 35."""

_HUSH_DBFS: Final = -70.0
"""Level of the faint noise in that quiet and in all sound, below any microphone's own: the model
was made from real rooms and mishears the perfect silence of a synthetic voice."""


_OTHER_FLOORS_DBFS: Final = (-60.0, -50.0)
"""Levels of the noise under which the free decode tries again when its first try neither bore the
sentence out nor spoke against it: the same sound comes out differently, and one that bears it out
is as good as the first. Of 20 sentences of a robot voice 14 are accepted instead of 10."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What one utterance was heard to be."""

    text: str
    """The sentence of this home that it is most like; empty for silence."""

    free_text: str
    """The same sound with the model's own vocabulary; empty for silence."""

    agreement: Agreement
    """Whether the two bear each other out; nothing may act otherwise."""

    audio_s: float
    """Length of the sound."""

    decode_ms: float
    """Time that both decodes took."""

    finish_ms: float
    """The part of it after the last sample: what a speaker has to wait for."""


class Hearing:
    """One utterance while it is being heard. For one thread at a time."""

    def __init__(self, transcriber: Transcriber, sentences: Sentences, *, clock: Clock) -> None:
        """Begin with a moment of quiet."""
        self._transcriber = transcriber
        self._sound = bytearray(int(_HUSH_S * RATE_HZ) * 2)
        self._closed = transcriber.begin(Vocabulary.SENTENCES)
        self._free = transcriber.begin(Vocabulary.FREE)
        self._sentences = sentences
        self._clock = clock
        self._bytes = 0
        self._busy_s = 0.0
        self._decode(bytes(self._sound))

    @property
    def audio_s(self) -> float:
        """Length of the sound so far."""
        return self._bytes / BYTES_A_SECOND

    def accept(self, pcm: bytes) -> None:
        """Take the next piece: mono, signed 16 bit little endian, 16 kHz, whole samples.

        Raises:
            ModelError: a recogniser failed on it.
        """
        self._bytes += len(pcm)
        self._sound += pcm
        self._decode(pcm)

    def finish(self) -> Recognised:
        """End the utterance and compare the two opinions."""
        started = self._clock()
        closed, free = self._closed.finish(), self._free.finish()
        pick = self._sentences.pick(closed)
        agreement = agree(pick, closed, free)
        for floor_dbfs in _OTHER_FLOORS_DBFS:
            if not agreement.is_open:
                break
            sound = _with_floor(bytes(self._sound), floor_dbfs)
            other = self._transcriber.decode(sound, vocabulary=Vocabulary.FREE)
            second = agree(pick, closed, other)
            if other.text and not second.is_open:
                free, agreement = other, second
        finish_s = started.age_s(self._clock())
        return Recognised(
            text=pick.text,
            free_text=free.text,
            agreement=agreement,
            audio_s=self.audio_s,
            decode_ms=(self._busy_s + finish_s) * 1000,
            finish_ms=finish_s * 1000,
        )

    def _decode(self, pcm: bytes) -> None:
        started = self._clock()
        sound = _with_floor(pcm)
        self._closed.accept(sound)
        self._free.accept(sound)
        self._busy_s += started.age_s(self._clock())


class Listener:
    """Begins utterances with the home's present sentences."""

    def __init__(self, transcriber: Transcriber, *, clock: Clock) -> None:
        """Know no sentence yet."""
        self._transcriber = transcriber
        self._sentences = Sentences()
        self._clock = clock

    @property
    def name(self) -> str:
        """Which speech model this is."""
        return self._transcriber.name

    @property
    def sentence_count(self) -> int:
        """How many sentences of the home are known."""
        return len(self._sentences)

    def set_sentences(self, sentences: Sequence[str]) -> tuple[str, ...]:
        """Listen for these from the next utterance on; returns the words that the model lacks."""
        unknown = self._transcriber.set_sentences(sentences)
        self._sentences = Sentences(sentences)
        return unknown

    def begin(self) -> Hearing:
        """Start a new utterance.

        Raises:
            ModelError: the recogniser cannot be made.
        """
        return Hearing(self._transcriber, self._sentences, clock=self._clock)

    def hear(self, pcm: bytes) -> Recognised:
        """A whole utterance at once; `pcm` as in `Hearing.accept`."""
        hearing = self.begin()
        for start in range(0, len(pcm), PIECE_BYTES):
            hearing.accept(pcm[start : start + PIECE_BYTES])
        return hearing.finish()


PIECE_BYTES: Final = BYTES_A_SECOND // 4
"""How much of a recording is decoded at once: recognisers look for pauses between pieces."""


def _with_floor(pcm: bytes, level_dbfs: float = _HUSH_DBFS) -> bytes:
    """The sound with faint noise added."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    noise = np.rint(_NOISE * (32768 * 10 ** (level_dbfs / 20))).astype(np.int32)
    noisy = samples + np.resize(noise, samples.size)
    return bytes(np.clip(noisy, -32768, 32767).astype("<i2").tobytes())


_NOISE: Final = np.random.default_rng(1).standard_normal(RATE_HZ)
"""One second, always the same, so that a recording is always heard alike."""
