"""A promise as one line of JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from agentd.agents.due import Due
from agentd.agents.fields import Fields, read_json
from agentd.agents.promise import Kind, Promise, Standing, WhenLate
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.plan import Action
from llmagentos.utterance import LocalTime

FORMAT: Final = 1
"""Version of what is written."""


def encode(promise: Promise) -> str:
    """One line."""
    body = asdict(promise) | {
        "v": FORMAT,
        "made_by": str(promise.made_by) if promise.made_by else None,
        "actions": [_action_json(action) for action in promise.actions],
    }
    return json.dumps(body, ensure_ascii=False)


def decode(text: str) -> Promise:
    """Read it back.

    Raises:
        Unreadable: it is not what `encode` wrote; the text names the key.
    """
    fields = read_json(text, where="promise", version=FORMAT)
    return Promise(
        id=fields.text("id"),
        kind=fields.word("kind", Kind),
        made_by=_cause(fields),
        origin=_origin(fields.inner("origin")),
        due=read_due(fields.inner("due")),
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


def read_due(fields: Fields) -> Due:
    """A `Due`, as `dataclasses.asdict` wrote it."""
    since, at = fields.inner("since"), fields.maybe_inner("at")
    return Due(
        since=Instant(since.number("mono_s"), since.number("wall_s")),
        boot=fields.text("boot"),
        length_s=fields.maybe_number("length_s"),
        at=_local_time(at) if at else None,
        wall_s=fields.maybe_number("wall_s"),
    )


def _action_json(action: Action) -> dict[str, Any]:
    return {"device": action.device, "name": action.name, "args": dict(action.args)}


def _action(fields: Fields) -> Action:
    args = fields.get("args")
    if not isinstance(args, Mapping):
        raise fields.wrong("args", "is no object")
    return Action(fields.text("device"), fields.text("name"), dict(args))


def _cause(fields: Fields) -> Cause | None:
    text = fields.maybe_text("made_by")
    if text is None:
        return None
    try:
        return Cause.parse(text)
    except ValueError as exc:
        raise fields.wrong("made_by", "is no cause") from exc


def _origin(fields: Fields) -> Origin:
    rank = Rank(fields.whole("rank", min(Rank), max(Rank)))
    return Origin(rank, fields.text("channel"), fields.text("who"), fields.maybe_text("area"))


def _local_time(fields: Fields) -> LocalTime:
    return LocalTime(
        fields.whole("hour", 0, 23),
        fields.whole("minute", 0, 59),
        fields.maybe_whole("in_days", 0, 366),
        fields.maybe_whole("weekday", 0, 6),
        fields.flag("may_be_later"),
    )
