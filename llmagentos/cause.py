"""What started a value: who asked, through which door, and its number in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """Names the utterance, message, rule or reading that started it; prints as `node/boot/7`."""

    node: str
    """Id of the box, [a-z0-9_-]."""

    boot: str
    """8 hex digits, new at each start of agentd."""

    number: int
    """Counts up from 1 within a boot."""

    def __str__(self) -> str:
        return f"{self.node}/{self.boot}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> Cause:
        """Read `node/boot/7` back.

        Raises:
            ValueError: the text is not of that form.
        """
        parts = text.split("/")
        if len(parts) != 3 or not all(parts) or not parts[2].isdecimal():
            raise ValueError(f"not a cause, expected node/boot/number: {text!r}")
        return cls(parts[0], parts[1], int(parts[2]))


class Rank(IntEnum):
    """Who wins, highest first: safety, a person, a rule or promise, a user's agent, a learner."""

    LEARNER = 0
    AGENT = 1
    RULE = 2
    PERSON = 3
    SAFETY = 4


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a wish came from."""

    rank: Rank
    """Decides between two wishes for one device."""

    channel: str
    """The way in: voice, cli, socket, mqtt, button, rule, agent, safety."""

    who: str = ""
    """User, client, rule or agent id within the channel; empty when unknown.
    Calls with one `channel` and `who` share one conversation."""

    area: str | None = None
    """Id of the area the speaker stands in; None when unknown."""
