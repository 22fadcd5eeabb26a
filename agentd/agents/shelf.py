"""Where promises and rules are written down: small documents, each under its kind and name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Final

from agentd.agents.promise import PromiseError
from llmagentos.errors import LlmagentosError

_log = logging.getLogger(__name__)

COMMIT_S: Final = 2.0
"""Longest that a door waits for the disk; what is not written by then is not promised."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The journal's documents, given from outside. The futures are set by the journal's thread."""

    save: Callable[[str, str, str], Future[None]]
    """Takes kind, name and text; done when it is on disk."""
    drop: Callable[[str, str], Future[None]]
    """Takes kind and name; done when it is gone from the disk."""
    saved: Callable[[str], Mapping[str, str]]
    """Takes a kind; tells what lies there, by name."""

    def keep(self, kind: str, name: str, body: str) -> None:
        """Write, and wait until it is on disk. For doors: blocks up to `COMMIT_S`.

        Raises:
            PromiseError: it is not on disk in time.
        """
        _wait(self.save(kind, name, body))

    def forget(self, kind: str, name: str) -> None:
        """Remove, and wait until that is on disk; as `keep`."""
        _wait(self.drop(kind, name))

    def post(self, kind: str, name: str, body: str) -> None:
        """Write without waiting, for the tick."""
        self.save(kind, name, body).add_done_callback(_complain)

    def post_drop(self, kind: str, name: str) -> None:
        """Remove without waiting, for the tick."""
        self.drop(kind, name).add_done_callback(_complain)


def _wait(written: Future[None]) -> None:
    text = "I could not write that down, so I do not promise it"
    try:
        written.result(COMMIT_S)
    except FutureTimeout as exc:
        raise PromiseError("not_written", f"{text}: the disk does not answer.") from exc
    except LlmagentosError as exc:
        raise PromiseError("not_written", f"{text}: {exc}") from exc


def _complain(written: Future[None]) -> None:
    if not written.cancelled() and (error := written.exception()):
        _log.error("a promise or rule could not be written down: %s", error)
