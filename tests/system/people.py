"""People who go on commanding a box while it is killed, each on a thread of their own.

with Mortal() as box, Clicker(box, device="lamp", values=levels) as clicker:
    box.kill()
clicker.wishes
"""

from __future__ import annotations

import json
import queue
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from llmagentos.client import Door, DoorError, DoorRefused
from tests.system.mortal import BUTTON, Mortal


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
