"""Outcomes as JSON: what the door answers and what a run over files writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from llmagentos.plan import Action
from llmagentos.utterance import (
    Act,
    Answer,
    Ask,
    AtTime,
    ClockQuestion,
    Converse,
    Delayed,
    History,
    LocalTime,
    NewRule,
    Nothing,
    Outcome,
    PromiseRequest,
    PutBack,
    Reminder,
    TimerRequest,
    Undo,
)  # fmt: skip

_TYPES: Final = {
    PromiseRequest: "promises", History: "history", Undo: "undo", PutBack: "put_back",
}  # fmt: skip
"""Outcomes whose fields are JSON as they are -> their `type`."""


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """One outcome with its `type`.

    actions, answer, ask, timer, delayed, at, reminder, rule, promises, history, undo, put_back,
    clock or none.
    """
    match outcome:
        case Act(actions):
            return {"type": "actions", "actions": encode_actions(actions)}
        case Answer(text, about):
            return {"type": "answer", "text": text, "about": list(about)}
        case Ask(text, options):
            return {"type": "ask", "text": text, "options": encode_actions(options)}
        case TimerRequest():
            return {
                "type": "timer",
                "op": outcome.op,
                "seconds": outcome.seconds,
                "name": outcome.name,
                "area": outcome.area,
                "start_seconds": outcome.start_seconds,
            }
        case Delayed(seconds, text, actions):
            return {"type": "delayed", "seconds": seconds, "text": text,
                    "actions": encode_actions(actions)}  # fmt: skip
        case AtTime(at, text, actions):
            return {"type": "at", "at": asdict(at), "text": text,
                    "actions": encode_actions(actions)}  # fmt: skip
        case Reminder(text, after_s, at):
            return {"type": "reminder", "text": text, "after_s": after_s,
                    "at": asdict(at) if at else None}  # fmt: skip
        case NewRule(table, text):
            return {"type": "rule", "table": dict(table), "text": text}
        case PromiseRequest() | History() | Undo() | PutBack():
            return {"type": _TYPES[type(outcome)], **asdict(outcome)}
        case ClockQuestion(what):
            return {"type": "clock", "what": what}
        case Converse(what, device):
            return {"type": "none", "reason": what, "device": device}
        case Nothing(reason, text):
            return {"type": "none", "reason": reason, "text": text}


def decode_wish(data: Mapping[str, Any]) -> Act | Delayed | AtTime | NewRule | None:
    """A wish back from its JSON; None for an outcome that a yes cannot be about.

    Raises:
        KeyError, TypeError: it is not what `encode_outcome` writes.
    """
    actions = tuple(Action(a["device"], a["action"], a["args"]) for a in data.get("actions", ()))
    match data["type"]:
        case "actions":
            return Act(actions)
        case "delayed":
            return Delayed(data["seconds"], data["text"], actions)
        case "at":
            return AtTime(LocalTime(**data["at"]), data["text"], actions)
        case "rule":
            return NewRule(data["table"], data["text"])
    return None


def encode_actions(actions: Iterable[Action]) -> list[dict[str, Any]]:
    """Actions as JSON."""
    return [{"device": a.device, "action": a.name, "args": dict(a.args)} for a in actions]
