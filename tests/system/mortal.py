"""A box whose agentd is killed again and again, and people who go on commanding it meanwhile.

with Mortal() as box, Clicker(box) as clicker:
    box.kill()
    box.wait_ready()

The broker and the board live on. A parent does what systemd does: when agentd has ended, it runs
`agentd-safe`, then starts agentd anew.
"""

from __future__ import annotations

import json
import queue
import random
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from llmagentos.client import Door, DoorError, DoorRefused
from tests.system.box import COME_UP_S, Box, wait_until

CRASH_LIMIT: Final = "1000000"
"""Crashes in a row that would bring safe mode: here they are what is tested."""

HOME: Final = """
[node]
name = "demo"
area = "study"
[board]
pins = "board"
[llm]
enabled = false
[voice]
enabled = false
[[area]]
id = "study"
name = "study"
[[device]]
id = "desk_lamp"
name = "desk lamp"
area = "study"
kind = "light"
driver = "gpio.pwm"
pin = 18
[[device]]
id = "ceiling_light"
name = "ceiling light"
area = "study"
kind = "light"
driver = "gpio.relay"
pin = 17
[[device]]
id = "porch_light"
name = "porch light"
area = "study"
kind = "light"
driver = "gpio.relay"
pin = 27
[[device]]
id = "hall_light"
name = "hall light"
area = "study"
kind = "light"
driver = "gpio.relay"
pin = 4
[[device]]
id = "pump"
name = "pump"
area = "study"
kind = "switch"
driver = "gpio.relay"
pin = 24
[device.limits]
safe_state = "off"
[[device]]
id = "heater"
name = "heater"
area = "study"
kind = "switch"
driver = "gpio.relay"
pin = 22
[device.limits]
safe_state = "off"
[[device]]
id = "door_button"
name = "door button"
area = "study"
kind = "button"
driver = "gpio.button"
pin = 16
[[rule]]
id = "door_button_porch"
when = { device = "door_button", value = "pressed" }
do = [{ device = "porch_light", action = "toggle" }]
"""
"""Lights are left as they are by a death, so that each edge of theirs is somebody's doing."""

LAMP, CEILING, PORCH, HALL, PUMP, HEATER, BUTTON = 18, 17, 27, 4, 24, 22, 16


class Mortal:
    """Board, broker and a parent that starts agentd again whenever it has ended."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self.box = Box(config=HOME)
        self.ready_s: list[float] = []
        """How long each kill that hit a box that was ready kept it from answering."""
        self._ending = threading.Event()
        self._parent = threading.Thread(target=self._raise, name="parent")
        self._agentd: subprocess.Popen[bytes] | None = None
        self._log = (self.box.folder / "agentd.log").open("ab")

    def __enter__(self) -> Self:
        try:
            self.box.appliance.start()
            for name in ("mqtt.sock", "board.sock"):
                wait_until((self.box.place.run / name).exists, timeout_s=COME_UP_S, what=name)
            self._parent.start()
            self.wait_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        if self._parent.is_alive():
            self.terminate()
            self._parent.join()
        self._log.close()
        self.box.close()

    def kill(self) -> float:
        """Kill agentd as it stands; the monotonic instant of it."""
        process = wait_until(lambda: self._agentd, what="agentd to run")
        assert process is not None
        at = time.monotonic()
        process.kill()
        process.wait()
        return at

    def terminate(self) -> None:
        """Let agentd end in order; the parent starts it again unless the box is left."""
        if self._agentd is not None:
            self._agentd.terminate()
            self._agentd.wait(10)

    def wait_ready(self, *, since: float | None = None) -> float:
        """Wait until agentd answers; seconds since an instant."""
        wait_until(self._answers, timeout_s=20.0, what="agentd to answer")
        took_s = time.monotonic() - (since or time.monotonic())
        if since is not None:
            self.ready_s.append(took_s)
        return took_s

    def log(self) -> str:
        """All that agentd ever said."""
        return (self.box.folder / "agentd.log").read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            with Door(self.box.place.run / "agentd.sock", timeout_s=5.0) as door:
                return door.request("health")["status"] in ("ready", "degraded")
        except DoorError:
            return False

    def _raise(self) -> None:
        """The parent's life."""
        place = self.box.place
        folders = [
            *("--config", str(place.config)), *("--run", str(place.run)),
            *("--data", str(place.data)),
        ]  # fmt: skip
        streams: dict[str, Any] = {"stdout": self._log, "stderr": self._log}
        while not self._ending.is_set():
            command = [str(place.programs / "agentd"), *folders, "--crash-limit", CRASH_LIMIT]
            process: subprocess.Popen[bytes] = subprocess.Popen(command, **streams)
            self._agentd = process
            process.wait()
            self._agentd = None
            safe = [str(place.programs / "agentd-safe"), *folders]
            subprocess.run(safe, **streams, check=False)


@dataclass
class Wish:
    """One command of somebody, and what became of it."""

    name: str
    """Its transaction."""
    device: str
    value: Any
    began_at: float
    """Monotonic second at which it was sent first."""
    ended_at: float = 0.0
    answer: Mapping[str, Any] | None = None
    """The last word on it; None when it was given up without one."""
    times: int = 1
    """How often it was sent."""

    @property
    def is_done(self) -> bool:
        """Whether the box said that it did it."""
        return self.stage == "read_back"

    @property
    def stage(self) -> str:
        """How far the box said it got; empty for another answer, or none."""
        found = (self.answer or {}).get("data", {}).get("applied") or [{}]
        return str(found[0].get("stage", ""))

    @property
    def code(self) -> str:
        """The box's word for a refusal; empty when it is none."""
        return str((self.answer or {}).get("code", ""))


@dataclass
class Person:
    """Somebody on a thread of their own: one wish after the other, until the block ends."""

    box: Mortal
    wishes: list[Wish] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._live, name=type(self).__name__)
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        if self.failure:
            raise self.failure

    def _live(self) -> None:
        try:
            self.live()
        except BaseException as exc:  # noqa: BLE001 - it belongs to the thread of the test
            self.failure = exc

    def live(self) -> None:
        """Until `is_over`."""
        raise NotImplementedError

    def is_over(self, *, pause_s: float = 0.0) -> bool:
        """Whether to end; waits for it a while."""
        return self._ending.wait(pause_s)


class Clicker(Person):
    """Sends commands over MQTT, each under one transaction until there is an answer to it."""

    def __init__(
        self, box: Mortal, *, device: str, values: Iterator[Any], action: str = ""
    ) -> None:
        """Values are sent as they come; with an action, that is asked for instead."""
        super().__init__(box)
        self._device, self._values, self._action = device, values, action
        self._answers: queue.Queue[Mapping[str, Any]] = queue.Queue()

    def live(self) -> None:
        with self.box.box.mqtt("agentd/demo/response/set") as mqtt:
            mqtt.client.on_message = lambda _c, _d, message: self._answers.put(
                json.loads(message.payload)
            )
            number = 0
            while not self.is_over(pause_s=random.uniform(0.0, 0.05)):
                number += 1
                self._ask(mqtt, f"{self._device}-{number}", next(self._values))

    def _ask(self, mqtt: Any, name: str, value: Any) -> None:
        wish = Wish(name, self._device, value, time.monotonic())
        self.wishes.append(wish)
        what = {"action": self._action} if self._action else {"value": value}
        message = {"device": self._device, "transaction": name, **what}
        while wish.answer is None:
            mqtt.publish("agentd/demo/request/set", message)
            wish.answer = self._answer(name)
            if wish.answer is None:
                wish.times += 1
        wish.ended_at = time.monotonic()

    def _answer(self, name: str) -> Mapping[str, Any] | None:
        gives_up_at = time.monotonic() + 1.0
        while (left_s := gives_up_at - time.monotonic()) > 0:
            try:
                answer = self._answers.get(timeout=left_s)
            except queue.Empty:
                return None
            if answer.get("transaction") == name:
                return answer
        return None


class Talker(Person):
    """Commands over the socket and never says anything twice."""

    def live(self) -> None:
        number = 0
        while not self.is_over(pause_s=random.uniform(0.0, 0.05)):
            try:
                with Door(self.box.box.place.run / "agentd.sock", timeout_s=15.0) as door:
                    while not self.is_over(pause_s=random.uniform(0.0, 0.03)):
                        number += 1
                        self._ask(door, number)
            except DoorError:
                continue

    def _ask(self, door: Door, number: int) -> None:
        device, word = random.choice(("pump", "heater")), random.choice(("on", "off"))
        wish = Wish(f"said-{number}", device, word, time.monotonic())
        self.wishes.append(wish)
        try:
            if number % 3:
                wish.answer = {"data": door.request("set", device=device, value=word)}
            else:
                wish.answer = {"data": door.request("ask", text=f"turn {word} the {device}")}
        except DoorRefused as exc:
            wish.answer = {"code": exc.code, "error": str(exc)}
        finally:
            wish.ended_at = time.monotonic()


class Promiser(Person):
    """Wants things later: the hall light switched, or a word, two seconds from now."""

    DELAY_S = 2

    def live(self) -> None:
        number = 0
        while not self.is_over(pause_s=random.uniform(0.1, 0.3)):
            number += 1
            with suppress(DoorError):
                self._ask(number)

    def _ask(self, number: int) -> None:
        is_reminder = bool(number % 2)
        what = f"check box {number}" if is_reminder else random.choice(("on", "off"))
        words = f"remind me to {what}" if is_reminder else f"turn {what} the hall light"
        device = "" if is_reminder else "hall_light"
        wish = Wish(f"later-{number}", device, what, time.monotonic())
        self.wishes.append(wish)
        with Door(self.box.box.place.run / "agentd.sock", timeout_s=15.0) as door:
            answer = door.request("ask", text=f"{words} in {self.DELAY_S} seconds")
        assert answer["reply"].startswith("All right"), answer
        wish.answer, wish.ended_at = {"data": answer}, time.monotonic()


class Listener(Person):
    """Hears every event that the box tells the network."""

    def __init__(self, box: Mortal) -> None:
        super().__init__(box)
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        """(kind, content), as they came."""

    def live(self) -> None:
        with self.box.box.mqtt("agentd/demo/event/#") as mqtt:
            mqtt.client.on_message = lambda _c, _d, message: self.events.append(
                (message.topic.rpartition("/")[2], json.loads(message.payload))
            )
            while not self.is_over(pause_s=0.5):
                pass


class Presser(Person):
    """Presses a button, which is a rule's affair."""

    def live(self) -> None:
        with self.box.box.door("board.sock") as board:
            while not self.is_over(pause_s=random.uniform(0.3, 0.6)):
                self.wishes.append(Wish("press", "door_button", None, time.monotonic()))
                board.request("press", pin=BUTTON, held_s=0.1)
