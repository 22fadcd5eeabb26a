"""The MQTT door against a real broker: the contract, the refusals, the storms, the outages."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from agentd.door.broker import Broker as Where
from agentd.door.feed import Feed
from agentd.door.mqtt import MqttDoor
from agentd.door.session import WILL_DELAY_S
from llmagentos.cause import Cause
from llmagentos.home import Device, Home
from llmagentos.reading import Quality, State
from tests.agentd.door.fakes import FakeVerbs, clock
from tests.broker import Broker, Phone, Way, wait_until

BOOT = "0000abcd"
LAMP = Device("lamp", "desk lamp", "light")
SOIL = Device("soil", "soil", "sensor", unit="%")


class Box:
    """A box reduced to its MQTT door."""

    def __init__(self, port: int, *, host: str = "127.0.0.1", node: str = "box") -> None:
        self.verbs, self.feed = FakeVerbs(), Feed()
        self.home = Home(devices=(LAMP, SOIL))
        self.states = {
            "lamp": State("lamp", {"state": "on", "brightness": 40}, cause=Cause(node, BOOT, 7)),
            "soil": State("soil", quality=Quality.UNAVAILABLE, reason="its adapter is away"),
        }
        self.door = MqttDoor(
            Where(host, port),
            node=node,
            boot=BOOT,
            serve=self.verbs,
            feed=self.feed,
            home=lambda: self.home,
            states=lambda: self.states,
            info=lambda: {"name": "kitchen", "version": "1.2.3"},
            clock=clock,
        )

    def start(self) -> None:
        self.door.start()
        wait_until(lambda: self.door.status()[0] == "ok", what="connected")

    def change(self, device: str, **values: Any) -> None:
        self.states[device] = State(device, values, cause=Cause("box", BOOT, 8))
        self.feed.publish({"kind": "state", "device": device})


@pytest.fixture(params=["5", "3.1.1"])
def way(request: pytest.FixtureRequest, broker: Broker) -> Iterator[Way]:
    way = Way(broker.port, turns_5_away="politely" if request.param == "3.1.1" else "")
    way.version = request.param
    yield way
    way.close()


@pytest.fixture
def box(way: Way, broker: Broker) -> Iterator[Box]:
    box = Box(way.port)
    box.start()
    assert f"MQTT {way.version} at" in box.door.status()[1]
    early = Phone(broker.port)
    early.wait("agentd/box/soil/availability")  # the last of what it tells at the start
    early.close()
    yield box
    box.verbs.release.set()
    box.door.close()


@pytest.fixture
def phone(broker: Broker) -> Iterator[Phone]:
    phone = Phone(broker.port)
    yield phone
    phone.close()


def ask(phone: Phone, verb: str, data: dict[str, Any]) -> dict[str, Any]:
    """Send a request and wait for the answer with its transaction."""
    phone.say(f"agentd/box/request/{verb}", data)
    name = data.get("transaction")
    return phone.wait(
        f"agentd/box/response/{verb}", lambda note: note.json.get("transaction") == name
    ).json


# the retained picture of the box -----------------------------------------------------------------


def test_box_is_described_in_retained_topics(box: Box, phone: Phone) -> None:
    expected = {
        "agentd/box/info": {"name": "kitchen", "version": "1.2.3", "boot": BOOT},
        "agentd/box/lamp/state": {
            "state": "on", "brightness": 40, "quality": "good", "cause": f"box/{BOOT}/7",
        },
        "agentd/box/soil/state": {
            "quality": "unavailable", "cause": None, "reason": "its adapter is away",
        },
    }  # fmt: skip
    for topic, document in expected.items():
        note = phone.wait(topic)
        assert note.json == document
        assert note.is_retained
    words = {
        "agentd/box/status": b"online",
        "agentd/box/lamp/availability": b"online",
        "agentd/box/soil/availability": b"offline",
    }
    for topic, word in words.items():
        assert phone.wait(topic).payload == word
        assert phone.wait(topic).is_retained


def test_changed_state_is_told_with_its_cause(box: Box, phone: Phone) -> None:
    phone.wait("agentd/box/lamp/state")
    box.change("lamp", state="off")
    note = phone.wait("agentd/box/lamp/state", lambda note: note.json["state"] == "off")
    assert note.json["cause"] == f"box/{BOOT}/8"
    assert len(phone.at("agentd/box/lamp/availability")) == 1


def test_availability_follows_the_state(box: Box, phone: Phone) -> None:
    phone.wait("agentd/box/soil/availability")
    box.change("soil", state=31)
    phone.wait("agentd/box/soil/availability", lambda note: note.payload == b"online")


def test_home_assistants_birth_brings_discovery_again(box: Box, phone: Phone) -> None:
    topic = "homeassistant/device/agentd_box/config"
    assert phone.wait(topic).is_retained
    phone.say("homeassistant/status", "online")
    again = phone.wait(topic, lambda note: not note.is_retained)
    assert sorted(again.json["cmps"]) == ["lamp", "soil"]


def test_removed_device_leaves_nothing_behind(box: Box, phone: Phone) -> None:
    phone.wait("agentd/box/soil/state")
    box.home = Home(devices=(LAMP,))
    box.door.announce()
    phone.wait("agentd/box/soil/state", lambda note: note.payload == b"")
    phone.wait("agentd/box/soil/availability", lambda note: note.payload == b"")
    phone.wait(
        "homeassistant/device/agentd_box/config",
        lambda note: note.json["cmps"]["soil"] == {"p": "sensor"},
    )


def test_events_are_told_and_not_retained(box: Box, phone: Phone, broker: Broker) -> None:
    box.feed.publish({"kind": "reply", "text": "Desk lamp is on."})
    box.feed.publish({"kind": "say", "text": "for this box's mouth alone"})
    assert phone.wait("agentd/box/event/reply").json == {"text": "Desk lamp is on."}
    late = Phone(broker.port)
    late.wait("agentd/box/status")
    assert not late.at("agentd/box/event/reply")
    assert not phone.at("agentd/box/event/say")
    late.close()


def test_states_of_a_busy_device_are_told_latest_last(box: Box, phone: Phone) -> None:
    for level in range(500):
        box.change("lamp", state="on", brightness=level)
    phone.wait("agentd/box/lamp/state", lambda note: note.json.get("brightness") == 499)
    levels = [note.json["brightness"] for note in phone.at("agentd/box/lamp/state")]
    assert levels == sorted(levels)


# commands ---------------------------------------------------------------------------------------

SETTINGS = [
    (b"on",                                    "on"),
    (b"40",                                    40),
    (b'"off"',                                 "off"),
    (b"true",                                  True),
    (b'{"state":"on","brightness":40}',        {"state": "on", "brightness": 40}),
    (b'{"state":"on","id":"x1","boot":"0000abcd","who":"phone"}', {"state": "on"}),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "value"), SETTINGS)
def test_set_reaches_the_verb(box: Box, phone: Phone, payload: bytes, value: object) -> None:
    phone.say("agentd/box/lamp/set", payload)
    wait_until(lambda: box.verbs.asked, what="the verb")
    request = box.verbs.asked[0]
    assert (request.verb, request.data) == ("set", {"device": "lamp", "value": value})
    assert request.origin.channel == "mqtt"


REFUSED = [
    # payload                                  code           id in words
    (b"{",                                     "bad_request", "truncated"),
    (b'{"state":NaN}',                         "bad_request", "NaN"),
    (b"NaN",                                   "bad_request", "bare NaN"),
    (b'{"state":"on","state":"off"}',          "bad_request", "key twice"),
    (b"[" * 30,                                "bad_request", "deep"),
    (b"\xff\xfe\x00",                          "bad_request", "binary"),
    (b'{"state":"on","id":[1]}',               "bad_request", "id is a list"),
    (b'{"state":"on","expires_at":"soon"}',    "bad_request", "end is a word"),
    (b'{"state":"on","expires_at":1700000000}', "expired",    "expired long ago"),
    (b'{"state":"on","boot":"ffffffff"}',      "older_boot",  "older boot"),
    (b" " * 20_000 + b"1",                     "too_large",   "20 kB"),
    (b"1" * 10_000_000,                        "too_large",   "10 MB"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "code", "name"), REFUSED, ids=[row[2].replace(" ", "-") for row in REFUSED]
)
def test_bad_set_is_refused_with_a_reason(
    box: Box, phone: Phone, payload: bytes, code: str, name: str
) -> None:
    phone.say("agentd/box/lamp/set", payload)
    told = {"agentd/box/event/refused", "agentd/box/response/set"}
    note = wait_until(lambda: next((n for n in list(phone.notes) if n.topic in told), None))
    assert (note.json["device"], note.json["code"]) == ("lamp", code)
    assert len(note.json["error"]) > 10
    assert not box.verbs.asked
    assert ask(phone, "echo", {"value": 1, "transaction": "after"})["status"] == "ok"


def test_retained_set_is_refused_at_connect_and_cleared(broker: Broker, phone: Phone) -> None:
    phone.say("agentd/box/lamp/set", "on", retain=True)
    phone.wait("agentd/box/lamp/set")
    box = Box(broker.port)
    box.start()
    assert phone.wait("agentd/box/event/refused").json["code"] == "retained"
    phone.wait("agentd/box/lamp/set", lambda note: note.payload == b"")
    box.door.close()
    assert not box.verbs.asked


@pytest.mark.parametrize("verb", ["echo", "stop"])
def test_retained_request_is_refused(broker: Broker, phone: Phone, verb: str) -> None:
    phone.say(f"agentd/box/request/{verb}", {"transaction": "t"}, retain=True)
    phone.wait(f"agentd/box/request/{verb}")
    way = Way(broker.port, turns_5_away="politely")
    box = Box(way.port)
    box.start()
    answer = phone.wait(f"agentd/box/response/{verb}").json
    assert (answer["status"], answer["code"]) == ("error", "retained")
    assert not box.verbs.asked
    box.door.close()
    way.close()


def test_command_published_as_retained_is_refused_live_too(broker: Broker, phone: Phone) -> None:
    box = Box(broker.port)
    box.start()
    phone.say("agentd/box/lamp/set", "on", retain=True)
    assert phone.wait("agentd/box/event/refused").json["code"] == "retained"
    assert not box.verbs.asked
    box.door.close()


def test_double_command_is_begun_once(box: Box, phone: Phone) -> None:
    data = {"state": "on", "id": "cmd-1"}
    phone.say("agentd/box/lamp/set", data)
    phone.say("agentd/box/lamp/set", data)
    topic = "agentd/box/response/set"
    refusal = phone.wait(topic, lambda note: note.json["status"] == "error").json
    assert (refusal["code"], refusal["transaction"]) == ("duplicate", "cmd-1")
    assert phone.wait(topic, lambda note: note.json["status"] == "ok")
    assert len(box.verbs.asked) == 1


def test_command_that_waited_beyond_its_end_is_refused(box: Box, phone: Phone) -> None:
    phone.say("agentd/box/request/block", {"transaction": "slow"})
    assert box.verbs.blocked.acquire(timeout=5)
    end = time.time() + 0.3
    phone.say("agentd/box/request/block", {"transaction": "late", "expires_at": end})
    time.sleep(0.5)  # its end passes while it waits behind the slow one
    box.verbs.release.set()
    answer = phone.wait(
        "agentd/box/response/block", lambda note: note.json["transaction"] == "late"
    ).json
    assert answer["code"] == "expired"


def test_message_expiry_of_mqtt_5_counts_while_it_waits(broker: Broker, phone: Phone) -> None:
    box = Box(broker.port)
    box.start()
    phone.say("agentd/box/request/block", {"transaction": "slow"})
    assert box.verbs.blocked.acquire(timeout=5)
    late = {"transaction": "late"}
    phone.say("agentd/box/request/block", late, MessageExpiryInterval=1)
    time.sleep(1.2)  # its end passes while it waits behind the slow one
    box.verbs.release.set()
    topic = "agentd/box/response/block"
    answer = phone.wait(topic, lambda note: note.json["transaction"] == "late").json
    assert answer["code"] == "expired"
    box.door.close()


def test_commands_of_one_device_keep_their_order(box: Box, phone: Phone) -> None:
    box.verbs.delay_s = 0.002
    for level in range(40):
        phone.say("agentd/box/lamp/set", str(level))
    wait_until(lambda: len(box.verbs.asked) == 40)
    assert [request.data["value"] for request in box.verbs.asked] == list(range(40))


def test_refused_action_is_told_as_an_event(box: Box, phone: Phone) -> None:
    applied = {"stage": "refused", "reason": "The heater is on."}
    box.verbs.do_set = lambda request: {"cause": "box/0/1", "applied": [applied]}
    phone.say("agentd/box/lamp/set", "on")
    assert phone.wait("agentd/box/event/refused").json == {
        "device": "lamp", "code": "denied", "error": "The heater is on.", "cause": "box/0/1",
    }  # fmt: skip


# answers of MQTT 5 ------------------------------------------------------------------------------


def test_answer_goes_where_mqtt_5_wants_it(broker: Broker, phone: Phone) -> None:
    box = Box(broker.port)
    box.start()
    phone.say(
        "agentd/box/request/echo", {"value": 1}, ResponseTopic="phone/7", CorrelationData=b"abc"
    )
    note = phone.wait("phone/7")
    assert note.json["data"]["value"] == 1
    assert note.properties.CorrelationData == b"abc"
    phone.say("agentd/box/lamp/set", "on", ResponseTopic="phone/8")
    assert phone.wait("phone/8").json["status"] == "ok"
    box.door.close()


@pytest.mark.parametrize(
    "topic", ["agentd/box/lamp/set", "homeassistant/device/x/config", "agentd/box/status"]
)
def test_answer_is_not_sent_where_it_would_be_a_command(
    broker: Broker, phone: Phone, topic: str
) -> None:
    box = Box(broker.port)
    box.start()
    phone.say("agentd/box/request/echo", {"transaction": "t"}, ResponseTopic=topic)
    assert phone.wait("agentd/box/response/echo").json["status"] == "ok"
    assert not [n for n in phone.at(topic) if b"transaction" in n.payload]
    box.door.close()


# stop -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"", b"{}", b"{", b"\xff", b"now!", b"x" * 20_000])
def test_stop_is_served_whatever_it_carries(box: Box, phone: Phone, payload: bytes) -> None:
    phone.say("agentd/box/request/stop", payload)
    assert phone.wait("agentd/box/response/stop").json["data"] == {"stopped": True}


def test_stop_overtakes_a_full_queue(box: Box, phone: Phone) -> None:
    for n in range(200):
        phone.say("agentd/box/request/block", {"transaction": n})
    assert box.verbs.blocked.acquire(timeout=5)
    began = time.monotonic()
    phone.say("agentd/box/request/stop")
    assert box.verbs.stopped.wait(1.0)
    assert time.monotonic() - began < 1.0
    dropped = phone.wait("agentd/box/event/dropped").json
    assert dropped["reason"] == "too many commands at once"


@pytest.mark.parametrize("qos", [0, 1])
def test_stop_is_served_within_a_second_in_a_storm(
    box: Box, broker: Broker, qos: int, record_property: Callable[[str, object], None]
) -> None:
    box.verbs.delay_s = 0.001
    rate, ends = 2000, threading.Event()
    stormer = Phone(broker.port, protocol=MQTTProtocolVersion.MQTTv311)
    stormer.client.unsubscribe("#")

    def storm() -> None:
        began, sent = time.monotonic(), 0
        while not ends.is_set():
            while sent < (time.monotonic() - began) * rate:
                stormer.say("agentd/box/lamp/set", "on" if sent % 2 else "off", qos=qos)
                sent += 1
            time.sleep(0.005)  # the storm has a rate
        sent_per_s.append(sent / (time.monotonic() - began))

    sent_per_s: list[float] = []
    thread = threading.Thread(target=storm)
    thread.start()
    time.sleep(2.0)  # let queues fill
    caller = Phone(broker.port)
    caller.client.unsubscribe("#")
    began = time.monotonic()
    caller.say("agentd/box/request/stop")
    is_stopped = box.verbs.stopped.wait(5.0)
    took_s = time.monotonic() - began
    ends.set()
    thread.join()
    caller.close()
    stormer.close()
    record_property("storm_per_s", round(sent_per_s[0]))
    record_property("stop_ms", round(took_s * 1e3, 1))
    assert is_stopped
    assert took_s < 1.0
    assert sent_per_s[0] > 0.9 * rate


# outages ----------------------------------------------------------------------------------------


def test_broker_that_is_away_does_not_hold_up_the_start(tmp_path: Any) -> None:
    broker = Broker(tmp_path)
    box = Box(broker.port)
    began = time.monotonic()
    box.door.start()
    assert time.monotonic() - began < 0.2
    wait_until(lambda: "refused" in box.door.status()[1])
    assert box.door.status()[0] == "away"
    broker.start()
    wait_until(lambda: box.door.status()[0] == "ok", timeout_s=10)
    box.door.close()
    broker.kill()


def test_everything_is_told_again_after_an_outage(box: Box, broker: Broker) -> None:
    broker.kill()
    wait_until(lambda: box.door.status()[0] == "away")
    for level in range(1000):
        box.change("lamp", state="on", brightness=level)
    broker.start()
    wait_until(lambda: box.door.status()[0] == "ok", timeout_s=10)
    phone = Phone(broker.port)
    assert phone.wait("agentd/box/lamp/state").json["brightness"] == 999
    assert phone.wait("agentd/box/status").payload == b"online"
    assert phone.wait("homeassistant/device/agentd_box/config")
    assert ask(phone, "echo", {"value": 1, "transaction": "t"})["status"] == "ok"
    phone.close()


def test_event_of_an_outage_is_told_after_it(box: Box, way: Way, phone: Phone) -> None:
    way.cut()
    wait_until(lambda: box.door.status()[0] == "away")
    box.feed.publish({"kind": "reply", "text": "while you were away"})
    way.mend()
    phone.wait("agentd/box/event/reply", timeout_s=10)


def test_last_will_says_offline(box: Box, way: Way, phone: Phone) -> None:
    phone.wait("agentd/box/status", lambda note: note.payload == b"online")
    way.cut()
    offline = phone.wait(
        "agentd/box/status", lambda note: note.payload == b"offline", timeout_s=WILL_DELAY_S + 3
    )
    assert offline.is_retained is False  # to one who listens; who comes later finds it:
    late = Phone(phone.port)
    assert late.wait("agentd/box/status").is_retained
    late.close()
    way.mend()


def test_short_outage_is_not_told_as_offline_with_mqtt_5(broker: Broker, phone: Phone) -> None:
    way = Way(broker.port)
    box = Box(way.port)
    box.start()
    way.cut()
    wait_until(lambda: box.door.status()[0] == "away")
    way.mend()
    wait_until(lambda: len(phone.at("agentd/box/status")) == 2, timeout_s=10)
    box.door.close()
    phone.wait("agentd/box/status", lambda note: note.payload == b"offline")
    words = [note.payload for note in phone.at("agentd/box/status")]
    assert words == [b"online", b"online", b"offline"]
    way.close()


def test_command_of_a_short_outage_is_done_after_it(broker: Broker, phone: Phone) -> None:
    way = Way(broker.port)
    box = Box(way.port)
    box.start()
    way.cut()
    wait_until(lambda: box.door.status()[0] == "away")
    phone.say("agentd/box/lamp/set", "on")
    phone.wait("agentd/box/lamp/set")
    way.mend()
    wait_until(lambda: box.verbs.asked, timeout_s=10, what="the command that waited")
    box.door.close()
    way.close()


def test_goodbye_says_offline(box: Box, phone: Phone) -> None:
    phone.wait("agentd/box/status", lambda note: note.payload == b"online")
    box.door.close()
    phone.wait("agentd/box/status", lambda note: note.payload == b"offline")


def test_broker_that_hangs_up_on_mqtt_5_is_spoken_to_in_3(broker: Broker) -> None:
    way = Way(broker.port, turns_5_away="rudely")
    box = Box(way.port)
    box.start()
    assert "MQTT 3.1.1" in box.door.status()[1]
    assert way.turned_away == 1
    box.door.close()
    way.close()


def test_broker_is_reached_through_its_unix_socket(broker: Broker, phone: Phone) -> None:
    box = Box(0, host=str(broker.path))
    box.start()
    assert ask(phone, "echo", {"value": 1, "transaction": "t"})["status"] == "ok"
    box.door.close()


def test_wrong_password_is_a_state_with_its_reason(tmp_path: Any) -> None:
    (tmp_path / "users").write_text("")
    broker = Broker(tmp_path, extra=f"password_file {tmp_path / 'users'}")
    broker._config.write_text(
        broker._config.read_text().replace("anonymous true", "anonymous false")
    )
    broker.start()
    box = Box(broker.port)
    box.door.start()
    wait_until(lambda: "refuses us" in box.door.status()[1])
    assert box.door.status()[0] == "away"
    box.door.close()
    broker.kill()


def test_defect_in_a_callback_does_not_end_the_door(box: Box, phone: Phone) -> None:
    box.home = None  # type: ignore[assignment] # every announcement now fails
    phone.say("homeassistant/status", "online")
    box.feed.publish({"kind": "reply", "not json": object()})
    box.feed.publish({"kind": "reply", "text": "still here"})
    phone.wait("agentd/box/event/reply")
    assert ask(phone, "echo", {"value": 2, "transaction": "t"})["data"]["value"] == 2
    assert box.door.status()[0] == "ok"


def test_topic_that_is_none_of_ours_is_counted(box: Box, phone: Phone) -> None:
    for topic in ("agentd/box/request/A/b", "agentd/box/status/set", "agentd/box/LAMP/set"):
        phone.say(topic, "on")
    dropped = phone.wait("agentd/box/event/dropped").json
    assert dropped["reason"] == "no request or device has such a topic"
    assert json.dumps(dropped)
