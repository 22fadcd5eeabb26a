"""The door to the network: the box's states, its devices' commands and its requests over MQTT."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from threading import Event, Lock, Thread
from typing import Any, Final

from agentd.door.broker import Broker, Pause, Received, Waker
from agentd.door.command import Seen
from agentd.door.discovery import discovery
from agentd.door.document import OFFLINE, ONLINE, availability, state_document
from agentd.door.feed import Feed
from agentd.door.inward import Inward
from agentd.door.letters import Letters
from agentd.door.outgoing import Outgoing, Post
from agentd.door.request import Serve
from agentd.door.session import MQTT5, MQTT311, Session
from agentd.door.topic import HOME_ASSISTANT_STATUS, Topics
from agentd.journal import Outbox
from agentd.progress import MOVE_S, Progress
from llmagentos.cause import Rank
from llmagentos.clock import Clock
from llmagentos.home import Device, Home
from llmagentos.reading import State

_LOG: Final = logging.getLogger(__name__)

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
        seen: Seen | None = None,
        outbox: Outbox | None = None,
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
            seen: the names of commands that were begun; None for a memory that starts empty.
            outbox: events that must arrive; None tells each once, whoever listens.

        Raises:
            TopicError: `node` cannot stand in a topic.
        """
        self._broker, self._topics = broker, Topics(node)
        self._boot, self._clock = boot, clock
        self._home, self._states, self._info = home, states, info
        progress = progress or Progress()
        self._beat = progress.loop("mqtt", deadline_s=MOVE_S)
        self._events_beat = progress.loop("mqtt-events", deadline_s=MOVE_S)
        self._events = feed.subscribe()
        self._waker = Waker()
        self._outgoing = Outgoing(on_post=self._waker.wake)
        self._inward = Inward(
            self._topics,
            boot=boot,
            serve=serve,
            rank=rank,
            clock=clock,
            seen=seen or Seen(),
            outgoing=self._outgoing,
            progress=progress,
        )
        self._letters = outbox and Letters(outbox, outgoing=self._outgoing, topics=self._topics)
        self._lock = Lock()
        self._told: dict[str, Device] = {}
        self._availability: dict[str, str] = {}
        self._dropped_at_s = float("-inf")
        self._status = ("away", f"not connected to {broker} yet")
        self._is_5 = True
        self._closing = Event()
        self._network = Thread(target=self._run, name="mqtt", daemon=True)
        self._pump = Thread(target=self._tell_events, name="mqtt-events", daemon=True)

    def start(self) -> None:
        """Begin to connect and to serve; returns at once, broker or not."""
        self._inward.start()
        self._pump.start()
        self._network.start()

    def close(self) -> None:
        """Say offline and end; waits up to 3 s."""
        self._outgoing.tell(self._topics.status, OFFLINE, is_retained=True)
        self._closing.set()
        self._waker.wake()
        self._events.close()
        self._network.join(3.0)
        self._inward.close()

    def status(self) -> tuple[str, str]:
        """ok or away, and the detail for people."""
        return self._status

    def announce(self) -> None:
        """Tell everything that is retained again: after a reload, or to a new broker."""
        self._outgoing.tell(self._topics.status, ONLINE, is_retained=True)
        self._outgoing.tell(
            self._topics.info, {**self._info(), "boot": self._boot}, is_retained=True
        )
        with self._lock:
            home = self._home()
            gone = [device for key, device in self._told.items() if key not in home.by_id]
            self._told = dict(home.by_id)
            self._availability.clear()
        for device in gone:
            for topic in (self._topics.state(device.id), self._topics.availability(device.id)):
                self._outgoing.put(Post(topic, b"", is_retained=True))
        topic, document = discovery(self._topics.node, info=self._info(), home=home, gone=gone)
        self._outgoing.tell(topic, document, is_retained=True)
        self._tell_states(home.by_id)

    # to the network ---------------------------------------------------------------------------

    def _run(self) -> None:
        self._beat.idle()
        pause, is_first = Pause(), True
        while not self._closing.is_set():
            began_s = self._clock().mono_s
            self._inward.is_5 = self._is_5
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
            on_received=self._receive,
            on_taken=self._forget,
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
        self._tell_letters()

    def _tell_letters(self) -> None:
        """Send what waits, of earlier runs too."""
        if self._letters:
            self._letters.tell_all()

    def _forget(self, post: Post) -> None:
        if self._letters:
            self._letters.forget(post)

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
            self._tell_letters()
        elif self._letters and self._letters.tell(kind, event):
            return
        elif kind not in _INWARD:
            self._outgoing.tell(self._topics.event(kind), event)

    def _tell_states(self, device_ids: Iterable[str]) -> None:
        """Publish what devices are like now, whatever they were like when somebody noticed."""
        states = self._states()
        for device_id in device_ids:
            state = states.get(device_id)
            document = state_document(state or State(device_id))
            self._outgoing.tell(self._topics.state(device_id), document, is_retained=True)
            word = availability(state)
            with self._lock:
                is_new = self._availability.get(device_id) != word
                self._availability[device_id] = word
            if is_new:
                self._outgoing.tell(self._topics.availability(device_id), word, is_retained=True)

    def _receive(self, received: Received) -> None:
        if received.topic != HOME_ASSISTANT_STATUS:
            self._inward.take(received)
        elif received.payload == ONLINE.encode():
            self.announce()

    def _report_dropped(self) -> None:
        dropped = self._inward.dropped
        if lost := self._outgoing.take_dropped():
            dropped["answers and events waited too long"] += lost
        now_s = self._clock().mono_s
        if not dropped or now_s - self._dropped_at_s < _OVERLOAD_S:
            return
        self._dropped_at_s = now_s
        for reason, count in dropped.items():
            _LOG.warning("%d messages dropped: %s", count, reason)
            self._outgoing.tell(self._topics.event("dropped"), {"dropped": count, "reason": reason})
        dropped.clear()
