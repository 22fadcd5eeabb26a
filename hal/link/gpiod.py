"""The header of a Raspberry Pi or a Jetson, over the kernel's GPIO character device (libgpiod 2).

A gpiozero pin factory: `GpiodFactory()` finds the chip that the header hangs on by its label, since
its number changes with the kernel (the Pi 5's was gpiochip4 and became gpiochip0). Pins are BCM
numbers on a Pi and line offsets of the main chip on a Jetson; line names work too.

A line is requested when it is first used and stays requested until the pin is closed; asking for
its state or function changes nothing on it. Edges are debounced and time-stamped by the kernel.
PWM is software in one thread: for lamps, not for servos.

Quirk: what a released line does is the kernel's choice. Raspberry Pi kernels keep its level
(unless `dtparam=strict_gpiod`), upstream kernels turn it into an input.
"""

from __future__ import annotations

import dataclasses
import errno
import glob
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import gpiod
from gpiod.line import Bias, Direction, Edge, Value
from gpiozero import exc  # type: ignore[import-untyped]  # gpiozero has no types
from gpiozero.compat import frozendict  # type: ignore[import-untyped]  # as above
from gpiozero.pins import BoardInfo, HeaderInfo, PinInfo  # type: ignore[import-untyped]  # as above
from gpiozero.pins.local import LocalPiFactory  # type: ignore[import-untyped]  # as above
from gpiozero.pins.pi import PiFactory, PiPin  # type: ignore[import-untyped]  # as above

from hal.link.chip import HEADERS, Chip, OpenChip, find_header, look_at, opening
from hal.link.edge import EdgeWatch
from hal.link.soft_pwm import SoftPwm

CHIPS: Final = "/dev/gpiochip*"

CONSUMER: Final = "agentd"
"""What `gpioinfo` shows as the holder of our lines."""

_PULLS: Final[Mapping[str, Bias]] = {
    "floating": Bias.DISABLED,
    "up": Bias.PULL_UP,
    "down": Bias.PULL_DOWN,
}
_EDGES: Final[Mapping[str, Edge]] = {
    "none": Edge.NONE,
    "rising": Edge.RISING,
    "falling": Edge.FALLING,
    "both": Edge.BOTH,
}


def list_chips(paths: Sequence[str] | None = None) -> tuple[Chip, ...]:
    """The GPIO chips of this machine that this user may open."""
    return look_at(sorted(glob.glob(CHIPS)) if paths is None else paths, open_chip=gpiod.Chip)


class GpiodFactory(PiFactory):  # type: ignore[misc]  # gpiozero has no types
    """The pins of a board's header."""

    def __init__(self, chip: str | None = None, *, open_chip: OpenChip = gpiod.Chip) -> None:
        """Open the chip.

        Args:
            chip: its path; None finds the one that the header hangs on.
            open_chip: what opens it; tests give their own.

        Raises:
            Unplugged: there is no such chip.
            DriverError: this user may not open it.
        """
        super().__init__()
        path = chip or find_header(sorted(glob.glob(CHIPS)), open_chip=open_chip)
        with opening(path):
            self.chip = open_chip(path)
        self.pin_class = GpiodPin
        self.pulses = SoftPwm()
        self.edges = EdgeWatch()
        self._board = _describe(self.chip)

    def close(self) -> None:
        """Release every line, without driving any, and close the chip."""
        super().close()
        self.pulses.close()
        self.edges.close()
        self.chip.close()

    ticks = staticmethod(LocalPiFactory.ticks)
    ticks_diff = staticmethod(LocalPiFactory.ticks_diff)

    def _get_board_info(self) -> Any:
        return self._board


class GpiodPin(PiPin):  # type: ignore[misc]  # gpiozero has no types
    """One line of the chip."""

    def __init__(self, factory: GpiodFactory, info: Any) -> None:
        super().__init__(factory, info)
        self._lock = threading.RLock()
        self._request: Any = None
        self._settings = gpiod.LineSettings()
        self._edge_wish = Edge.BOTH
        self._hz: float | None = None
        self._duty = 0.0

    def close(self) -> None:
        """Release the line. A dimmed lamp is left fully lit: a restart must not darken a house."""
        self.when_changed = None
        if self._hz is not None:
            self._set_frequency(None)
        with self._lock:
            if self._request is not None:
                self._request.release()
                self._request = None
                self._settings = gpiod.LineSettings()

    def output_with_state(self, state: float) -> None:
        """Make it an output that drives this level from its first instant."""
        self._rest()
        self._configure(
            direction=Direction.OUTPUT,
            output_value=Value(int(bool(state))),
            edge_detection=Edge.NONE,
            debounce_period=timedelta(0),
            bias=Bias.AS_IS,
        )

    def input_with_pull(self, pull: str) -> None:
        """Make it an input that rests at this level."""
        if pull not in _PULLS:
            raise exc.PinInvalidPull(f"pull is one of {', '.join(_PULLS)}, not {pull!r}")
        self._rest()
        self._configure(direction=Direction.INPUT, bias=_PULLS[pull])

    def _get_function(self) -> str:
        with self._lock:
            direction = self._settings.direction
        if direction is Direction.AS_IS:
            direction = self._factory.chip.get_line_info(self._number).direction
        return "output" if direction is Direction.OUTPUT else "input"

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise exc.PinInvalidFunction(f"function is input or output, not {value!r}")
        if value == "input":
            self.input_with_pull("floating")
        elif self._settings.direction is not Direction.OUTPUT:
            # A line that a former owner left driven keeps its level: "as is" is requested first,
            # read, and only then made ours at the very level it has.
            was_driven = self._get_function() == "output"
            self.output_with_state(self._level() if was_driven else 0)

    def _get_state(self) -> float:
        if self._hz is not None and 0.0 < self._duty < 1.0:
            return self._duty
        return self._level()

    def _set_state(self, value: float) -> None:
        if self._settings.direction is not Direction.OUTPUT:
            raise exc.PinSetInput(f"cannot set the state of {self!r}: it is an input")
        if not 0 <= value <= 1:
            raise exc.PinInvalidState(f"a level is between 0 and 1, not {value!r}")
        self._duty = float(value)
        if self._hz is not None and 0.0 < value < 1.0:
            self._factory.pulses.pulse(self._number, self._write, duty=value, hz=self._hz)
        else:
            self._factory.pulses.stop(self._number)
            self._write(bool(value))

    def _get_frequency(self) -> float | None:
        return self._hz

    def _set_frequency(self, value: float | None) -> None:
        if value is not None and self._settings.direction is not Direction.OUTPUT:
            raise exc.PinPWMFixedValue(f"cannot pulse {self!r}: it is an input")
        if value is None:
            self._factory.pulses.stop(self._number)
            if self._hz is not None and 0.0 < self._duty < 1.0:
                self._write(True)
            self._hz = None
        elif self._hz is None:
            self._hz, self._duty = value, float(self._level())
        else:
            self._hz = value
            self._set_state(self._duty)

    def _get_pull(self) -> str:
        bias = self._settings.bias
        if bias is Bias.AS_IS:
            bias = self._factory.chip.get_line_info(self._number).bias
        return next((name for name, each in _PULLS.items() if each is bias), "floating")

    def _set_pull(self, value: str) -> None:
        if self._get_function() != "input":
            raise exc.PinFixedPull(f"cannot set the pull of {self!r}: it is an output")
        self.input_with_pull(value)

    def _get_bounce(self) -> float | None:
        return self._settings.debounce_period.total_seconds() or None

    def _set_bounce(self, value: float | None) -> None:
        if value is not None and value < 0:
            raise exc.PinInvalidBounce(f"bounce is 0 s or more, not {value!r}")
        self._configure(debounce_period=timedelta(seconds=value or 0))

    def _get_edges(self) -> str:
        return next(name for name, each in _EDGES.items() if each is self._edge_wish)

    def _set_edges(self, value: str) -> None:
        if value not in _EDGES:
            raise exc.PinInvalidEdges(f"edges are one of {', '.join(_EDGES)}, not {value!r}")
        self._edge_wish = _EDGES[value]
        if self._settings.edge_detection is not Edge.NONE:
            self._configure(edge_detection=self._edge_wish)

    def _enable_event_detect(self) -> None:
        self._configure(direction=Direction.INPUT, edge_detection=self._edge_wish)
        self._factory.edges.add(self._request.fd, self._read_edges)

    def _disable_event_detect(self) -> None:
        with self._lock:
            if self._request is None or self._settings.edge_detection is Edge.NONE:
                return
            self._factory.edges.remove(self._request.fd)
            self._configure(edge_detection=Edge.NONE)

    def _read_edges(self) -> None:
        """Pass on what the kernel queued; called from the watching thread."""
        with self._lock:
            if self._request is None or not self._request.wait_edge_events(0):
                return
            events = self._request.read_edge_events()
        for event in events:
            is_rising = event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE
            if self._when_changed is not None:
                self._call_when_changed(event.timestamp_ns / 1e9, int(is_rising))

    def _rest(self) -> None:
        """End pulsing; what comes next says which level the line takes."""
        self._factory.pulses.stop(self._number)
        self._hz = None

    def _write(self, level: bool) -> None:
        # Not under the lock: while a line is pulsed only the pulsing thread writes, under a lock of
        # its own that `stop` waits for. Taking both, once in each order, would lock up.
        self._request.set_value(self._number, Value(int(level)))

    def _level(self) -> int:
        """What can be measured on the line just now."""
        with self._lock:
            if self._request is None:
                self._configure()
            return int(self._request.get_value(self._number) is Value.ACTIVE)

    def _configure(self, **changes: Any) -> None:
        """Request the line, or change a request, in one step of the kernel's."""
        settings = dataclasses.replace(self._settings, **changes)
        with self._lock:
            if self._request is None:
                self._request = self._ask(settings)
            else:
                self._request.reconfigure_lines({self._number: settings})
            self._settings = settings

    def _ask(self, settings: gpiod.LineSettings) -> Any:
        try:
            return self._factory.chip.request_lines({self._number: settings}, consumer=CONSUMER)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            holder = self._factory.chip.get_line_info(self._number).consumer or "another program"
            raise exc.GPIOPinInUse(f"{self!r} is held by {holder}") from error


def _describe(chip: Any) -> Any:
    """gpiozero's picture of a board whose one header is the chip's lines."""
    info = chip.get_info()
    count = HEADERS.get(info.label) or info.num_lines
    pins = frozendict({offset: _pin(chip, offset) for offset in range(count)})
    header = HeaderInfo(name="GPIO", rows=count, columns=1, pins=pins)
    blank = dict.fromkeys(BoardInfo._fields)
    return BoardInfo(**{**blank, "model": info.label, "headers": frozendict({"GPIO": header})})


def _pin(chip: Any, offset: int) -> Any:
    name = f"GPIO{offset}"
    names: set[int | str] = {offset, str(offset), name, f"BCM{offset}"}
    if line_name := chip.get_line_info(offset).name:
        names.add(line_name)
    return PinInfo(
        number=offset,
        name=name,
        names=frozenset(names),
        pull="",
        row=offset + 1,
        col=1,
        interfaces=frozenset({"gpio"}),
    )
