"""One connection to an MQTT broker. The one module of the daemon that knows paho.

A connection has a paho client of its own and ends with it: paho's memory of messages would send
old states after new ones, and its own reconnecting and threads die of any exception.
"""

from __future__ import annotations

import logging
import selectors
import socket
from collections.abc import Callable
from typing import Any, Final, cast

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agentd.door.broker import Broker, Received, Waker
from agentd.door.outgoing import Outgoing, Post
from agentd.progress import MOVE_S, Beat, Progress
from llmagentos.clock import Clock

_LOG: Final = logging.getLogger(__name__)

MQTT5: Final = MQTTProtocolVersion.MQTTv5
MQTT311: Final = MQTTProtocolVersion.MQTTv311

KEEPALIVE_S: Final = 20
"""After one and a half of these without a sign the broker sends the last will."""

WILL_DELAY_S: Final = 5
"""A restart shorter than this is not told as offline (MQTT 5)."""

SESSION_S: Final = 10
"""Commands wait at the broker for so long while the connection is broken (MQTT 5); what was meant
longer ago should not be done any more."""

_PACKET_BYTES: Final = 16 * 1024 * 1024
"""Longest packet that the broker should send us (MQTT 5)."""

_CONNECT_S: Final = 5.0
"""Longest wait for the connection, then again for the broker's answer to it."""

_INFLIGHT: Final = 20
"""Posts that may wait for the broker's acknowledgement."""

_FAREWELL_S: Final = 1.0
"""Longest wait for the broker to take the last posts on closing."""

_TICK_S: Final = 1.0
"""Pause between two looks at keep-alive and time-outs."""


class Session:
    """One connection, from the first packet to its end, on the thread that calls `run`."""

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        protocol: MQTTProtocolVersion,
        is_first: bool,
        will: Post,
        filters: tuple[str, ...],
        outgoing: Outgoing,
        waker: Waker,
        clock: Clock,
        on_connected: Callable[[tuple[str, ...]], None],
        on_received: Callable[[Received], None],
        on_tick: Callable[[], None],
        is_closing: Callable[[], bool],
        beat: Beat | None = None,
        on_taken: Callable[[Post], None] = lambda _: None,
    ) -> None:
        """Prepare a connection.

        Args:
            broker: where to connect to.
            client_id: our name; a second client of that name ends this connection.
            protocol: MQTT5 or MQTT311.
            is_first: whether to forget what the broker kept for an earlier process.
            will: what the broker publishes when we are gone.
            filters: topics wanted.
            outgoing: what to publish.
            waker: woken when there is something new to publish, or to close.
            clock: reads the time.
            on_connected: called when the broker listens and tells, with the filters it denies us.
            on_received: takes each message; must not block.
            on_tick: called at least once a second while connected; must not block.
            is_closing: whether to say goodbye.
            beat: shows that the connection is served.
            on_taken: told of each post that the broker has taken; must not block.
        """
        self._broker, self._protocol, self._is_first = broker, protocol, is_first
        self._filters, self._outgoing, self._waker = filters, outgoing, waker
        self._clock, self._is_closing = clock, is_closing
        self._beat = beat or Progress().loop("mqtt", deadline_s=MOVE_S)
        self._on_connected, self._on_received = on_connected, on_received
        self._on_taken = on_taken
        self._on_tick = self._guard(on_tick)
        self._outstanding: dict[int, Post] = {}
        self._largest_bytes: int | None = None
        self._reason = ""
        self.has_connected = False
        """Whether the broker has accepted us at any time."""
        self.is_connected = False
        """Whether the broker now takes what we publish and sends what we wait for."""
        self.is_other_protocol_wanted = False
        """Whether the broker does not seem to speak this version."""
        self._client = self._make_client(client_id, will)

    def run(self) -> str:
        """Connect and serve until the connection ends; the reason why it did, for people."""
        try:
            self._connect()  # at rest: the look-up of a name may take the system a minute
            self._beat.busy()
            self._serve()
            if self.is_connected and self._is_closing():
                self._say_goodbye()
        except OSError as exc:
            self._reason = self._reason or exc.strerror or str(exc) or type(exc).__name__
        except Exception as exc:  # noqa: BLE001 - paho parses what a stranger sends, in many ways
            _LOG.exception("the connection to the broker failed")
            self._reason = self._reason or f"{type(exc).__name__}: {exc}"
        finally:
            self.is_connected = False
            self._client.disconnect()
            self._beat.idle()
            self._outgoing.put_back(self._outstanding.values())
        return self._reason or "the connection was lost"

    def _make_client(self, client_id: str, will: Post) -> paho.Client:
        is_5 = self._protocol is MQTT5
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=self._protocol,
            transport="unix" if self._broker.is_local else "tcp",
            clean_session=None if is_5 else True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_S
        client.max_inflight_messages_set(_INFLIGHT)
        client.max_queued_messages_set(_INFLIGHT)
        client.username_pw_set(self._broker.user, self._broker.password)
        properties = (
            _properties(PacketTypes.WILLMESSAGE, WillDelayInterval=WILL_DELAY_S) if is_5 else None
        )
        client.will_set(will.topic, will.payload, qos=1, retain=True, properties=properties)
        client.on_connect = self._guard(self._connected)
        client.on_disconnect = self._guard(self._disconnected)
        client.on_message = self._guard(self._received)
        client.on_publish = self._guard(self._published)
        client.on_subscribe = self._guard(self._subscribed)
        return client

    @staticmethod
    def _guard(callback: Callable[..., None]) -> Callable[..., None]:
        """The callback, unable to end the connection by an exception."""

        def guarded(*args: Any) -> None:
            try:
                callback(*args)
            except Exception:  # noqa: BLE001 - a defect in one message must not cost the others
                _LOG.exception("an MQTT message could not be dealt with")

        return guarded

    def _connect(self) -> None:
        properties, start = None, paho.MQTT_CLEAN_START_FIRST_ONLY
        if self._protocol is MQTT5:
            properties = _properties(
                PacketTypes.CONNECT,
                SessionExpiryInterval=SESSION_S,
                MaximumPacketSize=_PACKET_BYTES,
            )
            start = self._is_first
        try:
            self._client.connect(
                self._broker.host,
                1883 if self._broker.is_local else self._broker.port,  # paho wants one anyway
                keepalive=KEEPALIVE_S,
                clean_start=start,
                properties=properties,
            )
        except ValueError as exc:  # a host name that cannot be one
            raise OSError(f"cannot connect: {exc}") from exc
        link = self._link()
        if link is not None and not self._broker.is_local:
            # Otherwise a publication that follows an acknowledgement waits 40 ms for it.
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _link(self) -> socket.socket | None:
        """The socket, None when the connection has ended."""
        return cast("socket.socket | None", self._client.socket())

    def _serve(self) -> None:
        gives_up_at_s = self._clock().mono_s + _CONNECT_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._waker.end, selectors.EVENT_READ)
            wanted = 0
            while (link := self._link()) is not None and not self._is_closing():
                wanted = self._want(selector, link, wanted)
                self._turn(selector)
                if not self.is_connected and self._clock().mono_s > gives_up_at_s:
                    self._reason = self._reason or "the broker does not answer"
                    self.is_other_protocol_wanted = not self.has_connected
                    return

    def _want(self, selector: selectors.BaseSelector, link: socket.socket, before: int) -> int:
        wanted = selectors.EVENT_READ
        if self._client.want_write():
            wanted |= selectors.EVENT_WRITE
        if not before:
            selector.register(link, wanted)
        elif wanted != before:
            selector.modify(link, wanted)
        return wanted

    def _turn(self, selector: selectors.BaseSelector) -> None:
        for key, events in selector.select(_TICK_S):
            self._beat.beat()
            if key.fileobj is self._waker.end:
                self._waker.drain()
                continue
            if events & selectors.EVENT_READ:
                self._check(self._client.loop_read())
            if events & selectors.EVENT_WRITE:
                self._check(self._client.loop_write())
        self._beat.beat()
        self._check(self._client.loop_misc())
        if self.is_connected:
            self._on_tick()
        self._publish()

    def _publish(self) -> None:
        while self.is_connected and len(self._outstanding) < _INFLIGHT:
            post = self._outgoing.take()
            if post is None:
                return
            if self._largest_bytes and len(post.payload) + 512 > self._largest_bytes:
                _LOG.warning("%s: too long for the broker, not published", post.topic)
                continue
            properties = None
            if self._protocol is MQTT5 and post.correlation is not None:
                properties = _properties(PacketTypes.PUBLISH, CorrelationData=post.correlation)
            sent = self._client.publish(
                post.topic, post.payload, qos=1, retain=post.is_retained, properties=properties
            )
            self._outstanding[sent.mid] = post
            self._check(sent.rc)

    def _say_goodbye(self) -> None:
        ends_at_s = self._clock().mono_s + _FAREWELL_S
        self._publish()
        while self._outstanding and (link := self._link()) is not None:
            if self._clock().mono_s > ends_at_s:
                return
            with selectors.DefaultSelector() as selector:
                self._want(selector, link, 0)
                self._turn(selector)

    def _check(self, code: MQTTErrorCode) -> None:
        if code not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_AGAIN):
            self._reason = self._reason or paho.error_string(code)

    # paho's callbacks, on the thread of `run`

    def _connected(
        self,
        client: paho.Client,
        userdata: Any,  # noqa: ARG002
        flags: paho.ConnectFlags,  # noqa: ARG002
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._reason = f"the broker refuses us: {reason}"
            self.is_other_protocol_wanted = str(reason) == "Unsupported protocol version"
            return
        self.has_connected = True
        self._largest_bytes = getattr(properties, "MaximumPacketSize", None)
        if self._protocol is MQTT5:
            # A command that is published as retained is told apart even when it comes live.
            options = SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
            client.subscribe([(each, options) for each in self._filters])
        else:
            client.subscribe([(each, 1) for each in self._filters])

    def _disconnected(
        self,
        client: paho.Client,  # noqa: ARG002
        userdata: Any,  # noqa: ARG002
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        self.is_connected = False
        if not self.has_connected and not self._reason:
            # Some brokers hang up on a version they do not know, without a word.
            self.is_other_protocol_wanted = True
        if flags.is_disconnect_packet_from_server:
            self._reason = f"the broker hung up: {reason}"

    def _received(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:  # noqa: ARG002
        properties = message.properties
        expiry = getattr(properties, "MessageExpiryInterval", None)
        self._on_received(
            Received(
                topic=message.topic,
                payload=bytes(message.payload),
                is_retained=message.retain,
                response_topic=getattr(properties, "ResponseTopic", None),
                correlation=getattr(properties, "CorrelationData", None),
                expires_in_s=None if expiry is None else float(expiry),
            )
        )

    def _published(self, client: paho.Client, userdata: Any, mid: int, *rest: Any) -> None:  # noqa: ARG002
        post = self._outstanding.pop(mid, None)
        if post and not rest[0].is_failure:
            self._on_taken(post)

    def _subscribed(
        self,
        client: paho.Client,  # noqa: ARG002
        userdata: Any,  # noqa: ARG002
        mid: int,  # noqa: ARG002
        reasons: list[ReasonCode],
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        # Only now: who reads "online" and sends a command at once must not send it to nobody.
        self.is_connected = True
        answers = zip(self._filters, reasons, strict=False)
        self._on_connected(tuple(wanted for wanted, reason in answers if reason.is_failure))


def _properties(packet: int, **values: Any) -> Properties:
    properties: Properties = Properties(packet)  # type: ignore[no-untyped-call] # paho's own
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
