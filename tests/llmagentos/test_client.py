"""The client of the door, against a server of a few lines that answers what the test says."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmagentos.client import Door, DoorClosed, DoorRefused, DoorTimeout
from llmagentos.wire import WireError


class Script:
    """Accepts one client, reads one frame, sends bytes as told, then hangs up or stays."""

    def __init__(self, path: Path) -> None:
        self.path, self.reply, self.stays = path, b"", False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._link: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # a client may hang up, or never call
            self._link, _ = self._listener.accept()
            self._link.recv(65536)
            self._link.sendall(self.reply)
        if self._link is not None and not self.stays:
            self._link.close()

    def close(self) -> None:
        self._listener.close()
        if self._link is not None:
            self._link.close()


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    script = Script(tmp_path / "s")
    yield script
    script.close()


@pytest.mark.parametrize(
    ("reply", "data"),
    [
        (b'{"v":1,"id":1,"status":"ok","data":{"a":1}}\n', {"a": 1}),
        (b'{"v":1,"id":9,"status":"ok","data":0}\n{"v":1,"id":1,"status":"ok","data":1}\n', 1),
        (b'{"v":1,"id":1,"part":"[1,"}\n{"v":1,"id":1,"status":"ok","part":"2]"}\n', [1, 2]),
        (b'{"v":1,"id":1,"status":"ok"}\n', None),
    ],
    ids=["plain", "after a late answer", "in parts", "no data"],
)
def test_reads_an_answer(script: Script, reply: bytes, data: object) -> None:
    script.reply = reply
    with Door(script.path) as door:
        assert door.request("echo") == data


@pytest.mark.parametrize("number", [b"1", b"null"])
def test_refusal_carries_its_code(script: Script, number: bytes) -> None:
    script.reply = b'{"v":1,"id":%s,"status":"error","code":"busy","error":"later"}\n' % number
    with Door(script.path) as door, pytest.raises(DoorRefused, match="later") as caught:
        door.request("echo")
    assert caught.value.code == "busy"


def test_hang_up_is_closed(script: Script) -> None:
    with Door(script.path) as door, pytest.raises(DoorClosed, match="hung up"):
        door.request("echo")


def test_refusal_of_a_daemon_that_hung_up_at_once_is_heard(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        with Door(tmp_path / "s") as door:
            link, _ = listener.accept()
            link.sendall(b'{"v":1,"id":null,"status":"error","code":"busy","error":"full"}\n')
            link.close()
            with pytest.raises(DoorRefused, match="full"):
                door.request("echo")


def test_silence_is_a_timeout(script: Script) -> None:
    script.stays = True
    with Door(script.path, timeout_s=0.1) as door, pytest.raises(DoorTimeout):
        door.request("echo")


@pytest.mark.parametrize(
    "reply",
    [
        b"nonsense\n",
        b"[1]\n",
        b"a" * 70_000,
        b'{"id":1,"status":"ok","part":3}\n',
        b'{"id":1,"status":"ok","part":"[1"}\n',
    ],
    ids=["no JSON", "no object", "endless", "part that is no text", "parts that do not join"],
)
def test_nonsense_is_a_wire_error(script: Script, reply: bytes) -> None:
    script.reply = reply
    with Door(script.path, timeout_s=2) as door, pytest.raises(WireError):
        door.request("echo")


def test_request_that_is_too_long_is_not_sent(script: Script) -> None:
    with Door(script.path) as door, pytest.raises(WireError, match="too many"):
        door.request("ask", text="a" * 70_000)


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(DoorClosed, match="nobody answers"):
        Door(tmp_path / "nothing")
