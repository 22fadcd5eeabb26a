"""How it looks on a real terminal, how it behaves as a process, and what it costs to start."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentd.ctl.show import state_words
from agentd.ctl.watch import Scoreboard
from tests.agentd.ctl.conftest import DEVICES
from tests.agentd.ctl.scripted_door import Stream

AGENTCTL = [sys.executable, "-P", "-m", "agentd.ctl.app"]


def on_terminal(run: Path, *words: str, columns: int = 80, **environ: str) -> str:
    """The output of one command on a pty."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "LLMAGENTOS_RUN": str(run), "COLUMNS": str(columns), "TERM": "xterm",
           **environ}  # fmt: skip
    process = subprocess.Popen([*AGENTCTL, *words], stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    got = b""
    while chunk := _read(ours):
        got += chunk
    process.wait(10)
    os.close(ours)
    return got.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""


def test_colours_are_for_terminals(door, run):
    assert "\x1b[" in on_terminal(run, "devices")


def test_no_color_is_honoured(door, run):
    shown = on_terminal(run, "devices", NO_COLOR="1")
    assert "desk lamp" in shown
    assert "\x1b[3" not in shown
    assert "\x1b[1;3" not in shown


@pytest.mark.parametrize("columns", [40, 60])
def test_a_narrow_terminal_folds_and_cuts_nothing(door, run, columns):
    lines = on_terminal(run, "devices", columns=columns, NO_COLOR="1").splitlines()
    bare = [re.sub(r"\x1b\[\d+m", "", line) for line in lines]
    assert max(map(len, bare)) <= columns
    assert any(line.startswith("room_temperature  0 °C") for line in bare)
    assert "busy" in "".join(bare)


def test_a_reader_that_goes_away_is_no_traceback(door, run):
    shell = f"{' '.join(AGENTCTL)} devices | true"
    env = {**os.environ, "LLMAGENTOS_RUN": str(run)}
    done = subprocess.run(["sh", "-c", shell], env=env, capture_output=True, timeout=20)
    assert b"Traceback" not in done.stderr


def test_ctrl_c_ends_a_watch_without_a_word(door, run):
    door.script["subscribe"] = Stream([{"kind": "listen"}], hang_up=False)
    env = {**os.environ, "LLMAGENTOS_RUN": str(run)}
    with subprocess.Popen(
        [*AGENTCTL, "watch", "--json"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b'{"kind": "listen"}\n'
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, b"")


def test_watch_on_a_terminal_shows_what_changed(door, run):
    ours, theirs = pty.openpty()
    door.script["subscribe"] = Stream([
        {"kind": "state", "device": "desk_lamp", "state": {"state": "off"}, "quality": "good"},
        {"kind": "reply", "text": "Desk lamp is off."}], hang_up=False)  # fmt: skip
    env = {**os.environ, "LLMAGENTOS_RUN": str(run), "TERM": "xterm", "COLUMNS": "90"}
    process = subprocess.Popen([*AGENTCTL, "watch"], stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    shown, deadline = "", time.monotonic() + 10
    while "reply: Desk lamp is off." not in shown and time.monotonic() < deadline:
        shown += _read(ours).decode()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    os.close(ours)
    assert "desk_lamp: off" in shown
    assert "Traceback" not in shown


def test_the_scoreboard_keeps_the_last_word_of_every_device():
    from rich.console import Console

    board = Scoreboard()
    board.fill(DEVICES["devices"])
    board.note({"kind": "state", "device": "pump", "state": {"state": "on"}, "quality": "good",
                "reason": ""})  # fmt: skip
    board.note({"kind": "state", "device": "unknown", "state": {"state": "on"}})
    console = Console(width=100)
    with console.capture() as shown:
        console.print(board.draw())
    (pump,) = [line for line in shown.get().splitlines() if line.startswith("pump  ")]
    assert pump.split() == ["pump", "on"]


@pytest.mark.parametrize(
    ("values", "unit", "words"),
    [
        ({"state": "on", "brightness": 40}, "", "on 40 %"),
        ({"state": "on", "brightness": None}, "", "on"),
        ({"state": 0.0, "temperature": 0.0}, "°C", "0 °C"),
        ({"state": 21.456}, "°C", "21.46 °C"),
        ({"state": "open", "position": 0}, "", "open 0 %"),
        ({"state": "heat", "current_temperature": 19.5, "target_temperature": 21}, "",
         "heat 19.5° 21° wanted"),
        ({"temperature": 20.0, "humidity": 50}, "", "temperature 20 humidity 50"),
        ({"state": True}, "", "on"),
        ({}, "", "unknown"),
    ],
)  # fmt: skip
def test_a_state_in_words(values, unit, words):
    assert state_words(values, unit=unit) == words


HEAVY = ("rich", "agentd.understand", "agentd.config", "hassil", "models", "xmlrpc", "numpy",
         "agentd.ctl.appliance", "agentd.ctl.model")  # fmt: skip


def test_ask_imports_nothing_that_it_does_not_need(run):
    code = (
        "import sys\nfrom agentd.ctl.app import app\n"
        "try:\n    app(['ask', 'hi'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    env = {**os.environ, "LLMAGENTOS_RUN": str(run)}
    done = subprocess.run([sys.executable, "-P", "-c", code], env=env, capture_output=True)
    assert done.stdout == b"[]\n"


def test_every_command_has_help(agentctl):
    from agentd.ctl.app import _Agentctl

    assert agentctl("--help").exit_code == 0
    assert "78: wrong configuration" in " ".join(agentctl("--help").stdout.split())
    for name in _Agentctl.table:
        shown = agentctl(name, "--help")
        assert (name, shown.exit_code) == (name, 0)
        assert f"agentctl {name}" in shown.stdout.replace("root", "agentctl"), shown.stdout
