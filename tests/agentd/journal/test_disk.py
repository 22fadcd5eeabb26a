"""A disk that fails: full, read-only, held by somebody else, or broken. The errors are real."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentd.journal import Journal, JournalError
from agentd.journal.writer import MAX_WAITING
from tests.agentd.clock import HandClock
from tests.agentd.journal.conftest import Open
from tests.agentd.journal.rows import NOW, ON, do, is_sound, look, plan, reading
from tests.broker import wait_until


class Disk:
    """A small file system of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "journal.db"

    def mount(self, *options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "none", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"cannot mount a file system here: {done.stderr.strip()}")

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False, capture_output=True)

    def fill(self) -> Path:
        ballast = self.folder / "ballast"
        with ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return ballast


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = Disk(folder)
    disk.mount("size=1m")
    yield disk
    disk.unmount()


def wait_for(journal: Journal, status: str) -> None:
    wait_until(lambda: journal.status()[0] == status, timeout_s=10, what=status)


def refused(told: Any) -> str:
    """The error with which it was refused."""
    with pytest.raises(JournalError) as caught:
        told.result(10)
    return str(caught.value)


def test_a_full_disk_refuses_promises_and_keeps_records(disk: Disk, clock: HandClock) -> None:
    journal = Journal(disk.path, clock=clock)
    do(journal, plan(number=1))
    journal.settle().result(5)
    ballast = disk.fill()
    number = 1
    while journal.status()[0] == "ok":
        number += 1
        do(journal, plan(number=number))
        journal.flush(timeout_s=5)
    wish = plan(number=9999, occasion="o")
    for told in (
        journal.begin(wish, (ON,)), journal.save("promise", "a", "b"), journal.settle(),
    ):  # fmt: skip
        text = refused(told)
        assert str(disk.path) in text
        assert "full" in text
    assert number not in {
        int(entry.cause.rsplit("/", 1)[1]) for entry in journal.entries(limit=999)
    }
    ballast.unlink()
    wait_for(journal, "ok")
    kept = [int(entry.cause.rsplit("/", 1)[1]) for entry in journal.entries(limit=9999)]
    assert kept == list(range(number, 0, -1)), "each once, in order"
    assert journal.saved("promise") == {}, "it was refused, so it is not kept"
    assert journal.begin(wish, (ON,)).result(5) is True
    journal.close()
    assert is_sound(disk.path)


def test_a_box_starts_on_a_full_disk_and_heals(disk: Disk, clock: HandClock) -> None:
    ballast = disk.fill()
    journal = Journal(disk.path, clock=clock)
    assert journal.status()[0] == "failing"
    assert "full" in refused(journal.begin(plan(), (ON,)))
    do(journal, plan())
    assert (journal.entries(), journal.saved("promise"), journal.interrupted()) == ((), {}, ())
    ballast.unlink()
    wait_for(journal, "ok")
    assert len(journal.entries()) == 1
    assert journal.set_aside is None, "a file half made is not taken for a broken one"
    journal.close()


def test_what_stands_twice_makes_room_on_a_full_disk(disk: Disk, clock: HandClock) -> None:
    Journal(disk.path, clock=clock).close()
    journal = Journal(disk.path, clock=clock)
    for number in range(150):
        journal.save("promise", "a", f"{number} " * 300).result(5)
    assert disk.path.with_name("journal.db-wal").stat().st_size > 200_000
    disk.fill()
    journal.record_note("start", "x" * 50_000)
    journal.flush(timeout_s=5)
    wait_for(journal, "ok")
    assert [len(note.text) for note in journal.notes()] == [50_000]
    journal.close()


@pytest.mark.parametrize("is_clean", [True, False], ids=["closed well", "killed"])
def test_a_read_only_disk_can_be_read_and_heals(
    is_clean: bool, disk: Disk, open_journal: Open, path: Path, clock: HandClock
) -> None:
    first = open_journal()
    do(first, plan())
    first.save("promise", "a", "b").result(5)
    first.close()
    second = open_journal()
    second.save("promise", "late", "c").result(5)
    if is_clean:
        second.close()
    for each in path.parent.glob("journal.db*"):
        shutil.copy(each, disk.folder)
    disk.mount("remount", "ro")
    journal = Journal(disk.path, clock=clock)
    assert journal.status()[0] == "failing"
    assert "read" in refused(journal.save("promise", "c", "d"))
    assert journal.set_aside is None
    both = {"a": "b", "late": "c"}
    assert journal.saved("promise") == (both if is_clean else {"a": "b"})
    assert len(journal.entries()) == 1
    journal.record_note("start", "kept in memory")
    disk.mount("remount", "rw")
    wait_for(journal, "ok")
    assert [note.text for note in journal.notes()] == ["kept in memory"]
    assert journal.saved("promise") == both
    journal.close()


def test_no_other_process_can_write_the_file(journal: Journal, path: Path) -> None:
    """Another agentd on the same folder, for one; nothing is set aside or half read for it."""
    journal.save("promise", "a", "b").result(5)
    other = """
import sys, time
from pathlib import Path
from agentd.journal import Journal
from llmagentos.clock import Instant
journal = Journal(Path(sys.argv[1]), clock=lambda: Instant(time.monotonic(), time.time()))
print(journal.set_aside, journal.status()[1], sep="; ")
journal.close()
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", other, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout
    assert told == f"None; {path}: cannot be opened: database is locked\n"
    assert journal.save("promise", "b", "c").exception(5) is None


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, clock: HandClock) -> None:
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file" / "journal.db", clock=clock)
    assert journal.status()[0] == "failing"
    assert "file/journal.db: cannot be opened" in refused(journal.begin(plan(), (ON,)))
    assert journal.entries() == ()
    journal.close()


def test_rows_wait_in_memory_while_somebody_else_holds_the_file(
    journal: Journal, path: Path
) -> None:
    do(journal, plan(number=1))
    journal.flush()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    do(journal, plan(number=2))
    assert "locked" in refused(journal.begin(plan(number=3), (ON,)))
    assert journal.status()[0] == "failing"
    other.execute("ROLLBACK")
    other.close()
    wait_for(journal, "ok")
    do(journal, plan(number=4))
    assert [entry.cause[-1] for entry in journal.entries()] == ["4", "2", "1"]


def test_too_much_that_waits_loses_minutes_first_and_says_so(disk: Disk, clock: HandClock) -> None:
    journal = Journal(disk.path, clock=clock)
    journal.flush()
    for minute in range(5):
        for number in range(500):
            at_s = NOW.wall_s + 60 * minute
            journal.record_reading(reading(20.0, wall_s=at_s, device=f"s{number}"))
        clock.advance(63)
        disk.fill()
        assert journal.readings("s1", "moisture", 0) == ()
        assert journal.status()[0] == "failing"
    for number in range(MAX_WAITING - 1000):
        journal.record_note("note", str(number))
        if number % 900 == 0:
            disk.fill()
            assert journal.flush(timeout_s=5) is False
    disk.fill()
    assert journal.flush(timeout_s=5) is False
    disk.mount("remount", "size=32m")
    wait_until(lambda: "rows were lost" in journal.status()[1], timeout_s=10)
    assert journal.flush() is False, "whoever settles next is told of the loss"
    assert journal.flush() is True
    assert len(journal.notes(limit=99_999)) == MAX_WAITING - 1000
    lost = int(journal.status()[1].split()[0])
    assert lost == 1500, "three minutes of 500 sensors"
    (count,) = look(disk.path, "SELECT count(*) FROM minute")[0]
    assert count == 1000
    journal.close()


CHILD = """
import json, sys, time
from pathlib import Path
from agentd.journal import Journal, JournalError
from llmagentos.clock import Instant
from tests.agentd.journal.rows import ON, do, plan

def clock():
    return Instant(time.monotonic(), time.time())

journal = Journal(Path(sys.argv[1]), clock=clock)
begun, refused, errors = [], [], set()
for number in range(60):
    try:
        journal.begin(plan(number=number, now=clock(), occasion=f"o{number}"), (ON,)).result(10)
        begun.append(number)
    except JournalError as exc:
        refused.append(number)
        errors.add(str(exc))
    do(journal, plan(number=number, now=clock()))
for _ in range(20):
    if journal.flush(timeout_s=3.0):
        break
print(json.dumps({"begun": begun, "refused": refused, "errors": sorted(errors),
                  "status": journal.status(), "lost": journal._writer.lost}))
sys.stdout.flush()
journal.close()
"""


def under_strace(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the child above with its system calls looked at."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed, nothing else gets between SQLite and the kernel")
    command = ["strace", "-f", "-qq", *options, sys.executable, "-c", CHILD, str(path)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        command, capture_output=True, text=True, env=env, check=False, timeout=120
    )
    if "ptrace" in done.stderr:
        pytest.skip(f"strace may not trace here: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    return done


def test_each_promise_is_synced_before_it_is_told(path: Path, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    under_strace(path, "-y", "-e", "trace=fdatasync,fsync", "-o", str(log))
    synced = [line for line in log.read_text().splitlines() if "journal.db-wal>" in line]
    assert len(synced) >= 60, "once for each of the sixty"
    folder = [line for line in log.read_text().splitlines() if f"<{path.parent}>" in line]
    assert folder, "the names of the files are synced, too"


FAULTS = [
    # call          error      times        what SQLite makes of it
    ("fdatasync",   "EIO",     "8..20",     "disk I/O error"),
    ("fdatasync",   "EIO",     "9..40+3",   "disk I/O error"),
    ("pwrite64",    "EIO",     "60..120",   "disk I/O error"),
    ("pwrite64",    "ENOSPC",  "60..120",   "full"),
    ("pwrite64",    "ENOSPC",  "50..400+7", "full|disk I/O error"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "when", "word"), FAULTS)
def test_an_error_of_the_disk_is_told_and_loses_nothing(
    call: str, error: str, when: str, word: str, path: Path
) -> None:
    fault = f"inject={call}:error={error}:when={when}"
    done = under_strace(path, "-o", "/dev/null", "-e", f"trace={call}", "-e", fault)
    told = json.loads(done.stdout)
    assert told["refused"], "the fault hit nothing"
    assert all(str(path) in text and re.search(word, text) for text in told["errors"])
    assert (told["status"], told["lost"]) == (["ok", ""], 0)
    assert is_sound(path)
    begun = [
        number
        for (number,) in look(
            path, "SELECT CAST(substr(occasion, 2) AS INT) FROM intent ORDER BY id"
        )
    ]
    assert begun == told["begun"], "what was refused is not there, what was promised is"
    done_ones = [cause for (cause,) in look(path, "SELECT cause FROM applied ORDER BY id")]
    assert done_ones == [f"box/00000000/{number}" for number in range(60)], "each once, in order"
