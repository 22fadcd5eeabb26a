"""A Unix socket that serves the door's verbs, with a way past a full house for `stop`.

LlmagentosError
 └─ SocketTaken      the socket cannot be opened at that path; the text says why
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import stat
from collections.abc import Collection
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final

from agentd.door.connection import (
    OVERTAKING,
    BadCall,
    Connection,
    Peer,
    answer,
    read_call,
    refusal,
)
from agentd.door.feed import Feed
from agentd.door.request import Serve
from agentd.progress import MOVE_S, Progress
from llmagentos.cause import Rank
from llmagentos.clock import Clock
from llmagentos.errors import LlmagentosError
from llmagentos.wire import FrameBuffer, WireError

_LOG: Final = logging.getLogger(__name__)

CLIENTS: Final = 32
"""Clients served at a time."""

_LOBBY: Final = 64
"""Clients beyond those that may wait for their first frame to be looked at."""

_LOBBY_S: Final = 1.0
"""Time a client in the lobby has for its first frame."""

_PAUSE_S: Final = 0.2
"""Rest after a client that could not be let in."""

_PATH_BYTES: Final = 107
"""Longest path of a Unix socket."""


class SocketTaken(LlmagentosError):
    """The socket cannot be opened at that path."""


class SocketDoor:
    """Listens at a path and serves each client on threads of its own.

    When `clients` are connected, the next one is let in as far as the lobby, where the first
    frame is read: a `stop` is served there, anything else is answered `busy`.
    """

    def __init__(
        self,
        path: Path,
        serve: Serve,
        feed: Feed | None = None,
        *,
        clock: Clock,
        mode: int = 0o660,
        channel: str = "socket",
        claims: Collection[str] = (),
        rank: Rank = Rank.PERSON,
        clients: int = CLIENTS,
        progress: Progress | None = None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            path: where to listen, at most 100 bytes long.
            serve: answers requests, from many threads at once.
            feed: what `subscribe` streams; None for a socket without that verb.
            clock: reads the time.
            mode: permission bits of the socket; who may write to it may ask everything.
            channel: channel of every request's origin.
            claims: other channels that a request may name as its own (cli, voice).
            rank: rank of every request's origin.
            clients: connections served at a time.
            progress: watches the door's threads.
        """
        self._path, self._mode = Path(path), mode
        self._serve, self._feed, self._clock = serve, feed, clock
        self._channel, self._claims, self._rank = channel, frozenset(claims), rank
        self._clients = clients
        self._progress = progress or Progress()
        self._beat = self._progress.loop(f"door-{self._path.name}", deadline_s=MOVE_S)
        self._lock = Lock()
        self._connections: set[Connection] = set()
        self._lobby: dict[socket.socket, tuple[FrameBuffer, Peer, float]] = {}
        self._listener: socket.socket | None = None
        self._identity = (0, 0)
        self._thread: Thread | None = None
        self._closing = Event()
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()

    def start(self) -> None:
        """Listen.

        Raises:
            SocketTaken: another program serves the path, or it cannot be written.
        """
        _refuse_taken(self._path)
        self._listener = _listen(self._path, self._mode)
        status = os.stat(self._path)
        self._identity = (status.st_dev, status.st_ino)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = Thread(
            target=self._accept, args=(self._listener,), name=f"door-{self._path.name}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Hang up on everybody and remove the socket; waits up to 2 s for the thread."""
        self._closing.set()
        self._wake.send(b"x")
        if self._thread is not None:
            self._thread.join(2.0)
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            connection.close()
        if self._listener is not None:
            self._listener.close()
            _remove(self._path, self._identity)
        for end in (self._selector, self._wake, self._woken):
            end.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            self._beat.idle()
            found = self._selector.select(0.25 if self._lobby else None)
            self._beat.busy()
            for key, _ in found:
                if key.fileobj is self._woken:
                    return self._empty_lobby(expired_at_s=float("inf"))
                if key.fileobj is listener:
                    self._admit(listener)
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._lobby:
                    self._hear(key.fileobj)
            if self._lobby:
                self._empty_lobby(expired_at_s=self._clock().mono_s)

    def _admit(self, listener: socket.socket) -> None:
        try:
            link, _ = listener.accept()
            peer = Peer.of(link, rank=self._rank, channel=self._channel, claims=self._claims)
        except OSError as exc:
            _LOG.warning("%s: a client could not be let in: %s", self._path, exc)
            self._closing.wait(_PAUSE_S)  # out of file descriptors: do not spin on it
            return
        with self._lock:
            if has_room := len(self._connections) < self._clients:
                connection = Connection(
                    link,
                    peer,
                    self._serve,
                    feed=self._feed,
                    on_end=self._forget,
                    progress=self._progress,
                )
                self._connections.add(connection)
        if has_room:
            connection.start()
        else:
            self._keep_waiting(link, peer)

    def _keep_waiting(self, link: socket.socket, peer: Peer) -> None:
        if len(self._lobby) >= _LOBBY:
            self._show_out(next(iter(self._lobby)), None)
        link.setblocking(False)
        self._lobby[link] = (FrameBuffer(), peer, self._clock().mono_s + _LOBBY_S)
        self._selector.register(link, selectors.EVENT_READ)

    def _hear(self, link: socket.socket) -> None:
        buffer, peer, _ = self._lobby[link]
        try:
            chunk = link.recv(65536)
            buffer.push(chunk)
            frame = buffer.pop()
            if frame is None and chunk:
                return
            call = read_call(frame or b"", peer=peer)
        except BadCall as exc:
            self._show_out(link, refusal(exc.number, exc.code, str(exc)))
        except (OSError, WireError):
            self._show_out(link, None)
        else:
            if call.request.verb in OVERTAKING:
                self._show_out(link, b"".join(answer(call, self._serve)))
            else:
                self._show_out(link, self._busy(call.number))

    def _busy(self, number: str | int | None) -> bytes:
        text = f"{self._clients} clients are connected already, try again later"
        return refusal(number, "busy", text)

    def _show_out(self, link: socket.socket, words: bytes | None) -> None:
        del self._lobby[link]
        self._selector.unregister(link)
        try:
            link.send(words or self._busy(None))
        except OSError as exc:
            _LOG.debug("a client did not wait for its answer: %s", exc)
        link.close()

    def _empty_lobby(self, *, expired_at_s: float) -> None:
        for link in [link for link, (_, _, at_s) in self._lobby.items() if at_s <= expired_at_s]:
            self._show_out(link, None)

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            self._connections.discard(connection)


def _listen(path: Path, mode: int) -> socket.socket:
    """Open the socket under another name and move it into place, so that nobody finds it before
    it listens, nor with other permissions than `mode`."""
    new = path.with_name(f".{path.name}.new")
    if len(os.fsencode(new)) > _PATH_BYTES:
        raise SocketTaken(f"{path}: the path is too long for a socket, at most 100 bytes")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        new.unlink(missing_ok=True)
        listener.bind(os.fspath(new))
        new.chmod(mode)
        listener.listen(_LOBBY)
        new.rename(path)
    except OSError as exc:
        listener.close()
        raise SocketTaken(f"{path}: cannot listen there: {exc.strerror or exc}") from exc
    return listener


def _refuse_taken(path: Path) -> None:
    """Raise when the path is in use; a socket that a dead process left is no obstacle."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SocketTaken(f"{path}: something that is not a socket stands there, remove it")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(1.0)
        try:
            caller.connect(os.fspath(path))
        except ConnectionRefusedError:
            return
        except OSError as exc:
            raise SocketTaken(f"{path}: cannot tell who serves it: {exc}") from exc
    raise SocketTaken(f"{path}: another process already serves it, stop that one first")


def _remove(path: Path, identity: tuple[int, int]) -> None:
    """Remove the socket, unless a successor has put its own there."""
    try:
        status = path.lstat()
        if (status.st_dev, status.st_ino) == identity:
            path.unlink()
    except FileNotFoundError:
        return
