"""The composed daemon tells systemd of its progress, and of none when one of its loops stands."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentd.app import Agentd
from tests.agentd.box import ROOM
from tests.broker import wait_until

pytest.importorskip("systemd.daemon")


class Systemd:
    """The end of the line that systemd listens at."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def kicks(self, *, within_s: float) -> int:
        """How often it is told of progress in a while from now."""
        self._drain()
        time.sleep(within_s)  # the absence of a word can only be waited for
        return sum(word == b"WATCHDOG=1" for word in self._drain())

    def close(self) -> None:
        self._socket.close()

    def _drain(self) -> list[bytes]:
        words: list[bytes] = []
        self._socket.setblocking(False)
        try:
            while True:
                words.append(self._socket.recv(4096))
        except BlockingIOError:
            return words


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    path = tmp_path / "notify"
    systemd = Systemd(path)
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    yield systemd
    systemd.close()


@pytest.fixture
def box(systemd: Systemd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agentd]:
    folder = tmp_path_factory.mktemp("w")
    config = folder / "agentd.toml"
    config.write_text(ROOM, encoding="utf-8")
    box = Agentd(config, run=folder, data=folder / "data")
    thread = threading.Thread(target=box.serve)
    thread.start()
    wait_until((folder / "agentd.sock").exists, what="the door opens")
    yield box
    box.end()
    thread.join(10)


def test_an_idle_box_tells_of_its_progress(box: Agentd, systemd: Systemd) -> None:
    assert systemd.kicks(within_s=2.5) >= 2


def test_one_loop_that_stands_still_silences_the_box_until_it_moves(
    box: Agentd, systemd: Systemd, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "agentd")
    beat = box.progress.loop("writer", deadline_s=0.5)
    beat.busy()
    time.sleep(2.0)  # one look notes it, one more finds it there still
    assert systemd.kicks(within_s=2.5) == 0
    assert caplog.text.count("writer: no progress") == 1
    beat.idle()
    time.sleep(1.2)
    assert systemd.kicks(within_s=2.5) >= 2


def test_one_that_is_slow_but_moves_does_not(box: Agentd, systemd: Systemd) -> None:
    beat = box.progress.loop("writer", deadline_s=1.5)
    ending = threading.Event()

    def move() -> None:
        while not ending.wait(0.5):
            beat.beat()

    thread = threading.Thread(target=move)
    thread.start()
    time.sleep(3.0)
    assert systemd.kicks(within_s=2.5) >= 2
    ending.set()
    thread.join()
    box.progress.forget(beat)


def test_a_tick_that_stands_still_silences_the_box(
    box: Agentd, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick shows that it moves by asking the others, so one that stands asks nobody."""
    gate, is_in = threading.Event(), threading.Event()

    def stand(*_: object) -> tuple[str, ...]:
        is_in.set()
        gate.wait(20)
        return ()

    monkeypatch.setattr(box.progress, "late", stand)  # a step of the tick that does not return
    assert is_in.wait(5)
    assert systemd.kicks(within_s=2.5) == 0
    gate.set()
