"""One client of a socket: frames in, answers and events out."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass
from queue import Full, Queue
from threading import Lock, Thread
from typing import Any, Final

from agentd.door.feed import Feed, Subscription
from agentd.door.request import NAME_CHARACTERS, Request, RequestError, Serve, take_name
from agentd.progress import SERVE_S, Progress
from llmagentos.cause import Origin, Rank
from llmagentos.wire import VERSION, FrameBuffer, WireError, decode_object, encode, encode_answer

_LOG: Final = logging.getLogger(__name__)

OVERTAKING: Final = frozenset({"stop"})
"""Verbs that wait for nobody: served on the thread that reads them."""

PENDING: Final = 16
"""Requests of one client that may wait behind the one being served; more are answered `busy`."""

SEND_S: Final = 5.0
"""A client that does not take one frame for so long is dropped, lest it hold its threads."""

_IDLE_S: Final = 3600.0
"""A wait for the next request is begun anew this often; a silent client may stay."""

_STREAM: Final = "subscribe"
"""The one verb that the transport serves itself."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What a socket knows of whoever called, and what it lets them say of themselves."""

    rank: Rank
    """Rank of what they ask."""

    channel: str
    """Channel of what they ask, unless they name another."""

    claims: Collection[str] = ()
    """Channels that a request may name in its place."""

    who: str = ""
    """`uid:1000`, from the kernel."""

    @classmethod
    def of(
        cls, link: socket.socket, *, rank: Rank, channel: str, claims: Collection[str] = ()
    ) -> Peer:
        """Ask the kernel who is at the other end of a Unix socket."""
        packed = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _pid, uid, _gid = struct.unpack("3i", packed)
        return cls(rank, channel, claims, f"uid:{uid}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came, with the number that its answer must carry."""

    number: str | int
    request: Request


class BadCall(RequestError):
    """A frame that is no request; it carries the number to answer to, None when unknown."""

    def __init__(self, number: str | int | None, text: str) -> None:
        super().__init__("bad_request", text)
        self.number = number


def read_call(frame: bytes, *, peer: Peer) -> Call:
    """Read one frame.

    Raises:
        BadCall: it is no request; the text is for its sender.
    """
    try:
        message = decode_object(frame)
    except WireError as exc:
        raise BadCall(None, str(exc)) from exc
    number = message.pop("id", None)
    if isinstance(number, bool) or not isinstance(number, int | str):
        raise BadCall(None, "id must be a number or a string of yours; the answer repeats it")
    if isinstance(number, str) and len(number) > NAME_CHARACTERS:
        raise BadCall(None, f"id has at most {NAME_CHARACTERS} characters")
    try:
        return Call(number, _request(message, peer))
    except RequestError as exc:
        raise BadCall(number, str(exc)) from exc


def _request(message: dict[str, Any], peer: Peer) -> Request:
    version = message.pop("v", None)
    if version is True or version != VERSION:
        raise RequestError("bad_request", f"v must be {VERSION}, it is {version!r}")
    verb = message.pop("verb", None)
    if not isinstance(verb, str) or not verb:
        raise RequestError("bad_request", "verb is missing, the word for what you want")
    who, area = take_name(message, "who"), take_name(message, "area")
    channel = take_name(message, "channel") or peer.channel
    if channel != peer.channel and channel not in peer.claims:
        raise RequestError("bad_request", f"channel is always {peer.channel!r} here")
    full = f"{peer.who}/{who}" if who else peer.who
    return Request(verb, message, Origin(peer.rank, channel, full, area))


def answer(call: Call, serve: Serve) -> list[bytes]:
    """Serve one request; the frames of its answer, whatever happens."""
    try:
        return encode_answer(call.number, serve(call.request))
    except RequestError as exc:
        return [refusal(call.number, exc.code, str(exc))]
    except WireError as exc:
        _LOG.exception("the answer to %s cannot be sent", call.request.verb)
        return [refusal(call.number, "internal", f"the answer cannot be sent: {exc}")]
    except Exception:  # noqa: BLE001 - a defect in one verb must not end the others' connections
        _LOG.exception("%s failed", call.request.verb)
        return [refusal(call.number, "internal", "agentd failed on this, its log says why")]


def refusal(number: str | int | None, code: str, text: str) -> bytes:
    """The frame that says no."""
    error = {"v": VERSION, "id": number, "status": "error", "code": code, "error": text[:2000]}
    return encode(error)


class Connection:
    """Serves one client, its requests in their order, until it hangs up.

    One thread reads, so that a `stop` is seen at once; a second serves what must wait its turn; a
    third, for a client that subscribed, sends events.
    """

    def __init__(
        self,
        link: socket.socket,
        peer: Peer,
        serve: Serve,
        *,
        feed: Feed | None,
        on_end: Callable[[Connection], None],
        progress: Progress | None = None,
    ) -> None:
        """Take over a connected socket.

        Args:
            link: the client's end.
            peer: who is there.
            serve: answers requests.
            feed: what `subscribe` streams; None where there is no such verb.
            on_end: called once, when the client is gone and all threads are through with it.
            progress: watches what serves it.
        """
        self._peer, self._serve, self._feed, self._on_end = peer, serve, feed, on_end
        self._progress = progress or Progress()
        self._beat = self._progress.loop("door-serve", deadline_s=SERVE_S)
        self._link = link
        self._link.settimeout(_IDLE_S)
        # A second object on the same socket, for its own time-out: reading may wait, sending not.
        self._out = link.dup()
        self._out.settimeout(SEND_S)
        self._sending = Lock()
        self._calls: Queue[Call | None] = Queue(PENDING)
        self._stream: tuple[Subscription, Thread] | None = None
        self._reader = Thread(target=self._read, name="door-read", daemon=True)
        self._worker = Thread(target=self._work, name="door-serve", daemon=True)

    def start(self) -> None:
        """Begin to serve; returns at once."""
        self._worker.start()  # first, for the reader waits for its end
        self._reader.start()

    def close(self) -> None:
        """Hang up on the client; returns at once."""
        try:
            self._link.shutdown(socket.SHUT_RDWR)
        except OSError:
            _LOG.debug("the client had hung up before")

    def _read(self) -> None:
        buffer = FrameBuffer()
        try:
            while chunk := self._receive():
                buffer.push(chunk)
                while (frame := buffer.pop()) is not None:
                    self._take(frame)
        except WireError as exc:
            self._send([refusal(None, "bad_request", str(exc))])
        except OSError as exc:
            _LOG.debug("a client went away: %s", exc)
        finally:
            self._calls.put(None)
            self._worker.join()
            self._end()

    def _receive(self) -> bytes:
        while True:
            try:
                return self._link.recv(65536)
            except TimeoutError:
                continue

    def _take(self, frame: bytes) -> None:
        try:
            call = read_call(frame, peer=self._peer)
            if call.request.verb in OVERTAKING:
                self._send(answer(call, self._serve))
            else:
                self._calls.put_nowait(call)
        except BadCall as exc:
            self._send([refusal(exc.number, exc.code, str(exc))])
        except Full:
            text = f"{PENDING} requests of yours are waiting, wait for their answers"
            self._send([refusal(call.number, "busy", text)])

    def _work(self) -> None:
        self._beat.idle()
        while (call := self._calls.get()) is not None:
            if call.request.verb == _STREAM and self._feed is not None:
                self._subscribe(call, self._feed)
            else:
                with self._beat:  # sending is not in it: how fast a client reads is its own affair
                    frames = answer(call, self._serve)
                self._send(frames)
        self._progress.forget(self._beat)

    def _subscribe(self, call: Call, feed: Feed) -> None:
        kinds = call.request.data.get("kinds")
        if self._stream is not None:
            text = "one connection has one subscription; open another"
            return self._send([refusal(call.number, "bad_request", text)])
        if set(call.request.data) - {"kinds"} or not _are_kinds(kinds):
            text = "subscribe takes `kinds`, a list of kinds of events, and nothing else"
            return self._send([refusal(call.number, "bad_request", text)])
        subscription = feed.subscribe(kinds)
        # Said after subscribing: who reads this misses nothing from here on.
        self._send(encode_answer(call.number, {}))
        thread = Thread(
            target=self._tell, args=(call.number, subscription), name="door-events", daemon=True
        )
        self._stream = subscription, thread
        return thread.start()

    def _tell(self, number: str | int, subscription: Subscription) -> None:
        while (event := subscription.get()) is not None:
            try:
                self._send([encode({"v": VERSION, "id": number, "event": event})])
            except WireError as exc:
                _LOG.error("an event of kind %s cannot be sent: %s", event.get("kind"), exc)

    def _send(self, frames: list[bytes]) -> None:
        try:
            with self._sending:
                for frame in frames:
                    self._out.sendall(frame)
        except OSError as exc:
            # Half a frame may be out, so nothing that follows would make sense to the client.
            _LOG.debug("dropped a client that does not read: %s", exc)
            self.close()

    def _end(self) -> None:
        if self._stream is not None:
            self._stream[0].close()
            self._stream[1].join()
        self._link.close()
        self._out.close()
        self._on_end(self)


def _are_kinds(kinds: object) -> bool:
    if kinds is None:
        return True
    return isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds)
