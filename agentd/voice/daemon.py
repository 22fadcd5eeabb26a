"""What agentd-voice asks of agentd, over its door. agentd may be away and come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmagentos.client import Door

_TIMEOUT_S: Final = 12.0
"""Longest wait for an answer: agentd itself gives up after 10 s and says so."""

_CHANNEL: Final = "voice"


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """The `[voice]` table, and what else of the configuration a voice needs."""

    microphone: str = ""
    """Part of its name; empty takes the default one."""

    speaker: str = ""
    """Part of the loudspeaker's name; empty takes the default one."""

    is_always_open: bool = False
    """Whether every speech is listened to, without a push."""

    area: str | None = None
    """Id of the area where the box stands; None when unknown."""

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> VoiceSettings:
        """Take what agentd tells; it has checked it already."""
        return cls(
            microphone=str(told.get("microphone") or ""),
            speaker=str(told.get("speaker") or ""),
            is_always_open=told.get("listen") == "open",
            area=told.get("area") or None,
        )


@dataclass(frozen=True, slots=True)
class HomeWords:
    """The sentences that the home understands."""

    sentences: tuple[str, ...]
    version: str
    """Changes when the sentences do."""


class Daemon:
    """Asks agentd; every request has a connection of its own, so that a restart harms none but
    those under way. May be used from several threads. All methods raise `DoorError`."""

    def __init__(self, socket: Path) -> None:
        """Connect to nothing yet."""
        self._socket = socket

    def ask(self, text: str, *, who: str, area: str | None) -> Mapping[str, Any]:
        """Let a sentence be understood and done; blocks up to 12 s."""
        where = {"area": area} if area else {}
        answer = self._request("ask", text=text, who=who, channel=_CHANNEL, **where)
        return answer if isinstance(answer, dict) else {}

    def words(self) -> HomeWords:
        """The home's sentences."""
        told = self._request("vocabulary")
        return HomeWords(tuple(told["sentences"]), str(told["version"]))

    def settings(self) -> VoiceSettings:
        """The present settings."""
        return VoiceSettings.read(self._request("config", part="voice")["settings"])

    def report(self, status: str, detail: str) -> None:
        """Tell how this program is."""
        self._request("report", part="voice", status=status, detail=detail)

    def events(self) -> Iterator[Mapping[str, Any]]:
        """What happens in the box, until agentd goes away."""
        with Door(self._socket, timeout_s=_TIMEOUT_S) as door:
            for event in door.subscribe(kinds=["listen", "say", "stop", "config"]):
                if isinstance(event, dict):
                    yield event

    def _request(self, verb: str, **data: Any) -> Any:
        with Door(self._socket, timeout_s=_TIMEOUT_S) as door:
            return door.request(verb, **data)
