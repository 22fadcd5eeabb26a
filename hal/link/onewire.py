"""The 1-wire bus as the Linux kernel shows it: one folder for each part, looked at in one thread.

Source: Linux, Documentation/w1/slaves/w1_therm.rst. Reading `w1_slave` starts a conversion, which
takes up to 750 ms for each part, so this never happens in the tick. On a Raspberry Pi the bus
is GPIO4 after `dtoverlay=w1-gpio`, with 4.7 kΩ from the data line to 3.3 V.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from hal.contract import Unplugged
from hal.option import Range

DEVICES: Final = "/sys/bus/w1/devices"
"""Where the kernel shows the parts."""

PART_ID: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{12}")
"""Family, dash, serial number: 28-0316a279a5ff."""

SLAVE_BYTES: Final = 256
"""More than a w1_slave file has (two lines, 75 bytes)."""

CLOSE_S: Final = 1.0
"""Longest wait for the thread to end; it may be within a conversion."""

OnLook = Callable[[bytes], None]
"""Gets what the part's w1_slave said."""

OnLost = Callable[[str], None]
"""Told why the part could not be read."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[[link]]` of a 1-wire bus."""

    path: str = DEVICES
    """Folder with one folder for each part."""

    period_s: Annotated[float, Range(0.1, 3600, "s")] = 10.0
    """Pause between two looks at all parts."""


@dataclass(frozen=True, slots=True)
class _Subscriber:
    part: str | None
    on_look: OnLook
    on_lost: OnLost


def list_parts(path: Path | str = DEVICES) -> tuple[str, ...]:
    """Ids of the parts on the bus, empty where there is no bus."""
    try:
        names = [entry.name for entry in Path(path).iterdir()]
    except OSError:
        return ()
    return tuple(sorted(name for name in names if PART_ID.fullmatch(name)))


class OneWireBus:
    """All parts of one bus, looked at in turn."""

    def __init__(self, path: Path | str = DEVICES, *, period_s: float = 10.0) -> None:
        """Nothing is read before the first subscriber comes.

        Args:
            path: folder with one folder for each part.
            period_s: pause between two looks at all parts.
        """
        self._path = Path(path)
        self.period_s = period_s
        self._lock = threading.Lock()
        self._subscribers: list[_Subscriber] = []
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._hurry = threading.Event()

    def subscribe(self, part: str | None, on_look: OnLook, on_lost: OnLost) -> Callable[[], None]:
        """Have a part looked at, now and then every period.

        Args:
            part: id such as 28-0316a279a5ff; None for the only part on the bus.
            on_look: gets the bytes of each look.
            on_lost: told of each look that failed.

        Returns:
            What to call to hear no more.
        """
        subscriber = _Subscriber(part, on_look, on_lost)
        with self._lock:
            self._subscribers.append(subscriber)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="onewire", daemon=True)
                self._thread.start()
        self._hurry.set()
        return lambda: self._forget(subscriber)

    def close(self) -> None:
        """Look no more; waits up to 1 s."""
        self._closing.set()
        self._hurry.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _forget(self, subscriber: _Subscriber) -> None:
        with self._lock:
            self._subscribers = [each for each in self._subscribers if each is not subscriber]

    def _run(self) -> None:
        while not self._closing.is_set():
            self._hurry.clear()
            for subscriber in tuple(self._subscribers):
                if not self._closing.is_set():
                    self._look(subscriber)
            self._hurry.wait(self.period_s)

    def _look(self, subscriber: _Subscriber) -> None:
        try:
            raw = self._read(subscriber.part)
        except Unplugged as exc:
            subscriber.on_lost(str(exc))
        else:
            subscriber.on_look(raw)

    def _read(self, part: str | None) -> bytes:
        slave = self._path / (part or self._only()) / "w1_slave"
        try:
            with slave.open("rb") as file:
                return file.read(SLAVE_BYTES)
        except FileNotFoundError as exc:
            there_are = ", ".join(list_parts(self._path)) or "none"
            raise Unplugged(f"no part {part} on the 1-wire bus; there are {there_are}") from exc
        except OSError as exc:
            raise Unplugged(f"1-wire part {slave.parent.name}: {exc.strerror or exc}") from exc

    def _only(self) -> str:
        parts = list_parts(self._path)
        if len(parts) == 1:
            return parts[0]
        if parts:
            raise Unplugged(f"which 1-wire part? Write options.part; there are {', '.join(parts)}")
        raise Unplugged(f"no part on the 1-wire bus ({self._path}): check its wires")
