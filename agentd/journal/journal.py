"""The journal as everybody uses it: records, promises, and what can be asked of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from math import inf
from pathlib import Path
from typing import Final, TypeVar

from agentd.journal import query, row, schema
from agentd.journal.age import Ageing, Caps
from agentd.journal.entry import Entry, Fault, Interrupted, Minute, Note
from agentd.journal.errors import JournalError
from agentd.journal.file import JournalFile
from agentd.journal.minute import Minutes
from agentd.journal.outbox import Outbox
from agentd.journal.said import SAID_FOR_S, Said
from agentd.journal.writer import Job, Writer
from agentd.progress import Beat
from agentd.step import Steps, pass_by
from llmagentos.cause import Cause
from llmagentos.clock import Clock
from llmagentos.plan import Action, Applied, Plan
from llmagentos.reading import Reading

__all__ = ["SAID_FOR_S", "Journal"]

_T = TypeVar("_T")

FLUSH_S: Final = 1.0
"""Longest wait of a reader for what is still to be written."""


class Journal:
    """The one writer of the journal, and its readers.

    What is called `record_` never blocks and is told of no failure; `status` and the next `settle`
    tell. What returns a future never blocks either; it is set by the writer's thread, which its
    callbacks must not hold up.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        keep_utterances: bool = False,
        caps: Caps | None = None,
        steps: Steps = pass_by,
        beat: Beat | None = None,
    ) -> None:
        """Open, or set a broken file aside and start clean.

        A disk that cannot be written (read-only, full, no such rights) is no reason not to start:
        `status` says `failing`, what must be on disk first is refused, and it is tried again.

        Args:
            path: of the file; `-wal` and `-shm` stand beside it.
            clock: reads the time.
            keep_utterances: whether sentences are written to disk.
            caps: how much is kept; None for the usual.
            steps: told of the states that a group of rows passes.
            beat: shown each round of the writer.
        """
        self.keep_utterances = keep_utterances
        self._clock = clock
        self._unreadable = ""
        self._earlier: int | None = None
        self._said = Said()
        self._minutes = Minutes()
        self._ageing = Ageing(caps or Caps())
        self._file = JournalFile(path, clock=clock)
        self.outbox = Outbox(
            lambda job: self._writer.post(job),
            clock=clock,
            read=lambda: self._read(query.letters, ()),
        )
        """Events that must arrive."""
        self._writer = Writer(
            self._file, gather=self._gather, tend=self._tend, on_open=self._opened, steps=steps,
            beat=beat,
        )  # fmt: skip

    @property
    def set_aside(self) -> Path | None:
        """Where a broken file was moved; None when there was none in this run."""
        return self._file.set_aside

    # what happened ----------------------------------------------------------------------------

    def record_plan(self, plan: Plan) -> None:
        """Note who asked for what."""
        self._remember(plan)
        self._record(row.CAUSE, row.of_plan(plan, keeps_text=self.keep_utterances))
        if plan.reading:
            self.record_trigger(plan.cause, plan.reading)

    def record_applied(self, applied: Applied) -> None:
        """Note what was done, or refused."""
        self._record(row.APPLIED, row.of_applied(applied))

    def record_trigger(self, cause: Cause, reading: Reading) -> None:
        """Keep in full the reading that started a cause."""
        self._record(row.READING, row.of_reading(reading, cause=cause))

    def record_reading(self, reading: Reading) -> None:
        """Sum up a reading; what is not a good number is left out. Costs no more than that."""
        if self._minutes.add(reading):
            self._writer.wake()

    def record_fault(self, device: str, rule: str, reason: str) -> None:
        """Note that something latched."""
        self._record(row.FAULT, (self._clock().wall_s, device, rule, reason))

    def record_note(self, kind: str, text: str) -> None:
        """Note a start, a stop, a reset."""
        self._record(row.NOTE, (self._clock().wall_s, kind, text))

    def record_seen(self, key: str) -> None:
        """Note the name of a command that is begun now."""
        self._record(row.SEEN, (key, self._clock().wall_s))

    def record_document(self, kind: str, name: str, body: str) -> None:
        """Keep a small document that nobody waits for."""
        self._record(row.DOCUMENT, (kind, name, body))

    # what must be on disk first -----------------------------------------------------------------

    def begin(self, plan: Plan, actions: Sequence[Action]) -> Future[bool]:
        """Write down that these actions of a plan are about to be done.

        Returns:
            True once it is on disk; False when the plan's occasion was begun before, and then
            nothing is written; JournalError when it cannot be written.
        """
        self._remember(plan)
        intent = row.of_intent(plan, actions)
        cause = row.of_plan(plan, keeps_text=self.keep_utterances)

        def write(connection: sqlite3.Connection) -> bool:
            is_new = connection.execute(row.INTENT, intent).rowcount > 0
            if is_new:
                connection.execute(row.CAUSE, cause)
            return is_new

        return self._promise(write)

    def settle(self) -> Future[None]:
        """Set once all that was recorded so far is on disk; JournalError when it is not."""
        return self._promise(lambda _: None, is_settling=True)

    def save(self, kind: str, name: str, body: str) -> Future[None]:
        """Keep a small document under its kind (promise, rule, gate, confirm) and name.

        Set once it is on disk; with JournalError it is not kept, nor tried again.
        """
        return self._promise(partial(row.write, row.DOCUMENT, (kind, name, body)))

    def drop(self, kind: str, name: str) -> Future[None]:
        """Forget a document; as `save`."""
        return self._promise(partial(row.write, row.NO_DOCUMENT, (kind, name)))

    # what can be asked ------------------------------------------------------------------------

    def last(self, device: str | None = None, *, limit: int = 1) -> tuple[Entry, ...]:
        """The newest entries that changed a device, newest first.

        Waits up to 1 s for what is still to be written.

        Args:
            device: its id; None for any device, leaving out the sweeps at start and end, which
                nobody asked for.
            limit: how many at most.

        Raises:
            JournalError: the file cannot be read.
        """
        self.flush()
        find = partial(query.last, device=device, limit=limit, quote=self._quote)
        return self._read(find, ())

    def entries(
        self,
        *,
        device: str | None = None,
        cause: str | None = None,
        since_s: float | None = None,
        until_s: float | None = None,
        limit: int = 100,
    ) -> tuple[Entry, ...]:
        """What was done or refused, newest first; waits and raises as `last`.

        Args:
            device: of this device; None for any.
            cause: by this cause; None for any.
            since_s: not before, wall clock.
            until_s: not after, wall clock.
            limit: how many at most.
        """
        self.flush()
        wanted = {
            "a.device =": device, "a.cause =": cause, "a.at_s >=": since_s, "a.at_s <=": until_s,
        }  # fmt: skip
        find = partial(query.entries, wanted=wanted, limit=limit, quote=self._quote)
        return self._read(find, ())

    def readings(
        self, device: str, quantity: str, since_s: float, until_s: float = inf
    ) -> tuple[Minute, ...]:
        """The minutes of one sensor that began within a time, oldest first; waits and raises as
        `last`.

        The minute that still runs is not among them.
        """
        wall_s = self._clock().wall_s
        if rows := self._minutes.take(wall_s=wall_s):
            self._writer.post(row.minutes(rows))
        self.flush()
        until_s = min(until_s, wall_s)
        find = partial(
            query.minutes, device=device, quantity=quantity, since_s=since_s, until_s=until_s
        )
        return self._read(find, ())

    def notes(
        self, *, since_s: float = 0.0, until_s: float = inf, limit: int = 100
    ) -> tuple[Note, ...]:
        """Starts, ends, stops and resets, newest first; waits and raises as `last`."""
        self.flush()
        return self._read(partial(query.notes, since_s=since_s, until_s=until_s, limit=limit), ())

    def faults(
        self, *, since_s: float = 0.0, until_s: float = inf, limit: int = 100
    ) -> tuple[Fault, ...]:
        """What latched, newest first; waits and raises as `last`."""
        self.flush()
        return self._read(partial(query.faults, since_s=since_s, until_s=until_s, limit=limit), ())

    def interrupted(self) -> tuple[Interrupted, ...]:
        """Plans of earlier runs that may have been cut short, oldest first; raises as `last`.

        Each is told once, unless the process dies while it tells.
        """
        if self._earlier is None:  # the disk did not let us so far; the next run tells
            return ()
        find = partial(query.interrupted, up_to=self._earlier)
        found: tuple[Interrupted, ...] = self._read(find, ())
        self._record(row.TOLD, (self._earlier,))
        return found

    def saved(self, kind: str) -> dict[str, str]:
        """All documents of a kind by name; waits and raises as `last`."""
        self.flush()
        return self._read(partial(query.saved, kind=kind), {})

    def seen(self) -> dict[str, float]:
        """Names of commands that were begun of late, with their ages in seconds; raises as `last`.

        One from before the clock was set back is as young as can be.
        """
        found: dict[str, float] = self._read(query.seen, {})
        now_s = self._clock().wall_s
        return {key: max(0.0, now_s - at_s) for key, at_s in found.items()}

    # the rest ---------------------------------------------------------------------------------

    def flush(self, *, timeout_s: float = FLUSH_S) -> bool:
        """Wait until all that was recorded so far is on disk; False when it is not in time."""
        try:
            self.settle().result(timeout_s)
        except (JournalError, FutureTimeoutError):
            return False
        return True

    def status(self) -> tuple[str, str]:
        """(`ok` or `failing`, why)."""
        if self._writer.failure:
            return "failing", self._writer.failure
        if self._unreadable:
            return "failing", self._unreadable
        if self._writer.lost:
            return "failing", f"{self._writer.lost} rows were lost: {self._writer.why_lost}"
        if self._file.set_aside:
            why = f"set aside a corrupt file: {self._file.set_aside} ({self._file.why})"
            return "ok", why
        return "ok", ""

    def close(self) -> None:
        """Write what is waiting and close; waits up to 5 s."""
        if rows := self._minutes.take():
            self._writer.post(row.minutes(rows))
        self._writer.close()

    def _record(self, sql: str, values: tuple[object, ...]) -> None:
        self._writer.post(Job(partial(row.write, sql, values)))

    def _promise(
        self, write: Callable[[sqlite3.Connection], _T], *, is_settling: bool = False
    ) -> Future[_T]:
        done: Future[_T] = Future()
        done.set_running_or_notify_cancel()  # nobody can take back what is on its way
        weight = 0 if is_settling else 1
        self._writer.post(Job(write, done, weight=weight, is_settling=is_settling))
        return done

    def _read(self, find: Callable[[sqlite3.Connection], _T], nothing: _T) -> _T:
        if not self._file.path.exists():
            return nothing  # the disk does not even let us make it; `status` says so
        try:
            with self._file.reader() as connection:
                # A file that the disk does not let us bring up to date is told by `status`, too.
                is_ours = schema.version(connection) == schema.VERSION
                found = find(connection) if is_ours else nothing
        except JournalError as exc:
            self._unreadable = str(exc)
            raise
        self._unreadable = ""
        return found

    def _opened(self, connection: sqlite3.Connection) -> None:
        """Tell what earlier runs left from what comes from here on."""
        if self._earlier is None:
            self._earlier = query.newest(connection, "intent", "id")
        self.outbox.pass_over(query.newest(connection, "outbox", "number"))

    def _gather(self, *, has_company: bool) -> list[Job]:
        """Minutes that have ended, when something else is written anyway or they waited long."""
        wall_s = self._clock().wall_s
        if not (has_company or self._minutes.is_due(wall_s)):
            return []
        rows = self._minutes.take(wall_s=wall_s)
        return [row.minutes(rows)] if rows else []

    def _tend(self, connection: sqlite3.Connection) -> bool:
        return self._ageing.tend(connection, self._clock())

    def _quote(self, cause: str) -> str | None:
        return self._said.text(cause, now_s=self._clock().mono_s)

    def _remember(self, plan: Plan) -> None:
        if plan.text:
            self._said.remember(str(plan.cause), plan.text, now_s=self._clock().mono_s)
