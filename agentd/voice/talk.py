"""The box as somebody to talk to: a microphone, a mouth, and what agentd tells them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from agentd.voice.daemon import VoiceSettings
from agentd.voice.ear import Ear
from agentd.voice.endpoint import FRAME_S
from agentd.voice.listener import Recognised
from agentd.voice.microphone import Microphone
from agentd.voice.mouth import Mouth
from agentd.voice.pipeline import Pipeline
from models.errors import ModelError

_LOG: Final = logging.getLogger("agentd-voice")

_ECHO_FRAMES: Final = round(0.3 / FRAME_S)
"""Frames after the box's own words that still hold them: the room's echo, the card's buffers."""

_WHO: Final = "room"
"""Whoever stands at the microphone: one conversation."""


class Talk:
    """Half a conversation at a time: it does not listen while it speaks."""

    def __init__(self, pipeline: Pipeline, mouth: Mouth, microphone: Microphone | None) -> None:
        """Be still until frames come."""
        self._pipeline = pipeline
        self._mouth = mouth
        self._microphone = microphone
        self._ear = Ear(pipeline.begin)
        self._area: str | None = None
        self._deaf_frames = 0

    def settle(self, settings: VoiceSettings) -> None:
        """Take over changed settings."""
        self._ear.is_always_open = settings.is_always_open
        self._area = settings.area
        self._mouth.loudspeaker = settings.speaker
        if self._microphone is not None:
            self._microphone.choose(settings.microphone)

    def notice(self, event: Mapping[str, Any]) -> None:
        """Do what an event of agentd asks for."""
        if event.get("kind") == "listen":
            self._mouth.hush()
            self._ear.open_window()
        elif event.get("kind") == "say":
            self._mouth.say(str(event.get("text") or ""))
        elif event.get("kind") == "stop":
            self._mouth.hush()

    def listen(self) -> None:
        """Hear the microphone until the program ends; the body of a thread."""
        if self._microphone is not None:
            for frame in self._microphone.frames():
                self._take(frame)

    def _take(self, frame: bytes) -> None:
        if self._mouth.is_speaking:
            self._deaf_frames = _ECHO_FRAMES
        if self._deaf_frames:
            self._deaf_frames -= 1
            self._ear.drop()
            return
        try:
            recognised = self._ear.feed(frame)
        except ModelError as exc:
            _LOG.error("cannot hear: %s", exc)
            return
        if recognised is not None:
            self._reply(recognised)

    def _reply(self, recognised: Recognised) -> None:
        """Answer aloud; other people's talk, overheard by an open ear, gets no answer."""
        heard = self._pipeline.respond(recognised, who=_WHO, area=self._area)
        if heard.was_asked or not self._ear.is_always_open:
            self._mouth.say(heard.reply)
