"""How answers look to a person: aligned columns, colours on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentd.ctl.command import say

if TYPE_CHECKING:  # rich takes 30 ms to import, and `ask` needs none of it
    from rich.console import Console
    from rich.table import Table

PIPED_WIDTH = 400
"""Columns when nobody looks: lines for grep and awk are never wrapped."""

NARROW = 72
"""Columns below which a table leaves out what is nice to have."""

_STYLES: Mapping[str, str] = {
    "on": "bold yellow", "open": "bold yellow", "unlocked": "bold yellow", "pressed": "bold yellow",
    "ready": "green", "ok": "green", "allow": "green", "present": "green",
    "unavailable": "red", "failed": "red", "refused": "red", "deny": "red", "stopped": "bold red",
    "stale": "magenta", "suspect": "magenta", "degraded": "magenta", "confirm": "magenta",
    "safe_mode": "bold red", "missing": "dim", "away": "magenta",
}  # fmt: skip


def console(*, is_error: bool = False) -> Console:
    """Where tables are written. NO_COLOR and FORCE_COLOR are honoured."""
    from rich.console import Console

    stream = sys.stderr if is_error else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False, emoji=False)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Plain columns without a frame. On a narrow terminal cells fold, nothing is cut off."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, name in enumerate(head):
        drawn.add_column(name, overflow="fold", no_wrap=number == 0)
    for row in rows:
        drawn.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    return drawn


def show_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    empty: str,
    wide: Collection[str] = (),
) -> None:
    """Write the rows, or say why there are none.

    Args:
        head: names of the columns.
        rows: one text for each column.
        empty: what to say when there are no rows; nothing when it is empty too.
        wide: columns that a narrow terminal leaves out.
    """
    listed = [tuple(row) for row in rows]
    screen = console()
    shown = [i for i, name in enumerate(head) if screen.width >= NARROW or name not in wide]
    if not listed:
        if empty:
            say(empty)
        return
    picked = ([row[i] for i in shown] for row in listed)
    with screen.capture() as captured:
        screen.print(table([head[i] for i in shown], picked))
    for line in captured.get().splitlines():
        say(line if sys.stdout.isatty() else line.rstrip())  # rich fills lines up with spaces


def state_words(values: Mapping[str, Any], *, unit: str = "") -> str:
    """A device's state as one phrase: `on 40 %`, `21.5 °C`, `heat 19.5° 21° wanted`."""
    main = values.get("state")
    words = [number_words(main, unit=unit)]
    if main is None and (quantities := [key for key in values if key not in _PROPERTIES]):
        words = [f"{name} {number_words(values[name])}" for name in quantities]
    words += [f"{number_words(values[key])}{sign}" for key, sign in _PROPERTIES.items()
              if key != "state" and values.get(key) is not None]  # fmt: skip
    return " ".join(word for word in words if word) or "unknown"


_PROPERTIES: Mapping[str, str] = {
    "state": "", "brightness": " %", "speed": " %", "position": " %", "color": "", "kelvin": " K",
    "current_temperature": "°", "target_temperature": "° wanted",
}  # fmt: skip


def number_words(value: Any, *, unit: str = "") -> str:
    """A value with its unit, at most two decimals; words stay words."""
    if value is None or isinstance(value, bool | str):
        return str(value or "") if not isinstance(value, bool) else ("on" if value else "off")
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{text} {unit}".rstrip()


def _style(cell: str) -> str:
    return _STYLES.get(cell.split(" ", 1)[0], "")
