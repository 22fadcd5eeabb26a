"""What is told to someone who waits for a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """How far a pull is."""

    WAIT = "wait"
    """Another program is pulling it; its result will be taken."""

    DOWNLOAD = "download"
    CHECK = "check"
    """Unpacking and hashing."""

    FAILED = "failed"
    """This source did not give it; the next one is tried."""

    DONE = "done"


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of news."""

    stage: Stage
    model: str
    """Id of the row that is being pulled, which may be a substitute."""

    source: str = ""
    """Where from, for a person."""

    have_bytes: int = 0
    total_bytes: int = 0
    """Length of the whole download."""

    text: str = ""
    """Why a source failed; where the model lies when done."""


Progress = Callable[[Step], None]
"""Takes the news; called several times a second from the thread that pulls."""


def keep_quiet(step: Step) -> None:
    """A `Progress` for those who do not watch."""
