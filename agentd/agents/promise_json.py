"""A promise as one line of JSON, and back, with errors that name what is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Any, Final, TypeVar

from agentd.agents.due import Due
from agentd.agents.promise import Kind, Promise, PromiseError, Standing, WhenLate
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.plan import Action
from llmagentos.utterance import LocalTime

FORMAT: Final = 1
"""Version of what is written; another one is not guessed at."""

_Word = TypeVar("_Word", bound=StrEnum)


def encode(promise: Promise) -> str:
    """One line."""
    body = asdict(promise) | {
        "v": FORMAT,
        "made_by": str(promise.made_by) if promise.made_by else None,
        "actions": [action_json(action) for action in promise.actions],
    }
    return json.dumps(body, ensure_ascii=False)


def decode(text: str) -> Promise:
    """Read it back.

    Raises:
        PromiseError: it is not what `encode` wrote; the text names the key.
    """
    try:
        body = json.loads(text)
    except ValueError as exc:
        raise PromiseError("unreadable", f"not JSON: {exc}") from exc
    fields = _Fields(body, "promise")
    if fields.get("v") != FORMAT:
        raise PromiseError("unreadable", f"promise.v is {fields.get('v')!r}, not {FORMAT}")
    return Promise(
        id=fields.text("id"),
        kind=fields.word("kind", Kind),
        made_by=_cause(fields),
        origin=_origin(fields.inner("origin")),
        due=_due(fields.inner("due")),
        occasion=fields.text("occasion"),
        text=fields.text("text"),
        actions=tuple(_action(each) for each in fields.list("actions")),
        when_late=fields.word("when_late", WhenLate),
        bound_s=fields.maybe_number("bound_s"),
        standing=fields.word("standing", Standing),
        name=fields.maybe_text("name"),
        area=fields.maybe_text("area"),
        start_s=fields.maybe_number("start_s"),
    )


def action_json(action: Action) -> dict[str, Any]:
    """One action."""
    return {"device": action.device, "name": action.name, "args": dict(action.args)}


class _Fields:
    """An object of JSON that knows where it stands."""

    def __init__(self, body: object, where: str) -> None:
        self._where = where
        if not isinstance(body, Mapping):
            raise PromiseError("unreadable", f"{where} is no object")
        self._body = body

    def get(self, key: str) -> Any:
        if key not in self._body:
            raise self.wrong(key, "is missing")
        return self._body[key]

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str):
            raise self.wrong(key, "is no text")
        return value

    def maybe_text(self, key: str) -> str | None:
        return None if self.get(key) is None else self.text(key)

    def number(self, key: str) -> float:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "is no number")
        if not math.isfinite(value):
            raise self.wrong(key, "is not finite")
        return float(value)

    def maybe_number(self, key: str) -> float | None:
        return None if self.get(key) is None else self.number(key)

    def whole(self, key: str, low: int, high: int) -> int:
        value = self.number(key)
        if value != int(value) or not low <= value <= high:
            raise self.wrong(key, f"is not a whole number from {low} to {high}")
        return int(value)

    def maybe_whole(self, key: str, low: int, high: int) -> int | None:
        return None if self.get(key) is None else self.whole(key, low, high)

    def word(self, key: str, words: type[_Word]) -> _Word:
        try:
            return words(self.text(key))
        except ValueError as exc:
            raise self.wrong(key, f"is none of {', '.join(words)}") from exc

    def list(self, key: str) -> list[_Fields]:
        value = self.get(key)
        if not isinstance(value, list):
            raise self.wrong(key, "is no list")
        return [_Fields(each, f"{self._where}.{key}[{i}]") for i, each in enumerate(value)]

    def inner(self, key: str) -> _Fields:
        return _Fields(self.get(key), f"{self._where}.{key}")

    def wrong(self, key: str, what: str) -> PromiseError:
        return PromiseError("unreadable", f"{self._where}.{key} {what}")


def _cause(fields: _Fields) -> Cause | None:
    text = fields.maybe_text("made_by")
    if text is None:
        return None
    try:
        return Cause.parse(text)
    except ValueError as exc:
        raise fields.wrong("made_by", "is no cause") from exc


def _origin(fields: _Fields) -> Origin:
    rank = Rank(fields.whole("rank", min(Rank), max(Rank)))
    return Origin(rank, fields.text("channel"), fields.text("who"), fields.maybe_text("area"))


def _due(fields: _Fields) -> Due:
    since = fields.inner("since")
    return Due(
        since=Instant(since.number("mono_s"), since.number("wall_s")),
        boot=fields.text("boot"),
        length_s=fields.maybe_number("length_s"),
        at=None if fields.get("at") is None else _local_time(fields.inner("at")),
        wall_s=fields.maybe_number("wall_s"),
    )


def _local_time(fields: _Fields) -> LocalTime:
    return LocalTime(
        fields.whole("hour", 0, 23),
        fields.whole("minute", 0, 59),
        fields.maybe_whole("in_days", 0, 366),
        fields.maybe_whole("weekday", 0, 6),
    )


def _action(fields: _Fields) -> Action:
    args = fields.get("args")
    if not isinstance(args, Mapping):
        raise fields.wrong("args", "is no object")
    return Action(fields.text("device"), fields.text("name"), dict(args))
