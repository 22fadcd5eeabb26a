"""The board's socket: the door's frames in, one answer each, edges to those who watch."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from hal.board.line import Edge, Header, LineRefused, Owner
from hal.contract import HalError
from llmagentos.clock import Clock
from llmagentos.wire import VERSION, FrameBuffer, WireError, decode_object, encode

log = logging.getLogger(__name__)

MAX_UNREAD_BYTES: Final = 1024 * 1024
"""A client that lets this much pile up is hung up on: it must not eat the board's memory."""

Verb = Callable[[Owner, Mapping[str, Any]], Any]
"""Serves one request of one connection; raises `HalError` to refuse it."""


class BoardTaken(HalError):
    """A live board already answers on this socket."""


class Server:
    """Listens on one Unix socket and knows every connection."""

    def __init__(self, header: Header, verbs: Mapping[str, Verb], *, clock: Clock) -> None:
        self.header = header
        self.verbs = verbs
        self.clock = clock
        self.connections: set[Connection] = set()
        self.is_stopping = False
        self._count = 0
        header.listen(self._tell_watchers)

    async def listen(self, path: Path) -> asyncio.AbstractServer:
        """Open the socket, for this user alone; a dead board's socket is replaced.

        Raises:
            BoardTaken: a live board answers there.
        """
        _clear_stale(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        old_mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(old_mask)
        loop = asyncio.get_running_loop()
        return await loop.create_unix_server(lambda: Connection(self), sock=listener)

    def next_number(self) -> int:
        """A number for a new connection."""
        self._count += 1
        return self._count

    def hang_up(self) -> None:
        """End every connection; the board stops, so no owner's death is told."""
        self.is_stopping = True
        for connection in tuple(self.connections):
            connection.abort()

    def _tell_watchers(self, edge: Edge) -> None:
        for connection in tuple(self.connections):
            connection.notice(edge.pin)


class Connection(asyncio.Protocol):
    """One client: its requests in order, the lines it holds, the lines it watches."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = FrameBuffer()
        self._watches: dict[int, _Watch] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        pid = _peer_pid(transport.get_extra_info("socket"))
        self._owner = Owner(self._server.next_number(), pid, _program_name(pid))
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._server.connections.discard(self)
        for watch in self._watches.values():
            watch.cancel()
        if not self._server.is_stopping:
            self._server.header.drop(self._owner, now=self._server.clock())

    def data_received(self, data: bytes) -> None:
        self._buffer.push(data)
        try:
            while not self._transport.is_closing():
                frame = self._buffer.pop()
                if frame is None:
                    break
                self._serve(frame)
        except WireError as exc:  # nobody knows where the next frame begins
            self._answer_error(None, "bad_request", str(exc))
            self._transport.close()

    def abort(self) -> None:
        """Hang up without waiting for what is unsent."""
        self._transport.abort()

    def notice(self, pin: int) -> None:
        """A line changed; tell the client if it watches it."""
        if watch := self._watches.get(pin):
            watch.notice()

    def _serve(self, line: bytes) -> None:
        number: int | None = None
        try:
            frame = decode_object(line)
            sent = frame.pop("id", None)
            if type(sent) is not int:  # nothing else is sent back, whatever it is
                raise LineRefused("bad_request", "id is a whole number")
            number = sent
            verb = str(frame.pop("verb", ""))
            frame.pop("v", None)
            data = self._watch(number, frame) if verb == "watch" else self._call(verb, frame)
        except LineRefused as exc:
            self._answer_error(number, exc.code, str(exc))
        except (WireError, HalError) as exc:
            self._answer_error(number, "bad_request", str(exc))
        else:
            self._send({"v": VERSION, "id": number, "status": "ok", "data": data})

    def _call(self, verb: str, data: Mapping[str, Any]) -> Any:
        serve = self._server.verbs.get(verb)
        if serve is None:
            known = ", ".join(sorted([*self._server.verbs, "watch"]))
            raise LineRefused("unknown_verb", f"no verb {verb[:40]!r}; there are {known}")
        return serve(self._owner, data)

    def _watch(self, number: int | None, data: Mapping[str, Any]) -> dict[str, Any]:
        """Follow `pins` ({pin: seconds it must be stable}); each is told once at the start."""
        pins = data.get("pins")
        if not isinstance(pins, dict):
            raise LineRefused("bad_request", 'watch takes pins, such as {"16": 0.01}')
        for pin, stable_s in pins.items():
            self._follow(number, pin, stable_s)
        return {}

    def _follow(self, number: int | None, pin: str, stable_s: Any) -> None:
        if not pin.isdecimal() or not isinstance(stable_s, int | float) or not 0 <= stable_s <= 60:
            raise LineRefused("bad_request", f"cannot watch pin {pin[:40]!r} for {stable_s!r} s")
        line = int(pin[:3])
        self._server.header.level(line)
        if old := self._watches.pop(line, None):
            old.cancel()

        def report(level: float) -> None:
            at = self._server.clock()
            event = {"pin": line, "level": level, "t_mono": at.mono_s}
            self._send({"v": VERSION, "id": number, "event": event})

        self._watches[line] = _Watch(lambda: self._server.header.level(line), stable_s, report)

    def _answer_error(self, number: int | None, code: str, text: str) -> None:
        answer = {"v": VERSION, "id": number, "status": "error", "code": code, "error": text}
        self._send(answer)

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(encode(message))
        if self._transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            log.warning("hung up on %s: it does not read its answers", self._owner.name)
            self._transport.abort()


class _Watch:
    """One line watched by one client; debounced as the kernel does it: a level is told once it
    has been stable for long enough."""

    def __init__(
        self, read: Callable[[], float], stable_s: float, report: Callable[[float], None]
    ) -> None:
        self._read = read
        self._stable_s = stable_s
        self._report = report
        self._timer: asyncio.TimerHandle | None = None
        self._told = read()
        report(self._told)

    def notice(self) -> None:
        self.cancel()
        if not self._stable_s:
            self._tell()
        elif self._read() != self._told:
            self._timer = asyncio.get_running_loop().call_later(self._stable_s, self._tell)

    def cancel(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _tell(self) -> None:
        level = self._read()
        if level != self._told:
            self._told = level
            self._report(level)


def _clear_stale(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            path.unlink()
            return
        raise BoardTaken(
            f"a board already answers at {path}: stop it, or give --run another folder"
        )


def _peer_pid(peer: socket.socket) -> int:
    packed = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, _uid, _gid = struct.unpack("3i", packed)
    return int(pid)


def _program_name(pid: int) -> str:
    """What a person would call the program: the script or module of an interpreter, else itself."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # it is gone, or not ours to look at
        return "?"
    scripts = [word for word in words[1:] if word and not word.startswith("-")]
    has_script = Path(words[0]).name.startswith("python") and scripts and "-c" not in words
    name = Path(scripts[0] if has_script else words[0]).name
    return "".join(letter for letter in name if letter.isprintable())[:40] or "?"
