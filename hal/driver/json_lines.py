"""Your own microcontroller: one JSON object a line over a serial adapter, both ways.

Part: anything that prints lines such as {"illuminance": 320, "moisture": 41.5}: an Arduino, an
    ESP32, a Pico. One `[[link]]` serves many devices, each picks its `key`.
Quantity: what the device's `device_class` says, in its `unit`. Fastest period: 5 ms, 200 lines/s.
Wiring: a USB cable; or TX to RX, RX to TX and GND to GND at 3.3 V.
Source: this file. In: {"<key>": number, true, false, "on", "off" or null, ...}; null means "my
    sensor is away". Out, for a switch or a number: {"set": {"<key>": 1}}; the microcontroller then
    prints the key with the level it really has, and only that counts as done.
Quirks: a key that is not in a line says nothing about its device. NaN, a key twice, or more than
    1,024 bytes make the whole line count as noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from hal.channel import Channel, Sample, unavailable
from hal.contract import Actuator, DriverError, Post, Sensor, Unplugged, Unsupported, Wiring
from hal.link.serial import SerialLink
from hal.option import Range, read
from llmagentos.clock import Clock, Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action
from llmagentos.reading import Quality
from llmagentos.wire import WireError, decode_object, encode

PATIENCE: Final = 5
"""Lines of noise in a row before the value is given up: a start in mid-line gives one or two."""

ANSWER_S: Final = 2.0
"""Longest wait for the microcontroller to print the level that it was told; a line with the old one
may have been on its way already."""

LARGEST: Final = 1e12
"""Beyond any quantity in a house; JSON allows numbers that no float can hold."""

_YES: Final = (True, 1, "on", "pressed")
_NO: Final = (False, 0, "off", "idle")
_WORDS: Final = {"button": ("pressed", "idle")}


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a device behind a microcontroller."""

    key: str | None = None
    """Its name in the lines; None takes the device's `device_class`, then its id."""

    port: str | None = None
    """Path of the serial adapter, for a device that has it for itself (no link)."""

    baud: Annotated[int, Range(300, 4_000_000, "baud")] = 115_200
    """Speed of `port`."""

    minimum: float | None = None
    """Lowest value that can be true, in the unit; lower ones are suspect. None for no bound."""

    maximum: float | None = None
    """Highest value that can be true; as above."""

    period_s: Annotated[float, Range(0.1, 86_400, "s")] = 30.0
    """Longest time between two lines with this key."""


def build(wiring: Wiring) -> Sensor | Actuator:
    """The device that a kind of `[[device]]` means: something that reports, or that also obeys.

    Raises:
        DriverError: an option is wrong, or there is neither a link nor a port.
    """
    if wiring.device.kind in ("sensor", "binary_sensor", "button"):
        return JsonSensor(wiring)
    return JsonOutput(wiring)


def decode(line: bytes, options: Options, *, key: str, kind: str) -> Sample | None:
    """What one line says about one key; None when it does not name it.

    Raises:
        WireError: the line is noise.
    """
    found = decode_object(line)
    if key not in found:
        return None
    value = found[key]
    if value is None:
        return unavailable(f"the microcontroller has no value for {key!r}")
    return _number(value, options, key) if kind == "sensor" else _yes_or_no(value, key, kind)


def _number(value: Any, options: Options, key: str) -> Sample:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return unavailable(f"the microcontroller sends a {type(value).__name__} for {key!r}")
    if abs(value) > LARGEST:
        return unavailable(f"the microcontroller sends a number beyond reason for {key!r}")
    low, high = options.minimum, options.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return Sample(value, Quality.SUSPECT, f"{value:g} is beyond what {key!r} can be")
    return Sample(value)


def _yes_or_no(value: Any, key: str, kind: str) -> Sample:
    yes, no = _WORDS.get(kind, ("on", "off"))
    if isinstance(value, str | int | bool) and value in (*_YES, *_NO):
        return Sample(yes if value in _YES else no)
    return unavailable(f"the microcontroller says neither yes nor no for {key!r}")


class _Ear:
    """The link of one device and the key it listens for."""

    def __init__(self, wiring: Wiring) -> None:
        device = wiring.device
        self.options = read(Options, wiring.options, owner=device.id)
        self.key = self.options.key or device.device_class or device.id
        self.kind = device.kind
        if wiring.link is not None and not isinstance(wiring.link, SerialLink):
            raise DriverError(f"{device.id}: its link is no serial line")
        if wiring.link is None and self.options.port is None:
            raise DriverError(f"{device.id}: write its link, or option 'port' for one of its own")
        self._owns_link = wiring.link is None
        self.link: SerialLink = wiring.link or SerialLink(
            self.options.port or "", baud=self.options.baud
        )
        self._forget: Callable[[], None] | None = None
        self._noise = 0

    def listen(self, tell: Callable[[Sample], None]) -> None:
        """Hand on what comes for this key; what is lost, too."""
        self._tell = tell
        self._forget = self.link.subscribe(self._line, lambda why: tell(unavailable(why)))

    def close(self) -> None:
        """Hear no more; a link of its own is closed."""
        if self._forget is not None:
            self._forget()
        if self._owns_link:
            self.link.close()

    def _line(self, line: bytes) -> None:
        try:
            sample = decode(line, self.options, key=self.key, kind=self.kind)
        except WireError as exc:
            self._noise += 1
            if self._noise == PATIENCE:
                self._tell(unavailable(f"nothing but noise ({exc}): is the baud rate right?"))
            return
        self._noise = 0
        if sample is not None:
            self._tell(sample)


class JsonSensor(Sensor):
    """One key of the lines that a microcontroller prints."""

    def __init__(self, wiring: Wiring) -> None:
        """Prepare; the link is not opened yet.

        Raises:
            DriverError: an option is wrong, or there is neither a link nor a port.
        """
        device = wiring.device
        self._ear = _Ear(wiring)
        quantity = (device.device_class or self._ear.key) if device.kind == "sensor" else "state"
        self._channel = Channel(device, quantity, unit=device.unit or "")

    @property
    def period_s(self) -> float | None:
        return self._ear.options.period_s if self._ear.kind == "sensor" else None

    def start(self, post: Post, clock: Clock) -> None:
        self._channel.open(post, clock)
        self._ear.listen(self._channel.tell)

    def close(self) -> None:
        self._channel.close()
        self._ear.close()


class JsonOutput(Actuator):
    """One key that a microcontroller obeys, and reports."""

    def __init__(self, wiring: Wiring) -> None:
        """Listen for what the key is now.

        Raises:
            DriverError: an option is wrong, or there is neither a link nor a port.
        """
        self._name = wiring.device.id
        self._ear = _Ear(wiring)
        self._seen = unavailable(f"the microcontroller has not yet told of {self._ear.key!r}")
        # As a number it may be anything; every other kind is on or off.
        self._ear.kind = "sensor" if wiring.device.kind == "number" else "switch"
        self._asked_at: Instant | None = None
        self._asked: Scalar = None
        self._has_answered = True
        self._ear.listen(self._see)

    def apply(self, action: Action, now: Instant) -> None:
        level = self._level(action)
        # Before it is sent: the answer may come at once.
        self._asked, self._asked_at, self._has_answered = level, now, False
        self._ear.link.send(encode({"set": {self._ear.key: level}}))

    def advance(self, now: Instant) -> bool:
        if self._asked_at is not None and self._asked_at.age_s(now) > ANSWER_S:
            self._asked_at = None
            if not self._has_answered:
                silent = f"the microcontroller does not answer for {self._ear.key!r}"
                self._seen = unavailable(silent)
        return self._asked_at is not None

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:
        self.advance(now)
        seen = self._seen
        if seen.quality is Quality.UNAVAILABLE:
            raise Unplugged(f"{self._name}: {seen.reason}")
        return {"state": seen.value}

    def close(self) -> None:
        self._ear.close()

    def _see(self, sample: Sample) -> None:
        self._seen, self._has_answered = sample, True
        level = {"on": 1, "off": 0}.get(str(sample.value), sample.value)
        if level == self._asked or sample.quality is Quality.UNAVAILABLE:
            self._asked_at = None

    def _level(self, action: Action) -> Scalar:
        is_number = self._ear.kind == "sensor"
        if is_number and action.name == "set_value":
            return action.args["value"]
        if not is_number and action.name in ("turn_on", "turn_off"):
            return int(action.name == "turn_on")
        raise Unsupported(f"{self._name} is behind a microcontroller: it cannot {action.name}")
