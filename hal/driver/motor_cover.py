"""A blind, shutter or awning on a motor with two directions, its position told by time.

Part: a tubular motor with end switches of its own, over two relays (one for each direction); a
    spindle or rack motor on two relays or the two inputs of an H-bridge, with end stops.
Quantity: position, %, 0 closed to 100 open, about ±3. Fastest period: `pause_s` between directions.
Wiring: one relay opens, the other closes; wire them so that the second takes its feed through the
    first's rest contact, then even a stuck program cannot power both. An end stop is a contact
    between its pin and GND that closes at the end.
Source: Somfy LT 50 installation guide, "Precautions" (never both directions, pause when reversing).
Quirks: the motor must stop itself at both ends: after the travel time it is given 5 % more so that
    it really gets there. After a start the position is unknown until a full travel, unless an end
    stop tells it; asked for a position, it first goes to the nearer end. A hand on the wall switch
    is not noticed, but at an end stop. An end stop is seen within 0.1 s: it says where the cover
    is, and what must not be crushed needs a switch in the motor's own feed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from hal.contract import Actuator, HalError, Unplugged, Unsupported, Wiring
from hal.link.gpio import InputLine, OutputLine
from hal.option import Range, read
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action

OVERRUN: Final = 0.05
"""Share of the full travel that it runs on at an end, since motors slow down with age and cold."""

NEAR_PCT: Final = 1.0
"""A position this close is reached: less than a motor's start and stop cost."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a cover."""

    open_pin: int
    """Pin of the relay that opens."""

    close_pin: int
    """Pin of the relay that closes."""

    travel_s: Annotated[float, Range(1, 600, "s")]
    """Time from closed to open."""

    close_travel_s: Annotated[float, Range(1, 600, "s")] | None = None
    """Time from open to closed; None when it is the same."""

    pause_s: Annotated[float, Range(0.1, 10, "s")] = 0.5
    """Rest between two directions: reversing a turning motor breaks it, or its relay."""

    active_high: bool = True
    """False when a low level switches the relays on."""

    open_stop_pin: int | None = None
    """Pin of the contact that closes to GND when it is fully open; None for none."""

    closed_stop_pin: int | None = None
    """Pin of the contact that closes to GND when it is fully closed; None for none."""


class Way(IntEnum):
    """Where the motor turns to."""

    CLOSING = -1
    OPENING = 1


@dataclass(frozen=True, slots=True)
class _Run:
    """One stretch of travel in one direction."""

    way: Way
    lasts_s: float
    finds_end: bool
    """Whether it ends where the position is known again."""


_ENDS: Final[Mapping[Way, float]] = {Way.CLOSING: 0.0, Way.OPENING: 100.0}


class MotorCover(Actuator):
    """Two relays, never both on, a clock, and up to two end stops."""

    def __init__(self, wiring: Wiring) -> None:
        """Take both pins. A motor that a former owner left running is stopped.

        Raises:
            DriverError: an option is wrong.
            PinBusy: another device or program holds a pin.
            PinUnknown: the board has no such pin.
        """
        self._name = wiring.device.id
        self._options = options = read(Options, wiring.options, owner=self._name)
        self._lines: dict[Way, OutputLine] = {}
        self._stops: dict[Way, InputLine] = {}
        stops = ((Way.OPENING, options.open_stop_pin), (Way.CLOSING, options.closed_stop_pin))
        try:
            for way, pin in ((Way.OPENING, options.open_pin), (Way.CLOSING, options.close_pin)):
                self._lines[way] = OutputLine(
                    wiring.gpio, pin, owner=self._name, active_high=options.active_high
                )
                self._lines[way].set(False)
            for way, stop in stops:
                if stop is not None:
                    self._stops[way] = InputLine(
                        wiring.gpio, stop, owner=self._name, pull="up", active_high=False
                    )
        except HalError:
            self._release()
            raise
        self._position: float | None = None
        self._goal: float | None = None
        self._running: _Run | None = None
        self._waiting: _Run | None = None
        self._last_way: Way | None = None
        self._since_s = 0.0
        self._ends_s = 0.0
        self._rests_until_s = 0.0
        self._fault = ""

    def apply(self, action: Action, now: Instant) -> None:
        goals = {"open": 100.0, "close": 0.0, "stop": None}
        if action.name not in (*goals, "set_position"):
            raise Unsupported(f"{self._name} is a cover on a motor: it cannot {action.name}")
        self.advance(now)
        self._fault = ""
        is_stop = action.name == "stop"
        goal = goals[action.name] if action.name in goals else float(action.args["position"] or 0)
        self._goal = goal
        if is_stop:
            self._halt(now)
        else:
            self._head_for_goal(now)

    def advance(self, now: Instant) -> bool:
        try:
            if self._running and self._is_at_end(self._running.way):
                self._arrive(now)
            elif self._running and now.mono_s >= self._ends_s:
                self._run_out(self._running, now)
            elif self._waiting and now.mono_s >= self._rests_until_s:
                self._start(self._waiting, now)
        except Unplugged:
            pass  # read_back says so, too; a motor that could not be stopped is tried again
        except HalError as exc:
            self._fault = str(exc)
        return bool(self._running or self._waiting)

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:
        if self._fault:
            raise HalError(self._fault)
        is_opening, is_closing = (self._lines[way].is_on for way in (Way.OPENING, Way.CLOSING))
        if is_opening and is_closing:
            raise HalError(f"{self._name}: both directions are powered, check its relays")
        self._look_at_stops()
        place = self._place(now)
        position = None if place is None else round(place)
        if is_opening or is_closing:
            return {"state": "opening" if is_opening else "closing", "position": position}
        if position is None:
            return {"state": "stopped", "position": None}
        return {"state": "open" if position > 0 else "closed", "position": position}

    def close(self) -> None:
        # The one output that is not left as it is: nobody would stop the motor at its end.
        for line in self._lines.values():
            with suppress(HalError):
                line.set(False)
        self._release()

    def _release(self) -> None:
        for line in (*self._lines.values(), *self._stops.values()):
            with suppress(HalError):
                line.close()

    def _is_at_end(self, way: Way) -> bool:
        return way in self._stops and self._stops[way].is_active

    def _look_at_stops(self) -> None:
        """A cover that rests at an end stop is at that end, whoever brought it there; one that is
        said to be at an end whose stop is open is not."""
        if self._running:
            return
        for way, end in _ENDS.items():
            if self._is_at_end(way):
                self._position = end
            elif way in self._stops and self._position == end:
                self._position = None

    def _run_out(self, run: _Run, now: Instant) -> None:
        """Its time is over; an end stop that it should have reached says whether it turned."""
        if not run.finds_end or run.way not in self._stops:
            self._arrive(now)
            return
        self._halt(now)
        self._position = self._goal = None
        self._fault = f"{self._name} did not reach its end stop in time: does the motor turn?"

    def _head_for_goal(self, now: Instant) -> None:
        """Set out for the goal, by way of the nearer end while the position is unknown."""
        self._look_at_stops()
        place = self._place(now)
        if self._goal is None:
            return
        if place is None:
            way = Way.OPENING if self._goal >= 50 else Way.CLOSING
            run = _Run(way, self._travel_s(way) * (1 + OVERRUN), finds_end=True)
        elif abs(self._goal - place) < NEAR_PCT:
            self._halt(now)
            return
        else:
            run = self._run_between(place, self._goal)
        self._set_out(run, now)

    def _run_between(self, place: float, goal: float) -> _Run:
        way = Way.OPENING if goal > place else Way.CLOSING
        is_end = goal in (0.0, 100.0)
        share = abs(goal - place) / 100 + (OVERRUN if is_end else 0)
        return _Run(way, self._travel_s(way) * share, finds_end=is_end)

    def _set_out(self, run: _Run, now: Instant) -> None:
        turning = self._running
        if turning and turning.way is run.way:
            if self._position is not None:
                self._keep_place(now)
                self._running, self._ends_s = run, now.mono_s + run.lasts_s
            return
        if turning:
            self._halt(now)
        self._waiting = run
        if self._last_way in (None, run.way) or now.mono_s >= self._rests_until_s:
            self._start(run, now)

    def _start(self, run: _Run, now: Instant) -> None:
        self._waiting = None
        other = self._lines[Way(-run.way)]
        other.set(False)
        if other.is_on:
            raise HalError(f"{self._name}: the other direction does not let go, so it stays here")
        self._running, self._last_way = run, run.way
        self._since_s = now.mono_s
        self._ends_s = now.mono_s + run.lasts_s
        try:
            self._lines[run.way].set(True)
        except HalError:
            # It may turn or not; it is stopped at the end of its time either way.
            self._position = None
            raise

    def _arrive(self, now: Instant) -> None:
        """The run is over; go on when it only was to find an end."""
        run = self._running
        self._halt(now)
        if run and (run.finds_end or self._is_at_end(run.way)):
            self._position = _ENDS[run.way]
            self._head_for_goal(now)

    def _halt(self, now: Instant) -> None:
        """Power neither direction. The lines come first: they may fail, and then it still turns."""
        for line in self._lines.values():
            line.set(False)
        self._keep_place(now)
        if self._running:
            self._rests_until_s = now.mono_s + self._options.pause_s
        self._running = self._waiting = None

    def _keep_place(self, now: Instant) -> None:
        self._position = self._place(now)
        self._since_s = now.mono_s

    def _place(self, now: Instant) -> float | None:
        """Where it is, 0 to 100; None when unknown."""
        if self._position is None or not self._running:
            return self._position
        way = self._running.way
        went = (now.mono_s - self._since_s) / self._travel_s(way) * 100
        return min(100.0, max(0.0, self._position + way * went))

    def _travel_s(self, way: Way) -> float:
        if way is Way.CLOSING and self._options.close_travel_s is not None:
            return self._options.close_travel_s
        return self._options.travel_s
