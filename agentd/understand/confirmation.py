"""The questions of the whole box that wait for a yes, kept over a restart.

A question that was asked before agentd died is still open afterwards, for what is left of its
minute, as long as the machine itself stayed on: only then can that minute be measured. After a
power cut it is gone, and a yes finds nothing.
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace
from typing import Final

from agentd.agents.promise import PromiseError
from agentd.agents.shelf import Shelf
from agentd.understand.conversation import Conversation, Conversations, Pending
from agentd.understand.outcome import decode_wish, encode_outcome
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant

_log = logging.getLogger(__name__)

SHELF_KIND: Final = "confirm"
"""What the documents are called on the shelf."""


class Questions:
    """All of them. Thread-safe."""

    def __init__(self, shelf: Shelf | None = None, *, boot: str = "") -> None:
        """None waits.

        Args:
            shelf: where they are written down; None forgets them with the process.
            boot: id of this boot of the machine.
        """
        self._shelf, self._boot = shelf, boot
        self._lock = threading.Lock()
        self._open: dict[str, Pending] = {}

    def restore(self, conversations: Conversations, now: Instant) -> None:
        """Bring back what waited when agentd died; what is too old is dropped."""
        if self._shelf is None:
            return
        for name, body in self._shelf.saved(SHELF_KIND).items():
            asked = _decode(name, body, boot=self._boot)
            if asked and asked.origin and asked.is_open(now):
                conversations.of(asked.origin).pending = asked
                with self._lock:
                    self._open[name] = asked
            else:
                self._shelf.post_drop(SHELF_KIND, name)

    def follow(
        self, talk: Conversation, before: Pending | None, *, origin: Origin, cause: Cause
    ) -> None:
        """Take note of what a sentence did to the question of its conversation.

        Blocks up to 2 s for the disk: a question is written down before it is asked.
        """
        asked = talk.pending
        if before and before.id and (asked is None or asked.id != before.id):
            self._close(before.id)
        if asked and not asked.id:
            asked = replace(asked, origin=origin, id=f"{cause.boot}-{cause.number}")
            talk.pending = asked
        if asked and asked != before:
            self._keep(asked)

    def waiting(self, now: Instant) -> tuple[Pending, ...]:
        """The questions that are open, the oldest first."""
        with self._lock:
            over = [asked for asked in self._open.values() if not asked.is_open(now)]
            waiting = tuple(asked for asked in self._open.values() if asked.is_open(now))
        for asked in over:
            self._close(asked.id)
        return waiting

    def find(self, name: str, now: Instant) -> Pending | None:
        """The open question of that id."""
        return next((asked for asked in self.waiting(now) if asked.id == name), None)

    def _keep(self, asked: Pending) -> None:
        with self._lock:
            self._open[asked.id] = asked
        if self._shelf is None:
            return
        try:
            self._shelf.keep(SHELF_KIND, asked.id, _encode(asked, boot=self._boot))
        except PromiseError as exc:
            # It is asked all the same: to lose it in a crash does nothing, which is safe.
            _log.warning("a question is not written down: %s", exc)

    def _close(self, name: str) -> None:
        with self._lock:
            known = self._open.pop(name, None)
        if known and self._shelf:
            self._shelf.post_drop(SHELF_KIND, name)


def _encode(asked: Pending, *, boot: str) -> str:
    origin = asked.origin
    return json.dumps({
        "wish": encode_outcome(asked.wish),
        "asked_at": [asked.asked_at.mono_s, asked.asked_at.wall_s],
        "chosen_by": asked.chosen_by,
        "text": asked.text,
        "boot": boot,
        "origin": [int(origin.rank), origin.channel, origin.who, origin.area] if origin else None,
    })  # fmt: skip


def _decode(name: str, body: str, *, boot: str) -> Pending | None:
    """A question as it was written down in this boot of the machine; None for any other text."""
    try:
        data = json.loads(body)
        wish = decode_wish(data["wish"])
        if wish is None or not boot or data["boot"] != boot:
            return None
        rank, *rest = data["origin"]
        return Pending(wish, Instant(*data["asked_at"]), data["chosen_by"], data["text"],
                       Origin(Rank(rank), *rest), name)  # fmt: skip
    except (ValueError, KeyError, TypeError) as exc:
        _log.error("question %s is left out: %r", name, exc)
        return None
