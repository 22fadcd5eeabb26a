"""The verbs of what has been: why, history, undo, put_back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentd.door.field import refuse_extra, take_device, take_origin
from agentd.door.ports import Ports
from agentd.door.render import entry_json, reply_json
from agentd.door.request import Request, RequestError, Serve
from agentd.journal import JournalError
from agentd.past_time import MAX_AGO_S, PastTimeError, moment
from agentd.understand.port import WayBack

_LIMIT: Final = 50
"""Entries of one answer, when nobody says how many."""

_MAX_LIMIT: Final = 100
"""Entries of one answer: more would not fit into one message."""


class HistoryVerbs:
    """why, history, undo, put_back."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.table: Mapping[str, Serve] = {
            "why": self.why,
            "history": self.history,
            "undo": self.undo,
            "put_back": self.put_back,
        }

    def why(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ("device",))
        try:
            found = self._ports.past.account(self._device(request))
        except JournalError as exc:
            raise RequestError("unavailable", str(exc)) from exc
        return {"text": found.text, "chain": [entry_json(each) for each in found.chain]}

    def history(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ("since", "since_s", "until", "until_s", "device", "limit"))
        past, now = self._ports.past, self._ports.clock()
        device, limit = self._device(request), _limit(request)
        since_s, until_s = self._moment(request, "since"), self._moment(request, "until")
        until_s = now.wall_s if until_s is None else until_s
        try:
            if since_s is None:
                since_s = past.last_heard_s(take_origin(request, self._ports.config()), now)
            text = past.told(since_s=since_s, until_s=until_s, device=device)
            listed = past.events(since_s=since_s, until_s=until_s, device=device, limit=limit)
        except JournalError as exc:
            raise RequestError("unavailable", str(exc)) from exc
        entries = [entry_json(each) for each in listed]
        return {"text": text, "since_s": since_s, "until_s": until_s, "entries": entries}

    def undo(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ("device",))
        origin, now = take_origin(request, self._ports.config()), self._ports.clock()
        way = self._ports.past.undo(origin=origin, now=now, device=self._device(request))
        return self._carry_out(request, way)

    def put_back(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ("ago_s", "at", "device"))
        now = self._ports.clock()
        at_s = self._moment(request, "at")
        if ("ago_s" in request.data) == (at_s is not None):
            raise RequestError("bad_request", "put_back needs ago_s, a number of seconds, or at")
        if at_s is None:
            at_s = now.wall_s - _number(request, "ago_s", lowest=0.0, highest=MAX_AGO_S)
        way = self._ports.past.put_back(now=now, at_s=at_s, device=self._device(request))
        return self._carry_out(request, way)

    def _carry_out(self, request: Request, way: WayBack) -> dict[str, Any]:
        """A way back is a wish of the person who asks for it, like any other."""
        if not way.actions:
            raise RequestError("denied", way.refusal)
        origin = take_origin(request, self._ports.config())
        return reply_json(self._ports.assistant.perform(way.actions, origin))

    def _device(self, request: Request) -> str | None:
        if request.data.get("device") is None:
            return None
        return take_device(request, self._ports.observe().home).id

    def _moment(self, request: Request, key: str) -> float | None:
        """A time as text in the field `key`, or as a number of the wall clock in `key`_s."""
        now_s, text = self._ports.clock().wall_s, request.data.get(key)
        if text is None:
            is_given = request.data.get(f"{key}_s") is not None
            return _number(request, f"{key}_s", lowest=0.0, highest=now_s) if is_given else None
        if not isinstance(text, str):
            raise RequestError("bad_request", f"{key} is a text such as 2h or 10:05")
        try:
            return moment(text, now_s=now_s, zone=self._ports.past.zone())
        except PastTimeError as exc:
            raise RequestError("bad_request", str(exc)) from exc


def _limit(request: Request) -> int:
    if request.data.get("limit") is None:
        return _LIMIT
    return int(_number(request, "limit", lowest=1, highest=_MAX_LIMIT))


def _number(request: Request, key: str, *, lowest: float, highest: float) -> float:
    value = request.data[key]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not lowest <= value <= highest:
        raise RequestError("bad_request", f"{key} is a number from {lowest:.0f} to {highest:.0f}")
    return float(value)
