"""Decides which part of what a microphone hears is one utterance."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from agentd.voice.endpoint import FRAME_S, Endpoint
from agentd.voice.listener import Hearing, Recognised
from agentd.voice.pcm import level_dbfs

WINDOW_S: Final = 8.0
"""Longest utterance, and longest wait for one after a push."""

_BEFORE_S: Final = 0.45
"""Sound from before speech was noticed that belongs to it, when nobody pushed."""


class Ear:
    """Listens after a push until it is quiet again, or always. For the microphone's thread;
    `open_window` may be called from any."""

    def __init__(self, begin: Callable[[], Hearing]) -> None:
        """Listen to nothing yet; `begin` starts an utterance."""
        self._start = begin
        self._endpoint = Endpoint()
        self._hearing: Hearing | None = None
        self._before: deque[bytes] = deque(maxlen=round(_BEFORE_S / FRAME_S))
        self._is_pushed = False
        self.is_always_open = False
        """Whether every speech is listened to, without a push."""

    @property
    def is_listening(self) -> bool:
        """Whether an utterance is being heard."""
        return self._hearing is not None

    def open_window(self) -> None:
        """Listen from the next frame on."""
        self._is_pushed = True

    def drop(self) -> None:
        """Forget what is being heard: the box itself speaks."""
        self._hearing = None
        self._before.clear()
        self._endpoint.restart()

    def feed(self, frame: bytes) -> Recognised | None:
        """Take the next frame.

        Returns:
            What was said, when this frame ended an utterance.

        Raises:
            ModelError: the recogniser failed; the utterance is forgotten.
        """
        self._endpoint.feed(level_dbfs(frame))
        if self._hearing is None:
            self._before.append(frame)
            self._begin()
            return None
        return self._continue(self._hearing, frame)

    def _begin(self) -> None:
        """Start an utterance, if somebody pushed or speaks."""
        if self._is_pushed:
            self._is_pushed = False
            self._endpoint.restart()
            self._hearing = self._start()
            self._before.clear()
        elif self.is_always_open and self._endpoint.has_spoken:
            self._hearing = self._start()
            self._hearing.accept(b"".join(self._before))
            self._before.clear()
        elif not self.is_always_open:
            self._endpoint.restart()

    def _continue(self, hearing: Hearing, frame: bytes) -> Recognised | None:
        try:
            hearing.accept(frame)
            if not self._endpoint.has_ended and hearing.audio_s < WINDOW_S:
                return None
            recognised = hearing.finish()
        except Exception:
            self.drop()
            raise
        self.drop()
        return recognised
