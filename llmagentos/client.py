"""A client of the door: send a request, get its answer, or follow a stream.

LlmagentosError
 └─ DoorError            base: something is wrong with the door
     ├─ DoorClosed       nobody listens there, or the daemon went away (transient)
     ├─ DoorTimeout      no answer in time (transient)
     └─ DoorRefused      the daemon answered with an error; its text says why
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from llmagentos.errors import LlmagentosError
from llmagentos.wire import MAX_FRAME_BYTES, VERSION, WireError, decode_object, encode


class DoorError(LlmagentosError):
    """Something is wrong with the door."""


class DoorClosed(DoorError):
    """Nobody listens there, or the daemon went away."""


class DoorTimeout(DoorError):
    """No answer came in time."""


class DoorRefused(DoorError):
    """The daemon answered with an error."""

    def __init__(self, error: str, *, code: str = "") -> None:
        super().__init__(error)
        self.code = code
        """One word a program can test: bad_request, unknown_verb, denied, unavailable, busy."""


class Door:
    """One connection to a Unix socket that speaks the door's frames. Not for several threads."""

    def __init__(self, path: Path | str, *, timeout_s: float = 10.0) -> None:
        """Connect.

        Args:
            path: the socket, such as `/run/agentd/agentd.sock`.
            timeout_s: longest wait for one answer.

        Raises:
            DoorClosed: nobody listens at `path`.
        """
        self._path = str(path)
        self._number = 0
        self._buffer = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(self._path)
        except OSError as exc:
            self._socket.close()
            raise DoorClosed(f"nobody answers at {self._path}: {exc.strerror or exc}") from exc

    def request(self, verb: str, /, **data: Any) -> Any:
        """Send one request and wait for its answer.

        Returns:
            The answer's `data`.

        Raises:
            DoorRefused: the daemon said no.
            DoorTimeout: no answer within the time.
            DoorClosed: the daemon went away.
        """
        number = self._send(verb, data)
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                return self._unwrap(answer)

    def subscribe(self, verb: str = "subscribe", /, **data: Any) -> Iterator[Any]:
        """Send one request and yield every event that follows, until the door closes.

        Raises:
            DoorRefused: the daemon said no.
            DoorClosed: the daemon went away.
        """
        number = self._send(verb, data)
        self._socket.settimeout(None)
        while True:
            answer = self._receive()
            if answer.get("id") != number:
                continue
            if "event" in answer:
                yield answer["event"]
            elif answer.get("status") == "error":
                self._unwrap(answer)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def __enter__(self) -> Door:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, verb: str, data: dict[str, Any]) -> int:
        self._number += 1
        try:
            self._socket.sendall(encode({**data, "v": VERSION, "id": self._number, "verb": verb}))
        except OSError as exc:
            raise DoorClosed(f"the daemon at {self._path} went away: {exc}") from exc
        return self._number

    def _receive(self) -> dict[str, Any]:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_FRAME_BYTES:
                raise WireError(f"a frame of more than {MAX_FRAME_BYTES} bytes came back")
            try:
                chunk = self._socket.recv(65536)
            except TimeoutError as exc:
                raise DoorTimeout(f"no answer from {self._path} in time") from exc
            except OSError as exc:
                raise DoorClosed(f"the daemon at {self._path} went away: {exc}") from exc
            if not chunk:
                raise DoorClosed(f"the daemon at {self._path} hung up")
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return decode_object(line)

    @staticmethod
    def _unwrap(answer: dict[str, Any]) -> Any:
        if answer.get("status") == "ok":
            return answer.get("data")
        raise DoorRefused(str(answer.get("error", "no reason given")), code=answer.get("code", ""))
