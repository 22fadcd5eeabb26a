"""Whether the wall clock has been set since the power came on.

A board without a battery-backed clock starts with the time of its last shutdown, or of its image,
until the network tells it better. What was promised for a time of day must wait until then.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Final

SYNCHRONIZED: Final = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd makes it once a time server has answered in this boot."""

RTC: Final = Path("/sys/class/rtc/rtc0")
"""The clock that goes on without power, where there is one."""

BOARD: Final = Path("/proc/device-tree")
"""Single-board computers describe themselves here. A PC does not, and always has such a clock, even
where a container hides it."""

_OLDEST_S: Final = 1_767_225_600
"""2026-01-01: what tells an earlier time has lost its battery."""

_UNSYNCHRONIZED: Final = 0x40
"""The kernel's STA_UNSYNC: no time server has set the clock (chrony and ntpd clear it)."""


class _Timex(ctypes.Structure):
    """The head of the kernel's `struct timex`, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def is_kernel_synchronized() -> bool:
    """Whether the kernel says that a time server steers its clock."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return False
    told = _Timex()  # modes 0: only asks
    return adjtimex(ctypes.byref(told)) >= 0 and not told.status & _UNSYNCHRONIZED


class WallClock:
    """Remembers that the clock was set: a network that goes away does not unset it."""

    def __init__(
        self,
        *,
        synchronized: Path = SYNCHRONIZED,
        rtc: Path = RTC,
        board: Path = BOARD,
        kernel: Callable[[], bool] = is_kernel_synchronized,
    ) -> None:
        """Nothing is looked at yet."""
        self._synchronized, self._rtc, self._board = synchronized, rtc, board
        self._kernel = kernel
        self._is_set = False

    def is_set(self) -> bool:
        """Whether the wall clock tells the time; takes microseconds, never blocks."""
        self._is_set = self._is_set or (
            not self._board.exists()
            or self._synchronized.exists()
            or _is_rtc_good(self._rtc)
            or self._kernel()
        )
        return self._is_set


def _is_rtc_good(rtc: Path) -> bool:
    """Whether the kernel took the time from a clock that kept it."""
    try:
        has_set = (rtc / "hctosys").read_text(encoding="ascii").strip() == "1"
        return has_set and int((rtc / "since_epoch").read_text(encoding="ascii")) > _OLDEST_S
    except (OSError, ValueError):
        return False
