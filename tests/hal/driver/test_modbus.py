"""Registers and coils of Modbus stations, over pymodbus's own simulator and a cable."""

from __future__ import annotations

import re
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import DriverError, Unplugged, Unsupported
from hal.driver.modbus_coil import ModbusCoil
from hal.driver.modbus_register import ModbusRegister, Options, decode
from hal.link.modbus import ModbusLine
from tests.hal.bench import NOW, Inbox, act, at, clock, eventually, wiring
from tests.hal.modbus import Stations


@pytest.mark.parametrize(
    ("registers", "options", "value", "quality"),
    [
        ([0],              {},                                            0,       "good"),
        ([65535],          {},                                            65535,   "good"),
        ([65535],          {"type": "int16"},                             -1,      "good"),
        ([235],            {"type": "int16", "scale": 0.1},               23.5,    "good"),
        ([235],            {"scale": 0.1, "offset": -40.0},               -16.5,   "good"),
        ([0x0001, 0x0000], {"type": "uint32"},                            65536,   "good"),
        ([0x0000, 0x0001], {"type": "uint32", "order": "low_first"},      65536,   "good"),
        ([0xFFFF, 0xFFFE], {"type": "int32"},                             -2,      "good"),
        ([0x4366, 0x3334], {"type": "float32"},                           230.2,   "good"),
        ([0x3334, 0x4366], {"type": "float32", "order": "low_first"},     230.2,   "good"),
        ([900],            {"maximum": 800.0},                            900,     "suspect"),
        ([1],              {"minimum": 5.0},                              1,       "suspect"),
        ([0x7FC0, 0x0000], {"type": "float32"},                           None,    "unavailable"),
        ([0x7F80, 0x0000], {"type": "float32"},                           None,    "unavailable"),
        ([0x7F7F, 0xFFFF], {"type": "float32"},                           ...,     "suspect"),
    ],
)  # fmt: skip
def test_registers_as_a_number(
    registers: list[int], options: dict[str, Any], value: Any, quality: str
) -> None:
    sample = decode(registers, Options(register=0, **options))
    assert sample.quality == quality
    if value is not ...:
        assert sample.value == (pytest.approx(value, abs=1e-4) if value is not None else None)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False).filter(lambda v: abs(v) < 1e11))
def test_every_float_comes_through(number: float) -> None:
    high, low = struct.unpack(">HH", struct.pack(">f", number))
    sample = decode([high, low], Options(register=0, type="float32"))
    assert sample.value == pytest.approx(number, abs=1e-6)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Stations]:
    made = Stations(tmp_path)
    yield made
    made.close()


@pytest.fixture
def line(far: Stations) -> Iterator[ModbusLine]:
    made = ModbusLine(str(far.cable.path), timeout_s=0.1, first_pause_s=0.02)
    yield made
    made.close()


def register(line: ModbusLine, **options: Any) -> ModbusRegister:
    given = {"register": 7, "period_s": 0.1, **options}
    return ModbusRegister(
        wiring("sensor", device_class="voltage", unit="V", link=line, options=given)
    )


def test_register_is_read_scaled_and_told(far: Stations, line: ModbusLine, inbox: Inbox) -> None:
    far.put(7, [2302])
    sensor = register(line, scale=0.1)
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(230.2))
    assert (inbox.readings[0].quantity, inbox.readings[0].unit) == ("voltage", "V")
    sensor.close()


def test_stations_of_a_line_are_told_apart(far: Stations, line: ModbusLine) -> None:
    far.put(7, [11], station=1)
    far.put(7, [22], station=2)
    inboxes = [Inbox(), Inbox()]
    for number, inbox in enumerate(inboxes, 1):
        register(line, station=number).start(inbox.post, clock)
    assert eventually(lambda: inboxes[0].has(11) and inboxes[1].has(22))
    assert {tuple(set(inbox.values)) for inbox in inboxes} == {(11,), (22,)}


def test_refusal_of_a_station_is_told(line: ModbusLine, inbox: Inbox) -> None:
    sensor = register(line, register=5000)
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(None, "unavailable"))
    assert inbox.last is not None
    assert inbox.last.reason == "station 1 refuses: it has no such register"
    sensor.close()


def late(answer: bytes) -> bytes:
    time.sleep(0.15)  # longer than the line waits
    return answer


def test_late_answer_never_passes_for_another_register(far: Stations, line: ModbusLine) -> None:
    far.put(7, [42, 99])
    inboxes = [Inbox(), Inbox()]
    for number, inbox in enumerate(inboxes):
        register(line, register=7 + number).start(inbox.post, clock)
    for _ in range(3):
        far.garble = late
        time.sleep(0.4)  # some questions stay without an answer in time
        far.garble = lambda answer: answer
        time.sleep(0.2)
    assert eventually(lambda: inboxes[0].has(42) and inboxes[1].has(99))
    assert [set(inbox.values) - {None} for inbox in inboxes] == [{42}, {99}]


def crc16(data: bytes) -> bytes:
    """Modbus over serial line V1.02, 6.2.2."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def answer(*registers: int, function: int = 3) -> bytes:
    """A sound answer of station 1."""
    words = b"".join(register.to_bytes(2) for register in registers)
    body = bytes([1, function, len(words)]) + words
    return body + crc16(body)


@pytest.mark.parametrize(
    "garble",
    [
        lambda answer: b"",
        lambda answer: answer[:-1],
        lambda answer: answer[:3],
        lambda answer: answer[:-1] + bytes([answer[-1] ^ 1]),
        lambda answer: bytes([answer[0] ^ 3]) + answer[1:],
        lambda answer: b"\x00" * 300,
        lambda answer: bytes(range(256)),
        lambda _: answer(42, 43),
        lambda _: answer(),
        lambda _: bytes([1, 3, 9, 0, 42]) + crc16(bytes([1, 3, 9, 0, 42])),
        late,
    ],
    ids=["silence", "cut short", "only a head", "wrong checksum", "another station", "zeros",
         "noise", "too much", "too little", "wrong length", "too late"],
)  # fmt: skip
def test_broken_answer_gives_no_value_and_the_next_sound_one_does(
    far: Stations, line: ModbusLine, inbox: Inbox, garble: Callable[[bytes], bytes]
) -> None:
    far.put(7, [42])
    far.garble = garble
    sensor = register(line)
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(None, "unavailable"))
    assert set(inbox.values) == {None}
    assert re.search("does not answer|registers instead of", inbox.readings[0].reason)
    far.garble = lambda answer: answer
    assert eventually(lambda: inbox.has(42))
    sensor.close()


def test_bit_is_told_as_on_and_off(line: ModbusLine) -> None:
    inboxes = [Inbox(), Inbox()]
    for number, inbox in enumerate(inboxes):
        options = {"register": number, "period_s": 0.1}
        ModbusRegister(wiring("binary_sensor", link=line, options=options)).start(inbox.post, clock)
    assert eventually(lambda: inboxes[0].has("on") and inboxes[1].has("off"))


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("sensor",        {},                                   "'register' is missing"),
        ("sensor",        {"register": 1, "table": "coil"},     "holding or input"),
        ("binary_sensor", {"register": 1, "table": "holding"},  "discrete or coil"),
        ("sensor",        {"register": 1, "type": "float64"},   "one of int16"),
    ],
)  # fmt: skip
def test_unfit_option_is_told(
    line: ModbusLine, kind: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(DriverError, match=says):
        ModbusRegister(wiring(kind, link=line, options=options))


def test_link_of_another_kind_is_told() -> None:
    with pytest.raises(DriverError, match='driver = "modbus"'):
        ModbusCoil(wiring("switch", options={"coil": 1}))


@pytest.fixture
def coil(line: ModbusLine) -> Iterator[ModbusCoil]:
    made = ModbusCoil(wiring("switch", link=line, options={"coil": 5, "period_s": 0.1}))
    assert eventually(lambda: is_read(made))
    yield made
    made.close()


def is_read(coil: ModbusCoil) -> bool:
    try:
        return bool(coil.read_back(NOW))
    except Unplugged:
        return False


def test_coil_is_set_and_read_back(far: Stations, coil: ModbusCoil) -> None:
    for name, on in (("turn_on", True), ("turn_off", False)):
        coil.apply(act(name), NOW)
        assert eventually(lambda: not coil.advance(NOW))
        assert coil.read_back(NOW) == {"state": "on" if on else "off"}
        assert far.coil(5) is on


def test_hand_at_the_board_is_noticed(far: Stations, coil: ModbusCoil) -> None:
    far.set_coil(5, True)
    assert eventually(lambda: coil.read_back(NOW) == {"state": "on"})


def test_state_is_the_old_one_until_the_station_says_otherwise(
    far: Stations, coil: ModbusCoil
) -> None:
    far.garble = late
    coil.apply(act("turn_on"), NOW)
    assert coil.advance(NOW)
    assert coil.read_back(NOW) == {"state": "off"}


def test_order_that_a_hung_line_did_not_reach_is_given_up_for_good(
    far: Stations, line: ModbusLine, coil: ModbusCoil
) -> None:
    hold, reached = threading.Event(), threading.Event()

    def hang() -> None:
        reached.set()
        hold.wait(5)

    line.rounds.order(hang, lambda why: None)
    assert reached.wait(2)
    coil.apply(act("turn_on"), NOW)
    assert coil.advance(at(1.9))
    assert not coil.advance(at(2.1))
    with pytest.raises(Unplugged, match="given up"):
        coil.read_back(at(2.1))
    hold.set()
    assert eventually(lambda: is_read(coil))
    assert far.coil(5) is False, "it started long after it was asked"


def test_newest_word_counts(far: Stations, line: ModbusLine, coil: ModbusCoil) -> None:
    for name in ["turn_on", "turn_off"] * 5:
        coil.apply(act(name), NOW)
    assert eventually(lambda: not coil.advance(NOW))
    assert far.coil(5) is False


def test_coil_refuses_what_it_cannot(coil: ModbusCoil) -> None:
    with pytest.raises(Unsupported):
        coil.apply(act("set_brightness", brightness=5), NOW)
