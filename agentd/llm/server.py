"""The socket of the language model: a few clients, a short queue, deadlines, cancelling.

Everything here runs on one thread, so there is nothing to lock; the model has a thread of its own.
"""

from __future__ import annotations

import logging
import selectors
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from agentd.llm.call import BadCall, Call, Cancel, Health, Refusal, read_call, refuse
from agentd.llm.listen import listen, remove
from agentd.llm.worker import Condition, Done, Work, Worker
from llmagentos.clock import Clock
from llmagentos.wire import FrameBuffer, WireError, encode_answer

_LOG: Final = logging.getLogger(__name__)

QUEUE: Final = 4
"""Requests that may wait behind the one being scored."""

CLIENTS: Final = 16
"""Connections at a time."""

_AGAIN_S: Final = 0.02
"""Pause before a cancel is said again [1]."""

_HUNG_S: Final = 10.0
"""A model that goes on for so long after it was told to stop is taken for hung."""


@dataclass(eq=False)
class Client:
    """One connection."""

    link: socket.socket
    pid: int
    """Of the process at the other end, from the kernel: two connections may be one client's."""
    buffer: FrameBuffer = field(default_factory=FrameBuffer)


@dataclass(eq=False)
class Job:
    """One request that waits or is being scored."""

    client: Client
    number: int
    work: Work
    over_s: float | None = None
    """When it was answered or lost its client, on the monotonic clock; None while it is open."""


class Server:
    """Serves the model at a Unix socket that only its owner may open."""

    def __init__(
        self,
        path: Path,
        worker: Worker,
        *,
        model: str,
        clock: Clock,
        beat: Callable[[Condition], None] = lambda _: None,
        beat_s: float | None = None,
    ) -> None:
        """Listen; clients wait until `run`.

        Args:
            path: where to listen, at most 100 bytes long.
            worker: owns the model, not started.
            model: its name, for `health`.
            clock: deadlines count on it.
            beat: told of progress, at least every `beat_s`, unless the model hangs.
            beat_s: None for whenever there is something to do.

        Raises:
            SocketTaken: another program serves the path, or it cannot be written.
        """
        self._path, self._worker, self._model, self._clock = path, worker, model, clock
        self._beat, self._beat_s = beat, beat_s
        self._queue: deque[Job] = deque()
        self._running: Job | None = None
        self._done: SimpleQueue[Done] = SimpleQueue()
        self._is_stopping = False
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._listener, self._identity = listen(path)
        self._clients: dict[socket.socket, Client] = {}
        self._selector = selectors.DefaultSelector()
        for end in (self._listener, self._woken):
            self._selector.register(end, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until `stop`; then hang up, free the model and remove the socket.

        Raises:
            Exception: a defect in the model's thread, as it was raised there.
        """
        self._worker.start(self._report)
        try:
            while not self._is_stopping:
                for key, _ in self._selector.select(self._pause_s()):
                    self._attend(key.fileobj)
                self._collect()
                self._advance()
        finally:
            self._close()

    def stop(self) -> None:
        """Let `run` return soon; from any thread or signal handler."""
        self._is_stopping = True
        self._rouse()

    def _report(self, done: Done) -> None:
        """Take what the model's thread says; runs on that thread."""
        self._done.put(done)
        self._rouse()

    def _rouse(self) -> None:
        try:
            self._wake.send(b"x")
        except OSError:
            _LOG.debug("already awake, or at the end")

    def _pause_s(self) -> float | None:
        pauses = [] if self._beat_s is None else [self._beat_s]
        now_s = self._clock().mono_s
        jobs = [*self._queue, *([self._running] if self._running else [])]
        pauses += [max(0.0, job.work.until_s - now_s) for job in jobs if job.over_s is None]
        if self._running and self._running.over_s is not None:
            pauses.append(_AGAIN_S)
        return min(pauses, default=None)

    def _attend(self, source: Any) -> None:
        if source is self._woken:
            self._woken.recv(4096)
        elif source is self._listener:
            self._admit()
        elif (client := self._clients.get(source)) is not None:
            self._hear(client)

    def _admit(self) -> None:
        try:
            link, _ = self._listener.accept()
            link.setblocking(False)
            packed = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError as exc:
            _LOG.warning("a client could not be let in: %s", exc)
            return
        client = Client(link, struct.unpack("3i", packed)[0])
        self._clients[link] = client
        self._selector.register(link, selectors.EVENT_READ)
        if len(self._clients) > CLIENTS:
            busy = Refusal("busy", f"{CLIENTS} clients are connected already, try again later")
            self._send(client, refuse(None, busy))
            self._drop(client)

    def _hear(self, client: Client) -> None:
        try:
            chunk = client.link.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        client.buffer.push(chunk)
        try:
            while client.link in self._clients and (frame := client.buffer.pop()) is not None:
                self._take(client, frame)
        except WireError as exc:
            self._send(client, refuse(None, Refusal("bad_request", str(exc))))
            chunk = b""
        if not chunk:
            self._drop(client)

    def _take(self, client: Client, frame: bytes) -> None:
        try:
            call = read_call(frame)
        except BadCall as exc:
            return self._send(client, refuse(exc.number, exc))
        try:
            if isinstance(call.ask, Health):
                self._answer(client, call.number, self._health())
            elif isinstance(call.ask, Cancel):
                self._answer(client, call.number, {"cancelled": self._cancel(client, call.ask)})
            else:
                self._queue.append(self._job(client, call))
        except Refusal as exc:
            self._send(client, refuse(call.number, exc))

    def _job(self, client: Client, call: Call) -> Job:
        assert not isinstance(call.ask, Cancel | Health)
        condition = self._worker.condition
        if condition.state == "missing":
            raise Refusal("unavailable", condition.detail)
        if len(self._queue) >= QUEUE:
            raise Refusal("busy", f"{QUEUE} requests wait already, try again later")
        until_s = self._clock().mono_s + call.within_s
        return Job(client, call.number, Work(call.ask, until_s))

    def _health(self) -> dict[str, Any]:
        condition = self._worker.condition
        return {
            "model": self._model,
            "state": condition.state,
            "detail": condition.detail,
            "queue": len(self._queue) + (self._running is not None),
            "prefix_id": condition.prefix_id,
            "prefix_tokens": condition.prefix_tokens,
        }

    def _cancel(self, client: Client, ask: Cancel) -> int:
        """Call off; returns how many requests that ended."""
        jobs = [
            job
            for job in (*self._queue, *([self._running] if self._running else []))
            if (job.number, job.client.pid) == (ask.target, client.pid) and job.over_s is None
        ]
        for job in jobs:
            self._refuse(job, Refusal("cancelled", "called off"))
        return len(jobs)

    def _collect(self) -> None:
        """Pass on what the model's thread has finished."""
        while not self._done.empty():
            done = self._done.get()
            if isinstance(done.result, BaseException) and not isinstance(done.result, Refusal):
                raise done.result
            job = self._running
            if done.work is None or job is None:
                continue
            self._running = None
            if isinstance(done.result, Refusal):
                self._refuse(job, done.result)
            elif job.over_s is None:
                self._answer(job.client, job.number, done.result)

    def _advance(self) -> None:
        """Do what is due now."""
        now_s, condition = self._clock().mono_s, self._worker.condition
        job = self._running
        for late in (*self._queue, *([job] if job else [])):
            if condition.state == "missing":
                self._refuse(late, Refusal("unavailable", condition.detail))
            elif late.work.until_s <= now_s:
                self._refuse(late, Refusal("deadline", "the deadline passed"))
        self._queue = deque(waiting for waiting in self._queue if waiting.over_s is None)
        if job and job.over_s is not None:
            self._worker.cancel()  # [1] said until heard: it may not quite have begun
        if not job and self._queue and condition.state == "ready":
            self._running = self._queue.popleft()
            self._worker.give(self._running.work)
        if not (job and job.over_s is not None and now_s - job.over_s > _HUNG_S):
            self._beat(condition)

    def _refuse(self, job: Job, refusal: Refusal) -> None:
        if job.over_s is None:
            job.over_s = self._clock().mono_s
            self._send(job.client, refuse(job.number, refusal))

    def _answer(self, client: Client, number: int, data: Any) -> None:
        for frame in encode_answer(number, data):
            self._send(client, frame)

    def _send(self, client: Client, frame: bytes) -> None:
        """Send, or drop a client that does not read its answers."""
        if client.link not in self._clients:
            return
        try:
            is_sent = client.link.send(frame) == len(frame)
        except OSError:
            is_sent = False
        if not is_sent:
            self._drop(client)

    def _drop(self, client: Client) -> None:
        """Hang up, and call off what it asked."""
        if self._clients.pop(client.link, None) is None:
            return
        self._selector.unregister(client.link)
        client.link.close()
        for job in (*self._queue, *([self._running] if self._running else [])):
            if job.client is client and job.over_s is None:
                job.over_s = self._clock().mono_s

    def _close(self) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        self._worker.close()
        self._listener.close()
        remove(self._path, self._identity)
        for end in (self._selector, self._wake, self._woken):
            end.close()
