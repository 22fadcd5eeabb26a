"""A shelf in memory that outlives the book, as a disk outlives the process."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from agentd.agents.shelf import Shelf
from agentd.understand.notice_reply import NoticeReply
from agentd.understand.words import load_words
from llmagentos.errors import LlmagentosError

TELL = NoticeReply(load_words("en")).tell
"""What a book says of its notices."""


@dataclass
class Paper:
    """Documents by (kind, name). Writes are on it at once, or wait while `is_slow`, or fail."""

    documents: dict[tuple[str, str], str] = field(default_factory=dict)
    is_broken: bool = False
    is_slow: bool = False
    waiting: list[tuple[Future[None], str, str, str | None]] = field(default_factory=list)
    writes: int = 0

    def shelf(self) -> Shelf:
        return Shelf(self.save, self.drop, self.saved)

    def save(self, kind: str, name: str, body: str) -> Future[None]:
        return self._write(kind, name, body)

    def drop(self, kind: str, name: str) -> Future[None]:
        return self._write(kind, name, None)

    def saved(self, kind: str) -> dict[str, str]:
        return {name: body for (each, name), body in self.documents.items() if each == kind}

    def settle(self) -> None:
        """Let what waits reach the disk, in order."""
        waiting, self.waiting = self.waiting, []
        for done, kind, name, body in waiting:
            self._put(kind, name, body)
            done.set_result(None)

    def _write(self, kind: str, name: str, body: str | None) -> Future[None]:
        done: Future[None] = Future()
        self.writes += 1
        if self.is_broken:
            done.set_exception(LlmagentosError("disk full"))
        elif self.is_slow:
            self.waiting.append((done, kind, name, body))
        else:
            self._put(kind, name, body)
            done.set_result(None)
        return done

    def _put(self, kind: str, name: str, body: Any) -> None:
        if body is None:
            self.documents.pop((kind, name), None)
        else:
            self.documents[kind, name] = body
