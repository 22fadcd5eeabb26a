"""A full disk, a broken disk and a death in the middle of every file that agentd writes.

strace makes the kernel's answers wrong, or kills at a call, so that nothing of the product knows
of it. A life of agentd is watched for the files that it opens for writing: one that no row here
names fails the suite.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmagentos.client import DoorClosed
from tests.agentd.test_crash_states import HOME, Doomed
from tests.broker import wait_until
from tests.hal.board.process import BoardProcess

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="no strace here")

NEW_HOME = HOME.replace('id = "pump"', 'id = "pump"\nname = "garden pump"')


@dataclass(frozen=True)
class Written:
    """One thing that agentd keeps in files."""

    files: tuple[str, ...]
    """Every name it has, from the folder on."""
    calls: tuple[str, ...]
    """What the kernel is asked, in order, to write it."""


WRITTEN = {
    "journal": Written(
        ("data/journal.db", "data/journal.db-wal",
         "data/journal.db-journal"),
        ("pwrite64", "fdatasync"),
    ),
    "good copy": Written(
        ("data/agentd.toml.new", "data/agentd.toml.good"), ("openat", "write", "fsync", "rename")
    ),
    "crash record": Written(("crashes.new", "crashes.json"), ("openat", "write", "rename")),
}  # fmt: skip

ERRORS = ("ENOSPC", "EIO")


def cases(name: str) -> list[tuple[str, str]]:
    return [(call, how) for call in WRITTEN[name].calls for how in (*ERRORS, "kill")]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardProcess]:
    board = BoardProcess(tmp_path_factory.mktemp("b"))
    yield board
    board.kill()


@pytest.fixture
def doomed(board: BoardProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doomed]:
    doomed = Doomed(board, tmp_path_factory.mktemp("f"))
    yield doomed
    doomed.end()


def fault(doomed: Doomed, name: str, call: str, how: str) -> list[str]:
    """strace's arguments for one fault of one thing that is written."""
    paths = [part for file in WRITTEN[name].files for part in ("-P", str(doomed.folder / file))]
    what = "signal=KILL" if how == "kill" else f"error={how}"
    return ["strace", "-f", "-qq", "-o", str(doomed.folder / "trace"), *paths,
            "-e", f"trace={call}", "-e", f"inject={call}:{what}"]  # fmt: skip


@contextmanager
def faulty(doomed: Doomed, name: str, call: str, how: str) -> Iterator[None]:
    """The fault, for as long as the block lasts."""
    command = [*fault(doomed, name, call, how), "-p", str(doomed.process.pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{doomed.process.pid}/status")
    wait_until(lambda: f"TracerPid:\t{tracer.pid}" in status.read_text(), what="the tracer")
    time.sleep(0.2)  # it takes the threads one after the other
    try:
        yield
    finally:
        tracer.kill() if how == "kill" else tracer.terminate()  # it waits for what is dying
        tracer.wait()


def revive(doomed: Doomed) -> None:
    """What systemd does after a death."""
    assert doomed.wait_end() == -9
    doomed.make_safe()
    doomed.start()


# the cases --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "how"), cases("journal"))
def test_a_fault_of_the_journal(call: str, how: str, doomed: Doomed) -> None:
    if how == "kill":
        with faulty(doomed, "journal", call, how), pytest.raises(DoorClosed):
            doomed.switch("on")
        revive(doomed)
    else:
        doomed.switch("on")
        doomed.switch("off")
        with faulty(doomed, "journal", call, how):
            refused = doomed.switch("on")
            assert (refused["stage"], doomed.levels[-1]) == ("refused", 0)
            assert "could not be written down" in refused["reason"]
            with doomed.door() as door:
                assert door.request("health")["parts"]["journal"]["status"] == "failing"
        wait_until(
            lambda: doomed.switch("off")["stage"] == "read_back", what="the disk to be well again"
        )
    assert doomed.switch("on")["stage"] == "read_back"
    assert doomed.switch("off")["stage"] == "read_back"
    assert doomed.count("SELECT count(*) FROM applied WHERE stage = 'read_back'") >= 2
    assert not list(doomed.folder.glob("data/*.corrupt-*"))


@pytest.mark.parametrize("how", ERRORS)
def test_what_is_safe_is_done_though_it_cannot_be_written(how: str, doomed: Doomed) -> None:
    assert doomed.switch("on")["stage"] == "read_back"
    with faulty(doomed, "journal", "pwrite64", how):
        doomed.switch("off")
        assert doomed.levels[-1] == 0
        with doomed.door() as door:
            door.request("stop")


@pytest.mark.parametrize(("call", "how"), cases("good copy"))
def test_a_fault_of_the_good_copy(call: str, how: str, doomed: Doomed) -> None:
    good = doomed.folder / "data" / "agentd.toml.good"
    wait_until(good.exists, what="the first copy")
    (doomed.folder / "agentd.toml").write_text(NEW_HOME)
    with faulty(doomed, "good copy", call, how), doomed.door() as door, suppress(DoorClosed):
        assert door.request("reload") == {"changed": ["pump"], "errors": []}
        assert how != "kill"
    if how == "kill":
        revive(doomed)
    else:
        assert "no good copy" in doomed.log()
    assert good.read_text() in (HOME, NEW_HOME), "whole, whichever it is"
    doomed.assert_well()


@pytest.mark.parametrize(("call", "how"), cases("crash record"))
def test_a_fault_of_the_crash_record(call: str, how: str, doomed: Doomed) -> None:
    doomed.process.kill()
    doomed.wait_end()
    prefix = fault(doomed, "crash record", call, how)
    prefix.insert(1, "-D")  # the tracer is not in the way of signals
    if how == "kill":
        with pytest.raises(AssertionError, match="not within"):
            doomed.start(*prefix, wait_s=2.0)
        revive(doomed)
    else:
        doomed.start(*prefix)
    doomed.assert_well()


@pytest.mark.parametrize(("call", "how"), [
    (call, how) for call in ("openat", "write", "fsync", "rename") for how in (*ERRORS, "kill")
])  # fmt: skip
def test_a_fault_of_a_backup(call: str, how: str, tmp_path: Path) -> None:
    """Written by agentctl, as are the files that a restore puts back."""
    path = tmp_path / "backup.json"
    path.write_text("old")
    code = f"from agentd.ctl.backup import write; write(__import__('pathlib').Path({str(path)!r}), 'new')"
    what = "signal=KILL" if how == "kill" else f"error={how}"
    tracer = ["strace", "-D", "-qq", "-o", "/dev/null", "-P", str(path), "-P", f"{path}.new",
              "-e", f"trace={call}", "-e", f"inject={call}:{what}"]  # fmt: skip
    done = subprocess.run([*tracer, sys.executable, "-c", code], check=False, timeout=30)
    assert done.returncode == (-9 if how == "kill" else 1)
    assert path.read_text() == "old", "what is there stays until the new one is whole"


# nothing is forgotten -----------------------------------------------------------------------------


def live(doomed: Doomed) -> None:
    """Everything that makes agentd write something."""
    doomed.switch("on")
    doomed.switch("off")
    (doomed.folder / "agentd.toml").write_text(NEW_HOME)
    with doomed.door() as door:
        door.request("reload")
        door.request("ask", text="set a timer for 20 minutes")
        door.request("ask", text="turn on the garden pump in two hours")
        door.request("stop")
        door.request("reset")
    doomed.end()


def opened(trace: str, folder: Path) -> set[str]:
    """Files below a folder that were opened for writing, or renamed."""
    lines = [line for line in trace.splitlines() if "O_RDONLY" not in line]
    names = {name for line in lines for name in re.findall(r'"([^"]*)"', line)}
    return {str(Path(name).relative_to(folder)) for name in names if str(folder) in name}


def test_every_file_that_is_written_has_its_cases(doomed: Doomed) -> None:
    doomed.process.terminate()
    doomed.wait_end()
    trace = doomed.folder / "trace"
    doomed.start("strace", "-D", "-f", "-qq", "-o", str(trace), "-e", "trace=openat,rename")
    live(doomed)
    found = opened(trace.read_text(), doomed.folder)
    known = {file for each in WRITTEN.values() for file in each.files}
    ours = {"agentd.sock", ".agentd.sock.new"}  # its door, not a file
    assert known - {"data/journal.db-journal"} <= found
    assert found <= known | ours


CHECKS: dict[str, Callable[..., None]] = {
    "journal": test_a_fault_of_the_journal,
    "good copy": test_a_fault_of_the_good_copy,
    "crash record": test_a_fault_of_the_crash_record,
}


def test_everything_written_has_a_test() -> None:
    assert set(CHECKS) == set(WRITTEN)
