"""Events that must arrive: out of the journal's outbox to the broker, and gone once it has them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from agentd.door.outgoing import Outgoing, Post
from agentd.door.topic import Topics
from agentd.journal import JournalError, Outbox
from llmagentos.wire import dump

_LOG: Final = logging.getLogger(__name__)


class Letters:
    """Sends each letter until the broker has taken it; then it is forgotten, here and on disk.

    One whose acknowledgement is lost is sent again: `letter` in it tells a listener that it is
    the same.
    """

    def __init__(self, outbox: Outbox, *, outgoing: Outgoing, topics: Topics) -> None:
        """Nothing is on its way yet.

        Args:
            outbox: keeps them.
            outgoing: takes them to the broker, each number once.
            topics: every topic of this box.
        """
        self._outbox, self._outgoing, self._topics = outbox, outgoing, topics

    def tell(self, kind: str, event: Mapping[str, Any]) -> bool:
        """Send an event of the feed; False when it is none that the outbox keeps."""
        number = event.get("letter")
        if not isinstance(number, int):
            return False
        self._send(kind, dump(event), number=number)
        return True

    def tell_all(self) -> None:
        """Send all that wait on disk, those of earlier runs too."""
        try:
            for letter in self._outbox.all():
                self._send(letter.kind, letter.body, number=letter.number)
        except JournalError as exc:
            _LOG.error("events that wait cannot be told: %s", exc)

    def forget(self, post: Post) -> None:
        """The broker has taken a post."""
        if post.letter is not None:
            self._outbox.done(post.letter)

    def _send(self, kind: str, body: str, *, number: int) -> None:
        self._outgoing.put(Post(self._topics.event(kind), body.encode(), letter=number))
