"""The board's serial end: a pty behind RUN/serial/room that sends a JSON line a second.

It stands for a microcontroller on a USB adapter. Like a real line it forgets what nobody reads.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import tty
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

FLOOD_BYTES: Final = 8192
"""Sent at each turn of a flood: twice what a pty holds, so that a slow reader loses frames."""


class SerialFault(StrEnum):
    """How the microcontroller or its cable can misbehave."""

    NONE = "none"
    NOISE = "noise"
    """Random bytes between good frames: a wrong baud rate, a bad ground."""
    FLOOD = "flood"
    """More good frames than anyone can want."""
    NAN = "nan"
    """NaN, which is not JSON, as a sensor library prints it after a failed read."""
    TRUNCATED = "truncated"
    """Frames cut in the middle, the newline lost."""
    SILENT = "silent"
    UNPLUGGED = "unplugged"
    """The adapter is pulled: the name is gone, an open port hangs up."""


class SerialEnd:
    """One pty, made when plugged in. Nothing here blocks."""

    def __init__(self, link: Path, *, noise: random.Random) -> None:
        """Not plugged in yet.

        Args:
            link: name for the reader's end, a symbolic link to /dev/pts/N.
            noise: source of the noise fault's bytes.
        """
        self._link = link
        self._noise = noise
        self._fd: int | None = None
        self._fault = SerialFault.NONE

    @property
    def fault(self) -> SerialFault:
        """How it misbehaves now."""
        return self._fault

    def misbehave(self, fault: SerialFault) -> None:
        """Change the behaviour; NONE plugs it in again."""
        self._fault = fault
        if fault is SerialFault.UNPLUGGED:
            self.unplug()
        else:
            self.plug()

    def plug(self) -> None:
        """Make the pty and its name; nothing happens when it is there."""
        if self._fd is not None:
            return
        self._fd, reader = os.openpty()
        os.set_blocking(self._fd, False)
        name = os.ttyname(reader)
        tty.setraw(reader)
        # Closed at once: from now on the kernel tells us (POLLHUP) when nobody reads.
        os.close(reader)
        self._link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._link.with_name(f".{self._link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        os.replace(fresh, self._link)

    def unplug(self) -> None:
        """Take the name away and hang up on who has it open."""
        if self._fd is None:
            return
        self._link.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = None

    def send(self, values: Mapping[str, float]) -> None:
        """Send one frame, or what the fault makes of it; lost when nobody reads or reads slowly."""
        if self._fd is None or not self._has_reader(self._fd):
            return
        self._drain(self._fd)
        payload = self._spoil(encode_frame(values))
        with contextlib.suppress(OSError):  # full or hung up: a serial line has no memory
            os.write(self._fd, payload)

    def _spoil(self, frame: bytes) -> bytes:
        match self._fault:
            case SerialFault.SILENT:
                return b""
            case SerialFault.NOISE:
                return self._noise.randbytes(64) + frame + self._noise.randbytes(16)
            case SerialFault.FLOOD:
                return frame * (FLOOD_BYTES // len(frame))
            case SerialFault.NAN:
                return b'{"illuminance": NaN, "moisture": NaN}\n'
            case SerialFault.TRUNCATED:
                return frame[: len(frame) // 2]
        return frame

    @staticmethod
    def _has_reader(fd: int) -> bool:
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    @staticmethod
    def _drain(fd: int) -> None:
        """Throw away what the reader's side sent, an echo of our own frames included."""
        with contextlib.suppress(OSError):  # nothing there
            os.read(fd, 65536)


def encode_frame(values: Mapping[str, float]) -> bytes:
    """One frame: a JSON object of quantities, one decimal each, newline included."""
    return json.dumps({key: round(value, 1) for key, value in values.items()}).encode() + b"\n"
