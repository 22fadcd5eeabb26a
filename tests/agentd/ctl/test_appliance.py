"""The appliance's processes, under a real supervisord and a real broker."""

from __future__ import annotations

import os
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentd.ctl import broker
from agentd.ctl.app import read_clock
from agentd.ctl.appliance import Appliance, Choice, Lack, Place, clear, example, make_private
from agentd.ctl.failure import Failure
from tests.agentd.ctl.stand_in import write_program, write_programs


@pytest.fixture
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="ctl-", dir="/tmp") as name:
        folder = Path(name)
        yield Place(folder / "run", folder / "data", write_programs(folder / "bin"))


@pytest.fixture
def appliance(place: Place) -> Iterator[Appliance]:
    made = Appliance(place, Choice(), clock=read_clock)
    yield made
    made.stop()


def start(appliance: Appliance) -> list[str]:
    appliance.start()
    appliance.start_agentd(timeout_s=10)
    return [str(lack) for lack in appliance.wait_ready(timeout_s=10, tell=lambda _: None)]


def wait_until(happened, *, timeout_s=8.0):
    """Bounded, since real processes take the time they take."""
    deadline = time.monotonic() + timeout_s
    while not (found := happened()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
    return found


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


@pytest.mark.system
def test_agentd_starts_last_and_stops_first(appliance):
    assert start(appliance) == []
    folder = appliance.place.run.parent
    pids = [process.pid for process in appliance.supervision.processes().values()]
    assert len(pids) == 5
    assert appliance.stop()
    assert lines(folder / "began")[-1] == "agentd"
    assert lines(folder / "ended") == ["agentd", "agentd-voice", "agentd-llm", "agentd-board"]
    assert not any(is_alive(pid) for pid in pids)
    assert not appliance.place.run.exists()
    assert appliance.place.config.exists()


@pytest.mark.system
def test_nobody_else_can_reach_the_sockets(appliance):
    start(appliance)
    run = appliance.place.run
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert stat.S_IMODE((run / "supervisor.sock").stat().st_mode) == 0o600
    assert (run / broker.SOCKET).is_socket()
    socket.create_connection(("127.0.0.1", appliance.port), timeout=1).close()
    listening = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()
                 if line.split()[1].endswith(f":{appliance.port:04X}")
                 and line.split()[3] == "0A"}  # fmt: skip
    assert listening == {f"0100007F:{appliance.port:04X}"}


@pytest.mark.system
@pytest.mark.parametrize("name", ["agentd", "mosquitto", "agentd-board"])
def test_a_killed_program_is_started_again(appliance, name):
    start(appliance)
    old = appliance.supervision.processes()[name].pid
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: appliance.supervision.processes()[name].pid not in (0, old))
    assert appliance.wait_ready(timeout_s=5, tell=lambda _: None) == []


@pytest.mark.system
def test_an_agentd_that_keeps_ending_is_given_up_with_its_last_words(appliance):
    write_program(appliance.place.programs / "agentd", "#!/bin/sh\necho no such pin\nexit 3\n")
    assert start(appliance) == ["agentd"]
    assert "no such pin" in appliance.supervision.tail("agentd", lines=2)


@pytest.mark.system
def test_a_board_that_does_not_come_up_is_named_with_its_last_words(appliance):
    write_program(appliance.place.programs / "agentd-board", "#!/bin/sh\necho no room\nexit 1\n")
    appliance.start()
    with pytest.raises(Failure, match=r"agentd-board does not come up(.|\n)*no room"):
        appliance.start_agentd(timeout_s=1.5)


@pytest.mark.system
def test_a_program_that_ignores_its_end_is_killed(appliance):
    write_program(
        appliance.place.programs / "agentd-llm",
        "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n",
    )
    start(appliance)
    pid = wait_until(lambda: appliance.supervision.processes()["agentd-llm"].pid)
    appliance.stop()
    assert not is_alive(pid)


@pytest.mark.parametrize(
    ("status", "parts", "choice", "lacks"),
    [
        pytest.param("ready", {}, Choice(), [], id="ready"),
        pytest.param(
            "degraded", {"llm": {"status": "away", "detail": "no model"}}, Choice(),
            ["llm (no model)"], id="a part is away",
        ),
        pytest.param(
            "degraded", {"llm": {"status": "away", "detail": ""}}, Choice(has_llm=False),
            [], id="the part that was left out is away",
        ),
        pytest.param("safe_mode", {}, Choice(), ["safe_mode"], id="safe mode"),
        pytest.param(
            "stopped", {"llm": {"status": "away", "detail": "x"}}, Choice(),
            ["llm (x)", "stopped"], id="stopped",
        ),
    ],
)  # fmt: skip
def test_ready_is_what_health_says_less_what_was_left_out(place, status, parts, choice, lacks):
    place.run.mkdir()
    (place.run / "voice.sock").touch()
    found = Appliance(place, choice, clock=read_clock)
    found.health = lambda: {"status": status, "parts": parts, "devices": {"unavailable": []}}
    assert [str(lack) for lack in found.lacks()] == lacks


def test_ears_that_have_no_socket_yet_are_waited_for(place):
    found = Appliance(place, Choice(), clock=read_clock)
    found.health = lambda: {"status": "ready"}
    assert found.lacks() == [Lack("agentd-voice")]
    assert Appliance(place, Choice(), clock=read_clock).lacks() == [Lack("agentd")]


def settled(place: Place) -> str:
    place.run.mkdir()
    place.data.mkdir(exist_ok=True)
    Appliance(place, Choice(), clock=read_clock)._settle_config()
    return place.config.read_text()


def test_a_new_instance_gets_the_demo_room_with_its_own_sockets(place):
    from agentd.config import parse

    text = settled(place)
    assert "@RUN@" not in text
    assert f'port = "{place.run}/serial/room"' in text
    config = parse(text, path=place.config)
    assert (config.errors, config.faults) == ((), ())


def test_a_changed_configuration_is_kept_and_follows_the_run_folder(place):
    place.data.mkdir()
    place.config.write_text('# mine\nport = "/tmp/llmagentos-0-0123abcd/serial/room"\n')
    assert settled(place) == f'# mine\nport = "{place.run}/serial/room"\n'


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("", True),
        ('[mqtt]\nbroker = "own"\n', True),
        ('[mqtt]\nbroker = "off"\n', False),
        ('[mqtt]\nbroker = "192.168.1.2"\n', False),
        ("mqtt = 3\n", True),
    ],
)
def test_a_foreign_broker_is_used_instead_of_ours(tmp_path, text, own):
    file = tmp_path / "agentd.toml"
    file.write_text(text)
    assert broker.wants_own_broker(file) is own


@pytest.mark.parametrize("text", [b"[mqtt\n", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_a_file_that_is_not_toml_is_one_line_and_78(tmp_path, text):
    file = tmp_path / "agentd.toml"
    file.write_bytes(text)
    with pytest.raises(Failure, match="not TOML") as raised:
        broker.wants_own_broker(file)
    assert raised.value.code == 78


def test_a_taken_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert broker.free_port(range(port, port + 50)) > port
        with pytest.raises(Failure, match="no free port"):
            broker.free_port([port])


def test_a_run_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failure, match="belongs to somebody else"):
        make_private(tmp_path / "run")


def test_a_folder_named_by_mistake_is_left_as_it_is(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    mode = tmp_path.stat().st_mode
    with pytest.raises(Failure, match="holds other things"):
        make_private(tmp_path)
    clear(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "dear"
    assert tmp_path.stat().st_mode == mode


def test_sockets_of_an_earlier_instance_are_not_taken_for_new_ones(tmp_path):
    make_private(tmp_path / "run")
    (tmp_path / "run" / "board.sock").touch()
    make_private(tmp_path / "run")
    assert not (tmp_path / "run" / "board.sock").exists()


def test_examples_name_no_folder_of_ours():
    assert "/tmp" not in example("room")
