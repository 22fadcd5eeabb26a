"""Servo angles and brightness as pulses of a PCA9685, measured at its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import DriverError, HalError, Unplugged
from hal.driver.pca9685 import STEPS, Pca9685, decode, encode, prescaler
from hal.link.i2c import I2cBus
from tests.hal.bench import NOW, act, eventually, wiring
from tests.hal.i2c import FakeI2c, Pca9685Chip


@given(st.integers(0, STEPS))
def test_every_pulse_length_comes_back(steps: int) -> None:
    assert decode(encode(steps)) == steps


@pytest.mark.parametrize(
    ("raw", "steps"),
    [
        ("00 00 33 01", 307),
        ("00 10 00 00", 4096),
        ("00 00 00 10", 0),
        ("00 10 00 10", 0),
        ("ff 0f 01 00", 2),
        ("00 00 00 00", 0),
    ],
)  # fmt: skip
def test_registers_as_steps(raw: str, steps: int) -> None:
    assert decode(bytes.fromhex(raw)) == steps


@pytest.mark.parametrize(("hertz", "register"), [(200, 0x1E), (50, 0x79), (1526, 0x03), (24, 0xFD)])
def test_prescaler_is_the_datasheets(hertz: int, register: int) -> None:
    assert prescaler(hertz) == register


@pytest.fixture
def chip() -> Pca9685Chip:
    return Pca9685Chip()


@pytest.fixture
def wire(chip: Pca9685Chip) -> FakeI2c:
    made = FakeI2c()
    made.chips[0x40] = chip
    return made


@pytest.fixture
def bus(wire: FakeI2c) -> Iterator[I2cBus]:
    made = I2cBus(open_bus=wire.open, first_pause_s=0.02)
    yield made
    made.close()


def output(bus: I2cBus, kind: str, channel: int = 0, **options: Any) -> Pca9685:
    given = {"channel": channel, "period_s": 0.1, **options}
    made = Pca9685(wiring(kind, f"d{channel}", link=bus, options=given))
    assert eventually(lambda: is_read(made))
    return made


def is_read(part: Pca9685) -> bool:
    try:
        return bool(part.read_back(NOW))
    except Unplugged:
        return False


def tell(part: Pca9685, name: str, **args: Any) -> Any:
    part.apply(act(name, **args), NOW)
    assert eventually(lambda: not part.advance(NOW))
    return part.read_back(NOW)


@pytest.mark.parametrize(("angle", "pulse"), [(0, 1000), (90, 1500), (180, 2000), (45, 1250)])
def test_angle_becomes_a_pulse(chip: Pca9685Chip, bus: I2cBus, angle: float, pulse: float) -> None:
    servo = output(bus, "number", 3)
    assert servo.read_back(NOW) == {"state": None}, "no pulses, no angle"
    assert tell(servo, "set_value", value=angle) == {"state": angle}
    assert chip.hertz == pytest.approx(50, rel=0.01)
    assert chip.pulse_us(3) == pytest.approx(pulse, abs=8)
    assert chip.pulse_us(2) == 0
    servo.close()


@pytest.mark.parametrize("angle", [-1, 181, 1e9])
def test_angle_beyond_the_servo_is_refused(chip: Pca9685Chip, bus: I2cBus, angle: float) -> None:
    servo = output(bus, "number")
    with pytest.raises(HalError, match="beyond 0 to 180"):
        servo.apply(act("set_value", value=angle), NOW)
    assert chip.pulse_us(0) == 0
    servo.close()


def test_next_process_reads_the_angle_from_the_pulses(chip: Pca9685Chip, bus: I2cBus) -> None:
    servo = output(bus, "number")
    tell(servo, "set_value", value=60)
    servo.close()
    before = bytes(chip.registers)
    servo = output(bus, "number")
    assert servo.read_back(NOW)["state"] == pytest.approx(60, abs=0.9)
    assert bytes(chip.registers) == before
    servo.close()


def test_lamp_is_dimmed_and_comes_back_as_bright_as_it_was(chip: Pca9685Chip, bus: I2cBus) -> None:
    lamp = output(bus, "light", 7)
    assert tell(lamp, "turn_on") == {"state": "on", "brightness": 100}
    assert chip.pulse_us(7) == pytest.approx(1e6 / chip.hertz)
    assert tell(lamp, "set_brightness", brightness=25) == {"state": "on", "brightness": 25}
    assert tell(lamp, "turn_off") == {"state": "off", "brightness": 0}
    assert tell(lamp, "turn_on") == {"state": "on", "brightness": 25}
    assert tell(lamp, "set_brightness", brightness=0.001)["state"] == "on"
    lamp.close()


def test_chip_that_lost_its_power_is_off_and_works_again(
    chip: Pca9685Chip, wire: FakeI2c, bus: I2cBus
) -> None:
    lamp = output(bus, "light")
    tell(lamp, "turn_on")
    wire.chips[0x40] = Pca9685Chip()
    assert eventually(lambda: lamp.read_back(NOW)["state"] == "off")
    assert tell(lamp, "turn_on")["state"] == "on"
    lamp.close()


def test_chip_that_was_put_to_sleep_puts_out_nothing(chip: Pca9685Chip, bus: I2cBus) -> None:
    lamp = output(bus, "light")
    tell(lamp, "turn_on")
    chip.registers[0] |= 0x10  # its outputs stay set, but nothing comes out
    assert eventually(lambda: lamp.read_back(NOW)["state"] == "off")
    assert tell(lamp, "turn_on")["state"] == "on"
    assert chip.pulse_us(0) > 0
    lamp.close()


def test_servos_and_lamps_of_one_chip_must_agree_on_its_frequency(bus: I2cBus) -> None:
    servo = output(bus, "number", 0)
    with pytest.raises(DriverError, match="'d0' has set the chip to 50 Hz"):
        output(bus, "light", 1)
    with pytest.raises(DriverError, match="channel 0 belongs to 'd0'"):
        output(bus, "number", 0)
    lamp = output(bus, "light", 1, frequency_hz=50)
    tell(lamp, "turn_on")
    assert tell(servo, "set_value", value=90) == {"state": 90}
    for part in (servo, lamp):
        part.close()


def test_pulses_the_wrong_way_round_are_told(bus: I2cBus) -> None:
    with pytest.raises(DriverError, match="below longest_us"):
        output(bus, "number", shortest_us=2000.0, longest_us=1000.0)
    output(bus, "number").close()
