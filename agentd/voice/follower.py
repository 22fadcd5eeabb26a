"""Keeps up with agentd, which may start later, restart, and change its configuration."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from agentd.voice.daemon import Daemon, VoiceSettings
from agentd.voice.pipeline import Pipeline
from agentd.voice.talk import Talk
from llmagentos.errors import LlmagentosError

_LOG: Final = logging.getLogger("agentd-voice")

_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 2.0
"""Longest wait between two tries to reach agentd."""

Status = Callable[[], tuple[str, str]]
"""How the program is: one word, and its detail for people."""


class Follower:
    """Brings agentd's settings and sentences here, and our state there."""

    def __init__(
        self,
        daemon: Daemon,
        *,
        pipeline: Pipeline,
        talk: Talk,
        status: Status,
        wait: Callable[[float], bool],
        on_settings: Callable[[VoiceSettings], None],
    ) -> None:
        """Follow nothing yet.

        Args:
            daemon: agentd's door.
            pipeline: gets the home's sentences.
            talk: gets the settings and the events.
            status: what agentd is told of us.
            wait: pauses; True when the program is to end.
            on_settings: others who need the settings.
        """
        self._daemon = daemon
        self._pipeline = pipeline
        self._talk = talk
        self._status = status
        self._wait = wait
        self._on_settings = on_settings
        self._lock = threading.Lock()
        self._version = ""
        self._settings: VoiceSettings | None = None
        self._is_away = False

    def run(self) -> None:
        """Follow until the program ends; the body of a thread."""
        pause_s = _FIRST_PAUSE_S
        while True:
            if self.refresh():
                pause_s = _FIRST_PAUSE_S
                self._follow()
            if self._wait(pause_s):
                return
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def refresh(self) -> bool:
        """Fetch what may have changed, and tell our state.

        Returns:
            Whether agentd answered.
        """
        try:
            with self._lock:
                self._fetch()
            self._daemon.report(*self._status())
        except LlmagentosError as exc:
            self._note_away(exc)
            return False
        if self._is_away:
            _LOG.info("agentd answers again")
            self._is_away = False
        return True

    def _follow(self) -> None:
        """Pass events on until agentd goes away."""
        try:
            for event in self._daemon.events():
                if event.get("kind") == "config":
                    self.refresh()
                self._talk.notice(event)
        except LlmagentosError as exc:
            self._note_away(exc)

    def _fetch(self) -> None:
        settings = self._daemon.settings()
        if settings != self._settings:
            self._talk.settle(settings)
            self._on_settings(settings)
            self._settings = settings
        words = self._daemon.words()
        if words.version != self._version:
            self._pipeline.set_sentences(words.sentences)
            self._version = words.version
            _LOG.info("listening for %d sentences", len(words.sentences))
            if self._pipeline.unknown_words:
                _LOG.warning(
                    "the speech model does not know %s; give the devices other names or aliases",
                    ", ".join(self._pipeline.unknown_words),
                )

    def _note_away(self, exc: LlmagentosError) -> None:
        if not self._is_away:
            _LOG.warning("agentd is away, trying again: %s", exc)
            self._is_away = True
