"""Crashes at any point: what is on disk is all that was told, in order, and nothing twice."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.journal import Journal, JournalError
from agentd.step import Step
from tests.agentd.clock import HandClock
from tests.agentd.journal.rows import ON, do, is_sound, plan

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A crash of the process is the same there; that each commit is synced is looked at elsewhere."""

NAMES = st.sampled_from("abc")

WISHES = st.one_of(
    st.tuples(st.just("record"), st.just("")),
    st.tuples(st.just("begin"), NAMES),
    st.tuples(st.just("save"), NAMES),
    st.tuples(st.just("drop"), NAMES),
    st.tuples(st.just("seen"), NAMES),
    st.tuples(st.just("letter"), st.just("")),
    st.tuples(st.just("settle"), st.just("")),
    st.tuples(st.sampled_from(["wait", "crash", "close", "break", "mend"]), st.just("")),
)


@dataclass
class Kept:
    """What a journal holds, as far as anybody can tell from outside."""

    done: list[int] = field(default_factory=list)
    begun: dict[str, int] = field(default_factory=dict)
    saved: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    letters: list[int] = field(default_factory=list)

    def copy(self) -> Kept:
        return Kept(
            list(self.done), dict(self.begun), dict(self.saved), set(self.seen), list(self.letters)
        )


@dataclass
class Posted:
    """One thing handed over: what it does to a `Kept`, what it should return, and whether it is told."""

    change: Callable[[Kept], Any]
    told: Future[Any] | None

    @property
    def has_failed(self) -> bool:
        return bool(self.told and self.told.done() and self.told.exception())

    @property
    def is_told(self) -> bool:
        return bool(self.told and self.told.done() and not self.told.exception())


def is_broken(switch: list[bool]) -> Callable[[Step], None]:
    """A disk that fails at the commit while the switch is on."""

    def steps(step: Step) -> None:
        if step is Step.WRITING and switch[0]:
            raise OSError(errno.EIO, "Input/output error")

    return steps


class Run:
    """A journal, and a model of it, through crashes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.number = folder, HandClock(), 0
        self.base = Kept()
        self.posted: list[Posted] = []
        self.switch = [False]
        self.path = folder / "0" / "journal.db"
        self.journal = self.open()

    def open(self) -> Journal:
        return Journal(self.path, clock=self.clock, steps=is_broken(self.switch))

    def step(self, what: str, name: str) -> None:
        self.number += 1
        getattr(self, f"do_{what}")(name)

    def post(self, change: Callable[[Kept], Any], told: Future[Any] | None = None) -> None:
        self.posted.append(Posted(change, told))

    def do_record(self, _: str) -> None:
        number = self.number
        do(self.journal, plan(number=number))
        self.post(lambda kept: kept.done.append(number))

    def do_begin(self, name: str) -> None:
        number = self.number

        def change(kept: Kept) -> bool:
            is_new = name not in kept.begun
            kept.begun.setdefault(name, number)
            return is_new

        wish = plan(number=number, occasion=name)
        self.post(change, self.journal.begin(wish, (ON,)))

    def do_save(self, name: str) -> None:
        body = str(self.number)
        told = self.journal.save("promise", name, body)
        self.post(lambda kept: kept.saved.__setitem__(name, body), told)

    def do_drop(self, name: str) -> None:
        told = self.journal.drop("promise", name)
        self.post(lambda kept: kept.saved.pop(name, None) and None, told)

    def do_seen(self, name: str) -> None:
        self.journal.record_seen(name)
        self.post(lambda kept: kept.seen.add(name))

    def do_letter(self, _: str) -> None:
        number = self.journal.outbox.put({"kind": "timer"})["letter"]
        self.post(lambda kept: kept.letters.append(number))

    def do_settle(self, _: str) -> None:
        self.post(lambda kept: None, self.journal.settle())

    def do_wait(self, _: str) -> None:
        """Until all that waits has been tried, whatever came of it."""
        self.journal.flush(timeout_s=20)

    def do_break(self, _: str) -> None:
        self.switch[0] = True

    def do_mend(self, _: str) -> None:
        self.switch[0] = False

    def do_close(self, _: str) -> None:
        self.do_mend("")
        self.journal.close()
        assert all(each.told is None or each.told.done() for each in self.posted)
        self.journal = self.open()
        self.check(exact=True)

    def do_crash(self, _: str) -> None:
        """Go on with the files as they lie there now, while the old process still writes its own."""
        told = [each.is_told for each in self.posted]
        place = self.folder / str(self.number)
        place.mkdir()
        for tail in ("", "-wal"):  # the memory that processes share is gone
            source = Path(f"{self.path}{tail}")
            if source.exists():
                shutil.copy(source, place)
        self.do_mend("")
        self.journal.close()
        self.path = place / "journal.db"
        self.journal = self.open()
        self.check(exact=False, told=told)

    def check(self, *, exact: bool, told: list[bool] | None = None) -> None:
        """The disk holds the first so and so many of what was handed over: all that was told before.

        What failed is not among them; what was recorded is there, late or not.
        """
        assert self.journal.set_aside is None
        assert is_sound(self.path)
        found = self.look()
        told = told or [each.is_told for each in self.posted]
        kept, possible = self.base.copy(), []
        if not any(told):
            possible.append(kept.copy())
        for place, each in enumerate(self.posted):
            if each.has_failed:
                continue
            result = each.change(kept)
            if each.is_told:
                assert each.told is not None
                assert each.told.result() == result
            if not any(told[place + 1 :]):
                possible.append(kept.copy())
        assert found in (possible[-1:] if exact else possible)
        self.base, self.posted = found, []

    def look(self) -> Kept:
        entries = self.journal.entries(limit=999)
        rows = self.journal._read(
            lambda c: c.execute("SELECT occasion, cause FROM intent").fetchall(), []
        )
        return Kept(
            [int(entry.cause.rsplit("/", 1)[1]) for entry in reversed(entries)],
            {occasion: int(cause.rsplit("/", 1)[1]) for occasion, cause in rows},
            self.journal.saved("promise"),
            set(self.journal.seen()),
            [letter.number for letter in self.journal.outbox.all()],
        )


@settings(max_examples=150, deadline=None)
@given(st.lists(WISHES, max_size=40))
def test_a_crash_at_any_point_keeps_what_was_told(steps: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        run = Run(Path(folder))
        try:
            for what, name in steps:
                run.step(what, name)
            run.step("crash", "")
            run.step("close", "")
        finally:
            run.journal.close()


def test_what_failed_is_told_as_failed_and_recorded_rows_come_late(tmp_path: Path) -> None:
    """The model above does meet both."""
    run = Run(tmp_path)
    for what in ("break", "record", "begin", "save", "wait", "mend", "record"):
        run.step(what, "a")
    assert [each.has_failed for each in run.posted] == [False, True, True, False]
    run.step("close", "")
    assert (run.base.done, run.base.begun, run.base.saved) == ([2, 7], {}, {})
    run.journal.close()


def test_a_promise_to_a_broken_disk_names_the_file_and_the_cause(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.step("break", "")
    error = run.journal.begin(plan(), (ON,)).exception(10)
    assert isinstance(error, JournalError)
    assert str(error) == f"{run.path}: [Errno 5] Input/output error"
    run.step("mend", "")
    run.journal.close()
