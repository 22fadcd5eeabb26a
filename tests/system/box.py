"""A whole box for a test: the real processes, started by the code of `agentctl dev`.

with Box(Choice(has_voice=False)) as box:
    box.ask("turn on the desk lamp")
    box.wait_level(18, 1)
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

import paho.mqtt.client as paho

from agentd.ctl.app import read_clock
from agentd.ctl.appliance import Appliance, Choice, Place, example
from agentd.voice.hear import hear
from agentd.voice.heard import Heard
from llmagentos.client import Door

READY_S: Final = 60.0
COME_UP_S: Final = 15.0
POLL_S: Final = 0.01

Found = TypeVar("Found")


class Box:
    """One instance in a folder of its own, with its own broker port. Close it, or leave it open
    in a `with`."""

    def __init__(
        self,
        choice: Choice = Choice(has_voice=False, has_llm=False),  # noqa: B008 - frozen
        *,
        config: str | None = None,
    ) -> None:
        """Nothing runs yet.

        Args:
            choice: which programs to run; agentd, board and broker alone by default.
            config: text of agentd.toml, `@RUN@` for the run folder; the demo room by default.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="box-", dir="/tmp"))  # a socket's path is short
        self.place = Place(self.folder / "run", self.folder / "data")
        self.appliance = Appliance(self.place, choice, clock=read_clock)
        self.node = "demo"
        self.place.data.mkdir()
        self.write_config(config if config is not None else example("room"))

    # life -------------------------------------------------------------------------------------

    def start(self, *, timeout_s: float = READY_S) -> Box:
        """Start everything and wait until `health` has nothing left to wait for."""
        try:
            self.appliance.start()
            self.appliance.start_agentd(timeout_s=COME_UP_S)
            missing = self.appliance.wait_ready(timeout_s=timeout_s, tell=lambda _: None)
            assert not missing, f"not ready: {[str(lack) for lack in missing]}\n{self.logs()}"
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Stop everything and remove the folder."""
        self.appliance.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Box:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def pid(self, name: str) -> int:
        """Process id of a program, waited for while it is being started."""

        def running() -> int:
            process = self.appliance.supervision.processes().get(name)
            return process.pid if process and process.state in ("RUNNING", "STARTING") else 0

        return wait_until(running, what=f"{name} to run")

    def kill(self, name: str, number: int = signal.SIGKILL) -> float:
        """Kill a program.

        Returns:
            The monotonic instant of the kill, comparable with the board's `t_mono`.
        """
        pid = self.pid(name)
        at = time.monotonic()
        os.kill(pid, number)
        return at

    def wait_restarted(self, name: str, old_pid: int, *, timeout_s: float = 10.0) -> int:
        """Wait until a program that died runs again; its new process id."""

        def again() -> int:
            pid = self.pid(name)
            return pid if pid != old_pid else 0

        return wait_until(again, timeout_s=timeout_s, what=f"{name} to be started again")

    def stop_program(self, name: str) -> None:
        """End a program for good, as if it had never been there."""
        self.appliance.supervision.stop(name)

    def start_program(self, name: str) -> None:
        """Start it again."""
        self.appliance.supervision.start(name)

    def logs(self) -> str:
        """The last lines of every program, for a failed test."""
        names = sorted(path.stem for path in self.place.logs.glob("*.log"))
        tails = {name: self.appliance.supervision.tail(name, lines=20) for name in names}
        return "\n".join(f"{name} | {line}" for name, tail in tails.items() for line in tail)

    # the door ---------------------------------------------------------------------------------

    @contextmanager
    def door(self, name: str = "agentd.sock", *, timeout_s: float = 15.0) -> Iterator[Door]:
        """A connection to one of the sockets."""
        with Door(self.place.run / name, timeout_s=timeout_s) as door:
            yield door

    def request(self, verb: str, **data: Any) -> Any:
        """One request on a connection of its own."""
        with self.door() as door:
            return door.request(verb, **data)

    def ask(self, text: str, **data: Any) -> dict[str, Any]:
        """Say a sentence."""
        answer: dict[str, Any] = self.request("ask", text=text, **data)
        return answer

    def set(self, device: str, value: Any = None, **data: Any) -> dict[str, Any]:
        """Command a device: `set("pump", "on")` or `set("desk_lamp", action="turn_on")`."""
        wish = data if value is None else {"value": value, **data}
        answer: dict[str, Any] = self.request("set", device=device, **wish)
        return answer

    def hear(self, recording: Path, **options: Any) -> Heard:
        """Let the box hear a WAV or FLAC file as if it had been said; needs `has_voice`."""
        return hear(recording, self.place.run / "voice.sock", **options)

    def state(self, device: str) -> dict[str, Any]:
        """Values, quality, reason and cause of one device."""
        found: dict[str, Any] = self.request("state", device=device)["states"][device]
        return found

    def health(self) -> dict[str, Any]:
        """The daemon's report."""
        found: dict[str, Any] = self.request("health")
        return found

    def write_config(self, text: str) -> None:
        """Write agentd.toml; `request("reload")` makes a running box read it."""
        settled = text.replace("@RUN@", str(self.place.run))
        self.place.config.write_text(settled, encoding="utf-8")

    # the board --------------------------------------------------------------------------------

    def board(self, verb: str, **data: Any) -> Any:
        """Ask the simulated board: press, drive, room, fault, levels, read, kill_switch ..."""
        with self.door("board.sock") as door:
            return door.request(verb, **data)

    def level(self, pin: int) -> float:
        """Level of a line now, 0 to 1."""
        return float(self.board("read", pin=pin)["level"])

    def wait_level(self, pin: int, level: float, *, timeout_s: float = 3.0) -> None:
        """Wait until a line has this level."""
        wait_until(
            lambda: abs(self.level(pin) - level) < 0.02,
            timeout_s=timeout_s,
            what=f"pin {pin} to be {level}",
        )

    def edges(self, *, since: float = 0.0, pin: int | None = None) -> list[dict[str, Any]]:
        """The board's log: {t_mono, t_wall, pin, level, owner, why}, from a monotonic instant on."""
        path = self.place.run / "edges.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        rows = [json.loads(line) for line in lines if line.endswith("}")]
        return [r for r in rows if r["t_mono"] >= since and pin in (None, r["pin"])]

    # MQTT -------------------------------------------------------------------------------------

    @contextmanager
    def mqtt(self, *topics: str, version: int = paho.MQTTv5) -> Iterator[Listener]:
        """A client of the box's broker over TCP, subscribed to these topics ('#' when none)."""
        assert self.appliance.port is not None, "this box has no broker of its own"
        listener = Listener(self.appliance.port, topics or ("#",), version=version)
        try:
            yield listener
        finally:
            listener.close()


class Listener:
    """An MQTT client that keeps what it receives."""

    def __init__(self, port: int, topics: tuple[str, ...], *, version: int) -> None:
        self._inbox: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.seen: list[paho.MQTTMessage] = []
        """Every message that was looked at so far, oldest first."""
        self._topics = topics
        self._subscribed: queue.Queue[bool] = queue.Queue()
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTProtocolVersion(version)
        )
        self.client.on_message = lambda _client, _data, message: self._inbox.put(message)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._subscribed.put(True)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self._subscribed.get(timeout=5)

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe([(topic, 1) for topic in self._topics])

    def publish(self, topic: str, payload: Any, **options: Any) -> None:
        """Send a text, bytes, or anything else as JSON, with QoS 1 unless said otherwise."""
        body = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        sent = self.client.publish(topic, body, **{"qos": 1, **options})
        sent.wait_for_publish(5)

    def wait(
        self,
        topic: str,
        fits: Callable[[Any], bool] = lambda _: True,
        *,
        timeout_s: float = 5.0,
    ) -> Any:
        """The next payload on a topic that fits, decoded from JSON where it is JSON."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self._inbox.get(timeout=left)
            except queue.Empty:
                break
            self.seen.append(message)
            if paho.topic_matches_sub(topic, message.topic) and fits(decoded(message.payload)):
                return decoded(message.payload)
        told = "\n".join(
            f"{message.topic} {message.payload[:200]!r}" for message in self.seen[-30:]
        )
        raise AssertionError(f"nothing on {topic} that fits; there was\n{told}")

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def decoded(payload: bytes) -> Any:
    """JSON where it is JSON, else the text."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")


def wait_until(
    happened: Callable[[], Found], *, timeout_s: float = 10.0, what: str = "it to happen"
) -> Found:
    """Look until it is so; real processes take the time they take."""
    deadline = time.monotonic() + timeout_s
    while not (found := happened()):
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {what}"
        time.sleep(POLL_S)
    return found
