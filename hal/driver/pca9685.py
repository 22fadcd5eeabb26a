"""PCA9685 with sixteen outputs of 12-bit pulses by NXP: servos and dimmed lamps.

Part: the chip on a servo board (Adafruit 815 and its clones); hobby servos, LEDs, MOSFETs on it.
Quantity: a `number` is a servo's angle, °, `min` to `max` of the device (0 to 180), in steps of
    about 0.9; a `light` is a brightness, %, 0 to 100. Fastest period: one pulse, 20 ms at 50 Hz.
Wiring: VCC to 3.3 V, GND to GND, SDA to SDA, SCL to SCL, OE to GND; servos from their own 5 V at
    V+, never from the board's. The address is 0x40 without solder bridges.
Source: NXP PCA9685 datasheet rev 4, 7.3.1 (MODE1), 7.3.3 (outputs), 7.3.5 (prescaler).
Quirks: all sixteen share one frequency: 50 Hz for servos (LEDs flicker there for a camera), 200 Hz
    for lamps; mixed, write the same `frequency_hz` for all. Its clock is good to 5 %, and so are
    the pulses: a servo that hums at an end wants a narrower `shortest_us` or `longest_us`. The
    servo's own place is not read back, the chip's pulses are. Without power the chip forgets all.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from hal.contract import DriverError, HalError, Unsupported, Wiring
from hal.i2c_sensor import bus_of
from hal.option import Range, read
from hal.slow_output import SlowOutput
from llmagentos.kind import Scalar
from llmagentos.plan import Action

STEPS: Final = 4096
"""Of one period."""

CLOCK_HZ: Final = 25_000_000
SERVO_HZ: Final = 50
LAMP_HZ: Final = 200

_MODE1, _OUTPUTS, _PRESCALE = 0x00, 0x06, 0xFE
_SLEEP, _AUTO_INCREMENT = 0x10, 0x20
_FULL: Final = 0x10
"""Bit 4 of the high byte: steadily on, or steadily off."""

AWAKE_S: Final = 0.001
"""Its oscillator needs 500 μs."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of one output of a PCA9685."""

    channel: Annotated[int, Range(0, 15)]
    """Output, as printed on the board."""

    address: Annotated[int, Range(0x40, 0x77)] = 0x40
    """0x40 and more, by the board's solder bridges."""

    frequency_hz: Annotated[int, Range(24, 1526, "Hz")] | None = None
    """Of all sixteen; None for 50 with a number, 200 with a light."""

    shortest_us: Annotated[float, Range(100, 3000, "μs")] = 1000.0
    """Pulse of a servo at its lowest angle; many go down to 500."""

    longest_us: Annotated[float, Range(100, 3000, "μs")] = 2000.0
    """Pulse at its highest angle; many go up to 2500."""

    period_s: Annotated[float, Range(0.1, 3600, "s")] = 5.0
    """Pause between two looks at what the chip puts out."""


def encode(steps: int) -> bytes:
    """The four registers of an output that is high for so many steps of 4,096, from step 0."""
    if steps <= 0:
        return bytes([0, 0, 0, _FULL])
    if steps >= STEPS:
        return bytes([0, _FULL, 0, 0])
    return bytes([0, 0, *steps.to_bytes(2, "little")])


def decode(raw: bytes) -> int:
    """For how many steps an output is high; steadily off wins over steadily on (7.3.3)."""
    rises, falls = (int.from_bytes(raw[at : at + 2], "little") for at in (0, 2))
    if falls & _FULL << 8:
        return 0
    if rises & _FULL << 8:
        return STEPS
    return (falls - rises) % STEPS


def prescaler(frequency_hz: int) -> int:
    """The register that gives this frequency."""
    return round(CLOCK_HZ / (STEPS * frequency_hz)) - 1


class Pca9685(SlowOutput[int]):
    """One output; its goal is a number of steps."""

    def __init__(self, wiring: Wiring) -> None:
        """Take the channel and begin to read it; nothing is written.

        Raises:
            DriverError: an option is wrong, its link is no I2C bus, or the channel is taken.
        """
        device = wiring.device
        self._options = options = read(Options, wiring.options, owner=device.id)
        if options.shortest_us >= options.longest_us:
            raise DriverError(f"{device.id}: shortest_us must be below longest_us")
        self._is_servo = device.kind == "number"
        self._hz = options.frequency_hz or (SERVO_HZ if self._is_servo else LAMP_HZ)
        self._lowest = 0.0 if device.minimum is None else device.minimum
        self._highest = 180.0 if device.maximum is None else device.maximum
        bus = bus_of(wiring)
        self._part = bus.claim(
            options.address, owner=device.id, chip="PCA9685", channel=options.channel,
            setting=f"{self._hz} Hz",
        )  # fmt: skip
        self._last_steps = STEPS
        self._asked: tuple[int, float] | None = None
        self._rest = threading.Event()
        super().__init__(device.id, bus.rounds, period_s=options.period_s)

    def goal(self, action: Action) -> int:
        match action.name:
            case "set_value" if self._is_servo:
                return self._angle_steps(float(action.args["value"] or 0))
            case "turn_on" if not self._is_servo:
                return self._last_steps
            case "turn_off" if not self._is_servo:
                return 0
            case "set_brightness" if not self._is_servo:
                share = float(action.args["brightness"] or 0) / 100
                return max(1, round(share * STEPS)) if share > 0 else 0
        raise Unsupported(f"{self._name} is an output of a PCA9685: it cannot {action.name}")

    def write(self, goal: int) -> None:
        self._wake()
        self._part.write([_OUTPUTS + 4 * self._options.channel, *encode(goal)])

    def fetch(self) -> Mapping[str, Scalar]:
        (mode,) = self._part.ask([_MODE1], count=1)
        register = _OUTPUTS + 4 * self._options.channel
        steps = 0 if mode & _SLEEP else decode(self._ask_each(register, count=4))
        if self._is_servo:
            return {"state": self._angle(steps)}
        self._last_steps = steps or self._last_steps
        brightness = round(steps * 100 / STEPS, 1)
        whole = int(brightness) if brightness.is_integer() else brightness
        return {"state": "on" if steps else "off", "brightness": whole}

    def close(self) -> None:
        super().close()
        self._part.close()

    def _angle_steps(self, angle: float) -> int:
        if not self._lowest <= angle <= self._highest:
            raise HalError(f"{self._name}: {angle:g}° is beyond {self._lowest:g} to "
                           f"{self._highest:g}°")  # fmt: skip
        low_us, high_us = self._options.shortest_us, self._options.longest_us
        share = (angle - self._lowest) / (self._highest - self._lowest)
        steps = round((low_us + share * (high_us - low_us)) * self._hz * STEPS / 1e6)
        self._asked = steps, angle
        return steps

    def _angle(self, steps: int) -> float | None:
        """The angle that the pulses mean: the one asked while they are exactly its, else the
        nearest tenth; None while there are no pulses and the servo is slack."""
        if steps == 0:
            return None
        if self._asked and self._asked[0] == steps:
            return self._asked[1]
        low_us, high_us = self._options.shortest_us, self._options.longest_us
        share = (steps * 1e6 / STEPS / self._hz - low_us) / (high_us - low_us)
        return round(self._lowest + share * (self._highest - self._lowest), 1)

    def _wake(self) -> None:
        """Set the frequency, if it is not set; the chip takes it only while it sleeps."""
        (mode,), (scale,) = (self._part.ask([at], count=1) for at in (_MODE1, _PRESCALE))
        wanted = prescaler(self._hz)
        if scale != wanted:
            self._part.write([_MODE1, _AUTO_INCREMENT | _SLEEP])
            self._part.write([_PRESCALE, wanted])
        if scale != wanted or mode & _SLEEP or not mode & _AUTO_INCREMENT:
            self._part.write([_MODE1, _AUTO_INCREMENT])
            self._rest.wait(AWAKE_S)

    def _ask_each(self, register: int, *, count: int) -> bytes:
        """Registers one by one: a chip that nobody has set up yet does not count on."""
        return b"".join(self._part.ask([register + at], count=1) for at in range(count))
