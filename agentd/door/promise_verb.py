"""The verbs of what the box will do: timers, promises, rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from agentd.agents.promise import Promise, PromiseError
from agentd.agents.promises import PromiseBook
from agentd.agents.rule import Rule
from agentd.agents.rules import Listed
from agentd.door.field import refuse_extra, take_origin, take_text
from agentd.door.ports import Ports
from agentd.door.render import action_json
from agentd.door.request import Request, RequestError, Serve
from llmagentos.cause import Rank
from llmagentos.utterance import Timer, TimerRequest

_T = TypeVar("_T")

_OPS: Final = (
    "status", "start", "cancel", "cancel_all", "increase", "decrease", "pause", "unpause",
)  # fmt: skip

_TIMER_KEYS: Final = ("op", "seconds", "name", "area", "start_seconds")

_CODES: Final = {"not_written": "unavailable", "unknown": "bad_request"}
"""PromiseError's code -> the door's; the others are mistakes of the request."""


class PromiseVerbs:
    """timers, promises, rules."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.table: Mapping[str, Serve] = {
            "timers": self.timers,
            "promises": self.promises,
            "rules": self.rules,
        }
        self._changes: Mapping[str, Callable[[Request], dict[str, Any]]] = {
            "add": self._add,
            "remove": self._remove,
            "enable": self._enable,
            "disable": self._disable,
            "test": self._test,
        }

    def timers(self, request: Request) -> dict[str, Any]:
        """Without arguments all timers; else as the words of a `TimerRequest`."""
        refuse_extra(request, _TIMER_KEYS)
        wish, now = _take_wish(request), self._ports.clock()
        origin = take_origin(request, self._ports.config())
        cause = self._ports.next_cause()
        answer = self._book.timer(wish, origin=origin, cause=cause, now=now)
        return {
            "op": answer.op,
            "timers": [_timer_json(each) for each in answer.timers],
            "problem": answer.problem.value if answer.problem else None,
        }

    def promises(self, request: Request) -> dict[str, Any]:
        """All that was promised; `cancel` takes one back by its id."""
        refuse_extra(request, ("cancel",))
        book, now = self._book, self._ports.clock()
        if "cancel" not in request.data:
            listed = [_promise_json(each, book.left_s(each, now)) for each in book.all()]
            return {"promises": listed}
        name = take_text(request, "cancel")
        gone = _kept(lambda: book.cancel(name))
        if gone is None:
            words = ", ".join(each.id for each in book.all()) or "none"
            raise RequestError("bad_request", f"no promise {name[:64]!r}; there are {words}")
        return {"cancelled": _promise_json(gone, None)}

    def rules(self, request: Request) -> dict[str, Any]:
        """All rules, and why they wait; or one of add, remove, enable, disable, test."""
        refuse_extra(request, tuple(self._changes))
        if not request.data:
            observation = self._ports.observe()
            return {"rules": [_listed_json(each) for each in self._book.rules(observation)]}
        if len(request.data) > 1:
            raise RequestError("bad_request", "rules takes one thing at a time")
        (what,) = request.data
        return self._changes[what](request)

    def _add(self, request: Request) -> dict[str, Any]:
        self._refuse_strangers(request)
        table = _table(request, "add")
        self._refuse_risky_from_afar(_kept(lambda: self._book.read_rule(table)), request)
        origin = take_origin(request, self._ports.config())
        return {"added": _kept(lambda: self._book.add_rule(table, origin=origin)).id}

    def _remove(self, request: Request) -> dict[str, Any]:
        self._refuse_strangers(request)
        name = take_text(request, "remove")
        _kept(lambda: self._book.remove_rule(name))
        return {"removed": name}

    def _enable(self, request: Request) -> dict[str, Any]:
        return self._switch(request, "enable", is_enabled=True)

    def _disable(self, request: Request) -> dict[str, Any]:
        return self._switch(request, "disable", is_enabled=False)

    def _switch(self, request: Request, key: str, *, is_enabled: bool) -> dict[str, Any]:
        self._refuse_strangers(request)
        name = take_text(request, key)
        if is_enabled:
            for rule in self._book.rules(self._ports.observe()):
                if rule.id == name and not rule.problem:
                    table = {key: each for key, each in rule.written.items() if key != "enabled"}
                    self._refuse_risky_from_afar(self._book.read_rule(table), request)
        _kept(lambda: self._book.enable_rule(name, is_enabled=is_enabled))
        return {f"{key}d": name}

    def _test(self, request: Request) -> dict[str, Any]:
        table = _table(request, "test")
        rule = _kept(lambda: self._book.read_rule(table))
        waits = self._book.obstacle(rule, self._ports.observe())
        actions = [action_json(action) for action in rule.actions]
        return {"id": rule.id, "waits": waits, "actions": actions}

    @property
    def _book(self) -> PromiseBook:
        if self._ports.book is None:
            raise RequestError("unavailable", "in safe mode no promises and rules are kept")
        return self._ports.book

    def _refuse_strangers(self, request: Request) -> None:
        if request.origin.rank < Rank.PERSON:
            raise RequestError("denied", "only a person changes rules")

    def _refuse_risky_from_afar(self, rule: Rule, request: Request) -> None:
        """A rule asks nobody for a yes, so over the network none is armed on what needs one."""
        if request.origin.channel != "mqtt":
            return
        known = self._ports.observe().home.by_id
        for name in sorted(rule.devices):
            if known[name].is_risky:
                text = f"{known[name].name} needs a yes; add this rule at the box (agentctl rules)"
                raise RequestError("denied", text)


def _kept(work: Callable[[], _T]) -> _T:
    try:
        return work()
    except PromiseError as exc:
        raise RequestError(_CODES.get(exc.code, "bad_request"), str(exc)) from exc


def _take_wish(request: Request) -> TimerRequest:
    data = request.data
    op = data.get("op", "status")
    if op not in _OPS:
        raise RequestError("bad_request", f"op is one of {', '.join(_OPS)}")
    for key in ("seconds", "start_seconds"):
        value = data.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise RequestError("bad_request", f"{key} is a whole number of seconds")
    for key in ("name", "area"):
        value = data.get(key)
        if value is not None and (not isinstance(value, str) or not 0 < len(value) <= 40):
            raise RequestError("bad_request", f"{key} is a text of at most 40 characters")
    return TimerRequest(
        op, data.get("seconds"), data.get("name"), data.get("area"), data.get("start_seconds")
    )


def _table(request: Request, key: str) -> Mapping[str, Any]:
    table = request.data[key]
    if not isinstance(table, dict):
        raise RequestError("bad_request", f"{key} takes a rule, an object as a [[rule]] is written")
    return table


def _timer_json(timer: Timer) -> dict[str, Any]:
    return {
        "name": timer.name, "area": timer.area, "start_s": timer.start_s, "left_s": timer.left_s,
        "paused": timer.is_paused,
    }  # fmt: skip


def _promise_json(promise: Promise, left_s: float | None) -> dict[str, Any]:
    return {
        "id": promise.id, "kind": promise.kind.value, "text": promise.text, "name": promise.name,
        "left_s": None if left_s is None else round(left_s, 1), "due_s": promise.due.wall_s,
        "paused": promise.standing.value == "paused", "channel": promise.origin.channel,
        "who": promise.origin.who, "when_late": promise.when_late.value,
        "actions": [action_json(action) for action in promise.actions],
    }  # fmt: skip


def _listed_json(rule: Listed) -> dict[str, Any]:
    return {
        "id": rule.id, "from": "stored" if rule.is_stored else "file", "enabled": rule.is_enabled,
        "waits": rule.waits, "ran_s": rule.ran_s, "kept_from": rule.kept_from,
        "kept_from_s": rule.kept_from_s, "problem": rule.problem, "rule": dict(rule.written),
    }  # fmt: skip
