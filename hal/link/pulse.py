"""A line on which the length of a pulse is measured, by the time stamps of its two edges.

On a real chip the kernel takes the time in its interrupt, so a busy machine does not lengthen the
pulse; only who asks for it waits longer.
"""

from __future__ import annotations

import threading
from typing import Any

from hal.link.gpio import InputLine, Pins, mapped


class PulseLine(InputLine):
    """An input that is high for as long as something lasts."""

    def __init__(self, pins: Pins | None, pin: int | None, *, owner: str) -> None:
        """Listen to the line.

        Raises:
            DriverError, PinBusy, PinUnknown: as for every line.
        """
        self._rose_at: Any = None
        self._length_s: float | None = None
        self._is_over = threading.Event()
        super().__init__(pins, pin, owner=owner, pull="down")

    def expect(self) -> None:
        """Forget what was, and measure the next pulse.

        Raises:
            Unplugged: the board is away.
        """
        self._rose_at = self._length_s = None
        self._is_over.clear()
        with mapped(self._what):
            self._pin.when_changed = self._edge

    def wait(self, timeout_s: float) -> float | None:
        """Length of the pulse in seconds; None when there was no whole one. Waits up to so long."""
        self._is_over.wait(timeout_s)
        return self._length_s

    def _edge(self, ticks: Any, state: float) -> None:
        if state:
            self._rose_at = ticks
        elif self._rose_at is not None and not self._is_over.is_set():
            self._length_s = self._pins.ticks_diff(ticks, self._rose_at)
            self._is_over.set()
