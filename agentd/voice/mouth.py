"""Says things, one after the other, and lets the ear know that it does."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

from agentd.voice.card import Card
from agentd.voice.errors import CardError
from models.errors import ModelError
from models.speak import Speaker

_LOG: Final = logging.getLogger("agentd-voice")

_WAITING: Final = 8
"""Sentences that wait to be said; more than these are old news and are dropped."""

Show = Callable[[str], None]
"""Puts a sentence before people where it cannot be spoken."""


class Mouth:
    """Speaks through a loudspeaker, or shows the text where there is none."""

    def __init__(self, speaker: Speaker, card: Card | None, *, show: Show) -> None:
        """Say nothing until `run`.

        Args:
            speaker: makes sound out of text.
            card: where loudspeakers are opened; None for a box without sound.
            show: takes what cannot be spoken.
        """
        self._speaker = speaker
        self._card = card
        self._show = show
        self._waiting: queue.Queue[str] = queue.Queue(_WAITING)
        self._hush = threading.Event()
        self.loudspeaker = ""
        """Part of the loudspeaker's name; empty takes the default one."""

    @property
    def is_speaking(self) -> bool:
        """Whether something is being said or waits for it: the ear must not listen to it."""
        return self._waiting.unfinished_tasks > 0

    def say(self, text: str) -> None:
        """Have it said soon; returns at once. May be called from any thread."""
        try:
            if text.strip():
                self._waiting.put_nowait(text)
        except queue.Full:
            _LOG.warning("too much to say at once, something was left out")

    def hush(self) -> None:
        """End what is being said, and forget what waits."""
        self._hush.set()
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                return
            self._waiting.task_done()

    def run(self) -> None:
        """Say what comes, for ever; the body of a thread."""
        while True:
            text = self._waiting.get()
            self._hush.clear()
            try:
                self._speak(text)
            except (CardError, ModelError) as exc:
                _LOG.debug("not spoken: %s", exc)
                self._show(text)
            finally:
                self._waiting.task_done()

    def _speak(self, text: str) -> None:
        if self._card is None:
            raise CardError("started without sound")
        speech = self._speaker.synthesise(text)
        self._card.play(speech.pcm, rate_hz=speech.rate_hz, name=self.loudspeaker, stop=self._hush)
