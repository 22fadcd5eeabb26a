"""The verbs of what has been."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentd.door.field import refuse_extra, take_device
from agentd.door.ports import Ports
from agentd.door.request import Request, Serve
from agentd.why import explain


class HistoryVerbs:
    """why."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.table: Mapping[str, Serve] = {
            "why": self.why,
        }

    def why(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ("device",))
        device = (
            take_device(request, self._ports.observe().home).id
            if request.data.get("device")
            else None
        )
        entries = self._ports.journal.last(device)
        text = explain(entries, self._ports.observe().home, device)
        chain = [
            {
                "cause": entry.cause, "at_s": entry.at_s, "device": entry.device,
                "action": entry.action, "channel": entry.channel, "who": entry.who,
                "chosen_by": entry.chosen_by, "text": entry.text, "rule": entry.rule,
            }
            for entry in entries
        ]  # fmt: skip
        return {"text": text, "chain": chain}
