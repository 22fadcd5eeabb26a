"""Pulses lines from one thread: good enough for the eye, not for servos."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

log = logging.getLogger(__name__)

Write = Callable[[bool], None]
"""Drives one line high or low; quick."""

CLOSE_S: Final = 1.0
"""Longest wait for the thread to end."""


@dataclass(slots=True)
class _Pulse:
    write: Write
    duty: float
    hz: float


class SoftPwm:
    """All pulsed lines of one board, in step. Costs nothing while none is pulsed."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._pulses: dict[int, _Pulse] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def pulse(self, line: int, write: Write, *, duty: float, hz: float) -> None:
        """Pulse a line from now on, or change how.

        Args:
            line: number of the line.
            write: drives it.
            duty: share of the time that it is high; between 0 and 1, both excluded.
            hz: least pulses per second; all lines follow the one that wants most.
        """
        with self._wake:
            self._pulses[line] = _Pulse(write, duty, hz)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="soft-pwm", daemon=True)
                self._thread.start()
            if len(self._pulses) == 1:
                self._wake.notify()

    def stop(self, line: int) -> None:
        """Pulse a line no more. Once this returned, nothing is written to it any more."""
        with self._wake:
            self._pulses.pop(line, None)

    def close(self) -> None:
        """End the thread; waits up to 1 s."""
        with self._wake:
            self._is_closed = True
            self._pulses.clear()
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        with self._wake:
            while not self._is_closed:
                if self._pulses:
                    self._period()
                else:
                    self._wake.wait()

    def _period(self) -> None:
        """All lines high, each low again after its share of the time."""
        period_s = 1.0 / max(pulse.hz for pulse in self._pulses.values())
        due = sorted((pulse.duty * period_s, line) for line, pulse in self._pulses.items())
        for _, line in due:
            self._write(line, level=True)
        at_s = 0.0
        for low_at_s, line in due:
            self._wake.wait(low_at_s - at_s)
            self._write(line, level=False)
            at_s = low_at_s
        self._wake.wait(period_s - at_s)

    def _write(self, line: int, *, level: bool) -> None:
        """Write to a line that is still pulsed: it may have been stopped during a wait."""
        pulse = self._pulses.get(line)
        if pulse is None:
            return
        try:
            pulse.write(level)
        except OSError as exc:
            # The chip is gone; whoever reads the line next is told so by the read itself.
            log.warning("line %d is pulsed no more: %s", line, exc)
            del self._pulses[line]
