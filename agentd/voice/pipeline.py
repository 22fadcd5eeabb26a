"""The way of every utterance: sound, two opinions, agentd, reply.

A microphone and a client's audio take the same way; they differ only in who cuts the sound.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any, Final, Protocol

from agentd.voice.agree import SILENCE
from agentd.voice.heard import Heard, answered, refused
from agentd.voice.listener import Hearing, Listener, Recognised
from llmagentos.clock import Clock
from llmagentos.errors import LlmagentosError
from models.errors import ModelMissing

_LOG: Final = logging.getLogger("agentd-voice")

NOT_UNDERSTOOD: Final = "Sorry, I did not understand that."
AWAY: Final = "I cannot do anything just now."


class Ask(Protocol):
    """Lets agentd understand and do a sentence; raises `LlmagentosError`."""

    def __call__(self, text: str, *, who: str, area: str | None) -> Mapping[str, Any]:
        """agentd's answer to `ask`."""


class Pipeline:
    """Takes utterances from sound to reply. May be used from several threads."""

    def __init__(self, ask: Ask, *, clock: Clock) -> None:
        """Be deaf until `use`."""
        self._ask = ask
        self._clock = clock
        self._listener: Listener | None = None
        self._sentences: tuple[str, ...] = ()
        self._lack = "the speech model is not loaded yet"
        self._lock = threading.Lock()
        self.unknown_words: tuple[str, ...] = ()
        """Words of the home that the speech model does not know."""

    @property
    def listener(self) -> Listener | None:
        """What hears; None while there is no speech model."""
        return self._listener

    @property
    def lack(self) -> str:
        """What is missing to hear, for people; empty for nothing."""
        return self._lack

    def use(self, listener: Listener) -> None:
        """Hear with this from now on."""
        with self._lock:
            self.unknown_words = listener.set_sentences(self._sentences)
            self._listener, self._lack = listener, ""

    def miss(self, lack: str) -> None:
        """Say what is missing to hear."""
        self._lack = lack

    def set_sentences(self, sentences: tuple[str, ...]) -> None:
        """Listen for these sentences from the next utterance on."""
        with self._lock:
            self._sentences = sentences
            if self._listener is not None:
                self.unknown_words = self._listener.set_sentences(sentences)

    def begin(self) -> Hearing:
        """Start an utterance.

        Raises:
            ModelMissing: there is no speech model; the text says what to do.
            ModelError: the recogniser cannot be made.
        """
        if self._listener is None:
            raise ModelMissing(self._lack)
        return self._listener.begin()

    def respond(self, recognised: Recognised, *, who: str, area: str | None) -> Heard:
        """Have the sentence done if both opinions are one; blocks up to 12 s for agentd."""
        agreement = recognised.agreement
        if not self._sentences and recognised.free_text:
            heard = refused(recognised, AWAY, "agentd has not told its sentences yet")
        elif not agreement.is_agreed:
            heard = refused(recognised, _excuse(agreement.reason), agreement.reason)
        else:
            heard = self._put(recognised, who=who, area=area)
        _LOG.info("%s", _trace(heard))
        return heard

    def _put(self, recognised: Recognised, *, who: str, area: str | None) -> Heard:
        started = self._clock()
        try:
            answer = self._ask(recognised.text, who=who, area=area)
        except LlmagentosError as exc:
            _LOG.debug("%s", exc)  # it may quote the sentence
            return refused(recognised, AWAY, "agentd did not answer")
        ask_ms = started.age_s(self._clock()) * 1000
        reply = str(answer.get("reply") or "")
        return answered(recognised, answer, reply=reply, reason="", ask_ms=ask_ms)


def _excuse(reason: str) -> str:
    """What is said when nothing is done: nothing to silence."""
    return "" if reason == SILENCE else NOT_UNDERSTOOD


def _trace(heard: Heard) -> str:
    """One line for the log: how it went, never what was said."""
    outcome = "asked agentd" if heard.was_asked else f"did nothing: {heard.reason}"
    return (
        f"{heard.audio_ms / 1000:.1f} s of sound, decoded in {heard.decode_ms:.0f} ms, "
        f"{heard.ms:.0f} ms from its end: {outcome}"
    )
