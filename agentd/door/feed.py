"""What happens, passed on to whoever listens: never waited for, never without bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable, Mapping
from threading import Condition, Lock
from types import TracebackType
from typing import Any, Final

Event = Mapping[str, Any]
"""JSON-able; `kind` says what it is. A `state` event names its `device`."""

WAITING: Final = 256
"""Events that one slow listener may have waiting; then its oldest are dropped and counted."""


class Feed:
    """Takes events from the tick and gives each listener a bounded queue of its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._subscriptions: tuple[Subscription, ...] = ()

    def publish(self, event: Event) -> None:
        """Pass an event on. Never blocks; may be called from any thread."""
        for subscription in self._subscriptions:
            subscription.put(event)

    def subscribe(
        self, kinds: Collection[str] | None = None, *, waiting: int = WAITING
    ) -> Subscription:
        """Begin to listen.

        Args:
            kinds: kinds of events wanted; None for all.
            waiting: events kept for a slow listener.
        """
        subscription = Subscription(self, kinds=kinds, waiting=waiting)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Pass nothing more on to it; `Subscription.close` calls this."""
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)


class Subscription:
    """One listener's queue. Of the states of one device it keeps the latest alone."""

    def __init__(self, feed: Feed, *, kinds: Collection[str] | None, waiting: int) -> None:
        self._feed = feed
        self._kinds = None if kinds is None else frozenset(kinds)
        self._waiting = waiting
        self._changed = Condition()
        self._events: OrderedDict[Hashable, Event] = OrderedDict()
        self._number = 0
        self._lost = 0
        self._is_closed = False

    def put(self, event: Event) -> None:
        """Take an event, if it is of a wanted kind. Never blocks."""
        if self._kinds is not None and event.get("kind") not in self._kinds:
            return
        with self._changed:
            # A state keeps the place of the one it replaces: a device that changes all the time
            # must not push itself back for ever.
            self._events[self._key(event)] = event
            if len(self._events) > self._waiting:
                self._events.popitem(last=False)
                self._lost += 1
            self._changed.notify()

    def get(self, timeout_s: float | None = None) -> Event | None:
        """Return the oldest event waiting, or None when there is none in time or it is closed.

        After events were dropped, the next one told is `{"kind": "lost", "count": n}`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._is_closed, timeout_s)
            if self._lost:
                count, self._lost = self._lost, 0
                return {"kind": "lost", "count": count}
            return self._events.popitem(last=False)[1] if self._events else None

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come."""
        return self._is_closed

    def close(self) -> None:
        """Stop listening; a `get` that waits returns at once."""
        self._feed.forget(self)
        with self._changed:
            self._is_closed = True
            self._events.clear()
            self._lost = 0
            self._changed.notify_all()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _key(self, event: Event) -> Hashable:
        if event.get("kind") == "state":
            return ("state", event.get("device"))
        self._number += 1
        return self._number
