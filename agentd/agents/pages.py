"""The promises themselves, shared by doors and the tick, and the disk that they are on.

A door's change is on disk before it is here, and while it is under way the tick leaves that
promise alone; the tick's changes are here at once and reach the disk in the same order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agentd.agents.fields import Unreadable
from agentd.agents.promise import MAX_PROMISES, Promise, PromiseError
from agentd.agents.promise_json import decode, encode
from agentd.agents.shelf import Shelf
from agentd.agents.timer import number

_log = logging.getLogger(__name__)

KIND = "promise"
"""What the documents are called on the shelf."""


class Pages:
    """Promises by id. Thread-safe."""

    def __init__(self, shelf: Shelf) -> None:
        """Read what was promised in earlier runs; what cannot be read is left where it lies."""
        self._shelf = shelf
        self._lock = threading.Lock()
        self._door = threading.Lock()
        self._resting: str | None = None
        self._promises: dict[str, Promise] = {}
        for name, body in shelf.saved(KIND).items():
            try:
                self._promises[name] = decode(body)
            except Unreadable as exc:
                _log.error("promise %s is left out: %s", name, exc)
        self._next = 1 + max(map(number, self._promises), default=0)

    def all(self) -> tuple[Promise, ...]:
        """Every promise that stands, oldest first."""
        with self._lock:
            return tuple(self._promises.values())

    def new_id(self, letter: str) -> str:
        """A free id, such as `t7`.

        Raises:
            PromiseError: there are too many promises.
        """
        with self._lock:
            if len(self._promises) >= MAX_PROMISES:
                raise PromiseError("too_many", f"I keep {MAX_PROMISES} promises already.")
            self._next += 1
            return f"{letter}{self._next - 1}"

    # doors: these block up to 2 s, and raise PromiseError when the disk does not take it ---------

    def add(self, promise: Promise) -> None:
        """Take in a new promise."""
        with self._door:
            self._write(promise)

    @contextmanager
    def changing(self, name: str) -> Iterator[Change]:
        """Keep the tick off a promise while a door changes it."""
        with self._door:
            with self._lock:
                old = self._promises.get(name)
                self._resting = name
            try:
                yield Change(self, old)
            finally:
                with self._lock:
                    self._resting = None

    def _write(self, promise: Promise) -> None:
        try:
            self._shelf.keep(KIND, promise.id, encode(promise))
        except PromiseError:
            self._restore(promise.id)
            raise
        with self._lock:
            self._promises[promise.id] = promise

    def _remove(self, name: str) -> None:
        try:
            self._shelf.forget(KIND, name)
        except PromiseError:
            self._restore(name)
            raise
        with self._lock:
            self._promises.pop(name, None)

    def _restore(self, name: str) -> None:
        """What is still on its way to the disk must not come to life at the next start."""
        with self._lock:
            old = self._promises.get(name)
        if old:
            self._shelf.post(KIND, name, encode(old))
        else:
            self._shelf.post_drop(KIND, name)

    # the tick: these never block ------------------------------------------------------------------

    def at_rest(self) -> tuple[Promise, ...]:
        """Every promise that no door is just changing."""
        with self._lock:
            return tuple(each for each in self._promises.values() if each.id != self._resting)

    def get(self, name: str) -> Promise | None:
        """A promise by its id."""
        with self._lock:
            return self._promises.get(name)

    def put(self, promise: Promise) -> None:
        """Take in or change a promise."""
        with self._lock:
            self._promises[promise.id] = promise
        self._shelf.post(KIND, promise.id, encode(promise))

    def take(self, name: str) -> bool:
        """Let go of a promise that falls due, on disk not yet; False when a door has just begun to
        change it."""
        with self._lock:
            if name == self._resting:
                return False
            self._promises.pop(name, None)
            return True

    def update(self, promise: Promise) -> None:
        """Change a promise, unless it is gone or a door has just begun to change it."""
        with self._lock:
            if promise.id not in self._promises or promise.id == self._resting:
                return
            self._promises[promise.id] = promise
        self._shelf.post(KIND, promise.id, encode(promise))

    def undo(self, name: str, before: Promise | None) -> None:
        """Put back what stood in the place of a promise, or nothing."""
        if before:
            self.put(before)
        elif self.take(name):
            self.drop(name)

    def drop(self, name: str) -> None:
        """Remove from the disk what was taken and is kept; a new one of that name stays."""
        with self._lock:
            is_gone = name not in self._promises
        if is_gone:
            self._shelf.post_drop(KIND, name)


class Change:
    """One door's change of one promise."""

    def __init__(self, pages: Pages, old: Promise | None) -> None:
        self.old = old
        """As it stands; None when there is none."""
        self._pages = pages

    def write(self, promise: Promise) -> None:
        """Put this in its place."""
        self._pages._write(promise)

    def remove(self) -> None:
        """Take it out."""
        if self.old:
            self._pages._remove(self.old.id)
