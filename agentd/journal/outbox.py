"""Events that must arrive: on disk from before they are told until a broker has taken them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Lock
from typing import Any, Final

from agentd.journal.entry import Letter
from agentd.journal.writer import Job, Writer
from llmagentos.clock import Clock

LETTERS_MAX: Final = 1000
"""Events that may wait for a broker that is away; then the oldest are given up."""


class Outbox:
    """Letters on their way. May be used from any thread; nothing here blocks but `all`."""

    def __init__(
        self, writer: Writer, *, clock: Clock, read: Callable[[], tuple[Letter, ...]]
    ) -> None:
        """For `Journal.outbox`.

        Args:
            writer: takes what is to be written.
            clock: reads the time.
            read: all letters on disk, oldest first.
        """
        self._writer, self._clock = writer, clock
        self.all = read
        """All letters on disk, oldest first. Raises JournalError when they cannot be read."""
        self._lock = Lock()
        self._last = 0

    def put(self, event: Mapping[str, Any]) -> tuple[dict[str, Any], Future[None]]:
        """Write an event down.

        Args:
            event: JSON-able, with its `kind`.

        Returns:
            The event with its number under `outbox`, for the feed, whose listener at the broker
            calls `done` with it; and a future as of `Journal.save`.
        """
        number = self._next()
        numbered = {"at_s": round(self._clock().wall_s, 3), **event, "outbox": number}
        body = json.dumps({key: value for key, value in numbered.items() if key != "kind"})
        kind, at_s = str(event["kind"]), self._clock().wall_s

        def write(connection: sqlite3.Connection) -> None:
            row = number, at_s, kind, body
            connection.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", row)
            connection.execute(
                "DELETE FROM outbox WHERE number <= ("
                "SELECT number FROM outbox ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (LETTERS_MAX,),
            )

        done: Future[None] = Future()
        done.set_running_or_notify_cancel()
        self._writer.post(Job(write, done))
        return numbered, done

    def done(self, number: int) -> None:
        """Forget a letter: a broker has it."""
        self._writer.post(
            Job(lambda c: c.execute("DELETE FROM outbox WHERE number = ?", (number,)))
        )

    def _next(self) -> int:
        """By the clock, so that no number of an earlier run comes again."""
        with self._lock:
            self._last = max(self._last + 1, int(self._clock().wall_s * 1000))
            return self._last
