"""The client's side of the pin socket: requests that heal, and a thread that follows edges."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from llmagentos.client import Door, DoorClosed, DoorError, DoorRefused, DoorTimeout
from llmagentos.wire import WireError

log = logging.getLogger(__name__)

ANSWER_S: Final = 0.5
"""Longest wait for the board, which answers in well under a millisecond: the tick waits for it."""

REST_S: Final = 1.0
"""After a time-out nothing is sent for so long: a hung board must not cost each device `ANSWER_S`
again and again, for the tick also has to stop things."""

RETRY_S: Final = 0.5
"""Pause between two tries to watch the lines of a board that is away."""


class PinLink:
    """One connection for requests, made when needed. May be used from several threads."""

    def __init__(self, path: Path, *, ticks: Callable[[], float]) -> None:
        self._path = path
        self._ticks = ticks
        self._lock = threading.Lock()
        self._door: Door | None = None
        self._resting_until = 0.0
        self._claims: dict[int, Mapping[str, Any]] = {}

    def request(self, verb: str, /, **data: Any) -> Any:
        """Ask the board; blocks up to `ANSWER_S`.

        Raises:
            DoorRefused: the board said no.
            DoorClosed: no board answers; the next request tries anew.
            DoorTimeout: the board hangs, or hung less than `REST_S` ago.
        """
        with self._lock:
            door = self._door or self._connect()
            try:
                answer = door.request(verb, **data)
            except DoorRefused:
                raise
            except (DoorError, WireError) as exc:
                self._lose(exc)
                raise
            self._remember(verb, data)
            return answer

    def revive(self) -> None:
        """Have the board hold again what was claimed, in case it is another one by now.

        Raises:
            DoorClosed, DoorTimeout: as `request`.
        """
        self.request("levels")

    def forget(self, pin: int) -> None:
        """Give a line back if the board is there; where it is not, the line is free anyway."""
        with contextlib.suppress(DoorError, WireError):
            if self._door and pin in self._claims:
                self.request("release", pin=pin)
        self._claims.pop(pin, None)

    def close(self) -> None:
        """Hang up; the board frees all lines."""
        with self._lock:
            self._claims.clear()
            if self._door:
                self._door.close()
                self._door = None

    def _connect(self) -> Door:
        if self._ticks() < self._resting_until:
            raise DoorTimeout(f"the board at {self._path} does not answer in time")
        door = Door(self._path, timeout_s=ANSWER_S)
        for pin, claim in tuple(self._claims.items()):
            try:
                # Without a level: a new board's line is taken over as it is, never written.
                door.request("claim", **{**claim, "level": None})
            except DoorRefused as exc:
                log.warning("GPIO%d could not be claimed again: %s", pin, exc)
                del self._claims[pin]
        self._door = door
        return door

    def _lose(self, exc: Exception) -> None:
        if self._door:
            self._door.close()
            self._door = None
        if isinstance(exc, DoorTimeout):
            self._resting_until = self._ticks() + REST_S

    def _remember(self, verb: str, data: Mapping[str, Any]) -> None:
        if verb == "claim":
            self._claims[int(data["pin"])] = data


class EdgeWatch:
    """A thread that follows edges, through the board's absences too.

    Every line is told once at the start of each connection, so that an edge which fell into a gap
    is seen late rather than never.
    """

    def __init__(
        self,
        path: Path,
        *,
        prepare: Callable[[], None],
        tell: Callable[[int, float, float], None],
    ) -> None:
        """Start nothing yet.

        Args:
            path: the board's socket.
            prepare: called before each connection; claims the lines, since an input whose pull
                is not set yet would read as a button pressed. May raise `DoorError`.
            tell: is given pin, level and monotonic seconds, from the thread.
        """
        self._path = path
        self._prepare = prepare
        self._tell = tell
        self._lock = threading.Lock()
        self._stable_s: dict[int, float] = {}
        self._door: Door | None = None
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._is_closed = False

    def follow(self, pin: int, *, stable_s: float) -> None:
        """Tell of a line's edges once a level has been stable for `stable_s`."""
        with self._lock:
            self._stable_s[pin] = stable_s
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="board-edges", daemon=True)
                self._thread.start()
            self._start_over()

    def leave(self, pin: int) -> None:
        """Tell no more of a line."""
        with self._lock:
            self._stable_s.pop(pin, None)

    def close(self) -> None:
        """End the thread; waits up to 1 s."""
        with self._lock:
            self._is_closed = True
            self._start_over()
            thread = self._thread
        if thread and thread is not threading.current_thread():
            thread.join(timeout=1.0)

    def _start_over(self) -> None:
        self._wake.set()
        if self._door:
            self._door.close()

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._is_closed:
                    return
                self._wake.clear()
                pins = {str(pin): stable_s for pin, stable_s in self._stable_s.items()}
            self._follow_once(pins)
            self._wake.wait(RETRY_S)

    def _follow_once(self, pins: Mapping[str, float]) -> None:
        try:
            self._prepare()
            with Door(self._path, timeout_s=ANSWER_S) as door:
                with self._lock:
                    self._door = door
                    if self._wake.is_set():
                        return
                for event in door.subscribe("watch", pins=pins):
                    self._deliver(event)
        except (DoorClosed, DoorTimeout):
            pass  # tried again; what the lines did meanwhile is told then
        except (DoorError, WireError) as exc:
            log.warning("edges of the board cannot be followed: %s", exc)
        finally:
            with self._lock:
                self._door = None

    def _deliver(self, event: Mapping[str, Any]) -> None:
        pin = int(event["pin"])
        if pin in self._stable_s:
            self._tell(pin, float(event["level"]), float(event["t_mono"]))
