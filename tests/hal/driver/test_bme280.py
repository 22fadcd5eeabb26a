"""The BME280's arithmetic against Bosch's worked example and integer formulas; the device on a bus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import Unplugged
from hal.driver.bme280 import Bme280, Trimming, decode, fine_temperature, read_trimming
from hal.link.i2c import I2cBus
from tests.hal.bench import Inbox, clock, eventually, wiring
from tests.hal.i2c import TRIMMING, Bme280Chip, FakeI2c, trimming_bytes

BOSCH = Trimming(**TRIMMING)  # type: ignore[arg-type]
REAL = Trimming(
    (28009, 25654, 50),
    (39145, -10750, 3024, 5667, -120, -7, 15500, -14600, 6000),
    (75, 376, 0, 286, 50, 30),
)
"""A real part's, with its readings: the tests of pimoroni/bme280-python (MIT)."""


def data(temperature: int, pressure: int, humidity: int) -> bytes:
    """Registers 0xF7 to 0xFE."""
    return (pressure << 4).to_bytes(3) + (temperature << 4).to_bytes(3) + humidity.to_bytes(2)


def integers(temperature: int, pressure: int, humidity: int, trim: Trimming) -> tuple[float, ...]:
    """°C, hPa, % by the integer formulas of the datasheet, 4.2.3 (32 bits; pressure 64)."""
    (t1, t2, t3), p, (h1, h2, h3, h4, h5, h6) = trim.t, (0, *trim.p), trim.h
    a = (temperature >> 3) - (t1 << 1)
    b = (temperature >> 4) - t1
    fine = (a * t2 >> 11) + ((b * b >> 12) * t3 >> 14)
    v1 = fine - 128000
    v2 = v1 * v1 * p[6] + (v1 * p[5] << 17) + (p[4] << 35)
    v1 = (v1 * v1 * p[3] >> 8) + (v1 * p[2] << 12)
    v1 = ((1 << 47) + v1) * p[1] >> 33
    pa = ((1048576 - pressure << 31) - v2) * 3125 // v1
    v1 = p[9] * (pa >> 13) * (pa >> 13) >> 25
    pa = (pa + v1 + (p[8] * pa >> 19) >> 8) + (p[7] << 4)
    x = fine - 76800
    slope = ((x * h6 >> 10) * ((x * h3 >> 11) + 32768) >> 10) + 2097152
    x = ((humidity << 14) - (h4 << 20) - h5 * x + 16384 >> 15) * (slope * h2 + 8192 >> 14)
    x -= ((x >> 15) * (x >> 15) >> 7) * h1 >> 4
    return (fine * 5 + 128 >> 8) / 100, pa / 25600, (min(max(x, 0), 419430400) >> 12) / 1024


def test_bosch_worked_example_comes_out() -> None:
    assert fine_temperature(519888, BOSCH.t) == pytest.approx(128422, abs=1)
    samples = decode(data(519888, 415148, 30281), BOSCH)
    assert samples["temperature"].value == 25.08
    assert samples["pressure"].value == 1006.53


def test_readings_of_a_real_part_come_out() -> None:
    samples = decode(data(529191, 326816, 30281), REAL)
    values = {name: sample.value for name, sample in samples.items()}
    assert values == {"temperature": 24.79, "pressure": 1006.62, "humidity": 68.67}


@given(
    st.sampled_from([BOSCH, REAL]),
    st.tuples(
        st.integers(420_000, 520_000), st.integers(250_000, 500_000), st.integers(20_000, 32_767)
    ),
)
def test_floating_point_agrees_with_the_integer_formulas(
    trim: Trimming, raw: tuple[int, int, int]
) -> None:
    samples = decode(data(*raw), trim)
    celsius, hpa, percent = integers(*raw, trim)
    assert samples["temperature"].value == pytest.approx(celsius, abs=0.02)
    assert samples["pressure"].value == pytest.approx(hpa, abs=0.05)
    assert samples["humidity"].value == pytest.approx(percent, abs=0.1)


def test_trimming_is_unpacked_with_its_signs() -> None:
    trim = {"t": (65535, -32768, 32767), "p": (1, -2, 3, -4, 5, -6, 7, -8, 9),
            "h": (255, -32768, 254, -2048, 2047, -128)}  # fmt: skip
    assert read_trimming(*trimming_bytes(**trim)) == Trimming(**trim)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "quantity", "quality"),
    [
        (data(519888, 415148, 30281),  "temperature", "good"),
        (data(0, 415148, 30281),       "temperature", "suspect"),
        (data(0xFFFFF, 415148, 30281), "temperature", "suspect"),
        (data(519888, 0xFFFFF, 30281), "pressure",    "suspect"),
        (data(519888, 415148, 0xFFFF), "humidity",    "good"),
        (data(519888, 415148, 0),      "humidity",    "good"),
        (b"\xff" * 8,                  "temperature", "suspect"),
        (b"\x00" * 8,                  "temperature", "suspect"),
    ],
)  # fmt: skip
def test_value_beyond_the_part_is_suspect(raw: bytes, quantity: str, quality: str) -> None:
    assert decode(raw, BOSCH)[quantity].quality == quality


@pytest.mark.parametrize("raw", [
    data(0x80000, 415148, 30281), data(519888, 0x80000, 30281), data(519888, 415148, 0x8000),
])  # fmt: skip
def test_what_was_not_measured_gives_no_value(raw: bytes) -> None:
    with pytest.raises(Unplugged, match="has not measured"):
        decode(raw, BOSCH)


@pytest.fixture
def wire() -> FakeI2c:
    made = FakeI2c()
    made.chips[0x76] = Bme280Chip()
    return made


@pytest.fixture
def sensor(wire: FakeI2c) -> Iterator[Bme280]:
    bus = I2cBus(open_bus=wire.open, first_pause_s=0.01)
    made = Bme280(wiring("sensor", device_class="temperature", link=bus, options={"period_s": 0.1}))
    yield made
    made.close()
    bus.close()


def test_three_quantities_are_told_the_main_one_last(wire: FakeI2c, inbox: Inbox) -> None:
    bus = I2cBus(open_bus=wire.open)
    sensor = Bme280(wiring("sensor", device_class="humidity", link=bus))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: len(inbox.readings) == 3)
    told = {reading.quantity: (reading.value, reading.unit) for reading in inbox.readings}
    assert told["temperature"] == (25.08, "°C")
    assert told["pressure"] == (1006.53, "hPa")
    assert list(told)[-1] == "humidity"
    sensor.close()
    bus.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda chip: chip.registers.__setitem__(0xD0, 0x58),                    "BMP280"),
        (lambda chip: chip.registers.__setitem__(0xD0, 0x61),                    "0x61"),
        (lambda chip: chip.registers.__setitem__(slice(0x88, 0xA2), bytes(26)),  "trimming"),
        (lambda chip: setattr(chip, "store", lambda *_: None),                   "has not measured"),
        (lambda chip: setattr(chip, "busy", 99),                                 ""),
    ],
    ids=["BMP280", "another part", "no trimming", "never measures", "busy at first"],
)  # fmt: skip
def test_part_that_is_not_right_gives_no_value(
    wire: FakeI2c, sensor: Bme280, inbox: Inbox, change: Any, says: str
) -> None:
    change(wire.chips[0x76])
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.last)
    assert says in inbox.readings[0].reason
    assert (inbox.readings[0].value is None) == bool(says)


def test_part_that_never_finishes_gives_no_value(
    wire: FakeI2c, sensor: Bme280, inbox: Inbox
) -> None:
    chip = wire.chips[0x76]
    chip.read = lambda count: (  # type: ignore[method-assign]
        b"\x08" if chip.pointer == 0xF3 else Bme280Chip.read(chip, count)  # type: ignore[arg-type]
    )
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(None, "unavailable"))
    assert inbox.last is not None
    assert "does not finish" in inbox.last.reason


def test_another_part_at_the_same_place_brings_its_own_trimming(
    wire: FakeI2c, sensor: Bme280, inbox: Inbox
) -> None:
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(25.08))
    del wire.chips[0x76]
    assert eventually(lambda: inbox.has(None, "unavailable"))
    other = Bme280Chip()
    other.registers[0x88:0xA2], other.registers[0xE1:0xE8] = trimming_bytes(REAL.t, REAL.p, REAL.h)
    wire.chips[0x76] = other
    other.show(529191)
    assert eventually(lambda: inbox.has(24.79))


def test_one_garbled_transfer_of_the_trimming_does_not_stay_for_months(
    wire: FakeI2c, sensor: Bme280, inbox: Inbox
) -> None:
    chip, garbled = wire.chips[0x76], [True]
    read = chip.read

    def once(count: int) -> bytes:
        data = bytearray(read(count))
        if chip.pointer == 0x88 and garbled:
            garbled.pop()
            data[0] ^= 0x40
        return bytes(data)

    chip.read = once  # type: ignore[method-assign]
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(25.08))
    assert {r.value for r in inbox.readings if r.quantity == "temperature"} == {25.08}
