"""The development runner as a process: what it prints, and that it leaves nobody behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentd.ctl.dev import LOCK, forget, news
from agentd.ctl.supervision import Process
from tests.agentd.ctl.stand_in import write_program, write_programs
from tests.agentd.ctl.test_appliance import is_alive, wait_until

RUNNER = """
import sys
from pathlib import Path
from agentd.ctl import command, dev, failure
from agentd.ctl.app import read_clock
from agentd.ctl.appliance import Appliance, Choice, Place
folder = Path(sys.argv[1])
try:
    place = Place(folder / "run", folder / "data", folder / "bin")
    dev.serve(Appliance(place, Choice(), clock=read_clock), clock=read_clock)
except failure.Failure as error:
    command.warn(str(error) + " " + error.hint)
    sys.exit(error.code)
"""

pytestmark = pytest.mark.system


class Runner:
    """`agentctl dev` in a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / f"out-{os.urandom(3).hex()}"
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", RUNNER, str(folder)],
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.out.read_text() or self.process.poll() is not None)
        assert text in self.out.read_text()

    def end(self, number: int) -> int:
        """Signal the whole foreground group, as a terminal does."""
        os.killpg(self.process.pid, number)
        return self.process.wait(15)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ctl-", dir="/tmp") as name:
        write_programs(Path(name) / "bin")
        yield Path(name)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[], Runner]]:
    runners: list[Runner] = []

    def begin() -> Runner:
        runners.append(Runner(folder))
        return runners[-1]

    yield begin
    for runner in runners:
        if runner.process.poll() is None:
            runner.end(signal.SIGTERM)


def pids_naming(folder: Path) -> list[int]:
    """Every live process that was started with a path of this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"{folder}/".encode() in words and is_alive(int(entry.name)):
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_says_what_to_type_and_ends_cleanly(folder, start, number):
    runner = start()
    runner.wait_for("Ready in ")
    assert "Try in another terminal:  " in runner.out.read_text()
    assert runner.out.read_text().count('agentctl ask "turn on the desk lamp"') == 1
    assert len(pids_naming(folder)) >= 5
    assert runner.end(number) == 0
    assert pids_naming(folder) == []
    assert not (folder / "run").exists()
    assert (folder / "ended").read_text().splitlines()[0] == "agentd"


def test_a_killed_runner_leaves_nobody_behind(folder, start):
    runner = start()
    runner.wait_for("Ready in ")
    runner.process.kill()
    wait_until(lambda: pids_naming(folder) == [])
    assert (folder / "ended").read_text().splitlines()[0] == "agentd"


def test_a_killed_supervisord_leaves_nobody_behind(folder, start):
    runner = start()
    runner.wait_for("Ready in ")
    os.kill(int((folder / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
    runner.wait_for("supervisord ended")
    assert runner.process.wait(10) == 1
    wait_until(lambda: pids_naming(folder) == [])


def test_the_next_start_after_a_killed_one_is_ready_too(folder, start):
    runner = start()
    runner.wait_for("Ready in ")
    runner.process.kill()
    start().wait_for("Ready in ")


def test_a_second_one_says_how_to_reach_the_first(folder, start):
    first = start()
    first.wait_for("Ready in ")
    second = start()
    assert second.process.wait(10) == 1
    told = second.out.read_text()
    assert f"runs already (process {first.process.pid}" in told
    assert f"kill {first.process.pid}" in told
    assert first.process.poll() is None


def test_a_program_that_keeps_ending_is_shown_with_its_last_lines(folder, start):
    write_program(folder / "bin" / "agentd-voice", "#!/bin/sh\necho no sound card\nexit 1\n")
    runner = start()
    runner.wait_for("Running, but not ready: agentd-voice.")
    runner.wait_for("agentd-voice does not stay up")
    runner.wait_for("agentd-voice | no sound card")
    assert runner.end(signal.SIGINT) == 0


def test_a_program_that_was_killed_is_told(folder, start):
    runner = start()
    runner.wait_for("Ready in ")
    pid = int(subprocess.check_output(["pgrep", "-f", f"{folder}/bin/agentd-llm"]).split()[0])
    os.kill(pid, signal.SIGKILL)
    runner.wait_for("agentd-llm ended and was started again")


def test_an_agentd_that_keeps_ending_ends_the_runner(folder, start):
    write_program(folder / "bin" / "agentd", "#!/bin/sh\necho no such pin\nexit 1\n")
    runner = start()
    assert runner.process.wait(20) == 1
    assert "no such pin" in runner.out.read_text()
    assert pids_naming(folder) == []


def test_fresh_forgets_what_an_instance_keeps_and_nothing_else(tmp_path):
    (tmp_path / "log").mkdir()
    for name in ("log/agentd.log", "agentd.toml", "agentd.toml.good", "journal.db-wal", LOCK, "me"):
        (tmp_path / name).touch()
    forget(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {LOCK, "me"}


def test_a_configuration_that_is_not_toml_ends_with_78(folder, start):
    (folder / "data").mkdir()
    (folder / "data" / "agentd.toml").write_text("[mqtt\n")
    runner = start()
    assert runner.process.wait(10) == 78
    assert "Traceback" not in runner.out.read_text()


def seen(state: str, pid: int = 7) -> Process:
    return Process("agentd", state, pid, "because")


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (None, seen("RUNNING"), []),
        (seen("RUNNING"), seen("RUNNING"), []),
        (seen("RUNNING"), seen("RUNNING", 8), ["agentd ended and was started again"]),
        (None, seen("BACKOFF", 0), ["agentd does not stay up: because"]),
        (seen("BACKOFF", 0), seen("BACKOFF", 0), []),
        (seen("RUNNING"), seen("FATAL", 0), ["agentd does not stay up: because"]),
    ],
)  # fmt: skip
def test_only_news_is_told(before, now, told):
    assert list(news(before, now)) == told
