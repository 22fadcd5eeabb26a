"""`agentctl watch`: what happens in the box, while it happens."""

from __future__ import annotations

import json as json_text
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentd.ctl.command import Json, Run, connect, say, warn
from agentd.ctl.device import state_of
from agentd.ctl.failure import Code
from agentd.ctl.show import console, number_words, table
from llmagentos.client import Door, DoorClosed

if TYPE_CHECKING:
    from rich.console import RenderableType

EVENT_LINES = 8
"""Events kept under the table."""

RETRY_S = 0.5
"""Pause before looking again for a daemon that went away, in seconds."""

Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="KIND", help="Only events of this kind; may be repeated."),
]


def watch(kind: Kinds = None, json: Json = False, run: Run = None) -> None:
    """Follow devices and events until Ctrl-C; with --json one event a line."""
    try:
        if json:
            _follow(run, kind, as_json=True)
        elif sys.stdout.isatty():
            _show_live(run, kind)
        else:
            _follow(run, kind, as_json=False)
    except KeyboardInterrupt:
        raise typer.Exit from None


def _follow(run: Path | None, kinds: list[str] | None, *, as_json: bool) -> None:
    """One line an event, for pipes. Ends when the daemon does, as a pipe's reader expects."""
    with connect(run) as door:
        try:
            for event in _events(door, kinds):
                say(json_text.dumps(event, ensure_ascii=False) if as_json else event_line(event))
        except DoorClosed:
            warn("agentctl: agentd went away")
            raise typer.Exit(Code.AWAY) from None


def _events(door: Door, kinds: list[str] | None) -> Iterator[Mapping[str, Any]]:
    return door.subscribe("subscribe", **({"kinds": kinds} if kinds else {}))


def _show_live(run: Path | None, kinds: list[str] | None) -> None:
    """A table that changes in place. A daemon that restarts is waited for."""
    from rich.live import Live

    board = Scoreboard()
    with connect(run) as door:
        board.fill(door.request("devices")["devices"])
    with Live(board.draw(), console=console(), auto_refresh=False) as screen:
        while True:
            try:
                with connect(run) as door:
                    board.fill(door.request("devices")["devices"])
                    for event in _events(door, kinds):
                        board.note(event)
                        screen.update(board.draw(), refresh=True)
            except DoorClosed:
                board.note({"kind": "away", "text": "agentd is away, waiting for it"})
                screen.update(board.draw(), refresh=True)
                time.sleep(RETRY_S)


class Scoreboard:
    """The last known state of every device and the last events."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._events: deque[str] = deque(maxlen=EVENT_LINES)

    def fill(self, devices: list[dict[str, Any]]) -> None:
        """Start from the answer of `devices`."""
        self._rows = {row["id"]: dict(row) for row in devices}

    def note(self, event: Mapping[str, Any]) -> None:
        """Take in one event."""
        if event.get("kind") == "state" and event.get("device") in self._rows:
            known = self._rows[event["device"]]
            known.update({key: event[key] for key in _FOLLOWED if key in event})
        line = event_line(event)
        if not self._events or self._events[-1] != line:
            self._events.append(line)

    def draw(self) -> RenderableType:
        """The table, and under it the events, oldest first."""
        from rich.console import Group
        from rich.text import Text

        rows = [
            (name, state_of(row, unit=row.get("unit") or ""), row.get("reason") or "",
             str(row.get("cause") or ""))
            for name, row in self._rows.items()
        ]  # fmt: skip
        head = ("device", "state", "", "cause")
        lines = (
            Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self._events
        )
        return Group(table(head, rows), Text(""), *lines)


_FOLLOWED = ("values", "state", "quality", "reason", "cause", "at_s")


def event_line(event: Mapping[str, Any]) -> str:
    """One event as one line."""
    kind = str(event.get("kind", "?"))
    if kind == "state":
        cause = f"  ({event['cause']})" if event.get("cause") else ""
        return f"{event.get('device', '?')}: {state_of(event)}{cause}"
    if kind == "applied":
        did = " ".join([event["action"], *map(number_words, event.get("args", {}).values())])
        reason = f": {event['reason']}" if event.get("reason") else ""
        return f"{event['device']}: {did}, {event['stage']}{reason}  ({event.get('cause')})"
    if "text" in event:
        return f"{kind}: {event['text']}"
    rest = {key: value for key, value in event.items() if key != "kind"}
    return f"{kind}: {json_text.dumps(rest, ensure_ascii=False)}" if rest else kind
