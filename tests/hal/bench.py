"""What hardware tests need around a device: an inbox, a clock, a cable that can be pulled."""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hal.contract import Wiring
from llmagentos.clock import Instant
from llmagentos.home import Device
from llmagentos.plan import Action
from llmagentos.reading import Reading

NOW = Instant(1000.0, 1_790_000_000.0)

SCRATCHPAD = "72 01 4b 46 7f ff 0e 10 57"
W1_SLAVE = f"{SCRATCHPAD} : crc=57 YES\n{SCRATCHPAD} t=23125\n".encode()
"""Recorded from a DS18B20 at 23.125 °C: Linux, Documentation/w1/slaves/w1_therm.rst."""


def at(seconds: float) -> Instant:
    """So long after `NOW`."""
    return Instant(NOW.mono_s + seconds, NOW.wall_s + seconds)


def wiring(kind: str, name: str = "thing", **fields: Any) -> Wiring:
    """The wiring of a device; `device_class` and `unit` go to the device."""
    of_device = {key: fields.pop(key) for key in ("device_class", "unit") if key in fields}
    return Wiring(Device(name, name, kind, **of_device), **fields)


def act(name: str, device: str = "thing", **args: Any) -> Action:
    """An action on the device of these tests."""
    return Action(device, name, args)


def eventually(is_so: Callable[[], Any], *, within_s: float = 3.0) -> bool:
    """Whether something becomes so; asks every 5 ms, since another thread has to act."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.005)
    return bool(is_so())


class Inbox:
    """Takes readings from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: list[Reading] = []

    def post(self, reading: Reading) -> None:
        with self._lock:
            self._readings.append(reading)

    @property
    def readings(self) -> list[Reading]:
        with self._lock:
            return list(self._readings)

    @property
    def values(self) -> list[Any]:
        return [reading.value for reading in self.readings]

    @property
    def last(self) -> Reading | None:
        return self.readings[-1] if self.readings else None

    def has(self, value: Any, quality: str = "good") -> bool:
        """Whether the newest reading is this one."""
        last = self.last
        return last is not None and (last.value, last.quality) == (value, quality)


def clock() -> Instant:
    """A clock that stands still."""
    return NOW


class Cable:
    """A serial adapter whose far end is ours; it can be pulled and plugged in again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "usb-Test_Adapter-if00"
        self._master = -1
        self.plug()

    def plug(self) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)
        self.path.symlink_to(name)

    def pull(self) -> None:
        self.path.unlink()
        os.close(self._master)
        self._master = -1

    def say(self, data: bytes) -> None:
        """Send bytes; waits until the kernel took them."""
        while data:
            data = data[os.write(self._master, data) :]

    def heard(self, *, within_s: float = 1.0) -> bytes:
        """What the far end was sent."""
        ready, _, _ = select.select([self._master], [], [], within_s)
        return os.read(self._master, 4096) if ready else b""

    def close(self) -> None:
        if self._master >= 0:
            os.close(self._master)


class W1Tree:
    """The folders that the kernel makes for a 1-wire bus."""

    def __init__(self, folder: Path) -> None:
        self.path = folder

    def put(self, part: str = "28-0316a279a5ff", raw: bytes = W1_SLAVE) -> None:
        (self.path / part).mkdir(exist_ok=True)
        # In one step, as the kernel answers: a reader never sees half of it.
        fresh = self.path / part / "fresh"
        fresh.write_bytes(raw)
        fresh.rename(self.path / part / "w1_slave")

    def pull(self, part: str = "28-0316a279a5ff") -> None:
        for file in (self.path / part).iterdir():
            file.unlink()
        (self.path / part).rmdir()
