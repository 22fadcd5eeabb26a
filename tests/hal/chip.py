"""A GPIO chip as libgpiod 2 shows it, in memory: requests, edges, owners that come and go."""

from __future__ import annotations

import errno
import os
import select
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gpiod
from gpiod.line import Bias, Direction, Edge, Value


@dataclass
class Line:
    """What the kernel and the wire know of one line."""

    name: str = ""
    level: int = 0
    direction: Direction = Direction.INPUT
    bias: Bias = Bias.DISABLED
    consumer: str = ""
    stuck: int | None = None
    """Level that it has whatever is written: a short."""
    request: FakeRequest | None = None
    history: list[int] = field(default_factory=list)
    on_write: Callable[[int], None] = lambda level: None
    """What hangs on the line and sees it driven."""

    @property
    def measured(self) -> int:
        return self.level if self.stuck is None else self.stuck

    def write(self, level: int) -> None:
        if level != self.level:
            self.level = level
            self.history.append(level)
            self.on_write(level)


class FakeChip:
    """One chip; stays when the program that used it is gone, as the hardware does."""

    def __init__(
        self, label: str = "pinctrl-rp1", *, lines: int = 54, is_strict: bool = False
    ) -> None:
        self.label = label
        self.is_strict = is_strict
        self.lines = [Line(name=f"NAME{number}") for number in range(lines)]
        self.is_gone = False

    def open(self, path: str) -> FakeHandle:
        return FakeHandle(self)

    def drive(self, offset: int, level: int, *, at_ns: int = 1_000_000_000) -> None:
        """The outside world moves an input; the kernel sees it at this time."""
        line = self.lines[offset]
        line.level = level
        if line.request is not None:
            line.request.see(level, at_ns=at_ns)


class FakeHandle:
    """An opened chip: what `gpiod.Chip` is."""

    def __init__(self, chip: FakeChip) -> None:
        self._chip = chip
        self._requests: list[FakeRequest] = []

    def __enter__(self) -> FakeHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._requests.clear()

    def get_info(self) -> gpiod.ChipInfo:
        return gpiod.ChipInfo("gpiochip0", self._chip.label, len(self._chip.lines))

    def get_line_info(self, offset: int) -> gpiod.LineInfo:
        line = self._chip.lines[offset]
        return gpiod.LineInfo(
            offset, line.name, bool(line.consumer), line.consumer, line.direction.value, False,
            line.bias.value, 1, 1, 1, False, 0,
        )  # fmt: skip

    def request_lines(self, config: dict[int, gpiod.LineSettings], consumer: str) -> FakeRequest:
        (offset, settings), *_ = config.items()
        line = self._chip.lines[offset]
        if line.consumer:
            raise OSError(errno.EBUSY, "Device or resource busy")
        line.consumer = consumer
        line.request = FakeRequest(self._chip, offset, settings)
        return line.request


class FakeRequest:
    """One requested line."""

    def __init__(self, chip: FakeChip, offset: int, settings: gpiod.LineSettings) -> None:
        self._chip, self._offset = chip, offset
        self._line = chip.lines[offset]
        self._events: deque[Any] = deque()
        self.fd, self._writer = os.pipe()
        self.reconfigure_lines({offset: settings})

    def reconfigure_lines(self, config: dict[int, gpiod.LineSettings]) -> None:
        self.settings = settings = config[self._offset]
        if settings.edge_detection is not Edge.NONE and settings.direction is not Direction.INPUT:
            raise OSError(errno.EINVAL, "edges are for inputs")
        if settings.direction is not Direction.AS_IS:
            self._line.direction = settings.direction
        if settings.direction is Direction.OUTPUT:
            self._line.write(settings.output_value.value)
        if settings.bias is not Bias.AS_IS:
            self._line.bias = settings.bias
            if settings.direction is Direction.INPUT and settings.bias is not Bias.DISABLED:
                self._line.level = int(settings.bias is Bias.PULL_UP)

    def get_value(self, offset: int) -> Value:
        self._check()
        return Value(self._line.measured)

    def set_value(self, offset: int, value: Value) -> None:
        self._check()
        if self._line.direction is not Direction.OUTPUT:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        self._line.write(value.value)

    def see(self, level: int, *, at_ns: int) -> None:
        wanted = {Edge.NONE: (), Edge.RISING: (1,), Edge.FALLING: (0,), Edge.BOTH: (0, 1)}
        if level in wanted[self.settings.edge_detection]:
            kind = 1 if level else 2
            self._events.append(gpiod.EdgeEvent(kind, at_ns, self._offset, 1, 1))
            os.write(self._writer, b"x")

    def wait_edge_events(self, timeout: float) -> bool:
        return bool(select.select([self.fd], [], [], timeout)[0])

    def read_edge_events(self) -> list[Any]:
        self._check()
        os.read(self.fd, 4096)
        events = list(self._events)
        self._events.clear()
        return events

    def release(self) -> None:
        self._line.consumer, self._line.request = "", None
        if self._chip.is_strict:
            self._line.direction, self._line.level = Direction.INPUT, 0
        os.close(self.fd)
        os.close(self._writer)

    def _check(self) -> None:
        if self._chip.is_gone:
            raise OSError(errno.ENODEV, "No such device")


class Sonar:
    """An HC-SR04 on two lines: each trigger pulse of 10 μs or more gives one echo pulse."""

    def __init__(self, chip: FakeChip, *, trigger: int, echo: int, echo_s: float = 0.01) -> None:
        self._chip, self._echo = chip, echo
        self.echoes_s: list[float | None] = [echo_s]
        """Lengths of the next echoes, the last one for ever; None for a part that is dead."""
        self.pings = 0
        chip.lines[trigger].on_write = self._trigger

    def _trigger(self, level: int) -> None:
        if level:
            return
        self.pings += 1
        length_s = self.echoes_s.pop(0) if len(self.echoes_s) > 1 else self.echoes_s[0]
        if length_s is not None:
            self._chip.drive(self._echo, 1, at_ns=self.pings * 10**9)
            self._chip.drive(self._echo, 0, at_ns=self.pings * 10**9 + round(length_s * 1e9))
