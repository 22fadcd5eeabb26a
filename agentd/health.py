"""How the box is: every part's own word, gathered when somebody asks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmagentos.clock import Clock, Instant
from llmagentos.reading import Quality, State

REPORT_STALE_S: Final = 90.0
"""A sister program reports every 30 s; one that missed three reports is away."""

_FINE: Final = frozenset({"ok", "off", "idle", "listening", "no_microphone"})
"""States of a part with which the box is still ready."""

_TURNS: Final = 2000
"""Turns of the loop that the percentile is taken over."""

Probe = Callable[[], tuple[str, str]]
"""Tells a part's (status, detail); blocks up to 0.5 s."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a sister program said of itself."""

    status: str
    detail: str
    at: Instant


class Health:
    """Gathers the parts' states."""

    def __init__(
        self, probes: Mapping[str, Probe], *, sisters: Iterable[str] = (), clock: Clock
    ) -> None:
        """Nothing is known yet.

        Args:
            probes: one for each part of this process, or beside it, that can be asked.
            sisters: names of the programs that must report by themselves.
            clock: tells how old a report is.
        """
        self._sisters = tuple(sisters)
        self._probes = dict(probes)
        self._clock = clock
        self._reports: dict[str, Report] = {}
        self._turns_ms: deque[float] = deque(maxlen=_TURNS)
        self._lock = threading.Lock()

    def report(self, part: str, status: str, detail: str) -> None:
        """Take a sister program's word."""
        with self._lock:
            self._reports[part] = Report(status, detail, self._clock())

    def note_turn(self, elapsed_ms: float) -> None:
        """Take the length of one turn of the loop, in milliseconds."""
        self._turns_ms.append(elapsed_ms)

    def parts(self) -> dict[str, dict[str, str]]:
        """Every part's status and detail."""
        found = {name: probe() for name, probe in self._probes.items()}
        found |= {name: ("away", f"agentd-{name} has not reported yet") for name in self._sisters}
        now = self._clock()
        with self._lock:
            reports = dict(self._reports)
        for name, told in reports.items():
            found[name] = (told.status, told.detail)
            if told.at.age_s(now) > REPORT_STALE_S:
                found[name] = ("away", "it no longer reports")
        return {name: {"status": word, "detail": why} for name, (word, why) in found.items()}

    def pace(self) -> dict[str, Any]:
        """How long the loop's turns take."""
        turns = sorted(self._turns_ms)
        p99 = turns[min(len(turns) - 1, int(len(turns) * 0.99))] if turns else None
        return {"count": len(turns), "p99_ms": None if p99 is None else round(p99, 3)}


def overall(
    parts: Mapping[str, Mapping[str, str]],
    away: Sequence[object],
    *,
    is_stopped: bool,
    is_safe_mode: bool,
    errors: Sequence[str] = (),
) -> str:
    """safe_mode, stopped, degraded or ready: the worst that holds."""
    if is_safe_mode:
        return "safe_mode"
    if is_stopped:
        return "stopped"
    is_fine = all(part["status"] in _FINE for part in parts.values())
    return "ready" if is_fine and not away and not errors else "degraded"


def unavailable(states: Mapping[str, State]) -> list[dict[str, str]]:
    """The devices that cannot be used, with their reasons."""
    return [
        {"id": name, "reason": state.reason}
        for name, state in states.items()
        if state.quality is Quality.UNAVAILABLE
    ]
