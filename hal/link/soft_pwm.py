"""Pulses lines from one thread: good enough for the eye, not for servos."""

from __future__ import annotations

import logging
import threading
import time
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
    period_s: float
    due_s: float
    is_high: bool = False

    def flip(self, now_s: float) -> None:
        """Write the other level and set when this one ends."""
        self.is_high = not self.is_high
        self.write(self.is_high)
        lasts_s = self.period_s * (self.duty if self.is_high else 1.0 - self.duty)
        # A thread that was held up skips what it missed, else it would flicker to catch up.
        self.due_s = max(self.due_s, now_s - self.period_s) + lasts_s


class SoftPwm:
    """All pulsed lines of one board. Costs nothing while none is pulsed."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._wake = threading.Condition()
        self._pulses: dict[int, _Pulse] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def pulse(self, line: int, write: Write, *, duty: float, hz: float) -> None:
        """Pulse a line from now on, or change how; `duty` lies between 0 and 1, both excluded."""
        with self._wake:
            if known := self._pulses.get(line):
                known.duty, known.period_s = duty, 1.0 / hz
            else:
                self._pulses[line] = _Pulse(write, duty, 1.0 / hz, self._now())
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="soft-pwm", daemon=True)
                self._thread.start()
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
                if not self._pulses:
                    self._wake.wait()
                    continue
                line, pulse = min(self._pulses.items(), key=lambda item: item[1].due_s)
                now_s = self._now()
                if pulse.due_s > now_s:
                    self._wake.wait(pulse.due_s - now_s)
                else:
                    self._flip(line, pulse, now_s)

    def _flip(self, line: int, pulse: _Pulse, now_s: float) -> None:
        try:
            pulse.flip(now_s)
        except OSError as exc:
            # The chip is gone; whoever reads the line next is told so by the read itself.
            log.warning("line %d is pulsed no more: %s", line, exc)
            del self._pulses[line]
