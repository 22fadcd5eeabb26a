"""The 28 lines of the header: who holds each, what it drives, what can be read from it.

HalError
 └─ LineRefused    the line cannot do that now; `code` is for programs, the text for people
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hal.contract import HalError
from llmagentos.clock import Instant

PINS: Final = range(28)
"""BCM numbers of the 40-pin header of a Raspberry Pi."""

PULLS: Final = ("floating", "up", "down")
FIXED_UP: Final = frozenset({2, 3})
"""Lines with a 1.8 kΩ resistor to 3.3 V on the board itself (I2C)."""


class LineRefused(HalError):
    """The line cannot do that now."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        """busy, no_such_pin, not_claimed or bad_request"""


@dataclass(frozen=True, slots=True)
class Owner:
    """One live connection."""

    number: int
    """Unique within the life of the board, so that one program's two connections differ."""

    pid: int
    name: str
    """The program's name, as `ps` shows it."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One row of the edge log: a level that changed, or a line that changed hands."""

    at: Instant
    pin: int
    level: float
    """0 or 1, or the duty 0..1 of PWM, as it can be measured on the line."""

    owner: int | None
    """Process id of the holder; None when nobody holds it."""

    why: str
    """write pwm claim release death input fault"""


@dataclass(frozen=True, slots=True)
class LineView:
    """One line, as anybody may see it."""

    pin: int
    level: float
    direction: str
    """input or output"""

    pull: str
    """floating, up or down"""

    hz: float | None
    """PWM frequency; None for a plain level."""

    owner_pid: int | None
    owner_name: str
    stuck: float | None
    """Level it is stuck at by a fault; None when sound."""


@dataclass(slots=True)
class _Line:
    pull: str = "floating"
    is_output: bool = False
    sent: float = 0.0
    hz: float | None = None
    driven: float | None = None
    stuck: float | None = None
    owner: Owner | None = field(default=None)

    @property
    def level(self) -> float:
        """What a meter on the line would show."""
        if self.stuck is not None:
            return self.stuck
        if self.is_output:
            return self.sent
        return self.driven if self.driven is not None else float(self.pull == "up")


class Header:
    """All lines. Not for several threads."""

    def __init__(self, *, has_strict_lines: bool = False) -> None:
        """All lines are inputs.

        Args:
            has_strict_lines: a line whose owner lets go, or dies, becomes an input again, as
                upstream kernels do it. Otherwise it keeps its level, as Raspberry Pi kernels do.
        """
        self._is_strict = has_strict_lines
        self._lines = {pin: _Line(pull=_resting_pull(pin)) for pin in PINS}
        self._listeners: list[Callable[[Edge], None]] = []

    def listen(self, listener: Callable[[Edge], None]) -> None:
        """Have every edge told, in order, from within the call that made it."""
        self._listeners.append(listener)

    def claim(
        self, pin: int, *, owner: Owner, output: bool, pull: str, level: float | None, now: Instant
    ) -> None:
        """Take a line, or change the direction of one already held.

        Args:
            pin: BCM number.
            owner: who asks.
            output: drive it; else listen to it.
            pull: of an input.
            level: 0 or 1 to drive from the first instant on; None takes over the present level
                (and PWM), without a blip.
            now: goes into the log.

        Raises:
            LineRefused: no such pin, or another connection holds it.
        """
        line = self._line(pin)
        self._refuse_strangers(pin, line, owner)
        if pull not in PULLS:
            raise LineRefused("bad_request", f"pull is one of {', '.join(PULLS)}, not {pull!r}")
        before, is_new = line.level, line.owner is None
        if output:
            line.sent, line.hz = (line.level, line.hz) if level is None else (level, None)
        else:
            line.hz, line.pull = None, "up" if pin in FIXED_UP else pull
        line.is_output, line.owner = output, owner
        self._tell(pin, before, why="claim", now=now, always=is_new)

    def write(self, pin: int, *, owner: Owner, level: float, now: Instant) -> None:
        """Drive an output low or high; ends PWM.

        Raises:
            LineRefused: not an output of this owner.
        """
        self._send(pin, owner=owner, level=level, hz=None, why="write", now=now)

    def pwm(self, pin: int, *, owner: Owner, duty: float | None, hz: float, now: Instant) -> None:
        """Pulse an output; `duty` None keeps the share of time that the line is high.

        Raises:
            LineRefused: not an output of this owner.
        """
        level = self._line(pin).sent if duty is None else duty
        self._send(pin, owner=owner, level=level, hz=hz, why="pwm", now=now)

    def release(self, pin: int, *, owner: Owner, now: Instant, why: str = "release") -> None:
        """Let go of a line; nothing happens when this owner does not hold it."""
        line = self._line(pin)
        if line.owner != owner:
            return
        before = line.level
        if self._is_strict:
            line.is_output, line.pull, line.hz = False, _resting_pull(pin), None
        self._tell(pin, before, why=why, now=now, always=True)
        line.owner = None

    def drop(self, owner: Owner, *, now: Instant) -> None:
        """The owner's connection ended without a goodbye: let go of all it held."""
        for pin in PINS:
            self.release(pin, owner=owner, now=now, why="death")

    def drive(self, pin: int, *, level: float | None, now: Instant) -> None:
        """Have the outside world drive an input; None lets it rest at its pull."""
        line = self._line(pin)
        before, line.driven = line.level, level
        self._tell(pin, before, why="input", now=now)

    def stick(self, pin: int, *, level: float | None, now: Instant) -> None:
        """Have a line stuck at a level whatever is written; None repairs it."""
        line = self._line(pin)
        before, line.stuck = line.level, level
        self._tell(pin, before, why="fault", now=now)

    def rest_level(self, pin: int) -> float:
        """The level of an input that nothing drives."""
        return float(self._line(pin).pull == "up")

    def level(self, pin: int) -> float:
        """What a meter on the line would show: 0, 1 or a duty."""
        return self._line(pin).level

    def view(self, pin: int) -> LineView:
        """All that is known of one line."""
        line = self._line(pin)
        return LineView(
            pin=pin,
            level=line.level,
            direction="output" if line.is_output else "input",
            pull=line.pull,
            hz=line.hz,
            owner_pid=line.owner.pid if line.owner else None,
            owner_name=line.owner.name if line.owner else "",
            stuck=line.stuck,
        )

    def _send(
        self, pin: int, *, owner: Owner, level: float, hz: float | None, why: str, now: Instant
    ) -> None:
        line = self._line(pin)
        if line.owner != owner or not line.is_output:
            raise LineRefused("not_claimed", f"GPIO{pin} is not an output of yours: claim it first")
        if not 0 <= level <= 1:
            raise LineRefused("bad_request", f"a level is between 0 and 1, not {level}")
        before, line.sent, line.hz = line.level, level, hz
        self._tell(pin, before, why=why, now=now)

    def _line(self, pin: int) -> _Line:
        try:
            return self._lines[pin]
        except KeyError as exc:
            raise LineRefused("no_such_pin", f"the header has GPIO0 to GPIO27, no {pin}") from exc

    @staticmethod
    def _refuse_strangers(pin: int, line: _Line, owner: Owner) -> None:
        if line.owner is not None and line.owner != owner:
            holder = f"{line.owner.name} (pid {line.owner.pid})"
            raise LineRefused("busy", f"GPIO{pin} is held by {holder}")

    def _tell(
        self, pin: int, before: float, *, why: str, now: Instant, always: bool = False
    ) -> None:
        line = self._lines[pin]
        if line.level == before and not always:
            return
        edge = Edge(now, pin, line.level, line.owner.pid if line.owner else None, why)
        for listener in self._listeners:
            listener(edge)


def _resting_pull(pin: int) -> str:
    return "up" if pin in FIXED_UP else "down"
