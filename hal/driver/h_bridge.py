"""A motor on an H-bridge: a fan or pump with a speed, or a motor with two directions.

Part: L298N, L9110S, TB6612FNG, DRV8833 and modules with them. For a blind take `gpio.motor_cover`,
    whose two pins may be the two inputs of a bridge.
Quantity: a `fan` has a speed, %, 0 to 100; a `number` has one, %, -100 (backward) to 100.
    Fastest period: 10 ms, and `pause_s` between two directions.
Wiring: the bridge's IN1 to `forward_pin`, IN2 to `backward_pin` (a fan may tie it to GND), GND to
    GND, the motor's own supply to VM. Leave the enable jumper on; STBY of a TB6612 to `enable_pin`
    and its PWM input to 3.3 V. 10 kΩ from each input to GND keep the motor at rest while the board
    boots.
Source: ST L298 datasheet rev 5 (2000), figure 6; Toshiba TB6612FNG datasheet (2014), "H-SW control
    function".
Quirks: below some 20 to 30 % most motors hum and do not turn: that is not seen here. The pulses are
    software's, 100 Hz, and can be heard. With its process the motor's pulses would end in full
    speed, so the motor is stopped when the device is closed, and when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from hal.contract import Actuator, HalError, Unplugged, Unsupported, Wiring
from hal.link.gpio import OutputLine, PwmLine
from hal.option import Range, read
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a motor on an H-bridge."""

    forward_pin: int
    """Pin at IN1."""

    backward_pin: int | None = None
    """Pin at IN2; None for a fan or pump that turns one way."""

    enable_pin: int | None = None
    """Pin at STBY or enable, high while the motor turns; None where a jumper does that."""

    pause_s: Annotated[float, Range(0.05, 10, "s")] = 0.3
    """Rest between two directions: reversing at speed takes several times the motor's current."""


class HBridge(Actuator):
    """Two pulsed lines, never both, and a goal."""

    def __init__(self, wiring: Wiring) -> None:
        """Take the pins. A motor that a former owner left running is stopped.

        Raises:
            DriverError: an option is wrong, or a pin cannot be pulsed.
            PinBusy: another device or program holds a pin.
            PinUnknown: the board has no such pin.
        """
        device = wiring.device
        self._name = device.id
        self._is_fan = device.kind == "fan"
        options = read(Options, wiring.options, owner=device.id)
        self._pause_s = options.pause_s
        self._lines: list[PwmLine] = []
        self._enable: OutputLine | None = None
        try:
            for pin in (options.forward_pin, options.backward_pin):
                if pin is not None:
                    self._lines.append(PwmLine(wiring.gpio, pin, owner=device.id))
            if options.enable_pin is not None:
                self._enable = OutputLine(wiring.gpio, options.enable_pin, owner=device.id)
            self._stop()
        except HalError:
            self._release()
            raise
        self._goal = 0.0
        self._last_speed = 1.0
        self._rests_until_s: float | None = None
        self._fault = ""

    def apply(self, action: Action, now: Instant) -> None:
        goal = self._read_goal(action)
        if goal < 0 and len(self._lines) < 2:
            raise HalError(f"{self._name} turns one way: it has no backward_pin")
        self._fault = ""
        speed = self._speed()
        self._goal = goal
        if goal == 0:
            self._stop()
            self._rests_until_s = now.mono_s + self._pause_s if speed else self._rests_until_s
        elif speed * goal < 0:
            self._stop()
            self._rests_until_s = now.mono_s + self._pause_s
        elif not self._is_resting(now):
            self._turn()

    def advance(self, now: Instant) -> bool:
        if self._rests_until_s is None or self._is_resting(now):
            return self._rests_until_s is not None and self._goal != 0
        self._rests_until_s = None
        try:
            self._turn()
        except Unplugged:
            pass  # read_back says so, too
        except HalError as exc:
            self._fault = str(exc)
        return False

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:  # noqa: ARG002
        if self._fault:
            raise HalError(self._fault)
        percent = round(self._speed() * 100, 1)
        speed = int(percent) if percent.is_integer() else percent
        if self._is_fan:
            return {"state": "on" if speed else "off", "speed": speed}
        return {"state": speed}

    def close(self) -> None:
        # Its pulses end with this process, and what is left of them may be full speed.
        with suppress(HalError):
            self._stop()
        self._release()

    def _read_goal(self, action: Action) -> float:
        """Share of full speed, below 0 for backward."""
        match action.name:
            case "turn_on" if self._is_fan:
                return self._goal or self._last_speed
            case "turn_off" if self._is_fan:
                return 0.0
            case "set_speed" if self._is_fan:
                return float(action.args["speed"] or 0) / 100
            case "set_value" if not self._is_fan:
                value = float(action.args["value"] or 0)
                if abs(value) > 100:
                    raise HalError(f"{self._name}: {value:g} % is beyond -100 to 100")
                return value / 100
        raise Unsupported(f"{self._name} is a motor on a bridge: it cannot {action.name}")

    def _speed(self) -> float:
        """What the lines do just now, -1 to 1."""
        duties = [line.duty for line in self._lines]
        if all(duties) and len(duties) == 2:
            raise HalError(f"{self._name}: both inputs of its bridge are powered, check the wires")
        enabled = self._enable is None or self._enable.is_on
        return (duties[0] - sum(duties[1:])) * enabled

    def _is_resting(self, now: Instant) -> bool:
        return self._rests_until_s is not None and now.mono_s < self._rests_until_s

    def _turn(self) -> None:
        if self._goal == 0:
            return
        self._last_speed = self._goal
        way = 0 if self._goal > 0 else 1
        for other, line in enumerate(self._lines):
            if other != way:
                line.set(0.0)
        if self._enable is not None:
            self._enable.set(True)
        self._lines[way].set(abs(self._goal))

    def _stop(self) -> None:
        for line in self._lines:
            line.set(0.0)
        if self._enable is not None:
            self._enable.set(False)

    def _release(self) -> None:
        for line in (*self._lines, self._enable):
            if line is not None:
                line.close()
