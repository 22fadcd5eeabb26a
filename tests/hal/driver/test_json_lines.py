"""The microcontroller's lines: tables, noise, a cable that is pulled, and the way back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import DriverError, Unplugged, Unsupported
from hal.driver.json_lines import PATIENCE, JsonOutput, JsonSensor, Options, build, decode
from hal.link.serial import SerialLink
from llmagentos.reading import Quality
from llmagentos.wire import WireError
from tests.hal.bench import NOW, Cable, Inbox, act, at, clock, eventually, wiring

SOIL = Options(key="moisture", minimum=0, maximum=100)


@pytest.mark.parametrize(
    ("line", "value", "quality", "says"),
    [
        (b'{"moisture": 41.5}',                     41.5,  "good",        ""),
        (b'{"illuminance": 320, "moisture": 0}',    0,     "good",        ""),
        (b'{"moisture": -1}',                       -1,    "suspect",     "beyond what 'moisture'"),
        (b'{"moisture": 100.1}',                    100.1, "suspect",     "beyond what 'moisture'"),
        (b'{"moisture": null}',                     None,  "unavailable", "no value"),
        (b'{"moisture": "dry"}',                    None,  "unavailable", "a str"),
        (b'{"moisture": true}',                     None,  "unavailable", "a bool"),
        (b'{"moisture": [1]}',                      None,  "unavailable", "a list"),
        (b'{"moisture": 1e15}',                    None,  "unavailable", "beyond reason"),
    ],
)  # fmt: skip
def test_number_in_a_line(line: bytes, value: Any, quality: str, says: str) -> None:
    sample = decode(line, SOIL, key="moisture", kind="sensor")
    assert sample is not None
    assert (sample.value, sample.quality) == (value, quality)
    assert says in sample.reason


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        ("binary_sensor", "true",      "on"),
        ("binary_sensor", "0",         "off"),
        ("binary_sensor", '"on"',      "on"),
        ("binary_sensor", "2",         None),
        ("binary_sensor", "0.5",       None),
        ("binary_sensor", '"perhaps"', None),
        ("button",        "1",         "pressed"),
        ("button",        '"idle"',    "idle"),
        ("button",        "{}",        None),
    ],
)  # fmt: skip
def test_yes_or_no_in_a_line(kind: str, sent: str, value: str | None) -> None:
    sample = decode(f'{{"door": {sent}}}'.encode(), Options(), key="door", kind=kind)
    assert sample is not None
    assert sample.value == value


def test_line_without_the_key_says_nothing() -> None:
    assert decode(b'{"illuminance": 320}', SOIL, key="moisture", kind="sensor") is None
    assert decode(b"{}", SOIL, key="moisture", kind="sensor") is None


@pytest.mark.parametrize(
    "line",
    [
        b"", b"moisture 41", b'{"moisture": 41', b'{"moisture": NaN}', b'{"moisture": 1e999}',
        b'{"moisture": 1, "moisture": 2}', b"[41]", b"41", b"\xff\xfe", b"[" * 900,
        b'{"a":' * 20 + b"1" + b"}" * 20,
    ],
)  # fmt: skip
def test_line_that_is_no_object_is_noise(line: bytes) -> None:
    with pytest.raises(WireError):
        decode(line, SOIL, key="moisture", kind="sensor")


@given(st.binary(max_size=300))
def test_random_bytes_never_become_a_value(line: bytes) -> None:
    with contextlib.suppress(WireError):
        assert decode(line, SOIL, key="moisture", kind="sensor") is None


@given(
    st.dictionaries(
        st.sampled_from(["moisture", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
    ),
    st.sampled_from(["sensor", "binary_sensor", "button"]),
)
def test_any_json_is_a_value_a_refusal_or_noise(message: dict[str, Any], kind: str) -> None:
    try:
        sample = decode(json.dumps(message).encode(), SOIL, key="moisture", kind=kind)
    except WireError:
        return
    assert (sample is None) == ("moisture" not in message)
    if sample is not None and kind == "sensor" and sample.quality is Quality.GOOD:
        assert isinstance(sample.value, int | float)
        assert 0 <= sample.value <= 100


@pytest.fixture
def link(cable: Cable) -> Iterator[SerialLink]:
    made = SerialLink(str(cable.path), first_pause_s=0.02)
    yield made
    made.close()


def test_two_devices_share_one_microcontroller(link: SerialLink, cable: Cable) -> None:
    lux, soil = Inbox(), Inbox()
    light = JsonSensor(wiring("sensor", "light", device_class="illuminance", unit="lx", link=link))
    moist = JsonSensor(wiring("sensor", "soil", link=link, options={"key": "moisture"}))
    light.start(lux.post, clock)
    moist.start(soil.post, clock)
    assert eventually(lambda: link.is_open)
    cable.say(b'{"illuminance": 320, "moisture": 41.5}\n')
    assert eventually(lambda: lux.last and soil.last)
    assert [(each.device, each.quantity, each.value, each.unit) for each in lux.readings] == [
        ("light", "illuminance", 320, "lx")
    ]
    assert [(each.quantity, each.value) for each in soil.readings] == [("moisture", 41.5)]
    light.close()
    cable.say(b'{"illuminance": 1, "moisture": 2}\n')
    assert eventually(lambda: soil.has(2))
    assert lux.has(320)


def test_a_line_or_two_of_noise_is_no_news_many_are_told_once(
    link: SerialLink, cable: Cable, inbox: Inbox
) -> None:
    sensor = JsonSensor(wiring("sensor", link=link, options={"key": "moisture"}))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: link.is_open)
    cable.say(
        b'ture": 41}\n{"moisture": 41}\n' + b"noise\n" * (PATIENCE - 1) + b'{"moisture": 42}\n'
    )
    assert eventually(lambda: inbox.values == [41, 42])
    cable.say(b"noise\n" * 3 * PATIENCE)
    assert eventually(lambda: inbox.has(None, "unavailable"))
    cable.say(b'{"moisture": 43}\n')
    assert eventually(lambda: inbox.has(43))
    assert inbox.values == [41, 42, None, 43]
    assert "baud rate" in inbox.readings[2].reason


def test_device_of_its_own_port_closes_it(cable: Cable, inbox: Inbox) -> None:
    sensor = build(wiring("sensor", options={"key": "lux", "port": str(cable.path)}))
    assert isinstance(sensor, JsonSensor)
    sensor.start(inbox.post, clock)
    assert eventually(lambda: sensor._ear.link.is_open)
    sensor.close()
    assert eventually(lambda: not sensor._ear.link.is_open)


def test_output_is_what_the_microcontroller_reports_not_what_was_asked(
    link: SerialLink, cable: Cable
) -> None:
    relay = JsonOutput(wiring("switch", link=link, options={"key": "relay1"}))
    with pytest.raises(Unplugged, match="relay1"):
        relay.read_back(NOW)
    assert eventually(lambda: link.is_open)
    cable.say(b'{"relay1": 0}\n')
    assert eventually(lambda: relay._seen.value == "off")
    relay.apply(act("turn_on"), NOW)
    assert cable.heard() == b'{"set":{"relay1":1}}\n'
    assert relay.read_back(NOW) == {"state": "off"}
    assert relay.advance(NOW), "its answer is still to come"
    cable.say(b'{"relay1": 1}\n')
    assert eventually(lambda: relay.read_back(NOW) == {"state": "on"})
    assert not relay.advance(NOW)
    cable.pull()
    assert eventually(lambda: relay._seen.quality is Quality.UNAVAILABLE)
    with pytest.raises(Unplugged):
        relay.read_back(NOW)
    with pytest.raises(Unplugged):
        relay.apply(act("turn_off"), NOW)


def test_microcontroller_that_obeys_without_a_word_is_told(link: SerialLink, cable: Cable) -> None:
    relay = JsonOutput(wiring("switch", link=link, options={"key": "relay1"}))
    assert eventually(lambda: link.is_open)
    cable.say(b'{"relay1": 0}\n')
    assert eventually(lambda: relay._seen.value == "off")
    relay.apply(act("turn_on"), NOW)
    cable.say(b'{"other": 5}\n')
    assert relay.advance(at(1.9))
    assert not relay.advance(at(2.1))
    with pytest.raises(Unplugged, match="does not answer for 'relay1'"):
        relay.read_back(at(2.1))
    cable.say(b'{"relay1": 1}\n')
    assert eventually(lambda: relay._seen.value == "on")
    assert relay.read_back(at(2.2)) == {"state": "on"}


def test_old_level_that_was_on_its_way_is_no_answer_yet(link: SerialLink, cable: Cable) -> None:
    relay = JsonOutput(wiring("switch", link=link, options={"key": "relay1"}))
    assert eventually(lambda: link.is_open)
    relay.apply(act("turn_on"), NOW)
    cable.say(b'{"relay1": 0}\n')
    assert eventually(lambda: relay._seen.value == "off")
    assert relay.advance(NOW)
    assert not relay.advance(at(2.1))
    assert relay.read_back(at(2.1)) == {"state": "off"}, "stuck: it answers, and is still off"


def test_number_is_set_and_reported(link: SerialLink, cable: Cable) -> None:
    number = JsonOutput(wiring("number", link=link, options={"key": "speed"}))
    assert eventually(lambda: link.is_open)
    number.apply(act("set_value", value=12.5), NOW)
    assert cable.heard() == b'{"set":{"speed":12.5}}\n'
    cable.say(b'{"speed": 12.5}\n')
    assert eventually(lambda: number._seen.value == 12.5)
    with pytest.raises(Unsupported):
        number.apply(act("turn_on"), NOW)


def test_neither_link_nor_port_is_a_mistake() -> None:
    with pytest.raises(DriverError, match="link"):
        build(wiring("sensor"))
