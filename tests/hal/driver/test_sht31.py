"""The SHT31's answer against Sensirion's own example, cut short, garbled; the device on a bus."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import Unplugged
from hal.driver.sht31 import Sht31, crc8, decode
from hal.link.i2c import I2cBus
from tests.hal.bench import Inbox, clock, eventually, wiring
from tests.hal.i2c import FakeI2c, Sht31Chip, sensirion_crc, sht31_frame

WORDS = st.integers(0, 65535)


def test_checksum_is_sensirions() -> None:
    assert crc8(bytes.fromhex("beef")) == 0x92  # the datasheet's example, 4.12


@given(st.binary(min_size=2, max_size=2))
def test_checksum_agrees_with_long_division(data: bytes) -> None:
    assert crc8(data) == sensirion_crc(data)


@pytest.mark.parametrize(
    ("temperature", "humidity", "celsius", "percent"),
    [
        (0x0000, 0x0000, -45.0, 0.0),
        (0x6666, 0x8000, 25.0,  50.0),
        (0x41D4, 0x4000, 0.0,   25.0),
        (0xF8AF, 0xFFFF, 125.0, 100.0),
    ],
)  # fmt: skip
def test_conversion(temperature: int, humidity: int, celsius: float, percent: float) -> None:
    samples = decode(sht31_frame(temperature, humidity))
    assert samples["temperature"].value == pytest.approx(celsius, abs=0.01)
    assert samples["humidity"].value == pytest.approx(percent, abs=0.01)


@pytest.mark.parametrize(
    ("raw", "quality"), [(0x0000, "suspect"), (0x6666, "good"), (0xFFFF, "suspect")]
)
def test_value_beyond_the_part_is_suspect(raw: int, quality: str) -> None:
    assert decode(sht31_frame(raw, 0x8000))["temperature"].quality == quality


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 7])
def test_answer_of_another_length_gives_no_value(length: int) -> None:
    with pytest.raises(Unplugged, match="cut short"):
        decode((sht31_frame(0x6666, 0x8000) + b"\0")[:length])


@given(WORDS, WORDS, st.integers(0, 47))
def test_no_flipped_bit_passes(temperature: int, humidity: int, bit: int) -> None:
    frame = bytearray(sht31_frame(temperature, humidity))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unplugged, match="checksum"):
        decode(bytes(frame))


def test_open_bus_gives_no_value() -> None:
    for level in (b"\xff", b"\x00"):
        with pytest.raises(Unplugged, match="checksum"):
            decode(level * 6)


def test_one_bad_checksum_is_no_news_two_are(inbox: Inbox) -> None:
    wire, chip = FakeI2c(), Sht31Chip()
    wire.chips[0x45] = chip
    good = chip.read
    bus = I2cBus(open_bus=wire.open, first_pause_s=0.3)
    options = {"address": 0x45, "period_s": 0.1}
    sensor = Sht31(wiring("sensor", link=bus, device_class="temperature", options=options))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(25.0))
    bad: list[int] = []

    def garbled(count: int) -> bytes:
        bad.append(1)
        return good(count)[:5] + b"\x00"

    chip.read = garbled  # type: ignore[method-assign]
    assert eventually(lambda: len(bad) == 1)
    assert not eventually(lambda: not inbox.has(25.0), within_s=0.1), "gave up after one"
    assert eventually(lambda: inbox.has(None, "unavailable"))
    assert len(bad) == 2
    sensor.close()
    bus.close()
