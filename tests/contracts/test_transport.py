"""The same tests over every transport of the door: what a verb says arrives, whatever carries it."""

from __future__ import annotations

import itertools
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from agentd.door.broker import Broker as Where
from agentd.door.feed import Feed
from agentd.door.mqtt import MqttDoor
from agentd.door.sock import SocketDoor
from llmagentos.client import Door, DoorRefused
from llmagentos.home import Home
from tests.agentd.door.fakes import FakeVerbs, clock
from tests.broker import Broker, Phone, Way, wait_until


class Refusal(Exception):
    """An answer that says no."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Caller(ABC):
    """One client of a transport."""

    @abstractmethod
    def call(self, verb: str, **data: Any) -> Any:
        """The data of the answer.

        Raises:
            Refusal: the answer says no.
        """

    @abstractmethod
    def close(self) -> None: ...


class SocketCaller(Caller):
    def __init__(self, path: Path) -> None:
        self._door = Door(path, timeout_s=10)

    def call(self, verb: str, **data: Any) -> Any:
        try:
            return self._door.request(verb, **data)
        except DoorRefused as exc:
            raise Refusal(exc.code, str(exc)) from exc

    def close(self) -> None:
        self._door.close()


class MqttCaller(Caller):
    _names = itertools.count()

    def __init__(self, port: int, protocol: MQTTProtocolVersion) -> None:
        self._phone = Phone(port, protocol=protocol)

    def call(self, verb: str, **data: Any) -> Any:
        name = f"call-{next(self._names)}"
        self._phone.say(f"agentd/box/request/{verb}", {**data, "transaction": name})
        mark = json.dumps(name).encode()
        answer = self._phone.wait(
            f"agentd/box/response/{verb}", lambda note: mark in note.payload, timeout_s=10
        ).json
        if answer["status"] == "ok":
            return answer["data"]
        raise Refusal(answer["code"], answer["error"])

    def close(self) -> None:
        self._phone.close()


class Transport:
    """A door that serves the fake verbs, and a way to call it."""

    def __init__(self, verbs: FakeVerbs, dial: Callable[[], Caller]) -> None:
        self.verbs = verbs
        self._dial = dial
        self._callers: list[Caller] = []

    def dial(self) -> Caller:
        caller = self._dial()
        self._callers.append(caller)
        return caller

    def close(self) -> None:
        self.verbs.release.set()
        for caller in self._callers:
            caller.close()


@pytest.fixture
def socket_transport(tmp_path: Path) -> Iterator[Transport]:
    verbs = FakeVerbs()
    door = SocketDoor(tmp_path / "s", verbs, Feed(), clock=clock)
    door.start()
    transport = Transport(verbs, lambda: SocketCaller(tmp_path / "s"))
    yield transport
    transport.close()
    door.close()


def _mqtt(folder: Path, protocol: MQTTProtocolVersion) -> Iterator[Transport]:
    verbs, broker = FakeVerbs(), Broker(folder)
    broker.start()
    old = protocol is MQTTProtocolVersion.MQTTv311
    way = Way(broker.port, turns_5_away="politely" if old else "")
    door = MqttDoor(
        Where("127.0.0.1", way.port),
        node="box",
        boot="0000abcd",
        serve=verbs,
        feed=Feed(),
        home=Home,
        states=dict,
        info=dict,
        clock=clock,
    )
    door.start()
    wait_until(lambda: door.status()[0] == "ok")
    transport = Transport(verbs, lambda: MqttCaller(broker.port, protocol))
    yield transport
    transport.close()
    door.close()
    way.close()
    broker.kill()


@pytest.fixture
def mqtt5_transport(tmp_path: Path) -> Iterator[Transport]:
    yield from _mqtt(tmp_path, MQTTProtocolVersion.MQTTv5)


@pytest.fixture
def mqtt311_transport(tmp_path: Path) -> Iterator[Transport]:
    yield from _mqtt(tmp_path, MQTTProtocolVersion.MQTTv311)


@pytest.fixture(params=["socket", "mqtt5", "mqtt311"])
def transport(request: pytest.FixtureRequest) -> Transport:
    return request.getfixturevalue(f"{request.param}_transport")


def test_answer_carries_what_the_verb_said(transport: Transport) -> None:
    value = {"text": 'ä"\n[{\u2028\U0001f600', "n": [1, 2.5, None, True], "deep": {"a": {"b": 0}}}
    assert transport.dial().call("echo", value=value)["value"] == value


def test_unknown_verb_is_refused(transport: Transport) -> None:
    with pytest.raises(Refusal, match="verbs are") as caught:
        transport.dial().call("explode")
    assert caught.value.code == "unknown_verb"


def test_bad_argument_is_refused(transport: Transport) -> None:
    with pytest.raises(Refusal, match="echo takes value") as caught:
        transport.dial().call("echo", values=1)
    assert caught.value.code == "bad_request"


def test_refusal_keeps_its_code_and_its_words(transport: Transport) -> None:
    with pytest.raises(Refusal, match=r"^the heater is on$") as caught:
        transport.dial().call("deny")
    assert caught.value.code == "denied"


def test_defect_in_a_verb_is_an_answer_and_not_the_end(transport: Transport) -> None:
    caller = transport.dial()
    with pytest.raises(Refusal, match="its log says why") as caught:
        caller.call("crash")
    assert caught.value.code == "internal"
    assert "ZeroDivision" not in str(caught.value)
    assert caller.call("echo", value=1)["value"] == 1


@pytest.mark.parametrize("count", [1, 1_000, 20_000], ids=["30 B", "40 kB", "800 kB"])
def test_large_answer_arrives_whole(transport: Transport, count: int) -> None:
    words = transport.dial().call("large", count=count)["words"]
    assert len(words) == count
    assert set(words) == {'ä"[' * 10}


def test_speaker_and_area_are_the_origins(transport: Transport) -> None:
    transport.dial().call("echo", who="tablet", area="study")
    (request,) = transport.verbs.asked
    assert request.data == {}
    assert request.origin.area == "study"
    assert request.origin.who.split("/")[-1] == "tablet"


@pytest.mark.parametrize("name", [3, ["a"], "a\nb", "a" * 65])
def test_speaker_that_is_no_name_is_refused(transport: Transport, name: object) -> None:
    with pytest.raises(Refusal, match="who is a name") as caught:
        transport.dial().call("echo", who=name)
    assert caught.value.code == "bad_request"
    assert not transport.verbs.asked


def test_many_callers_get_each_their_own_answer(transport: Transport) -> None:
    callers = [transport.dial() for _ in range(8)]

    def call_often(number: int) -> list[int]:
        caller = callers[number]
        return [caller.call("echo", value=[number, n])["value"] for n in range(20)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(call_often, range(8)))
    assert found == [[[number, n] for n in range(20)] for number in range(8)]


def test_slow_request_does_not_hold_up_another_caller(transport: Transport) -> None:
    slow, quick = transport.dial(), transport.dial()
    thread = threading.Thread(target=slow.call, args=("block",))
    thread.start()
    assert transport.verbs.blocked.acquire(timeout=5)
    assert quick.call("echo", value=1)["value"] == 1
    assert quick.call("stop") == {"stopped": True}
    transport.verbs.release.set()
    thread.join(10)
    assert not thread.is_alive()


def test_what_cannot_be_json_is_an_answer_and_not_the_end(transport: Transport) -> None:
    transport.verbs.do_odd = lambda request: {"value": object()}
    caller = transport.dial()
    with pytest.raises(Refusal) as caught:
        caller.call("odd")
    assert caught.value.code == "internal"
    assert caller.call("echo", value=1)["value"] == 1
