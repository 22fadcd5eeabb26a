"""agentd-safe: every output that a dead agentd left on is safe, the pins first, and soon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentd.safe import app
from tests.broker import wait_until
from tests.hal.bench import Cable
from tests.hal.board.process import BoardProcess
from tests.hal.modbus import Stations

RELAY, LAMP, BUTTON = 17, 18, 16
"""The first two are held, and left on, by the program that dies."""

HOME = """
[board]
pins = "board"
[[device]]
id = "pump"
kind = "switch"
driver = "gpio.relay"
pin = 17
[device.limits]
safe_state = "off"
[[device]]
id = "lamp"
kind = "light"
driver = "gpio.pwm"
pin = 18
[[device]]
id = "button"
kind = "button"
driver = "gpio.button"
pin = 16
"""

VALVE = """
[[link]]
id = "mcu"
driver = "serial.jsonl"
port = "{port}"
[[device]]
id = "valve"
kind = "switch"
driver = "serial.jsonl"
link = "mcu"
[device.limits]
safe_state = "off"
"""

COIL = """
[[link]]
id = "line"
driver = "modbus"
port = "{port}"
timeout_s = 0.3
[[device]]
id = "heater"
kind = "switch"
driver = "modbus.coil"
link = "line"
[device.options]
coil = 5
[device.limits]
safe_state = "off"
[[device]]
id = "pump_two"
kind = "switch"
driver = "modbus.coil"
link = "line"
[device.options]
coil = 5
station = 2
[device.limits]
safe_state = "off"
"""

PULLED = """
[[device]]
id = "valve"
kind = "switch"
driver = "serial.jsonl"
[device.options]
port = "/dev/serial/by-id/pulled"
[device.limits]
safe_state = "off"
"""


@pytest.fixture
def board(tmp_path: Path) -> Iterator[BoardProcess]:
    """A board whose relay is on and whose lamp is at 40 %, and nobody there any more."""
    board = BoardProcess(tmp_path)
    owner = board.start_owner()
    owner.kill()
    owner.communicate()
    wait_until(lambda: board.edges()[-1].why == "death", what="the board sees that it died")
    yield board
    board.kill()


def make_safe(board: BoardProcess, home: str) -> tuple[int, float]:
    """(exit status, seconds it took)."""
    config = board.folder / "agentd.toml"
    config.write_text(home)
    began = time.monotonic()
    status = app.make_safe(config, run=board.folder, data=board.folder / "data")
    return status, time.monotonic() - began


def test_what_was_left_on_goes_off_and_what_keeps_is_not_touched(board: BoardProcess) -> None:
    before = len(board.edges())
    assert make_safe(board, HOME)[0] == 0
    told = board.edges()[before:]
    assert {edge.pin for edge in told} == {RELAY}
    assert [edge.level for edge in told if edge.why == "write"] == [0]


def test_a_broken_file_is_made_up_for_by_the_good_copy(board: BoardProcess) -> None:
    (board.folder / "data").mkdir()
    (board.folder / "data" / "agentd.toml.good").write_text(HOME)
    assert make_safe(board, "[[device]\n")[0] == 0
    assert board.edges()[-1].level == 0


def test_an_adapter_that_is_away_holds_up_no_pin(board: BoardProcess) -> None:
    began = time.monotonic()
    status, took_s = make_safe(board, HOME + PULLED)
    off = next(edge for edge in board.edges() if edge.pin == RELAY and edge.why == "write"
               and edge.level == 0)  # fmt: skip
    assert status == 1
    assert off.at.mono_s - began < 0.3
    assert took_s < app.LINK_S + 0.5


def test_an_output_behind_a_link_is_told_as_soon_as_the_link_is_open(
    board: BoardProcess, tmp_path: Path
) -> None:
    cable, told = Cable(tmp_path), []
    plugged = os.open(cable.path, os.O_RDWR | os.O_NOCTTY)  # a pty is there only while it is open

    def obey() -> None:
        while heard := cable.heard():
            for line in heard.splitlines():
                told.append(json.loads(line)["set"])
                cable.say(json.dumps(told[-1]).encode() + b"\n")

    microcontroller = threading.Thread(target=obey)
    microcontroller.start()
    status, took_s = make_safe(board, HOME + VALVE.format(port=cable.path))
    microcontroller.join()
    os.close(plugged)
    cable.close()
    assert status == 0
    assert told[0] == {"valve": 0}
    assert took_s < app.LINK_S


def late_at_two(answer: bytes) -> bytes:
    """Station 2 takes its time."""
    if answer[:1] == b"\x02":
        time.sleep(0.08)  # within what the line waits
    return answer


def test_outputs_on_a_slow_bus_are_read_back_before_they_count(
    board: BoardProcess, tmp_path: Path
) -> None:
    (tmp_path / "far").mkdir()
    far = Stations(tmp_path / "far")
    for station in (1, 2):
        far.set_coil(5, True, station=station)
    far.garble = late_at_two
    coils = COIL.format(port=far.cable.path)
    assert make_safe(board, HOME + coils)[0] == 0
    assert [far.coil(5, station=station) for station in (1, 2)] == [False, False]
    far.garble = lambda answer: b""
    assert make_safe(board, HOME + coils)[0] == 1, "it was sent, and nobody knows whether it came"
    far.close()


def test_it_loads_nothing_that_it_does_not_need() -> None:
    code = "import sys, agentd.safe.app; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"agentd.loop", "agentd.journal", "agentd.understand", "agentd.door", "sqlite3",
             "asyncio", "paho", "hassil", "hal.driver.json_lines", "serial"}  # fmt: skip
    assert not heavy & set(loaded)
