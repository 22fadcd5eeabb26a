"""Lines or frames from a serial adapter, for one or several devices. Alone in knowing pyserial.

A thread of the link opens the port, cuts what comes into lines (or into a part's frames, see
`hal.link.frame`) and hands each to every subscriber. An adapter that is pulled is told once; it is
looked for again with a growing pause.

Quirks: opening a port resets most Arduinos, so the first lines may take two seconds and start in
the middle. A port named /dev/ttyUSB0 may come back as /dev/ttyUSB1: name it by its path below
/dev/serial/by-id, which stays. Chatter cannot hurt: at most 200 lines a second are passed on, a
line longer than `LINE_BYTES` is dropped, and the port is read at most once in `GATHER_S`.
"""

from __future__ import annotations

import errno
import logging
import os
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

import serial  # type: ignore[import-untyped]  # pyserial has no types
from serial.tools import list_ports  # type: ignore[import-untyped]  # as above

from hal.contract import Unplugged
from hal.option import Range

log = logging.getLogger(__name__)

LINE_BYTES: Final = 1024
"""Longest line that is passed on; a sensor's frame has a few dozen."""

BURST: Final = 200
LINES_PER_READ: Final = 2
"""Lines passed on at once, and with every read: 200 a second. More is noise, and would cost a
core."""

READ_BYTES: Final = 4096
"""Most that is taken in one read; the kernel's own buffer is as large."""

GATHER_S: Final = 0.01
"""Pause after each read, so that 11 kB/s do not wake the thread for every byte."""

WAIT_S: Final = 1.0
"""Longest wait for a first byte, then the link looks whether it is to close."""

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 4.0
"""Pause between tries to open a port that is away; it doubles from the first to the longest, so
that an adapter that is put back is open within 5 s."""

CLOSE_S: Final = 1.0
"""Longest wait for the thread to end."""

OnLine = Callable[[bytes], None]
"""Gets one line without its end, never empty; must not block."""

OnLost = Callable[[str], None]
"""Told why nothing comes any more; must not block."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[[link]]` of a serial line."""

    port: str
    """Path of the adapter, best below /dev/serial/by-id."""

    baud: Annotated[int, Range(300, 4_000_000, "baud")] = 115_200
    """Speed that the other end was told."""


@dataclass(frozen=True, slots=True)
class Port:
    """One serial port that the machine shows."""

    path: str
    """Such as /dev/ttyUSB0."""

    description: str
    """What its maker calls it; the name of the port when it says nothing."""


def list_found() -> tuple[Port, ...]:
    """The serial ports of this machine, USB adapters first told by their makers' words."""
    ports = list_ports.comports()
    return tuple(Port(each.device, each.description or each.name) for each in sorted(ports))


class Cutter(Protocol):
    """Makes pieces of a stream."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The pieces that `chunk` ends. Raises Unplugged for what can be no such stream."""

    def wait(self, seconds: float) -> None:
        """Nothing came for so long. Raises Unplugged when the part is never silent so long."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a part is sent that speaks only when it is asked."""

    question: bytes

    answer_bytes: int
    """Length of what it says then; waited for up to 1 s."""

    every_s: float
    """Pause between two questions."""


class Framer:
    """Cuts bytes into lines, in bounded memory."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._is_skipping = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` ends, stripped; without the empty and the overlong."""
        *ended, rest = chunk.split(b"\n")
        lines = [line for part in ended if (line := self._end(part))]
        self._add(rest)
        return lines

    def wait(self, seconds: float) -> None:
        """A line of text may be silent for as long as it likes."""

    def _end(self, part: bytes) -> bytes:
        self._add(part)
        line = b"" if self._is_skipping else bytes(self._rest).strip()
        self._rest.clear()
        self._is_skipping = False
        return line

    def _add(self, part: bytes) -> None:
        if self._is_skipping:
            return
        self._rest += part
        if len(self._rest) > LINE_BYTES:
            self._rest.clear()
            self._is_skipping = True


class Allowance:
    """How many lines may pass: a few with each read, what was not used saved up to `BURST`."""

    def __init__(self) -> None:
        self._left = BURST

    def choose(self, lines: list[bytes]) -> list[bytes]:
        """The lines of one read that may pass, the newest ones if they are too many."""
        self._left = min(BURST, self._left + LINES_PER_READ)
        chosen = lines[-self._left :]
        self._left -= len(chosen)
        return chosen


class SerialLink:
    """One serial port and the devices behind it."""

    def __init__(
        self,
        port: str,
        *,
        baud: int = 115_200,
        first_pause_s: float = FIRST_PAUSE_S,
        cutter: Callable[[], Cutter] = Framer,
        ask: Ask | None = None,
    ) -> None:
        """Nothing is opened before the first subscriber comes.

        Args:
            port: path of the adapter.
            baud: speed of the line.
            first_pause_s: pause before a port that is away is tried again; doubles up to 4 s.
            cutter: what makes pieces of the stream, anew with each opening; lines of text.
            ask: for a part that speaks only when it is asked.
        """
        self._cutter = cutter
        self._ask = ask
        self._path = port
        self._baud = baud
        self._first_pause_s = first_pause_s
        self._lock = threading.Lock()
        self._subscribers: list[tuple[OnLine, OnLost]] = []
        self._port: Any = None
        self._lost: str | None = None
        self._is_told = False
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether the adapter is there and open just now."""
        return self._port is not None

    def subscribe(self, on_line: OnLine, on_lost: OnLost) -> Callable[[], None]:
        """Hand every line to `on_line`, and every loss of the port to `on_lost`, from now on.

        Returns:
            What to call to hear no more.
        """
        entry = (on_line, on_lost)
        with self._lock:
            self._subscribers.append(entry)
            lost = self._lost
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="serial", daemon=True)
                self._thread.start()
        if lost is not None:
            on_lost(lost)
        return lambda: self._forget(entry)

    def send(self, frame: bytes) -> None:
        """Send bytes at once or not at all; never waits.

        Raises:
            Unplugged: the adapter is away, or its other end takes no data.
        """
        with self._lock:
            if self._port is None:
                raise Unplugged(self._lost or f"{self._path} is not open yet")
            with mapped(self._path):
                sent = os.write(self._port.fileno(), frame)
        if sent < len(frame):
            raise Unplugged(f"{self._path} takes no more data")

    def close(self) -> None:
        """Let go of the port; waits up to 1 s."""
        self._closing.set()
        with self._lock:
            if self._port is not None:
                self._port.cancel_read()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _forget(self, entry: tuple[OnLine, OnLost]) -> None:
        with self._lock, suppress(ValueError):
            self._subscribers.remove(entry)

    def _run(self) -> None:
        pause_s = self._first_pause_s
        while not self._closing.is_set():
            try:
                for line in self._lines():
                    pause_s, self._is_told = self._first_pause_s, False
                    for on_line, _ in tuple(self._subscribers):
                        on_line(line)
            except Unplugged as exc:
                self._lose(str(exc))
            self._closing.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _lines(self) -> Iterator[bytes]:
        """The lines of the port until the link is closed, or Unplugged when the port goes away."""
        cutter, allowance = self._cutter(), Allowance()
        with self._opened() as port:
            while not self._closing.is_set():
                chunk = self._fetch(port)
                with mapped(self._path):
                    pieces = cutter.feed(chunk)
                    if not chunk:
                        cutter.wait(WAIT_S)
                yield from allowance.choose(pieces)
                self._closing.wait(self._ask.every_s if self._ask else GATHER_S)

    def _fetch(self, port: Any) -> bytes:
        """What came; waits up to 1 s for it, and for the answer of a part that is asked."""
        with mapped(self._path):
            if self._ask is None:
                chunk = port.read(1)
                return bytes(chunk + port.read(min(port.in_waiting, READ_BYTES)))
            port.reset_input_buffer()
            port.write(self._ask.question)
            return bytes(port.read(self._ask.answer_bytes))

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with mapped(self._path):
            port = serial.Serial(
                self._path, self._baud, timeout=WAIT_S, write_timeout=WAIT_S, exclusive=True
            )
        with self._lock:
            self._port, self._lost = port, None
        try:
            yield port
        finally:
            with self._lock:
                self._port = None
                port.close()

    def _lose(self, reason: str) -> None:
        """Tell the loss, once until something came again."""
        with self._lock:
            self._lost = reason
            subscribers = tuple(self._subscribers)
        if not self._is_told:
            self._is_told = True
            log.warning("%s", reason)
            for _, on_lost in subscribers:
                on_lost(reason)


@contextmanager
def mapped(path: str) -> Iterator[None]:
    """Turn what pyserial and the terminal layer raise into Unplugged, in words for a person."""
    try:
        yield
    except Unplugged as exc:
        raise Unplugged(f"{path}: {exc}") from exc
    except (OSError, termios.error) as exc:
        raise Unplugged(f"{path}: {_reason(exc)}") from exc


def _reason(error: OSError | termios.error) -> str:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    match number:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return "nothing is plugged in there"
        case errno.EACCES | errno.EPERM:
            return "may not be opened: add this user to the group dialout"
        case errno.EAGAIN | errno.EBUSY:
            return "another program uses it"
        case errno.EIO | None:
            return f"pulled out, or its other end went away ({error})"
        case _:
            return str(error)
