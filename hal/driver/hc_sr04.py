"""HC-SR04 ultrasonic distance sensor (also RCWL-1601, US-100 in pulse mode).

Quantity: distance, cm, 2 to 400, ±0.3 at best (±1 with the air's temperature unknown by 10 K).
    Fastest period: 0.2 s for three pings.
Wiring: VCC to 5 V, GND to GND, Trig to a pin; Echo is 5 V and a pin takes 3.3: 1 kΩ from Echo to
    the pin, 2 kΩ from the pin to GND. The RCWL-1601 runs at 3.3 V and needs no resistors.
Source: ElecFreaks HC-SR04 user guide V1.0, "Timing diagram"; speed of sound in dry air after
    Cramer (1993), linear around 20 °C: 331.3 + 0.606 m/s for each °C.
Quirks: soft cloth and slanted walls give no echo; beyond its reach the pulse lasts 38 ms or more,
    and some clones then hold Echo high until they see something. The kernel's time stamps are good
    to some 50 μs (1 cm); the median of three pings takes single ones off.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from hal.channel import Channels, Sample, unavailable
from hal.contract import HalError, Post, Sensor, Unplugged, Wiring
from hal.link.gpio import OutputLine
from hal.link.pulse import PulseLine
from hal.link.rounds import Rounds
from hal.option import Range, read
from llmagentos.clock import Clock

PINGS: Final = 3
REST_S: Final = 0.06
"""Pause between two pings, so that the last one's echo is gone (user guide: over 60 ms)."""

TRIGGER_S: Final = 1e-5
ECHO_S: Final = 0.1
"""Longest wait for the end of an echo; clones without anything in sight take up to 65 ms."""

NEAREST_CM: Final = 2.0
PATIENCE: Final = 2
SLACK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of an HC-SR04."""

    trigger_pin: int
    """Pin at Trig."""

    echo_pin: int
    """Pin at Echo, behind its two resistors."""

    maximum: Annotated[float, Range(10, 600, "cm")] = 400.0
    """Farthest distance that is told."""

    air_temperature: Annotated[float, Range(-40, 60, "°C")] = 20.0
    """Of the air it measures through."""

    period_s: Annotated[float, Range(0.1, 3600, "s")] = 1.0
    """Pause between two looks of three pings."""


def judge(lengths_s: list[float], options: Options) -> Sample:
    """The distance that a few echoes tell; none when fewer than two of three came back."""
    per_s = (331.3 + 0.606 * options.air_temperature) * 100 / 2
    near = [cm for length in lengths_s if (cm := length * per_s) <= options.maximum]
    if 2 * len(near) <= len(lengths_s):
        return unavailable(f"nothing within {options.maximum:g} cm gives an echo")
    if (cm := statistics.median(near)) < NEAREST_CM:
        return unavailable(f"an echo from nearer than {NEAREST_CM:g} cm: something covers it")
    return Sample(round(cm, 1))


class HcSr04(Sensor):
    """One HC-SR04 on two pins."""

    def __init__(self, wiring: Wiring) -> None:
        """Take both pins.

        Raises:
            DriverError: an option is wrong.
            PinBusy: another device or program holds a pin.
            PinUnknown: the board has no such pin.
        """
        name = wiring.device.id
        self._options = options = read(Options, wiring.options, owner=name)
        self._trigger = OutputLine(wiring.gpio, options.trigger_pin, owner=name)
        try:
            self._echo = PulseLine(wiring.gpio, options.echo_pin, owner=name)
        except HalError:
            self._trigger.close()
            raise
        self._rounds = Rounds(f"hc-sr04 {name}")
        self._channels = Channels(wiring.device, {"distance": "cm"}, patience=PATIENCE)
        self._forget: Callable[[], None] | None = None
        self._rest = threading.Event()

    @property
    def period_s(self) -> float | None:
        look_s = PINGS * (ECHO_S + REST_S)
        return PATIENCE * (self._options.period_s + look_s) + SLACK_S

    def start(self, post: Post, clock: Clock) -> None:
        self._channels.open(post, clock)
        self._forget = self._rounds.every(self._options.period_s, self._look, self._channels.lose)

    def close(self) -> None:
        self._channels.close()
        self._rest.set()
        self._rounds.close(self._release)

    def _release(self) -> None:
        self._trigger.close()
        self._echo.close()

    def _look(self) -> None:
        self._channels.tell(
            {"distance": judge([self._ping() for _ in range(PINGS)], self._options)}
        )

    def _ping(self) -> float:
        """Length of one echo in seconds."""
        if self._rest.wait(REST_S):
            raise Unplugged("closed")
        if self._echo.is_active:
            raise Unplugged("its Echo stays high: check its 5 V and the two resistors")
        self._echo.expect()
        self._trigger.set(True)
        self._rest.wait(TRIGGER_S)
        self._trigger.set(False)
        length_s = self._echo.wait(ECHO_S)
        if length_s is None:
            raise Unplugged("no echo pulse at all: check its 5 V, Trig and Echo")
        return length_s
