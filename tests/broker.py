"""A real mosquitto on a private loopback port, and a plain client to look at it with."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], Any], *, timeout_s: float = 5.0, what: str = "") -> Any:
    """What the condition returns once it is true; another process makes it so."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {timeout_s} s: {what or condition}")


class Broker:
    """A mosquitto that can be started, stopped and killed, on one port and one Unix socket."""

    def __init__(self, folder: Path, *, port: int | None = None, extra: str = "") -> None:
        self.folder, self.port = folder, port or free_port()
        self.path = folder / "mqtt.sock"
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nlistener 0 {self.path}\n"
            f"user {getpass.getuser()}\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\n{extra}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO, "mosquitto is not installed"
        log = (self.folder / "mosquitto.log").open("ab")
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stderr=log)
        wait_until(self._answers, what="mosquitto listens")

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(5)
            self._process = None


@dataclass(frozen=True)
class Note:
    topic: str
    payload: bytes
    is_retained: bool
    properties: Any

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


class Phone:
    """A client that hears everything and can say anything."""

    def __init__(self, port: int, *, protocol: int = MQTTProtocolVersion.MQTTv5) -> None:
        self.notes: list[Note] = []
        self.port = port
        self._ready = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        self.client.max_inflight_messages_set(1000)
        self.client.on_connect = lambda c, *_: c.subscribe([("#", 1)])
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._hear
        self.client.on_socket_open = lambda c, u, link: link.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._ready.wait(5)

    def _hear(self, client: Any, userdata: Any, message: Any) -> None:
        self.notes.append(Note(message.topic, message.payload, message.retain, message.properties))

    def say(
        self, topic: str, payload: Any = b"", *, qos: int = 1, retain: bool = False, **marks: Any
    ) -> None:
        properties = None
        if marks:
            properties = Properties(PacketTypes.PUBLISH)
            for key, value in marks.items():
                setattr(properties, key, value)
        if isinstance(payload, dict):
            payload = json.dumps(payload)
        self.client.publish(topic, payload, qos=qos, retain=retain, properties=properties)

    def wait(self, topic: str, accept: Callable[[Note], bool] = bool, **options: Any) -> Note:
        """The first note at that topic that is acceptable, now or later."""

        def find() -> Note | None:
            return next((n for n in list(self.notes) if n.topic == topic and accept(n)), None)

        return wait_until(find, what=topic, **options)

    def at(self, topic: str) -> list[Note]:
        return [note for note in list(self.notes) if note.topic == topic]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Way:
    """A way to a broker that can be cut, and that may know no MQTT 5, as old brokers do."""

    def __init__(self, port: int, *, turns_5_away: str = "") -> None:
        """`turns_5_away`: politely, with an answer; rudely, without a word; empty for not."""
        self._behind, self._turns_5_away = port, turns_5_away
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.turned_away = 0
        self.version = ""
        self._is_open = threading.Event()
        self._is_open.set()
        self._links: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """End every connection, and take no new one until `mend`."""
        self._is_open.clear()
        links, self._links = self._links, []
        for link in links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_open.set()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                self._is_open.wait()
                self._let_in(link)

    def _let_in(self, link: socket.socket) -> None:
        hello = link.recv(4096)
        if not hello:
            return
        if self._turns_5_away and hello[hello.index(b"MQTT") + 4] == 5:
            self.turned_away += 1
            if self._turns_5_away == "politely":
                link.sendall(b"\x20\x02\x00\x01")
            link.close()
            return
        inner = socket.create_connection(("127.0.0.1", self._behind))
        inner.sendall(hello)
        self._links += [link, inner]
        for one, other in ((link, inner), (inner, link)):
            threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := one.recv(65536):
            other.sendall(chunk)
        other.shutdown(socket.SHUT_RDWR)
