"""A client of the door: send a request, get its answer, or follow a stream.

LlmagentosError
 └─ DoorError            base: something is wrong with the door
     ├─ DoorClosed       nobody listens there, or the daemon went away (transient)
     ├─ DoorTimeout      no answer in time (transient)
     └─ DoorRefused      the daemon answered with an error; its text says why
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from llmagentos.errors import LlmagentosError
from llmagentos.wire import (
    MAX_ANSWER_BYTES,
    VERSION,
    FrameBuffer,
    WireError,
    decode,
    decode_object,
    encode,
)


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
        """One word a program can test: bad_request, unknown_verb, unknown_device,
        denied, unavailable, busy, timeout, internal."""


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
        self._buffer = FrameBuffer()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A socket with a time-out of Python's own fails at once where the daemon has a queue of
        # callers; one of the kernel's waits in that queue.
        wait = struct.pack("ll", int(timeout_s), int(timeout_s % 1 * 1e6))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)
        try:
            self._socket.connect(self._path)
        except OSError as exc:
            self._socket.close()
            raise DoorClosed(f"nobody answers at {self._path}: {exc.strerror or exc}") from exc
        self._socket.settimeout(timeout_s)

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
        parts: list[str] = []
        while True:
            answer = self._receive()
            if answer.get("id") not in (number, None):
                continue  # the late answer to a request that was given up
            if "part" in answer:
                parts.append(self._part(answer, len(parts)))
            if answer.get("status"):
                return _join(parts) if parts else _unwrap(answer)

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
            if answer.get("id") not in (number, None):
                continue
            if "event" in answer:
                yield answer["event"]
            elif answer.get("status") == "error":
                _unwrap(answer)

    def close(self) -> None:
        """Hang up; a `subscribe` that waits in another thread ends with `DoorClosed`."""
        with contextlib.suppress(OSError):  # the daemon may have hung up already
            # Closing alone does not wake a thread that waits in recv.
            self._socket.shutdown(socket.SHUT_RDWR)
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
        frame = encode({**data, "v": VERSION, "id": self._number, "verb": verb})
        try:
            self._socket.sendall(frame)
        except TimeoutError as exc:
            raise DoorTimeout(f"{self._path} takes no requests in time") from exc
        except OSError as exc:
            self._hear_why()
            raise DoorClosed(f"the daemon at {self._path} went away: {exc}") from exc
        return self._number

    def _hear_why(self) -> None:
        """Raise the refusal that a daemon sent before it hung up, if there is one."""
        try:
            answer = self._receive()
        except DoorError:
            return
        if answer.get("status") == "error":
            _unwrap(answer)

    def _receive(self) -> dict[str, Any]:
        while (frame := self._buffer.pop()) is None:
            try:
                chunk = self._socket.recv(65536)
            except TimeoutError as exc:
                raise DoorTimeout(f"no answer from {self._path} in time") from exc
            except OSError as exc:
                raise DoorClosed(f"the daemon at {self._path} went away: {exc}") from exc
            if not chunk:
                raise DoorClosed(f"the daemon at {self._path} hung up")
            self._buffer.push(chunk)
        return decode_object(frame)

    @staticmethod
    def _part(answer: dict[str, Any], before: int) -> str:
        part = answer["part"]
        if not isinstance(part, str) or before * len(part) > MAX_ANSWER_BYTES:
            raise WireError("an answer came back in parts that do not join")
        return part


def _join(parts: list[str]) -> Any:
    return decode("".join(parts).encode(), max_bytes=MAX_ANSWER_BYTES)


def _unwrap(answer: dict[str, Any]) -> Any:
    if answer.get("status") == "ok":
        return answer.get("data")
    raise DoorRefused(str(answer.get("error", "no reason given")), code=answer.get("code", ""))
