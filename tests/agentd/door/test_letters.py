"""Events that must arrive, from a real journal to a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentd.door.broker import Broker as Where
from agentd.door.command import Seen
from agentd.door.feed import Feed
from agentd.door.mqtt import MqttDoor
from agentd.journal import Journal
from llmagentos.home import Home
from tests.agentd.door.fakes import FakeVerbs, clock
from tests.broker import Broker, Phone, wait_until

TOPIC = "agentd/box/event/timer"


class Box:
    """A box reduced to its journal and its MQTT door."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.journal = Journal(folder / "journal.db", clock=clock)
        self.feed, self.verbs = Feed(), FakeVerbs()
        seen = Seen(note=self.journal.record_seen)
        seen.recall(self.journal.seen(), now_s=clock().mono_s)
        self.door = MqttDoor(
            Where("127.0.0.1", broker.port), node="box", boot="0000abcd", serve=self.verbs,
            feed=self.feed, home=Home, states=dict, info=dict, clock=clock, seen=seen,
            outbox=self.journal.outbox,
        )  # fmt: skip

        self._is_started = self._is_closed = False

    def connect(self) -> None:
        self._is_started = True
        self.door.start()
        wait_until(lambda: self.door.status()[0] == "ok", timeout_s=20, what="connected")

    def ring(self, name: str) -> None:
        self.feed.publish(self.journal.outbox.put({"kind": "timer", "name": name}))

    def waiting(self) -> int:
        self.journal.flush()
        return len(self.journal.outbox.all())

    def close(self) -> None:
        if self._is_started and not self._is_closed:
            self.door.close()
        self._is_closed = True
        self.journal.close()


MakeBox = Callable[[], Box]


@pytest.fixture
def make_box(tmp_path: Path, broker: Broker) -> Iterator[MakeBox]:
    boxes: list[Box] = []

    def make() -> Box:
        boxes.append(Box(tmp_path, broker))
        return boxes[-1]

    yield make
    for box in boxes:
        box.close()


@pytest.fixture
def phone(broker: Broker) -> Iterator[Phone]:
    phone = Phone(broker.port)
    yield phone
    phone.close()


def test_a_letter_arrives_once_and_is_forgotten(make_box: MakeBox, phone: Phone) -> None:
    box = make_box()
    box.connect()
    box.ring("pasta")
    note = phone.wait(TOPIC)
    assert (note.json["name"], note.is_retained) == ("pasta", False)
    wait_until(lambda: box.waiting() == 0, what="forgotten")
    assert len(phone.at(TOPIC)) == 1


def test_a_letter_of_an_earlier_run_arrives_with_its_time(make_box: MakeBox, phone: Phone) -> None:
    before = make_box()
    before.ring("pasta")  # no broker was ever connected
    before.close()
    box = make_box()
    box.connect()
    note = phone.wait(TOPIC)
    assert note.json["name"] == "pasta"
    assert abs(clock().wall_s - note.json["at_s"]) < 60
    wait_until(lambda: box.waiting() == 0, what="forgotten")


def test_letters_wait_for_a_broker_that_is_away_and_come_in_order(
    make_box: MakeBox, broker: Broker
) -> None:
    box = make_box()
    box.connect()
    broker.stop()
    wait_until(lambda: box.door.status()[0] == "away", what="away")
    for number in range(300):  # more than other events may wait
        box.ring(f"n{number}")
    assert box.waiting() == 300
    broker.start()
    late = Phone(broker.port)
    late.wait(TOPIC, lambda note: note.json["name"] == "n299", timeout_s=40)
    wait_until(lambda: box.waiting() == 0, what="all were taken")
    heard = [note.json["name"] for note in late.at(TOPIC)]
    assert heard == [f"n{n}" for n in range(300 - len(heard), 300)], "the phone came late"
    late.close()


def test_a_command_of_the_last_run_is_a_duplicate(make_box: MakeBox, phone: Phone) -> None:
    def ask(box: Box) -> dict[str, object]:
        before = len(phone.at("agentd/box/response/echo"))
        phone.say("agentd/box/request/echo", {"value": 1, "transaction": "t1"})
        wait_until(lambda: len(phone.at("agentd/box/response/echo")) > before, what="answer")
        return phone.at("agentd/box/response/echo")[-1].json

    first = make_box()
    first.connect()
    assert ask(first)["status"] == "ok"
    first.close()
    second = make_box()
    second.connect()
    assert ask(second)["code"] == "duplicate"
    assert second.verbs.asked == []
