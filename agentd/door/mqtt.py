"""The door to the network: the box's states, its devices' commands and its requests over MQTT."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from threading import Event, Lock, Thread
from typing import Any, Final

from agentd.door.broker import Broker, Pause, Received, Waker
from agentd.door.command import MAX_BYTES, Message, Refused, Seen, judge, read_command
from agentd.door.connection import OVERTAKING
from agentd.door.discovery import discovery
from agentd.door.document import OFFLINE, ONLINE, availability, state_document
from agentd.door.feed import Feed
from agentd.door.lanes import Lanes
from agentd.door.outgoing import Outgoing, Post
from agentd.door.request import RequestError, Serve
from agentd.door.session import MQTT5, MQTT311, Session
from agentd.door.topic import HOME_ASSISTANT_STATUS, RequestTopic, SetTopic, Topics
from agentd.progress import MOVE_S, Progress
from llmagentos.cause import Rank
from llmagentos.clock import Clock
from llmagentos.home import Device, Home
from llmagentos.reading import State
from llmagentos.wire import WireError, dump

_LOG: Final = logging.getLogger(__name__)

WORKERS: Final = 6
"""Commands served at a time."""

WAITING: Final = 64
"""Commands that may wait; more are dropped and counted."""

_OVERLOAD_S: Final = 1.0
"""Least time between two words about dropped messages, in log and event."""

_INWARD: Final = frozenset({"state", "listen", "say", "lost"})
"""Kinds of events that are not told as they are: states have a topic, the others are for ears and
mouth of this box."""


class MqttDoor:
    """Speaks the public contract with one broker, and goes on without it while it is away."""

    def __init__(
        self,
        broker: Broker,
        *,
        node: str,
        boot: str,
        serve: Serve,
        feed: Feed,
        home: Callable[[], Home],
        states: Callable[[], Mapping[str, State]],
        info: Callable[[], Mapping[str, Any]],
        clock: Clock,
        rank: Rank = Rank.PERSON,
        progress: Progress | None = None,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            broker: where to connect to.
            node: id of this box, the second level of every topic.
            boot: id of this boot; commands that name another are refused.
            serve: answers requests, from several threads at once.
            feed: tells what happens.
            home: tells the devices there are now.
            states: tells every device's state now, by id.
            info: tells what box this is; `name`, `version` and `area` go to Home Assistant.
            clock: reads the time.
            rank: rank of every request's origin.
            progress: watches the door's threads.

        Raises:
            TopicError: `node` cannot stand in a topic.
        """
        self._broker, self._topics = broker, Topics(node)
        self._boot, self._serve, self._rank, self._clock = boot, serve, rank, clock
        self._home, self._states, self._info = home, states, info
        progress = progress or Progress()
        self._beat = progress.loop("mqtt", deadline_s=MOVE_S)
        self._events_beat = progress.loop("mqtt-events", deadline_s=MOVE_S)
        self._events = feed.subscribe()
        self._waker = Waker()
        self._outgoing = Outgoing(on_post=self._waker.wake)
        self._lanes = Lanes(workers=WORKERS, waiting=WAITING, name="mqtt-serve", progress=progress)
        self._fast_lane = Lanes(workers=1, waiting=8, name="mqtt-stop", progress=progress)
        self._seen = Seen()
        self._lock = Lock()
        self._told: dict[str, Device] = {}
        self._availability: dict[str, str] = {}
        self._dropped: Counter[str] = Counter()
        self._dropped_at_s = float("-inf")
        self._status = ("away", f"not connected to {broker} yet")
        self._is_5 = True
        self._closing = Event()
        self._network = Thread(target=self._run, name="mqtt", daemon=True)
        self._pump = Thread(target=self._tell_events, name="mqtt-events", daemon=True)

    def start(self) -> None:
        """Begin to connect and to serve; returns at once, broker or not."""
        self._lanes.start()
        self._fast_lane.start()
        self._pump.start()
        self._network.start()

    def close(self) -> None:
        """Say offline and end; waits up to 3 s."""
        self._put(self._topics.status, OFFLINE, is_retained=True)
        self._closing.set()
        self._waker.wake()
        self._events.close()
        self._network.join(3.0)
        self._lanes.close()
        self._fast_lane.close()

    def status(self) -> tuple[str, str]:
        """ok or away, and the detail for people."""
        return self._status

    def announce(self) -> None:
        """Tell everything that is retained again: after a reload, or to a new broker."""
        self._put(self._topics.status, ONLINE, is_retained=True)
        self._put(self._topics.info, {**self._info(), "boot": self._boot}, is_retained=True)
        with self._lock:
            home = self._home()
            gone = [device for key, device in self._told.items() if key not in home.by_id]
            self._told = dict(home.by_id)
            self._availability.clear()
        for device in gone:
            for topic in (self._topics.state(device.id), self._topics.availability(device.id)):
                self._outgoing.put(Post(topic, b"", is_retained=True))
        topic, document = discovery(self._topics.node, info=self._info(), home=home, gone=gone)
        self._put(topic, document, is_retained=True)
        self._tell_states(home.by_id)

    # to the network ---------------------------------------------------------------------------

    def _run(self) -> None:
        self._beat.idle()
        pause, is_first = Pause(), True
        while not self._closing.is_set():
            began_s = self._clock().mono_s
            session = self._session(is_first=is_first)
            reason = session.run()
            self._status = ("away", f"{self._broker}: {reason}")
            if session.has_connected:
                if not self._closing.is_set():
                    _LOG.warning("the broker went away: %s", reason)
                is_first, self._is_5 = False, True
            if session.is_other_protocol_wanted:
                self._is_5 = not self._is_5
                if not self._is_5:
                    continue
            self._closing.wait(pause.take_s(lasted_s=self._clock().mono_s - began_s))

    def _session(self, *, is_first: bool) -> Session:
        return Session(
            self._broker,
            client_id=f"agentd-{self._topics.node}",
            protocol=MQTT5 if self._is_5 else MQTT311,
            is_first=is_first,
            will=Post(self._topics.status, OFFLINE.encode(), is_retained=True),
            filters=self._topics.inward,
            outgoing=self._outgoing,
            waker=self._waker,
            clock=self._clock,
            on_connected=self._greet,
            on_received=self._take,
            on_tick=self._report_dropped,
            is_closing=self._closing.is_set,
            beat=self._beat,
        )

    def _greet(self, denied: tuple[str, ...]) -> None:
        detail = f"MQTT {'5' if self._is_5 else '3.1.1'} at {self._broker}"
        if denied:
            detail += f", which does not let us listen to {', '.join(denied)}"
        self._status = ("ok", detail)
        _LOG.log(logging.ERROR if denied else logging.INFO, "connected, %s", detail)
        self.announce()

    def _tell_events(self) -> None:
        self._events_beat.idle()
        while not self._closing.is_set():
            event = self._events.get()
            if event is None:
                continue
            with self._events_beat:
                try:
                    self._tell_event(dict(event))
                except Exception:  # noqa: BLE001 - one defective event must not silence the rest
                    _LOG.exception("an event could not be told")

    def _tell_event(self, event: dict[str, Any]) -> None:
        kind = event.pop("kind", "")
        if kind == "state":
            self._tell_states([str(event.get("device"))])
        elif kind == "lost":
            self._tell_states(self._home().by_id)
        elif kind not in _INWARD:
            self._put(self._topics.event(kind), event)

    def _tell_states(self, device_ids: Iterable[str]) -> None:
        """Publish what devices are like now, whatever they were like when somebody noticed."""
        states = self._states()
        for device_id in device_ids:
            state = states.get(device_id)
            document = state_document(state or State(device_id))
            self._put(self._topics.state(device_id), document, is_retained=True)
            word = availability(state)
            with self._lock:
                is_new = self._availability.get(device_id) != word
                self._availability[device_id] = word
            if is_new:
                self._put(self._topics.availability(device_id), word, is_retained=True)

    def _put(
        self, topic: str, content: Any, *, is_retained: bool = False, mark: bytes | None = None
    ) -> None:
        text = content if isinstance(content, str) else dump(content)
        self._outgoing.put(Post(topic, text.encode(), is_retained, mark))

    # from the network -------------------------------------------------------------------------

    def _take(self, received: Received) -> None:
        """Put one message into its lane; quick, for a storm of them must not delay a stop."""
        if received.topic == HOME_ASSISTANT_STATUS:
            if received.payload == ONLINE.encode():
                self.announce()
            return
        target = self._topics.read(received.topic)
        if target is None:
            self._dropped["no request or device has such a topic"] += 1
            return
        if isinstance(target, SetTopic) and not received.payload:
            return  # somebody cleared a retained command, as they should
        message = Message(
            target,
            # Too long is too long: the lanes need not hold megabytes to say so.
            received.payload[: MAX_BYTES + 1],
            self._clock(),
            received.is_retained,
            received.response_topic,
            received.correlation,
            received.expires_in_s,
        )
        if isinstance(target, RequestTopic) and target.verb in OVERTAKING:
            is_taken = self._fast_lane.offer("stop", partial(self._stop, message))
        else:
            key = target.device if isinstance(target, SetTopic) else f"request/{target.verb}"
            is_taken = self._lanes.offer(key, partial(self._do, message))
        if not is_taken:
            self._dropped["too many commands at once"] += 1

    def _do(self, message: Message) -> None:
        transaction = None
        try:
            command = read_command(message, rank=self._rank, channel="mqtt")
            transaction = command.transaction
            judge(command, message, boot=self._boot, seen=self._seen, now=self._clock())
            answer = {"status": "ok", "data": self._serve(command.request)}
        except Refused as exc:
            transaction = exc.transaction
            answer = _error(exc.code, str(exc))
            self._clear(message)
        except RequestError as exc:
            answer = _error(exc.code, str(exc))
        except Exception:  # noqa: BLE001 - a defect in one verb must not end its lane
            _LOG.exception("%s failed", message.target)
            answer = _error("internal", "agentd failed on this, its log says why")
        self._answer(message, answer, transaction)

    def _stop(self, message: Message) -> None:
        """Stop, whatever is in the message: an unreadable one was meant all the same."""
        try:
            read_command(message, rank=self._rank, channel="mqtt")
        except Refused as exc:
            if message.is_retained:
                self._answer(message, _error("retained", str(exc)), None)
                return
            _LOG.debug("an unreadable stop is carried out: %s", exc)
            self._do(Message(message.target, b"{}", message.at))
            return
        self._do(message)

    def _answer(
        self, message: Message, answer: dict[str, Any], transaction: str | int | None
    ) -> None:
        target, to = message.target, message.response_topic
        if transaction is not None:
            answer["transaction"] = transaction
        if to is not None and not self._topics.is_answerable(to):
            _LOG.debug("an answer was wanted at %r, where none may be sent", to)
            to = None
        if isinstance(target, RequestTopic):
            to = to or self._topics.response(target.verb)
        elif to is None and transaction is not None:
            to = self._topics.response("set")
        if isinstance(target, SetTopic):
            answer = {"device": target.device, **answer}
            if to is None and (reason := _why_not(answer)):
                self._put(self._topics.event("refused"), {"device": target.device, **reason})
        if to is None:
            return
        try:
            self._put(to, answer, mark=message.correlation)
        except WireError as exc:
            _LOG.exception("the answer to %s cannot be sent", message.target)
            answer.pop("data", None)
            answer |= _error("internal", f"the answer cannot be sent: {exc}")
            self._put(to, answer, mark=message.correlation)

    def _clear(self, message: Message) -> None:
        """Take a retained command off the broker, so that it does not come again."""
        # MQTT 3.1.1 would send the clearing back to us as an empty command.
        if not (message.is_retained and self._is_5):
            return
        target = message.target
        levels = (
            f"{target.device}/set" if isinstance(target, SetTopic) else f"request/{target.verb}"
        )
        self._outgoing.put(Post(f"{self._topics.root}/{levels}", b"", is_retained=True))

    def _report_dropped(self) -> None:
        if lost := self._outgoing.take_dropped():
            self._dropped["answers and events waited too long"] += lost
        now_s = self._clock().mono_s
        if not self._dropped or now_s - self._dropped_at_s < _OVERLOAD_S:
            return
        self._dropped_at_s = now_s
        for reason, count in self._dropped.items():
            _LOG.warning("%d messages dropped: %s", count, reason)
            self._put(self._topics.event("dropped"), {"dropped": count, "reason": reason})
        self._dropped.clear()


def _error(code: str, text: str) -> dict[str, Any]:
    return {"status": "error", "code": code, "error": text}


def _why_not(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """Why a device was not set, from the answer to it; None when it was."""
    if answer["status"] == "error":
        return {"code": answer["code"], "error": answer["error"]}
    data = answer["data"]
    for applied in data.get("applied", ()) if isinstance(data, Mapping) else ():
        if applied.get("stage") in ("refused", "failed"):
            reason = applied.get("reason", "")
            return {"code": "denied", "error": reason, "cause": data.get("cause")}
    return None
