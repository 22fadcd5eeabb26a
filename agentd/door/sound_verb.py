"""The verbs of ears and mouth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentd.door.field import refuse_extra, take_text
from agentd.door.ports import Ports
from agentd.door.request import Request, RequestError, Serve


class SoundVerbs:
    """vocabulary, listen, say, report."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.table: Mapping[str, Serve] = {
            "vocabulary": self.vocabulary,
            "listen": self.listen,
            "say": self.say,
            "report": self.report,
        }

    def vocabulary(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ())
        found = self._ports.vocabulary()
        return {
            "sentences": list(found.sentences),
            "words": list(found.words),
            "version": found.version,
        }

    def listen(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ())
        self._ports.feed.publish({"kind": "listen"})
        return {}

    def say(self, request: Request) -> dict[str, Any]:
        self._ports.feed.publish({"kind": "say", "text": take_text(request, "text")[:1000]})
        return {}

    def report(self, request: Request) -> dict[str, Any]:
        if request.origin.channel == "mqtt":
            raise RequestError("denied", "only a program of this box reports its state")
        detail = request.data.get("detail", "")
        self._ports.report(
            take_text(request, "part"), take_text(request, "status"), str(detail)[:500]
        )
        return {}
