"""A model's process in a thread: the real server and worker over a scripted chooser."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from agentd.llm.server import Server
from agentd.llm.worker import Condition, Worker
from llmagentos.client import Door
from llmagentos.clock import Instant
from llmagentos.wire import FrameBuffer, decode_object, encode
from models.choose import Chooser
from models.errors import ModelError


def clock() -> Instant:
    return Instant(time.monotonic(), time.time())


class House:
    """Serves `chooser`, or first the failures that `lacks` lists until `files` changes."""

    def __init__(self, folder: Path, chooser: Chooser, *, lacks: list[ModelError] | None = None):
        self.path, self.files, self.beats = folder / "llm.sock", 0, list[Condition]()
        self._chooser, self._lacks = chooser, lacks or []
        self.opened = 0
        worker = Worker(self._open, mark=lambda: self.files, clock=clock, poll_s=0.01)
        self.server = Server(
            self.path, worker, model="scripted", clock=clock, beat=self.beats.append, beat_s=0.05
        )
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def door(self) -> Door:
        return Door(self.path, timeout_s=10)

    def raw(self) -> Raw:
        return Raw(self.path)

    def close(self) -> None:
        self.server.stop()
        self.wait()

    def wait(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _open(self) -> Chooser:
        self.opened += 1
        if self._lacks:
            raise self._lacks.pop(0)
        return self._chooser

    def _run(self) -> None:
        try:
            self.server.run()
        except RuntimeError as exc:
            self.failure = exc


class Raw:
    """A client that sends before it listens."""

    def __init__(self, path: Path) -> None:
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.link.settimeout(10)
        self.link.connect(str(path))
        self._buffer = FrameBuffer()

    def send(self, number: int, verb: str, **data: Any) -> None:
        self.link.sendall(encode({"v": 1, "id": number, "verb": verb, **data}))

    def flood(self) -> None:
        """Ask more than the answers' buffer holds."""
        for number in range(100_000):
            self.send(number, "health")

    def receive(self) -> dict[str, Any]:
        while (frame := self._buffer.pop()) is None:
            chunk = self.link.recv(65536)
            if not chunk:
                raise EOFError
            self._buffer.push(chunk)
        return decode_object(frame)

    def is_hung_up(self) -> bool:
        with suppress(OSError, EOFError):
            while True:
                self.receive()
        return True

    def close(self) -> None:
        self.link.close()


def eventually(condition: Callable[[], bool], *, within_s: float = 5.0) -> None:
    """Wait for what another thread brings about."""
    until_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until_s, "it did not come to pass"
        time.sleep(0.005)  # polling another thread
