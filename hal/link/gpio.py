"""The board's pins as lines that say what they really do. Drivers know gpiozero through this.

gpiozero's own devices turn their pin into an input when they are closed, which flips a relay at
every restart. The lines here go one floor lower, to its pins: opening takes over the level of a
line that is already driven, closing leaves it, and reading asks the line itself.

What gpiozero, or the operating system below it, raises becomes an error of `hal.contract` here:
`MEANING` is the one table.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from gpiozero import exc  # type: ignore[import-untyped]  # gpiozero has no types
from gpiozero.pins.mock import MockFactory, MockPWMPin  # type: ignore[import-untyped]  # as above

from hal.contract import DriverError, HalError, PinBusy, PinUnknown, Unplugged

Pins = Any
"""A gpiozero pin factory: the pins of one board."""

PULLS: Final = ("floating", "up", "down")
"""What an input rests at when nothing drives it."""

PWM_HZ: Final = 100.0
"""Pulses of a dimmed lamp per second: above what an eye sees, within what software can do."""

MEANING: Final[Mapping[type[Exception], type[HalError]]] = {
    exc.GPIOPinInUse: PinBusy,
    exc.PinInvalidPin: PinUnknown,
    exc.PinNoPins: PinUnknown,
    exc.PinMultiplePins: PinUnknown,
    exc.PinUnsupported: PinUnknown,
    exc.GPIOPinMissing: PinUnknown,
    exc.PinUnknownPi: DriverError,
    exc.BadPinFactory: DriverError,
    exc.PinFixedPull: DriverError,
    exc.PinInvalidPull: DriverError,
    exc.PinInvalidBounce: DriverError,
    exc.PinInvalidEdges: DriverError,
    exc.PinInvalidFunction: DriverError,
    exc.PinInvalidState: DriverError,
    exc.PinSetInput: DriverError,
    exc.PinEdgeDetectUnsupported: DriverError,
    exc.PinPWMError: DriverError,
    exc.PinPWMUnsupported: DriverError,
    exc.PinPWMFixedValue: DriverError,
    exc.PinSPIUnsupported: DriverError,
    exc.DeviceClosed: HalError,
    exc.GPIODeviceClosed: HalError,
    exc.ZombieThread: HalError,
    exc.BadEventHandler: HalError,
    exc.BadWaitTime: HalError,
    exc.BadQueueLen: HalError,
    exc.GPIODeviceError: HalError,
    exc.InputDeviceError: HalError,
    exc.OutputDeviceError: HalError,
    exc.OutputDeviceBadValue: HalError,
    exc.PinError: HalError,
    exc.CompositeDeviceError: HalError,
    exc.CompositeDeviceBadName: HalError,
    exc.CompositeDeviceBadOrder: HalError,
    exc.CompositeDeviceBadDevice: HalError,
    exc.EnergenieSocketMissing: HalError,
    exc.EnergenieBadSocket: HalError,
    exc.SPIError: HalError,
    exc.SPIBadArgs: HalError,
    exc.SPIBadChannel: HalError,
    exc.SPIFixedClockMode: HalError,
    exc.SPIInvalidClockMode: HalError,
    exc.SPIFixedBitOrder: HalError,
    exc.SPIFixedSelect: HalError,
    exc.SPIFixedWordSize: HalError,
    exc.SPIFixedRate: HalError,
    exc.SPIInvalidWordSize: HalError,
    exc.GPIOZeroError: HalError,
}
"""Every exception of gpiozero and what it means here."""


def open_pins(kind: str, **options: Any) -> Pins:
    """Open the pins of a board.

    Args:
        kind: `gpiod` (real pins), `board` (the simulated board's) or `mock` (in memory).
        options: `chip` (a path) for gpiod, `socket` (a path) for board.

    Raises:
        DriverError: unknown kind or option, or these pins may not be opened.
        Unplugged: no board answers.
    """
    if kind not in _OPENERS:
        raise DriverError(f"no pins of kind {kind!r}; there are {', '.join(_OPENERS)}")
    opener = _OPENERS[kind]
    allowed = inspect.signature(opener).parameters
    if unknown := sorted(set(options) - set(allowed)):
        words = ", ".join(allowed) or "none"
        raise DriverError(f"{kind} pins have no option {unknown[0]!r}; allowed are {words}")
    with mapped(f"{kind} pins"):
        return opener(**options)


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Turn what gpiozero and the operating system raise into errors of ours.

    Args:
        what: the line or board concerned; the message begins with it.
    """
    try:
        yield
    except HalError:
        raise
    except exc.GPIOZeroError as error:
        ours = next(MEANING[each] for each in type(error).__mro__ if each in MEANING)
        raise ours(f"{what}: {error}") from error
    except OSError as error:
        raise Unplugged(f"{what}: {error.strerror or error}") from error


class _Line:
    """One pin, reserved for one device of this home for as long as it is open."""

    def __init__(self, pins: Pins | None, pin: int | None, *, owner: str) -> None:
        """Take the pin.

        Raises:
            DriverError: the device has no pin, or the home no board.
            PinBusy: another device or program holds it.
            PinUnknown: the board has no such pin.
        """
        if pin is None:
            raise DriverError(f"{owner}: its driver needs a pin")
        if pins is None:
            raise DriverError(f"{owner}: this home has no board with pins; write [board] pins")
        self._pins = pins
        self._number = pin
        self._owner = owner
        self._what = f"{owner}: pin {pin}"
        with mapped(self._what):
            self._pin = pins.pin(pin)
            pins.reserve_pins(self, pin)
            try:
                self._claim()
            except BaseException:
                pins.release_pins(self, pin)
                raise

    def _claim(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Let others have the pin; its level stays as it is."""
        self._pins.release_pins(self, self._number)

    def __repr__(self) -> str:
        return f"device {self._owner!r}"

    def _conflicts_with(self, other: object) -> bool:
        """Whether two may not share a pin (gpiozero asks); nobody shares ours."""
        return other is not self


class OutputLine(_Line):
    """A line that is driven high or low."""

    def __init__(
        self, pins: Pins | None, pin: int | None, *, owner: str, active_high: bool = True
    ) -> None:
        """Take over a line that is already driven, else drive it inactive.

        Args:
            pins: the board's pins.
            pin: number of the line.
            owner: id of the device, for messages.
            active_high: False when a low level switches the part on.

        Raises:
            As for every line: DriverError, PinBusy, PinUnknown.
        """
        self._active_high = active_high
        super().__init__(pins, pin, owner=owner)

    def _claim(self) -> None:
        if self._pin.function == "output":
            self._pin.function = "output"
        else:
            self._pin.output_with_state(int(not self._active_high))

    @property
    def is_on(self) -> bool:
        """Whether the line itself, read just now, is at the level that switches the part on.

        Raises:
            Unplugged: the board is away.
        """
        with mapped(self._what):
            return bool(self._pin.state) is self._active_high

    def set(self, on: bool) -> None:
        """Drive the line.

        Raises:
            Unplugged: the board is away.
        """
        with mapped(self._what):
            self._pin.state = int(on is self._active_high)


class PwmLine(_Line):
    """A line that is pulsed, so that a lamp on it is dimmed."""

    def _claim(self) -> None:
        if self._pin.function == "output":
            self._pin.function = "output"
        else:
            self._pin.output_with_state(0)
        if self._pin.frequency is None:
            self._pin.frequency = PWM_HZ

    @property
    def duty(self) -> float:
        """Share of the time that the line is high, 0 to 1, as it is driven just now.

        Raises:
            Unplugged: the board is away.
        """
        with mapped(self._what):
            return float(self._pin.state)

    def set(self, duty: float) -> None:
        """Pulse the line; 0 and 1 are steady levels.

        Raises:
            Unplugged: the board is away.
        """
        with mapped(self._what):
            self._pin.state = duty


class InputLine(_Line):
    """A line that a switch or a sensor drives."""

    def __init__(
        self,
        pins: Pins | None,
        pin: int | None,
        *,
        owner: str,
        pull: str = "floating",
        active_high: bool = True,
        debounce_s: float = 0.0,
    ) -> None:
        """Listen to a line.

        Args:
            pins: the board's pins.
            pin: number of the line.
            owner: id of the device, for messages.
            pull: one of `PULLS`.
            active_high: False when a low level means active.
            debounce_s: a level must last this long to count; 0 for no debouncing.

        Raises:
            As for every line, and DriverError: the pin has a fixed resistor the other way.
        """
        self._pull = pull
        self._active_high = active_high
        self._debounce_s = debounce_s
        self._lock = threading.Lock()
        self._told: bool | None = None
        self._on_change: Callable[[bool], None] | None = None
        super().__init__(pins, pin, owner=owner)

    def _claim(self) -> None:
        self._pin.input_with_pull(self._pull)
        self._pin.bounce = self._debounce_s or None
        self._pin.edges = "both"

    @property
    def is_active(self) -> bool:
        """Whether the line is active just now.

        Raises:
            Unplugged: the board is away.
        """
        with mapped(self._what):
            return bool(self._pin.state) is self._active_high

    def watch(self, on_change: Callable[[bool], None]) -> None:
        """Tell the present state at once and every change from now on.

        Args:
            on_change: gets True for active; called from the board's thread, must not block.

        Raises:
            Unplugged: the board is away.
        """
        self._on_change = on_change
        with mapped(self._what):
            self._pin.when_changed = self._edge
        self._tell(self.is_active)

    def close(self) -> None:
        """Stop listening and let others have the pin."""
        with mapped(self._what):
            self._pin.when_changed = None
        self._on_change = None
        super().close()

    def _edge(self, ticks: object, state: float) -> None:  # noqa: ARG002  # gpiozero's signature
        self._tell(bool(state) is self._active_high)

    def _tell(self, active: bool) -> None:
        """Pass on what is new; the lock keeps the first look and the first edge in order."""
        with self._lock:
            if active is self._told or self._on_change is None:
                return
            self._told = active
            self._on_change(active)


def _open_gpiod(*, chip: str | None = None) -> Pins:
    from hal.link.gpiod import GpiodFactory

    return GpiodFactory(chip)


def _open_board(*, socket: Path | str | None = None) -> Pins:
    from hal.board.pin import BoardFactory

    return BoardFactory() if socket is None else BoardFactory(Path(socket))


def _open_mock() -> Pins:
    return MockFactory(pin_class=MockPWMPin)


_OPENERS: Final[Mapping[str, Callable[..., Pins]]] = {
    "gpiod": _open_gpiod,
    "board": _open_board,
    "mock": _open_mock,
}
