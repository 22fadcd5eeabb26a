"""Twins of the speech models for tests: they hear and say what their script tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from models.speak import Speaker, Speech
from models.transcribe import RATE_HZ, Recognition, Transcriber, Transcript, Vocabulary, Word

_BYTES_A_SECOND: Final = RATE_HZ * 2


class ScriptedTranscriber(Transcriber):
    """Hears whatever the script says, one entry for each utterance; later ones are silence."""

    def __init__(
        self,
        script: Sequence[Mapping[Vocabulary, str]] = (),
        *,
        lexicon: frozenset[str] | None = None,
    ) -> None:
        """Take the script.

        Args:
            script: for each utterance the text by vocabulary; a missing one is silence.
            lexicon: the words it knows; None knows all.
        """
        self._script = {
            vocabulary: [entry.get(vocabulary, "") for entry in script] for vocabulary in Vocabulary
        }
        self._lexicon = lexicon
        self.sentences: tuple[str, ...] = ()
        """What was set last."""

    @property
    def name(self) -> str:
        """Always `scripted`."""
        return "scripted"

    def set_sentences(self, sentences: Sequence[str]) -> tuple[str, ...]:
        """Keep the sentences; returns the words outside the lexicon."""
        self.sentences = tuple(sentences)
        words = {word for sentence in sentences for word in sentence.lower().split()}
        return () if self._lexicon is None else tuple(sorted(words - self._lexicon))

    def begin(self, vocabulary: Vocabulary) -> Recognition:
        """Start the next utterance of the script."""
        texts = self._script[vocabulary]
        return _ScriptedRecognition(texts.pop(0) if texts else "")


class _ScriptedRecognition(Recognition):
    """Says its text once it has been given any sound; spreads the words evenly over it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bytes = 0

    def accept(self, pcm: bytes) -> str:
        self._bytes += len(pcm)
        return self._text if self._bytes else ""

    def finish(self) -> Transcript:
        texts = self._text.split() if self._bytes else []
        step_s = self._bytes / _BYTES_A_SECOND / max(len(texts), 1)
        return Transcript(
            tuple(Word(text, i * step_s, (i + 1) * step_s, 1.0) for i, text in enumerate(texts))
        )


class ScriptedSpeaker(Speaker):
    """Turns each character into 10 ms of a square wave, and remembers what it was told to say."""

    def __init__(self) -> None:
        self.said: list[str] = []
        """Every text, oldest first."""

    def synthesise(self, text: str) -> Speech:
        """10 ms for each character."""
        self.said.append(text)
        period = (b"\x00\x20" * 20 + b"\x00\xe0" * 20) * 4
        return Speech(pcm=period * len(text), rate_hz=RATE_HZ)
