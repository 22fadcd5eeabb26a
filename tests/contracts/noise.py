"""What each driver makes of bytes off the wire, and an independent word on whether they are sound."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hal import registry
from hal.channel import Sample
from hal.contract import HalError
from hal.driver import (
    ads1115,
    bme280,
    ds18b20,
    json_lines,
    mh_z19,
    modbus_register,
    nmea_gps,
    pi_health,
    pms5003,
    sht31,
)
from hal.frame_sensor import FrameSensor
from hal.link.frame import Frames, Shape
from hal.link.serial import Framer
from llmagentos.wire import WireError
from tests.contracts.bench import Row
from tests.hal.bench import W1_SLAVE, wiring
from tests.hal.driver import test_mh_z19, test_nmea_gps, test_pms5003
from tests.hal.i2c import TRIMMING, sensirion_crc, sht31_frame

EXPECTED = (HalError, WireError, nmea_gps.SentenceError, nmea_gps.NoFix)
"""What a parser may say of noise; everything else is a crash."""

LIMITS = {"low": -1e12, "high": 1e12}


@dataclass(frozen=True)
class Wire:
    """One driver's wire."""

    driver: str
    seeds: tuple[bytes, ...]
    """Sound inputs that the broken ones are made of."""
    hear: Callable[[bytes], Iterable[Sample]]
    """As the driver does it, link and all; raises only `EXPECTED`."""
    is_sound: Callable[[bytes], bool]
    """Whether these bytes may give a value at all, worked out apart from the driver."""
    repeats: int = 1
    """How many sound inputs give a value: some parts tell the median of several."""


def windows(raw: bytes, head: bytes, length: int) -> list[bytes]:
    starts = [match.start() for match in re.finditer(b"(?=" + re.escape(head) + b")", raw)]
    return [raw[at : at + length] for at in starts if len(raw) >= at + length]


def framed(shape: Shape, decode: Callable[[bytes], Mapping[str, Sample]]) -> Any:
    def hear(raw: bytes) -> list[Sample]:
        return [sample for frame in Frames(shape).feed(raw) for sample in decode(frame).values()]

    return hear


def hear_lines(decode: Callable[[bytes], Iterable[Sample]]) -> Any:
    """All lines of the input; a bad one hides no other, as in the driver."""

    def hear(raw: bytes) -> list[Sample]:
        heard: list[Sample] = []
        for line in Framer().feed(raw):
            try:
                heard += decode(line)
            except EXPECTED:
                continue
        return heard

    return hear


def one(line: bytes) -> list[Sample]:
    sample = json_lines.decode(line, json_lines.Options(), key="moisture", kind="sensor")
    return [] if sample is None else [sample]


def of_frames(row: Row) -> Wire:
    """The wire of any part that sends frames, from its row in the contract alone: what is not
    known apart from the driver is only whether a frame is sound."""
    options = {"port": "/dev/null", **row.options}
    sensor = registry.build(row.driver, wiring(row.kind, options=options))
    assert isinstance(sensor, FrameSensor)
    return Wire(row.driver, tuple(row.levels.values()), framed(sensor.shape, sensor.decode),
                lambda raw: bool(windows(raw, sensor.shape.head, sensor.shape.length)), repeats=20)  # fmt: skip


def has_number(raw: bytes) -> bool:
    return b"moisture" in raw or b"\\u" in raw


def ds18b20_is_sound(raw: bytes) -> bool:
    found = re.match(rb"((?:[0-9a-f]{2} ){9}): crc=.. YES", raw)
    return bool(found) and w1_crc(bytes.fromhex(found[1].decode())) == 0  # type: ignore[index]


def w1_crc(data: bytes) -> int:
    """Maxim's checksum bit by bit, as the shift register of its data sheet; 0 over all nine."""
    register = 0
    for byte in data:
        for place in range(8):
            feedback = (register ^ byte >> place) & 1
            register >>= 1
            if feedback:
                register ^= 0b10001100
    return register


def nmea_is_sound(raw: bytes) -> bool:
    for line in raw.split(b"\n"):
        body, star, rest = line.strip().lstrip(b"$").partition(b"*")
        total = 0
        for byte in body:
            total ^= byte
        if star and rest[:2].upper() == f"{total:02X}".encode():
            return True
    return False


def modbus(raw: bytes) -> list[Sample]:
    registers = [int.from_bytes(raw[at : at + 2]) for at in (0, 2)] if len(raw) == 4 else None
    if registers is None:
        raise HalError("the line hands over whole answers only")
    options = modbus_register.Options(register=0, type="float32")
    return [modbus_register.decode(registers, options)]


WIRES = (
    Wire("onewire.ds18b20", (W1_SLAVE,), lambda raw: [ds18b20.decode(raw)], ds18b20_is_sound),
    Wire("serial.jsonl", (b'{"moisture": 41.5, "x": "y"}\n', b'{"moisture": 3e2}\n'),
         hear_lines(one), has_number),
    Wire("i2c.bme280", (bytes.fromhex("655ac07eed007649"),),
         lambda raw: bme280.decode(raw.ljust(8, b"\xff")[:8],
                                   bme280.Trimming(**TRIMMING)).values(), lambda raw: True),  # type: ignore[arg-type]
    Wire("i2c.sht31", (sht31_frame(0x6666, 0x8000), sht31_frame(0x7000, 0x1234)),
         lambda raw: sht31.decode(raw).values(),
         lambda raw: len(raw) == 6 and all(sensirion_crc(raw[at:at + 2]) == raw[at + 2]
                                           for at in (0, 3))),
    Wire("i2c.ads1115", (b"\x40\x00", b"\x12\x34"),
         lambda raw: [ads1115.decode(raw, ads1115.Options())], lambda raw: len(raw) == 2),
    Wire("serial.pms5003", (test_pms5003.EXAMPLE, test_pms5003.frame(1, 2, 3, 4, 5, 6)),
         framed(pms5003.SHAPE, pms5003.decode),
         lambda raw: any(sum(w[:30]) == w[30] << 8 | w[31] for w in windows(raw, b"BM\0\x1c", 32))),
    Wire("serial.mh_z19", (test_mh_z19.answer(608), test_mh_z19.answer(1999)),
         framed(mh_z19.SHAPE, mh_z19.decode),
         lambda raw: any(sum(w[1:9]) % 256 == 0 for w in windows(raw, b"\xff\x86", 9))),
    Wire("serial.nmea", (test_nmea_gps.RMC + b"\r\n", test_nmea_gps.GGA + b"\r\n"),
         hear_lines(lambda line: nmea_gps.decode(line).values()), nmea_is_sound),
    Wire("board.health", (b"48312\n", b"-5\n"), lambda raw: [pi_health.read_celsius(raw)],
         lambda raw: bool(re.fullmatch(rb"\s*[-+]?[0-9]+\s*\n", raw))),
    Wire("board.undervoltage", (b"50005\n", b"0\n"),
         lambda raw: pi_health.read_flags(raw).values(),
         lambda raw: bool(re.fullmatch(rb"\s*[-+]?(0[xX])?[0-9a-fA-F]+\s*\n", raw))),
    Wire("modbus.register", (b"\x43\x66\x33\x34",), modbus, lambda raw: len(raw) == 4),
)  # fmt: skip


def broken(seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    """An input that is cut short, garbled, spliced, repeated, or noise from the start."""
    raw = bytearray(chance.choice(seeds))
    match chance.randrange(8):
        case 0:
            return chance.randbytes(chance.randrange(64))
        case 1:
            return bytes(raw[: chance.randrange(len(raw) + 1)])
        case 2:
            return bytes(raw[chance.randrange(len(raw)) :]) + chance.choice(seeds)
        case 3:
            at = chance.randrange(len(raw))
            return bytes(raw[:at]) + chance.randbytes(chance.randrange(1, 5)) + bytes(raw[at:])
        case 4:
            return bytes([chance.choice((0x00, 0xFF))]) * chance.randrange(1, 64)
        case 5:
            other = chance.choice(seeds)
            return bytes(raw[: chance.randrange(len(raw))]) + other[chance.randrange(len(other)) :]
        case _:
            for _ in range(chance.randrange(1, 6)):
                raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            return bytes(raw)
