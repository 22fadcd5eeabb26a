"""`agentd-board` as a process: what it witnesses, what it survives, what it costs."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hal.board.control import BoardControl
from hal.board.onewire import NAME, BusFault
from hal.board.pin import BoardFactory
from hal.board.uart import SerialFault
from llmagentos.client import Door, DoorRefused
from tests.hal.board.process import BoardProcess, eventually


@pytest.mark.parametrize(
    ("options", "levels", "directions"),
    [
        ((),                      (1, 0.4), ("output", "output")),
        (("--release-on-death",), (0, 0),   ("input", "input")),
    ],
    ids=["raspberry pi kernel", "upstream kernel"],
)  # fmt: skip
def test_killed_owner_leaves_its_levels_or_not(
    tmp_path: Path, options: tuple[str, ...], levels: tuple[float, ...], directions: tuple[str, ...]
) -> None:
    board = BoardProcess(tmp_path, *options)
    try:
        owner = board.start_owner()
        owner.kill()
        killed_at = time.monotonic()
        owner.communicate()
        with board.control() as hand:
            assert eventually(lambda: hand.levels()[17].owner_pid is None)
            lines = hand.levels()
        assert tuple(lines[pin].level for pin in (17, 18)) == levels
        assert tuple(lines[pin].direction for pin in (17, 18)) == directions
        deaths = [edge for edge in board.edges() if edge.why == "death"]
        assert [(edge.pin, edge.level, edge.owner) for edge in deaths] == [
            (17, levels[0], owner.pid),
            (18, levels[1], owner.pid),
        ]
        assert all(abs(edge.at.mono_s - killed_at) < 1.0 for edge in deaths)
    finally:
        board.kill()


def test_edge_log_tells_what_was_done_in_order(board: BoardProcess) -> None:
    start = time.monotonic()
    owner = board.start_owner()
    owner.terminate()
    owner.communicate()
    assert eventually(lambda: board.edges()[-1].why == "death")
    edges = board.edges()
    assert [(edge.pin, edge.level, edge.why) for edge in edges] == [
        (17, 0, "claim"), (17, 1, "write"), (18, 0, "claim"), (18, 0.4, "pwm"),
        (17, 1, "death"), (18, 0.4, "death"),
    ]  # fmt: skip
    times = [edge.at.mono_s for edge in edges]
    assert times == sorted(times)
    assert start < times[0] < times[-1] < time.monotonic()
    assert all(abs(edge.at.wall_s - time.time()) < 60 for edge in edges)


def test_heater_on_its_line_warms_the_room_and_the_thermometer(
    board: BoardProcess, hand: BoardControl
) -> None:
    hand.set_room(temperature=18.0, speed=600.0)
    owner = BoardFactory(board.socket)
    owner.pin(22).output_with_state(1)
    assert eventually(lambda: hand.room().temperature > 20.0)
    file = board.folder / "w1" / NAME / "temperature"
    assert eventually(lambda: int(file.read_text()) > 20_000)
    hand.throw_kill_switch(thrown=True)
    peak = hand.room().temperature
    assert eventually(lambda: hand.room().temperature < peak)
    assert owner.pin(22).state == 1
    owner.close()


def test_lamp_on_its_line_lights_the_serial_frames(board: BoardProcess, hand: BoardControl) -> None:
    hand.set_room(hour=0.0)
    owner = BoardFactory(board.socket)
    lamp = owner.pin(18)
    lamp.output_with_state(0)
    lamp.frequency = 100
    lamp.state = 0.5
    with (board.folder / "serial" / "room").open("rb", buffering=0) as port:
        frame = json.loads(port.read(4096).splitlines()[-1])
    assert frame == {"illuminance": 225.5, "moisture": pytest.approx(41.0, abs=0.2)}
    owner.close()


def test_looking_at_the_room_sends_no_frames(board: BoardProcess, hand: BoardControl) -> None:
    with (board.folder / "serial" / "room").open("rb", buffering=0) as port:
        for _ in range(50):
            hand.room()
        os.set_blocking(port.fileno(), False)
        assert len((port.read(65536) or b"").splitlines()) <= 1


def test_pump_wets_for_as_long_as_its_line_was_high(
    board: BoardProcess, hand: BoardControl
) -> None:
    before = hand.set_room(moisture=30.0).moisture
    owner = BoardFactory(board.socket)
    pump = owner.pin(24)
    pump.output_with_state(1)
    time.sleep(0.5)  # water takes time
    pump.state = 0
    high, low = board.edges()[-2:]
    wetted = hand.room().moisture - before
    assert wetted == pytest.approx(0.28 * (low.at.mono_s - high.at.mono_s), abs=0.01)
    owner.close()


def test_stuck_sensors_and_faults_are_seen_at_the_wire(
    board: BoardProcess, hand: BoardControl
) -> None:
    thermometer = board.folder / "w1" / NAME / "w1_slave"
    hand.stick_sensor("temperature", 21.5)
    hand.set_room(temperature=5.0)
    assert thermometer.read_text().endswith("t=21500\n")
    hand.stick_sensor("temperature", None)
    assert thermometer.read_text().endswith("t=5000\n")
    hand.break_onewire(BusFault.CRC)
    assert " NO\n" in thermometer.read_text()
    hand.break_serial(SerialFault.UNPLUGGED)
    assert not (board.folder / "serial" / "room").is_symlink()
    hand.break_serial(SerialFault.NONE)
    assert (board.folder / "serial" / "room").exists()


GARBAGE = {
    "nothing": b"",
    "newlines": b"\n\n\n",
    "no json": b"hello board\n",
    "cut": b'{"v":1,"id":1,"verb":"wr',
    "not utf-8": b"\xff\xfe\xfd\n",
    "a list": b"[1,2,3]\n",
    "nan": b'{"id":1,"verb":"write","pin":17,"level":NaN}\n',
    "deep": b'{"id":' + b"[" * 3000 + b"]" * 3000 + b"}\n",
    "no verb": b'{"id":1}\n',
    "verb is a list": b'{"id":1,"verb":["read"]}\n',
    "unknown verb": b'{"id":1,"verb":"explode"}\n',
    "pin is text": b'{"id":1,"verb":"read","pin":"17"}\n',
    "pin is huge": b'{"id":1,"verb":"read","pin":' + b"9" * 400 + b"}\n",
    "lone surrogate": b'{"id":"\\ud800","verb":"\\udfff","pin":"\\ud800"}\n',
    "id is an object": b'{"id":{"a":[1]},"verb":"levels"}\n',
    "watch nothing": b'{"id":1,"verb":"watch"}\n',
    "watch nonsense": b'{"id":1,"verb":"watch","pins":{"x":1,"-1":0}}\n',
    "watch for ever": b'{"id":1,"verb":"watch","pins":{"16":1e9}}\n',
    "watch pin 99": b'{"id":1,"verb":"watch","pins":{"99":0}}\n',
    "superscript pin": '{"id":1,"verb":"watch","pins":{"²":0}}\n'.encode(),
    "fault of nothing": b'{"id":1,"verb":"fault","part":"tyre","mode":"flat"}\n',
    "fault without mode": b'{"id":1,"verb":"fault","part":"serial"}\n',
    "room of nothing": b'{"id":1,"verb":"room","colour":3}\n',
    "room at 1e9 degrees": b'{"id":1,"verb":"room","temperature":1e9}\n',
    "press for ever": b'{"id":1,"verb":"press","pin":16,"held_s":1e300}\n',
    "endless line": b"x" * 200_000,
    "binary": bytes(range(256)) * 64 + b"\n",
}


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused_and_the_board_lives(
    board: BoardProcess, hand: BoardControl, sent: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2.0)
        client.connect(str(board.socket))
        try:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            answers = _read_all(client)
        except OSError:  # it may hang up before all was sent
            answers = b""
    for line in answers.splitlines():
        assert json.loads(line)["status"] == "error"
    assert len(hand.levels()) == 28
    assert (board.stop(), board.said) == (0, "")


def _read_all(client: socket.socket) -> bytes:
    answers = b""
    while chunk := client.recv(65536):
        answers += chunk
    return answers


def test_client_that_never_reads_is_hung_up_on(board: BoardProcess, hand: BoardControl) -> None:
    ask = b'{"v":1,"id":1,"verb":"levels"}\n'
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5.0)
        client.connect(str(board.socket))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            client.sendall(ask * 20_000)
    assert len(hand.levels()) == 28


def test_refusal_names_what_there_is(board: BoardProcess) -> None:
    with Door(board.socket) as door, pytest.raises(DoorRefused, match="claim, drive") as refused:
        door.request("explode")
    assert refused.value.code == "unknown_verb"


def test_socket_is_for_its_user_alone(board: BoardProcess) -> None:
    assert stat.S_IMODE(board.socket.stat().st_mode) == 0o600


def test_stop_leaves_no_socket_port_or_sensor_behind(board: BoardProcess) -> None:
    assert board.stop() == 0
    left = sorted(
        str(path.relative_to(board.folder)) for path in board.folder.rglob("*") if not path.is_dir()
    )
    assert left == ["edges.jsonl"]


def test_stop_with_lines_held_is_clean_and_tells_of_no_death(
    board: BoardProcess, pins: BoardFactory
) -> None:
    pins.pin(17).output_with_state(1)
    assert (board.stop(), board.said) == (0, "")
    assert [edge.why for edge in board.edges()] == ["claim"]


def test_ctrl_c_stops_it_as_well(board: BoardProcess) -> None:
    board.process.send_signal(signal.SIGINT)
    assert board.process.wait(timeout=5) == 0


def test_killed_board_is_replaced_and_its_log_goes_on(board: BoardProcess) -> None:
    board.start_owner().kill()
    assert eventually(lambda: any(edge.why == "death" for edge in board.edges()))
    board.kill()
    assert board.socket.exists()
    count = len(board.edges())
    successor = BoardProcess(board.folder)
    with successor.control() as hand:
        hand.drive(16, 1)
    assert [edge.why for edge in successor.edges()[count:]] == ["input"]
    assert (board.folder / "serial" / "room").exists()
    assert successor.stop() == 0


def test_second_board_in_one_folder_is_refused_in_one_line(board: BoardProcess) -> None:
    again = _run_to_the_end("--run", str(board.folder))
    assert again.returncode == 1
    assert again.stderr.splitlines() == [
        f"agentd-board: a board already answers at {board.socket}: "
        "stop it, or give --run another folder"
    ]
    with board.control() as hand:
        assert (board.folder / "serial" / "room").exists()
        assert len(hand.levels()) == 28


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--room", "absent.toml"), 78, "absent.toml"),
        (("--speed", "-1"),         2,  "from 0 to"),
        (("--speed", "fast"),       2,  "invalid"),
    ],
    ids=["no room file", "backwards", "no number"],
)  # fmt: skip
def test_mistake_on_the_command_line_is_one_line(
    tmp_path: Path, options: tuple[str, ...], status: int, said: str
) -> None:
    ended = _run_to_the_end("--run", str(tmp_path), *options)
    assert ended.returncode == status
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def _run_to_the_end(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "hal.board.app", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)


def test_idle_board_costs_less_than_a_hundredth_of_a_core(board: BoardProcess) -> None:
    time.sleep(0.5)  # past its start
    before = _cpu_s(board.process.pid)
    time.sleep(3.0)  # a share needs a while to be measured in ticks of 10 ms
    assert _cpu_s(board.process.pid) - before <= 0.03


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
