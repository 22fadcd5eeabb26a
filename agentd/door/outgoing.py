"""What the box has to tell the network, held until the broker has taken it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Final

from llmagentos.wire import dump

WAITING: Final = 256
"""Answers and events that may wait; then the oldest are dropped and counted."""

LETTERS: Final = 1000
"""Events that must arrive which are held here; the journal's outbox holds them all."""


@dataclass(frozen=True, slots=True)
class Post:
    """One message to publish."""

    topic: str
    payload: bytes
    is_retained: bool = False
    correlation: bytes | None = None
    """MQTT 5's mark on an answer."""

    is_repeat: bool = False
    """True when it was sent before and the connection broke over it."""

    letter: int | None = None
    """Its number in the outbox; None for what need not arrive."""


class Outgoing:
    """Retained posts, of which each topic keeps the latest alone, and a bounded queue of others."""

    def __init__(self, *, on_post: Callable[[], None] = lambda: None) -> None:
        """Empty.

        Args:
            on_post: called after something was put, from the thread that put it.
        """
        self._on_post = on_post
        self._lock = Lock()
        self._latest: OrderedDict[str, Post] = OrderedDict()
        self._queue: deque[Post] = deque()
        self._letters: dict[int, Post] = {}
        self._prefers_queue = False
        self._dropped = 0

    def put(self, post: Post) -> None:
        """Take a post. Never blocks; may be called from any thread."""
        with self._lock:
            if post.letter is not None:
                self._letters.setdefault(post.letter, post)
            elif post.is_retained:
                self._latest[post.topic] = post
            else:
                self._queue.append(post)
            self._shorten()
        self._on_post()

    def tell(
        self, topic: str, content: Any, *, is_retained: bool = False, mark: bytes | None = None
    ) -> None:
        """Take text, or something to be said as JSON; as `put`.

        Raises:
            WireError: it cannot be said as JSON.
        """
        text = content if isinstance(content, str) else dump(content)
        self.put(Post(topic, text.encode(), is_retained, mark))

    def put_back(self, posts: Iterable[Post]) -> None:
        """Return posts, oldest first, that the broker may not have got; newer ones stay newer.

        An answer or event is repeated once: one that breaks the connection (too long for the
        broker) must not break it for ever. A letter, which is short, is repeated until it has
        arrived.
        """
        with self._lock:
            for post in reversed(tuple(posts)):
                if post.letter is not None:
                    self._letters[post.letter] = post
                elif not post.is_retained:
                    if not post.is_repeat:
                        self._queue.appendleft(replace(post, is_repeat=True))
                elif post.topic not in self._latest:
                    self._latest[post.topic] = post
                    self._latest.move_to_end(post.topic, last=False)
            self._shorten()

    def take(self) -> Post | None:
        """Return the next post, retained ones and others by turns; None when there is none.

        Of the others letters come first, in the order of their numbers.
        """
        with self._lock:
            self._prefers_queue = not self._prefers_queue
            if self._prefers_queue or not self._latest:
                if self._letters:
                    return self._letters.pop(min(self._letters))
                if self._queue:
                    return self._queue.popleft()
            return self._latest.popitem(last=False)[1] if self._latest else None

    def take_dropped(self) -> int:
        """Return how many posts were dropped since the last call."""
        with self._lock:
            count, self._dropped = self._dropped, 0
            return count

    def _shorten(self) -> None:
        while len(self._letters) > LETTERS:
            del self._letters[min(self._letters)]
        while len(self._queue) > WAITING:
            self._queue.popleft()
            self._dropped += 1
