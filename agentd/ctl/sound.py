"""How sound looks in a terminal: what was heard of a file, sound devices, a level meter."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agentd.ctl.command import say
from agentd.ctl.failure import Code, code_of
from agentd.ctl.show import show_table

QUIET_DBFS: Final = -60.0
"""Left end of the meter: a silent room with a usual microphone."""

METER_COLUMNS: Final = 40

SECONDS: Final = 10.0
"""How long the meter runs unless told otherwise."""

READ_S: Final = 0.1
"""Length of sound behind one level."""


def show_heard(told: Mapping[str, Any]) -> None:
    """What one file came to."""
    say(f'{told["file"]}: "{told["text"]}"' if told["text"] else f"{told['file']}: nothing heard")
    if told["reason"]:
        say(f'  not done: {told["reason"]} (second opinion: "{told["free_text"]}")')
    if told["reply"]:
        say(f"  {told['reply']}")


def code_of_heard(told: Mapping[str, Any]) -> Code:
    """How one file ended; what was not put to agentd was not understood."""
    return code_of(told["answer"]) if told["answer"] else Code.UNCLEAR


def worst(codes: Iterable[Code]) -> Code:
    """The code of several files: one that failed counts most, then one that was unclear."""
    return max(codes, key=(Code.DONE, Code.UNCLEAR, Code.FAILED).index, default=Code.DONE)


def show_devices(data: Mapping[str, Any]) -> None:
    """Microphones and loudspeakers."""
    rows = (
        (row["name"], _use(row), f"{row['rate_hz']} Hz", "default" if row["is_default"] else "")
        for row in data["devices"]
    )
    empty = data["reason"] or "No microphone and no loudspeaker."
    show_table(("name", "use", "rate", ""), rows, empty=empty)


def _use(row: Mapping[str, Any]) -> str:
    uses = (("microphone", row["inputs"]), ("loudspeaker", row["outputs"]))
    return " and ".join(word for word, channels in uses if channels)


def show_level(dbfs: float, *, as_json: bool) -> None:
    """One reading of the meter; on a terminal it stays on its line."""
    if as_json:
        say(json.dumps({"dbfs": round(dbfs, 1)}))
    elif sys.stdout.isatty():
        sys.stdout.write(f"\r{meter(dbfs)}")
        sys.stdout.flush()
    else:
        say(meter(dbfs))


def meter(dbfs: float) -> str:
    """A bar from silence to full scale."""
    share = (dbfs - QUIET_DBFS) / -QUIET_DBFS
    filled = round(METER_COLUMNS * min(1.0, max(0.0, share)))
    return f"{dbfs:6.1f} dBFS  {'#' * filled}{'.' * (METER_COLUMNS - filled)}"
