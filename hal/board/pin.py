"""The board's pins for gpiozero: a pin factory that speaks to `agentd-board`'s socket.

Each pin is claimed when its direction is set and stays claimed until it is closed. Closing only
frees the claim: the board decides, as a kernel does, what a line that nobody holds will do.
Setting the function to output takes over the level, and the PWM, that the line has right then.

A board that went away costs the request under way (`BoardLost`); the next one connects again and
claims again what was held, at the levels the new board has. Nothing is written again: what the
lines read then is the truth.

GPIOZeroError
 ├─ PinError
 │   ├─ BoardLost       no board answers (transient; also `Unplugged`)
 │   └─ BoardRefused    the board said no (also `HalError`)
 └─ GPIOPinInUse
     └─ BoardPinBusy    another program holds the line (also `PinBusy`)
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Final

from gpiozero import exc as gpio  # type: ignore[import-untyped]  # gpiozero has no types
from gpiozero.pins.local import LocalPiFactory  # type: ignore[import-untyped]  # as above
from gpiozero.pins.pi import (  # type: ignore[import-untyped]  # gpiozero has no types
    PiFactory,
    PiPin,
)

from hal.board.link import EdgeWatch, PinLink
from hal.contract import HalError, PinBusy, Unplugged
from llmagentos.client import DoorError, DoorRefused
from llmagentos.place import run_dir
from llmagentos.wire import WireError

log = logging.getLogger(__name__)

REVISION: Final = 0xC03114
"""Raspberry Pi 4 B: gives the header's pins the names that people use (GPIO18, BOARD12, J8:12)."""

EDGES: Final = {"both": (0, 1), "rising": (1,), "falling": (0,), "none": ()}
"""gpiozero's word -> the levels after the edges that are told."""


class BoardLost(gpio.PinError, Unplugged):  # type: ignore[misc]  # gpiozero has no types
    """No board answers on the socket."""


class BoardRefused(gpio.PinError, HalError):  # type: ignore[misc]  # gpiozero has no types
    """The board cannot do that with this line."""


class BoardPinBusy(gpio.GPIOPinInUse, PinBusy):  # type: ignore[misc]  # gpiozero has no types
    """Another program holds the line."""


class BoardFactory(PiFactory):  # type: ignore[misc]  # gpiozero has no types
    """gpiozero's way to the simulated board. Making one does not connect yet."""

    def __init__(self, path: Path | str | None = None) -> None:
        """Name the board.

        Args:
            path: its socket; None takes `$LLMAGENTOS_BOARD`, else `board.sock` in the run folder.
        """
        super().__init__()
        chosen = path or os.environ.get("LLMAGENTOS_BOARD") or run_dir() / "board.sock"
        self.pin_class = BoardPin
        self.link = PinLink(Path(chosen), ticks=self.ticks)
        self.watch = EdgeWatch(Path(chosen), prepare=self.link.revive, tell=self._tell_pin)
        self._by_number: dict[int, BoardPin] = {}

    def close(self) -> None:
        """Let go of every line."""
        self.watch.close()
        super().close()
        self.link.close()

    def ask(self, verb: str, /, **data: Any) -> Any:
        """Ask the board; the one place where its errors become gpiozero's.

        Raises:
            BoardLost: no board answers within half a second.
            BoardPinBusy: another program holds the line.
            BoardRefused: the board cannot do that.
        """
        try:
            return self.link.request(verb, **data)
        except DoorRefused as exc:
            kind = BoardPinBusy if exc.code == "busy" else BoardRefused
            raise kind(str(exc)) from exc
        except (DoorError, WireError) as exc:
            raise BoardLost(f"the simulated board is away: {exc}") from exc

    # The monotonic clock, which the board's edges carry too.
    ticks = staticmethod(LocalPiFactory.ticks)
    ticks_diff = staticmethod(LocalPiFactory.ticks_diff)

    def enlist(self, number: int, pin: BoardPin) -> None:
        """Have a pin told of its edges."""
        self._by_number[number] = pin

    def _get_revision(self) -> int:
        return REVISION

    def _tell_pin(self, number: int, level: float, at: float) -> None:
        try:
            self._by_number[number].see(level, at)
        except Exception:
            # A callback is the user's code; the thread serves the other pins on.
            log.exception("a callback of GPIO%d failed", number)


class BoardPin(PiPin):  # type: ignore[misc]  # gpiozero has no types
    """One line of the board."""

    def __init__(self, factory: BoardFactory, info: Any) -> None:
        super().__init__(factory, info)
        self._is_output = False
        self._pull: str = info.pull or "floating"
        self._frequency: float | None = None
        self._bounce: float | None = None
        self._edges = "both"
        self._seen = 0.0
        factory.enlist(self._number, self)

    def close(self) -> None:
        """Free the claim; the level is not touched."""
        self.when_changed = None
        self.factory.link.forget(self._number)
        self._is_output, self._frequency = False, None

    def output_with_state(self, state: float) -> None:
        """Drive the line, at this level from the first instant on."""
        self._claim("output", level=float(state))

    def input_with_pull(self, pull: str) -> None:
        """Listen to the line."""
        self._set_pull_word(pull)
        self._claim("input")

    def see(self, level: float, at: float) -> None:
        """Take in an edge; called from the watching thread."""
        if level == self._seen:
            return
        self._seen = level
        if self._when_changed is not None and round(level) in EDGES[self._edges]:
            self._call_when_changed(at, round(level))

    def _claim(self, direction: str, *, level: float | None = None) -> None:
        line = self.factory.ask(
            "claim", pin=self._number, direction=direction, pull=self._pull, level=level
        )
        self._is_output = direction == "output"
        self._frequency = line["hz"]

    def _get_function(self) -> str:
        # Asked of the board: a line may still be driven by an owner that is gone, and whoever
        # takes it over has to know.
        return str(self.factory.ask("read", pin=self._number)["direction"])

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise gpio.PinInvalidFunction(f"{self!r} can be input or output, not {value!r}")
        self._claim(value)

    def _get_state(self) -> float:
        line = self.factory.ask("read", pin=self._number)
        # A line may still be pulsed by an owner that is gone: its duty is what it is.
        return round(line["level"]) if line["hz"] is None else float(line["level"])

    def _set_state(self, value: float) -> None:
        if not self._is_output:
            raise gpio.PinSetInput(f"{self!r} is an input: it cannot be driven")
        if self._frequency is None:
            self.factory.ask("write", pin=self._number, level=int(bool(value)))
        else:
            self.factory.ask("pwm", pin=self._number, duty=float(value), hz=self._frequency)

    def _get_frequency(self) -> float | None:
        return self._frequency

    def _set_frequency(self, value: float | None) -> None:
        # Ending PWM leaves the line as it is until the next write: gpiozero ends it on close,
        # and closing must not darken a lamp.
        if value is not None:
            if not self._is_output:
                raise gpio.PinPWMFixedValue(f"{self!r} is an input: it cannot be pulsed")
            self.factory.ask("pwm", pin=self._number, hz=float(value))
        self._frequency = value

    def _get_pull(self) -> str:
        return self._pull

    def _set_pull(self, value: str) -> None:
        if self._is_output:
            raise gpio.PinFixedPull(f"{self!r} is an output: it has no pull")
        self._set_pull_word(value)
        self._claim("input")

    def _set_pull_word(self, value: str) -> None:
        if value not in ("floating", "up", "down"):
            raise gpio.PinInvalidPull(f"a pull is floating, up or down, not {value!r}")
        if self.info.pull and value != self.info.pull:
            raise gpio.PinFixedPull(f"{self!r} has a fixed pull-{self.info.pull} resistor")
        self._pull = value

    def _get_bounce(self) -> float | None:
        return self._bounce

    def _set_bounce(self, value: float | None) -> None:
        if value is not None and not 0 <= value <= 60:
            raise gpio.PinInvalidBounce(f"a bounce time is 0 to 60 s, not {value}")
        self._bounce = value

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        if value not in EDGES:
            raise gpio.PinInvalidEdges(f"edges are {', '.join(EDGES)}, not {value!r}")
        self._edges = value

    def _enable_event_detect(self) -> None:
        self._seen = float(self._get_state())
        self.factory.watch.follow(self._number, stable_s=self._bounce or 0.0)

    def _disable_event_detect(self) -> None:
        self.factory.watch.leave(self._number)
