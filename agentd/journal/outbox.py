"""Events that must arrive: on disk from before they are told until a broker has taken them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any, Final

from agentd.journal.entry import Letter
from agentd.journal.writer import Job
from llmagentos.clock import Clock

LETTERS_MAX: Final = 1000
"""Events that may wait for a broker that is away; then the oldest are given up."""

LETTER_BYTES: Final = 4096
"""Longest event that is kept: a longer one might be what breaks the connection, each time."""


class Outbox:
    """Letters on their way. May be used from any thread; nothing here blocks but `all`."""

    def __init__(
        self, post: Callable[[Job], None], *, clock: Clock, read: Callable[[], tuple[Letter, ...]]
    ) -> None:
        """For `Journal.outbox`.

        Args:
            post: takes what is to be written.
            clock: reads the time.
            read: all letters on disk, oldest first.
        """
        self._post, self._clock = post, clock
        self.all = read
        """All letters on disk, oldest first. Raises JournalError when they cannot be read."""
        self._lock = Lock()
        self._last = 0

    def pass_over(self, number: int) -> None:
        """Give no letter this number, nor a lower one."""
        with self._lock:
            self._last = max(self._last, number)

    def put(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Write an event down, before it is told.

        It is on disk before anything that is recorded or saved after it.

        Args:
            event: JSON-able, with its `kind`. One of more than 4 KiB is told once and not kept.

        Returns:
            The same for the feed, with its time under `at_s` and its number under `letter`, with
            which whoever has brought it to a broker calls `done`.
        """
        at_s = self._clock().wall_s
        numbered = {"at_s": round(at_s, 3), **event, "letter": self._next()}
        body = json.dumps({key: value for key, value in numbered.items() if key != "kind"})
        if len(body) > LETTER_BYTES:
            return {key: value for key, value in numbered.items() if key != "letter"}
        row = numbered["letter"], at_s, str(event["kind"]), body
        self._post(Job(partial(_write, row)))
        return numbered

    def done(self, number: int) -> None:
        """Forget a letter: a broker has it."""
        self._post(Job(lambda c: c.execute("DELETE FROM outbox WHERE number = ?", (number,))))

    def _next(self) -> int:
        """By the clock, so that no number of an earlier run comes again; but always upwards."""
        with self._lock:
            self._last = max(self._last + 1, int(self._clock().wall_s * 1000))
            return self._last


def _write(row: tuple[object, ...], connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", row)
    connection.execute(
        "DELETE FROM outbox WHERE number <= ("
        "SELECT number FROM outbox ORDER BY number DESC LIMIT 1 OFFSET ?)",
        (LETTERS_MAX,),
    )
