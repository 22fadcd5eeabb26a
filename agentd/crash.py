"""Counts the crashes that follow one another: a box that cannot stay up ends in safe mode.

The record lies in the run folder, so that a power cut forgets it, and instants on it are
monotonic: they hold for one boot, as the folder does.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from llmagentos.clock import Instant

CRASHES: Final = 5
"""So many in a row bring safe mode: fewer may be a broker or an adapter that comes and goes, more
keep a pump's owner waiting."""

STEADY_S: Final = 60.0
"""A run that was ready for so long did not die of its start; the row begins anew."""


class CrashRecord:
    """What is known of the runs before this one."""

    def __init__(self, path: Path) -> None:
        """Nothing is read or written yet."""
        self._path = path
        self._crashes = 0

    def begin(self, now: Instant) -> int:
        """Note that a run starts; whatever ends without `forget` was a crash.

        Returns:
            How many runs just before this one crashed in a row, each before it was ready or
            within `STEADY_S` of it.
        """
        last = self._read()
        if last is not None:
            crashes, ready_at_s = last
            was_steady = ready_at_s is not None and now.mono_s - ready_at_s > STEADY_S
            self._crashes = 0 if was_steady else crashes + 1
        self._write(ready_at_s=None)
        return self._crashes

    def note_ready(self, now: Instant) -> None:
        """Note that this run serves."""
        self._write(ready_at_s=now.mono_s)

    def forget(self) -> None:
        """This run ended as it should: the next one starts with a clean record."""
        with suppress(OSError):
            self._path.unlink()

    def _read(self) -> tuple[int, float | None] | None:
        """Crashes and instant of READY of the last run; None when there is no usable record."""
        try:
            found: Any = json.loads(self._path.read_text(encoding="utf-8"))
            ready_at_s = found["ready_at_s"]
            return int(found["crashes"]), None if ready_at_s is None else float(ready_at_s)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write(self, *, ready_at_s: float | None) -> None:
        """A record that cannot be written must not keep the box from running."""
        new = self._path.with_suffix(".new")
        with suppress(OSError):
            new.write_text(json.dumps({"crashes": self._crashes, "ready_at_s": ready_at_s}))
            os.replace(new, self._path)


def why_held(died: int, *, limit: int, is_asked: bool) -> str:
    """Why the box starts in safe mode, in words for people; empty when it does not."""
    hint = "outputs are held safe until somebody resets it (agentctl reset)"
    if died >= limit:
        return f"agentd died {died} times in a row soon after its start; {hint}"
    return f"agentd was started in safe mode; {hint}" if is_asked else ""
