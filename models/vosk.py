"""The Vosk recogniser (Kaldi), the one module that imports `vosk`.

Quirks: `Model(model_name=...)` downloads and may end the process, so a path is always given, and
only one whose files were hash-checked, because Kaldi aborts the process on a bad file. A phrase
list is turned into a word-pair model when a recogniser is made (10 ms for 4,000 sentences): what
comes out is made of pairs that stand in the list, not always one of its sentences. Vosk drops
unknown words from it, so sentences that hold one are left out here. With a phrase list its
confidences are nearly always 1.0 and say nothing; its alternatives do.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import vosk  # type: ignore[import-untyped]  # has no types

from models.errors import ModelError, ModelUnfit
from models.transcribe import (
    RATE_HZ,
    UNKNOWN,
    Alternative,
    Recognition,
    Transcriber,
    Transcript,
    Vocabulary,
    Word,
    plain,
)

_QUIET: Final = -1
"""Log level at which Kaldi says nothing."""

_NOT_IN_LEXICON: Final = -1

_ALTERNATIVES: Final = 20
"""Ways to hear one stretch of speech that are asked for; they cost 1 ms."""

_MOST_JOINED: Final = 40
"""Ways to hear an utterance that are kept when it has several stretches, pauses between them."""

_Stretch = list[tuple[tuple[Word, ...], float]]
"""The ways to hear what lies between two pauses, best first, each with its nats behind."""


class VoskTranscriber(Transcriber):
    """One Vosk model in memory (about 90 MB), shared by all its recognitions."""

    def __init__(self, folder: Path) -> None:
        """Load the model; blocks about 0.3 s on a desktop, 2 s on a Pi 4.

        Args:
            folder: the unpacked, hash-checked model.

        Raises:
            ModelUnfit: Vosk refuses it.
        """
        vosk.SetLogLevel(_QUIET)
        self._name = folder.name
        try:
            self._model = vosk.Model(str(folder))
        except Exception as exc:  # vosk raises nothing narrower
            raise ModelUnfit(f"vosk cannot load the speech model in {folder}: {exc}") from exc
        self._grammar = json.dumps([UNKNOWN])

    @property
    def name(self) -> str:
        """The name of the model's folder."""
        return self._name

    def set_sentences(self, sentences: Sequence[str]) -> tuple[str, ...]:
        """Make these the closed vocabulary; returns the words the model does not know."""
        wanted = {plain(sentence) for sentence in sentences} - {""}
        words = {word for sentence in wanted for word in sentence.split()}
        unknown = {word for word in words if not self.knows(word)}
        heard = sorted(sentence for sentence in wanted if unknown.isdisjoint(sentence.split()))
        self._grammar = json.dumps([*heard, UNKNOWN])
        return tuple(sorted(unknown))

    def knows(self, word: str) -> bool:
        """Whether the model's lexicon holds the word."""
        return bool(self._model.vosk_model_find_word(word) != _NOT_IN_LEXICON)

    def begin(self, vocabulary: Vocabulary) -> Recognition:
        """Start a new utterance."""
        is_free = vocabulary is Vocabulary.FREE
        try:
            recogniser = vosk.KaldiRecognizer(
                self._model, RATE_HZ, *(() if is_free else (self._grammar,))
            )
        except Exception as exc:  # vosk raises nothing narrower
            raise ModelError(f"vosk cannot make a recogniser: {exc}") from exc
        recogniser.SetWords(True)
        if not is_free:
            recogniser.SetMaxAlternatives(_ALTERNATIVES)
        return _VoskRecognition(recogniser)


class _VoskRecognition(Recognition):
    """One recogniser, used once."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._stretches: list[_Stretch] = []

    def accept(self, pcm: bytes) -> str:
        try:
            has_paused = self._recogniser.AcceptWaveform(pcm)
        except Exception as exc:  # vosk raises nothing narrower
            raise ModelError(f"vosk failed on the sound: {exc}") from exc
        if has_paused:
            self._stretches.append(_stretch(self._recogniser.Result()))
        partial = json.loads(self._recogniser.PartialResult()).get("partial", "")
        return f"{_join(self._stretches).text} {partial}".strip()

    def finish(self) -> Transcript:
        self._stretches.append(_stretch(self._recogniser.FinalResult()))
        self._recogniser = None
        _give_back()
        return _join(self._stretches)


def _give_back() -> None:
    """Return freed memory to the system: a free decode leaves 40 MB behind, again in the heap of
    each thread that ever decoded."""
    with suppress(AttributeError):  # a C library other than GNU's
        ctypes.CDLL(None).malloc_trim(0)


def _stretch(result: str) -> _Stretch:
    """Read what Vosk says of one stretch: a list of ways to hear it, or the only one."""
    said = json.loads(result)
    ways = said.get("alternatives") or [said]
    best = ways[0].get("confidence", 0.0)
    return [(_words(way), best - way.get("confidence", best)) for way in ways]


def _words(way: dict[str, Any]) -> tuple[Word, ...]:
    return tuple(
        Word(word["word"], word["start"], word["end"], word.get("conf"))
        for word in way.get("result", ())
    )


def _join(stretches: list[_Stretch]) -> Transcript:
    """All ways to hear the whole, from the ways to hear its parts."""
    whole: _Stretch = [((), 0.0)]
    for stretch in stretches:
        ways = [(w + more, b + nats) for w, b in whole for more, nats in stretch]
        whole = sorted(ways, key=lambda way: way[1])[:_MOST_JOINED]
    best = Transcript(whole[0][0])
    if all(len(stretch) == 1 for stretch in stretches):
        return best
    texts = ((Transcript(words).text, nats) for words, nats in whole)
    return Transcript(best.words, tuple(Alternative(text, nats) for text, nats in texts))
