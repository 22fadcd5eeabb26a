"""Outcomes as JSON: what the door answers and what a run over files writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmagentos.plan import Action
from llmagentos.utterance import (
    Act,
    Answer,
    Ask,
    ClockQuestion,
    Converse,
    Delayed,
    Nothing,
    Outcome,
    TimerRequest,
)  # fmt: skip


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """One outcome with its `type`: actions, answer, ask, timer, delayed, clock, none."""
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
        case Delayed(seconds, text):
            return {"type": "delayed", "seconds": seconds, "text": text}
        case ClockQuestion(what):
            return {"type": "clock", "what": what}
        case Converse(what, device):
            return {"type": "none", "reason": what, "device": device}
        case Nothing(reason, text):
            return {"type": "none", "reason": reason, "text": text}


def encode_actions(actions: Iterable[Action]) -> list[dict[str, Any]]:
    """Actions as JSON."""
    return [{"device": a.device, "action": a.name, "args": dict(a.args)} for a in actions]
