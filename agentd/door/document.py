"""The JSON documents that describe a device's state to the outside."""

from __future__ import annotations

from typing import Any, Final

from llmagentos.reading import State

ONLINE: Final = "online"
OFFLINE: Final = "offline"


def state_document(state: State) -> dict[str, Any]:
    """One device's state, flat: its properties, `quality`, `cause`, and `reason` if not good."""
    document: dict[str, Any] = dict(state.values)
    document["quality"] = state.quality.value
    document["cause"] = None if state.cause is None else str(state.cause)
    if state.reason:
        document["reason"] = state.reason
    if state.at is not None:
        document["at_s"] = round(state.at.wall_s, 3)
    return document


def availability(state: State | None) -> str:
    """online when there is any value to speak of, offline otherwise."""
    return ONLINE if state is not None and state.is_available else OFFLINE
