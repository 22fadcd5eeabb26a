"""The ADS1115's numbers: volts, a straight line, the ends of the range; four devices on one chip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import DriverError, Unplugged
from hal.driver.ads1115 import RANGES, Ads1115, Options, decode
from hal.link.i2c import I2cBus
from tests.hal.bench import Inbox, clock, eventually, wiring
from tests.hal.i2c import Ads1115Chip, FakeI2c

SOIL = {"low": 0.0, "low_v": 2.8, "high": 100.0, "high_v": 1.2}
"""A capacitive probe: 2.8 V dry, 1.2 V in water."""


@pytest.mark.parametrize(
    ("raw", "full", "volts", "quality"),
    [
        ("0000", "4.096 V", 0.0,      "good"),
        ("4000", "4.096 V", 2.048,    "good"),
        ("0001", "0.256 V", 0.00001,  "good"),
        ("7ffe", "6.144 V", 6.14363,  "good"),
        ("7fff", "4.096 V", 4.09588,  "suspect"),
        ("fffe", "4.096 V", -0.00025, "good"),
        ("8000", "4.096 V", -4.096,   "suspect"),
    ],
)  # fmt: skip
def test_register_as_volts(raw: str, full: str, volts: float, quality: str) -> None:
    sample = decode(bytes.fromhex(raw), Options(range=full))
    assert (sample.value, sample.quality) == (volts, quality)


@pytest.mark.parametrize(
    ("volts", "percent", "quality"),
    [
        (2.8, 0.0,   "good"),
        (1.2, 100.0, "good"),
        (2.0, 50.0,  "good"),
        (1.1, 106.25, "good"),
        (0.0, 175.0, "suspect"),
        (3.3, -31.25, "suspect"),
    ],
    ids=["dry", "wet", "between", "a little beyond", "shorted", "cut off"],
)  # fmt: skip
def test_straight_line(volts: float, percent: float, quality: str) -> None:
    raw = round(volts / 4.096 * 32768).to_bytes(2)
    sample = decode(raw, Options(**SOIL), unit="%")
    assert sample.value == pytest.approx(percent, abs=0.01)
    assert sample.quality == quality


@pytest.mark.parametrize("raw", [b"", b"\x40", b"\x40\x00\x00"])
def test_answer_of_another_length_gives_no_value(raw: bytes) -> None:
    with pytest.raises(Unplugged, match="cut short"):
        decode(raw, Options())


@given(st.binary(min_size=2, max_size=2), st.sampled_from(list(RANGES)))
def test_no_voltage_lies_beyond_the_range(raw: bytes, full: str) -> None:
    value = decode(raw, Options(range=full)).value
    assert isinstance(value, float)
    assert abs(value) <= float(full.split()[0])


@pytest.fixture
def wire() -> FakeI2c:
    made = FakeI2c()
    made.chips[0x48] = Ads1115Chip()
    return made


@pytest.fixture
def bus(wire: FakeI2c) -> Iterator[I2cBus]:
    made = I2cBus(open_bus=wire.open, first_pause_s=0.01)
    yield made
    made.close()


def test_four_devices_share_the_chip(wire: FakeI2c, bus: I2cBus) -> None:
    volts = [0.5, 1.0, 2.0, 3.0]
    wire.chips[0x48].inputs = volts  # type: ignore[attr-defined]
    inboxes = [Inbox() for _ in volts]
    sensors = [
        Ads1115(wiring("sensor", f"d{channel}", link=bus,
                       options={"channel": channel, "period_s": 0.1}))
        for channel in range(4)
    ]  # fmt: skip
    for sensor, inbox in zip(sensors, inboxes, strict=True):
        sensor.start(inbox.post, clock)
    for expected, inbox in zip(volts, inboxes, strict=True):
        assert eventually(lambda inbox=inbox: inbox.last)  # type: ignore[misc]
        assert inbox.values[0] == pytest.approx(expected, abs=0.0002)
    with pytest.raises(DriverError, match="channel 2 belongs to 'd2'"):
        Ads1115(wiring("sensor", "late", link=bus, options={"channel": 2}))
    for sensor in sensors:
        sensor.close()


def test_line_tells_the_quantity_of_the_device(wire: FakeI2c, bus: I2cBus, inbox: Inbox) -> None:
    wire.chips[0x48].inputs[0] = 2.0  # type: ignore[attr-defined]
    sensor = Ads1115(wiring("sensor", device_class="moisture", unit="%", link=bus, options=SOIL))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.last)
    (reading,) = inbox.readings
    assert (reading.value, reading.unit, reading.quantity) == (50.0, "%", "moisture")
    sensor.close()


def test_conversion_that_does_not_end_gives_no_value(
    wire: FakeI2c, bus: I2cBus, inbox: Inbox
) -> None:
    wire.chips[0x48].is_ready = False  # type: ignore[attr-defined]
    sensor = Ads1115(wiring("sensor", link=bus, options={"period_s": 0.1}))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(None, "unavailable"))
    sensor.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"low": 0.0, "low_v": 1.0},      "all of low"),
        ({**SOIL, "high_v": 2.8},         "must differ"),
        ({**SOIL, "high": 0.0},           "must differ"),
        ({"range": "5 V"},                "one of 6.144 V"),
        ({"channel": 4},                  "from 0 to 3"),
    ],
)  # fmt: skip
def test_unfit_option_is_told(bus: I2cBus, options: dict[str, Any], says: str) -> None:
    with pytest.raises(DriverError, match=says):
        Ads1115(wiring("sensor", link=bus, options=options))
    Ads1115(wiring("sensor", link=bus))
