"""Our values as JSON, at the edge where they leave the box."""

from __future__ import annotations

from typing import Any

from agentd.journal import Entry
from agentd.understand.outcome import encode_outcome
from agentd.understand.reply import Reply
from llmagentos.plan import Action, Applied, Verdict
from llmagentos.reading import State


def action_json(action: Action) -> dict[str, Any]:
    """One action."""
    return {"device": action.device, "action": action.name, "args": dict(action.args)}


def applied_json(applied: Applied) -> dict[str, Any]:
    """What became of one action."""
    return {
        **action_json(applied.action),
        "stage": applied.stage.value,
        "state": dict(applied.state),
        "reason": applied.reason,
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """The gate's word on one action."""
    return {
        **action_json(verdict.asked),
        "ruling": verdict.ruling.value,
        "rule": verdict.rule,
        "reason": verdict.reason,
    }


def reply_json(reply: Reply) -> dict[str, Any]:
    """The answer to `ask`."""
    applied = reply.decision.applied if reply.decision else ()
    return {
        "reply": reply.text,
        "outcome": encode_outcome(reply.interpretation.outcome),
        "stage": reply.interpretation.stage,
        "cause": str(reply.cause) if reply.cause else None,
        "applied": [applied_json(each) for each in applied],
        "needs_yes": reply.needs_yes,
        "confirmed": reply.confirmed,
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """One entry of the journal; of what was said only what the journal still knows."""
    return {
        "id": entry.id, "cause": entry.cause, "because": entry.because, "at_s": entry.at_s,
        "device": entry.device, "action": entry.action, "args": dict(entry.args),
        "stage": entry.stage, "before": dict(entry.before), "state": dict(entry.state),
        "channel": entry.channel, "who": entry.who, "area": entry.area,
        "chosen_by": entry.chosen_by, "text": entry.text, "rule": entry.rule,
        "reason": entry.reason, "reading": dict(entry.reading),
    }  # fmt: skip


def state_json(state: State, *, key: str = "state") -> dict[str, Any]:
    """What a device is like; its values stand under `key`."""
    return {
        key: dict(state.values),
        "quality": state.quality.value,
        "reason": state.reason,
        "cause": str(state.cause) if state.cause else None,
        "at_s": state.at.wall_s if state.at else None,
    }


def state_event(state: State) -> dict[str, Any]:
    """A device's state as an event of the feed."""
    return {"kind": "state", "device": state.device, **state_json(state)}


def applied_event(applied: Applied) -> dict[str, Any]:
    """What became of an action, as an event of the feed."""
    return {"kind": "applied", "cause": str(applied.cause), **applied_json(applied)}
