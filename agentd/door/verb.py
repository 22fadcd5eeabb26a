"""The verbs of the door, by subject: the same for sockets and MQTT.

A group of verbs is a class made of the ports, with a `table` of its verbs. A verb checks its own
arguments, does its work through the ports, and returns data that is JSON at this edge alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from agentd.door.box_verb import BoxVerbs
from agentd.door.confirm_verb import ConfirmVerbs
from agentd.door.device_verb import DeviceVerbs
from agentd.door.history_verb import HistoryVerbs
from agentd.door.ports import Ports
from agentd.door.promise_verb import PromiseVerbs
from agentd.door.request import Request, RequestError, Serve
from agentd.door.sentence_verb import SentenceVerbs
from agentd.door.sound_verb import SoundVerbs
from agentd.inbox import InboxFull

__all__ = ["GROUPS", "Ports", "Verbs"]


class Group(Protocol):
    """Verbs of one subject."""

    @property
    def table(self) -> Mapping[str, Serve]:
        """Its verbs by name."""


GROUPS: Final[tuple[Callable[[Ports], Group], ...]] = (
    SentenceVerbs,
    DeviceVerbs,
    BoxVerbs,
    SoundVerbs,
    HistoryVerbs,
    PromiseVerbs,
    ConfirmVerbs,
)


class Verbs:
    """The verb table."""

    def __init__(self, ports: Ports) -> None:
        self._table: dict[str, Serve] = {}
        for group in GROUPS:
            self._table |= group(ports).table

    def serve(self, request: Request) -> Any:
        """Answer one request.

        Raises:
            RequestError: it cannot be served; the text says why.
        """
        verb = self._table.get(request.verb)
        if verb is None:
            words = ", ".join(sorted([*self._table, "subscribe"]))
            raise RequestError("unknown_verb", f"no verb {request.verb[:40]!r}; there are {words}")
        try:
            return verb(request)
        except InboxFull as exc:
            raise RequestError("busy", str(exc)) from exc
