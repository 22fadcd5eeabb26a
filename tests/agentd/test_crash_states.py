"""A death and an error at every state between a request and its answer.

The request switches on a pump, which is risky: its intent is written before it is done. Each
state of `agentd.step.Step` has a row in both tables; one without fails the first test.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentd.safe import app as safe
from agentd.step import Step
from llmagentos.client import Door, DoorClosed, DoorError
from tests.broker import wait_until
from tests.hal.board.process import BoardProcess

PUMP = 17

HOME = """
[node]
name = "box"
[mqtt]
broker = "off"
[llm]
enabled = false
[voice]
enabled = false
[board]
pins = "board"
[[device]]
id = "pump"
kind = "switch"
driver = "gpio.relay"
pin = 17
[device.limits]
safe_state = "off"
"""


@dataclass(frozen=True)
class Left:
    """What a run leaves behind."""

    has_intent: bool
    """Whether it is on disk that the pump was about to be switched on."""
    was_on: bool
    """Whether the pump was on at any time."""
    is_written: bool | None
    """Whether what was done is on disk; None: it may be, for nobody was told."""


NOTHING = Left(has_intent=False, was_on=False, is_written=False)

DEATHS = {
    Step.RECEIVED: NOTHING,
    Step.JUDGED:   NOTHING,
    Step.WRITING:  NOTHING,
    Step.WRITTEN:  Left(has_intent=True, was_on=False, is_written=False),
    Step.INTENDED: Left(has_intent=True, was_on=False, is_written=False),
    Step.ACTUATED: Left(has_intent=True, was_on=True,  is_written=False),
    Step.APPLIED:  Left(has_intent=True, was_on=True,  is_written=False),
    Step.RECORDED: Left(has_intent=True, was_on=True,  is_written=None),
    Step.ANSWERED: Left(has_intent=True, was_on=True,  is_written=True),
}  # fmt: skip
"""What stands there after a kill at each state. Nobody is ever told that it was done."""

ENDS, REFUSED, FAILED, STANDS, LIVES = "ends", "refused", "failed", "stands", "lives"

ERRORS = {
    Step.RECEIVED: ENDS,
    Step.JUDGED:   ENDS,
    Step.WRITING:  REFUSED,
    Step.WRITTEN:  STANDS,
    Step.INTENDED: ENDS,
    Step.ACTUATED: FAILED,
    Step.APPLIED:  ENDS,
    Step.RECORDED: ENDS,
    Step.ANSWERED: LIVES,
}  # fmt: skip
"""What comes of an error at each state. ENDS: in the tick nobody expects one; it ends the process,
outputs safe. REFUSED: what cannot be written down is not done. FAILED: the requester hears that
the device did not follow. STANDS: the journal's thread is dead, the watchdog hears no more.
LIVES: the answer is lost, all else goes on."""


class Doomed:
    """agentd with a probe, on a board that keeps the levels of an owner that died."""

    def __init__(self, board: BoardProcess, folder: Path) -> None:
        self.board, self.folder = board, folder
        (folder / "board.sock").symlink_to(board.socket)
        (folder / "agentd.toml").write_text(HOME)
        self._seen = len(board.edges())
        self._log = (folder / "log").open("ab")
        self.notify = folder / "notify"
        self.process = self.start()

    def start(self, *prefix: str, wait_s: float = 15.0) -> subprocess.Popen[bytes]:
        """Start it, under another program perhaps, and wait for its first answer."""
        command = [*prefix, sys.executable, "-P", "-m", "tests.agentd.doomed", str(self.folder)]
        place = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.process = subprocess.Popen(command, env=os.environ | place,
                                        stdout=self._log, stderr=self._log)  # fmt: skip
        wait_until(self.answers, what="agentd to answer", timeout_s=wait_s)
        return self.process

    def answers(self) -> bool:
        with contextlib.suppress(DoorError), self.door() as door:
            return bool(door.request("health"))
        return False

    def door(self, timeout_s: float = 8.0) -> Door:
        return Door(self.folder / "agentd.sock", timeout_s=timeout_s)

    def doom(self, step: Step, how: str) -> None:
        with self.door() as door:
            door.request("why")  # it waits until what the start recorded is on disk
        (self.folder / "doom").write_text(f"{step.value} {how}")

    def switch(self, word: str, *, timeout_s: float = 8.0) -> Any:
        with self.door(timeout_s) as door:
            answer = door.request("set", device="pump", value=word)
            return (answer["applied"] or [{"stage": "", "reason": answer["reply"]}])[0]

    def wait_end(self) -> int:
        return self.process.wait(10)

    def make_safe(self) -> None:
        """What systemd does when agentd has ended."""
        assert safe.make_safe(
            self.folder / "agentd.toml", run=self.folder, data=self.folder / "data"
        ) == 0  # fmt: skip

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.wait_end()
        self._log.close()

    def log(self) -> str:
        return (self.folder / "log").read_text()

    # what is left

    @property
    def levels(self) -> list[float]:
        """Every level the pump has had, in order, without repeats."""
        found: list[float] = []
        for edge in self.board.edges()[self._seen :]:
            if edge.pin == PUMP and found[-1:] != [edge.level]:
                found.append(edge.level)
        return found

    def count(self, query: str) -> int:
        """What a query finds in a copy of the journal: its owner lets nobody else look in."""
        with tempfile.TemporaryDirectory() as copy:
            for file in (self.folder / "data").glob("journal.db*"):
                shutil.copy(file, copy)
            with contextlib.closing(sqlite3.connect(Path(copy) / "journal.db")) as journal:
                assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                (number,) = journal.execute(query).fetchone()
                return int(number)

    def assert_left(self, left: Left) -> None:
        assert self.count("SELECT count(*) FROM intent") == left.has_intent
        assert (1 in self.levels) == left.was_on
        query = "SELECT count(*) FROM applied WHERE action = 'turn_on' AND stage = 'read_back'"
        if left.is_written is not None:
            assert self.count(query) == left.is_written

    def assert_well(self) -> None:
        """The pump is safe, was on once at most and obeys the next command."""
        assert self.levels in ([0], [0, 1, 0])
        assert self.switch("on")["stage"] == "read_back"
        assert self.switch("off")["stage"] == "read_back"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardProcess]:
    board = BoardProcess(tmp_path_factory.mktemp("b"))
    yield board
    board.kill()


@pytest.fixture
def doomed(board: BoardProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doomed]:
    doomed = Doomed(board, tmp_path_factory.mktemp("d"))
    yield doomed
    doomed.end()


def test_every_state_has_a_death_and_an_error() -> None:
    assert set(DEATHS) == set(ERRORS) == set(Step)


@pytest.mark.parametrize("step", DEATHS, ids=lambda step: step.value)
def test_a_death_at(step: Step, doomed: Doomed) -> None:
    doomed.doom(step, "kill")
    with pytest.raises(DoorClosed):
        doomed.switch("on")
    assert doomed.wait_end() == -9
    assert not (doomed.folder / "doom").exists(), "it passed this state"
    doomed.assert_left(DEATHS[step])
    doomed.make_safe()
    assert doomed.levels[-1:] in ([], [0])
    doomed.start()
    untold = "SELECT count(*) FROM intent WHERE NOT is_told"
    wait_until(lambda: doomed.count(untold) == 0, what="what was cut short to be told")
    doomed.assert_well()


@pytest.mark.parametrize("how", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("step", ERRORS, ids=lambda step: step.value)
def test_an_error_at(step: Step, how: str, doomed: Doomed) -> None:
    doomed.doom(step, how)
    OUTCOMES[ERRORS[step]](doomed, how)
    assert not (doomed.folder / "doom").exists(), "it passed this state"
    doomed.assert_well()


def ends(doomed: Doomed, how: str) -> None:
    with pytest.raises(DoorError):
        doomed.switch("on")
    assert doomed.wait_end() == 1
    assert os.strerror(getattr(errno, how)) in doomed.log()
    assert doomed.levels[-1:] in ([], [0]), "safe by its own hand"
    doomed.start()


def refused(doomed: Doomed, _: str) -> None:
    answer = doomed.switch("on")
    assert answer["stage"] == "refused"
    assert "could not be written down" in answer["reason"]
    assert 1 not in doomed.levels


def failed(doomed: Doomed, _: str) -> None:
    answer = doomed.switch("on")
    assert answer["stage"] == "failed"
    assert "pin 17" in answer["reason"]
    query = "SELECT count(*) FROM applied WHERE action = 'turn_on' AND stage = 'failed'"
    assert doomed.count(query) == 1
    doomed.switch("off")


def stands(doomed: Doomed, _: str) -> None:
    assert "not confirmed" in doomed.switch("on")["reason"]
    assert 1 not in doomed.levels, "what is not known to be written is not done"
    wait_until(lambda: "journal: no progress" in doomed.log(), what="the watchdog not to be told")
    doomed.process.kill()  # as systemd does then
    doomed.wait_end()
    doomed.make_safe()
    doomed.start()


def lives(doomed: Doomed, _: str) -> None:
    assert "not confirmed" in doomed.switch("on")["reason"]
    assert doomed.levels[-1] == 1
    doomed.assert_left(DEATHS[Step.ANSWERED])
    doomed.switch("off")


OUTCOMES = {ENDS: ends, REFUSED: refused, FAILED: failed, STANDS: stands, LIVES: lives}
