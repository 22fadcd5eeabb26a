"""How agentd's sister programs are, asked at their own sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmagentos.client import Door, DoorError
from llmagentos.errors import LlmagentosError

PROBE_S: Final = 0.5
"""Longest wait for a sister's word."""


def probe_llm(path: Path) -> tuple[str, str]:
    """(status, detail) of agentd-llm; `away` when nobody answers at its socket."""
    try:
        with Door(path, timeout_s=PROBE_S) as door:
            told = door.request("health")
    except (DoorError, LlmagentosError) as exc:
        return "away", str(exc)
    state, model = str(told.get("state", "")), str(told.get("model", ""))
    is_fine = state in ("ready", "idle", "busy", "ok")
    return ("ok", model) if is_fine else (state or "away", str(told.get("detail") or model))
