"""Waits for edges on any number of lines, in one thread."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

CLOSE_S: Final = 1.0
"""Longest wait for the thread to end."""


class EdgeWatch:
    """Calls back when a file descriptor has something to read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: dict[int, Callable[[], None]] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._wake_reader, self._wake_writer = os.pipe()

    def add(self, fd: int, read: Callable[[], None]) -> None:
        """Call `read` from the watching thread whenever `fd` is readable."""
        with self._lock:
            self._readers[fd] = read
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gpio-edges", daemon=True)
                self._thread.start()
        self._wake()

    def remove(self, fd: int) -> None:
        """Watch `fd` no more; a call under way may still end afterwards."""
        with self._lock:
            self._readers.pop(fd, None)
        self._wake()

    def close(self) -> None:
        """End the thread; waits up to 1 s."""
        self._is_closed = True
        self._wake()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
        os.close(self._wake_writer)
        os.close(self._wake_reader)

    def _wake(self) -> None:
        os.write(self._wake_writer, b"x")

    def _run(self) -> None:
        while not self._is_closed:
            for fd in self._wait():
                with self._lock:
                    read = self._readers.get(fd)
                if read is not None:
                    self._call(fd, read)

    def _wait(self) -> list[int]:
        poll = select.poll()
        poll.register(self._wake_reader, select.POLLIN)
        with self._lock:
            for fd in self._readers:
                poll.register(fd, select.POLLIN)
        ready = [fd for fd, _ in poll.poll()]
        if self._wake_reader in ready:
            os.read(self._wake_reader, 4096)
        return [fd for fd in ready if fd != self._wake_reader]

    def _call(self, fd: int, read: Callable[[], None]) -> None:
        try:
            read()
        except OSError as exc:
            # A chip that was pulled stays readable for ever; watching it on would spin.
            log.warning("no more edges from file descriptor %d: %s", fd, exc)
            self.remove(fd)
        except Exception:
            # One broken listener must not make every other button deaf, a stop button least.
            log.exception("a listener for edges failed")
