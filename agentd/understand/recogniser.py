"""The contract of a recogniser: a sentence in, what it means for this home out, or nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agentd.understand.intent import Target
from llmagentos.home import Home
from llmagentos.utterance import Nothing, Observation, Outcome


@dataclass(frozen=True, slots=True)
class Context:
    """What was there before the sentence."""

    area: str | None = None
    """Id of the area the speaker stands in; None when unknown."""

    previous: tuple[Target, ...] = ()
    """What the conversation spoke of last: what "it" and "them" mean."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """A sentence that was understood."""

    outcome: Outcome

    recogniser: str
    """Name of the stage, for `Interpretation.stage`."""

    targets: tuple[Target, ...] = ()
    """What it spoke of, for a follow-up."""

    explain: Mapping[str, object] = field(default_factory=dict)
    """What was matched; JSON-able."""

    @property
    def is_final(self) -> bool:
        """Whether no later stage could know better: it found what is meant, or knows it cannot."""
        return not isinstance(self.outcome, Nothing) or self.outcome.reason in _FINAL


_FINAL: Final = frozenset({"never_mind", "out_of_scope"})


class Recogniser(ABC):
    """Understands sentences by rule. Not for several threads at once."""

    name: str
    """Name of the stage."""

    @abstractmethod
    def refresh(self, home: Home) -> None:
        """Take over a new home. May take 100 ms."""

    @abstractmethod
    def recognise(
        self, text: str, observation: Observation, context: Context
    ) -> Recognition | None:
        """What the sentence means for the home of the last `refresh`.

        Args:
            text: cleaned, at most 500 characters.
            observation: the states that answers and toggles look at.
            context: where the speaker stands and what was spoken of.

        Returns:
            None when a word of it stays unexplained, or nothing in the home fits it.
        """
