"""The language model as a chooser: it says how likely each of a closed set of texts is.

LlmagentosError
 └─ ModelError
     ├─ BadChoices        what was to be scored cannot be; the text says why
     ├─ ChooserBusy       others wait already (transient)
     ├─ ChooserTimeout    the deadline passed (transient)
     ├─ ChooserCancelled  somebody called it off
     └─ ChooserAway       there is no model, or its process is gone (transient)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.errors import ModelError

TURN_START: Final = "\x02"
"""Begins a turn of a chat (ChatML's `<|im_start|>`), followed by its role and a newline.

A control character, and not the mark as text: what people say and what devices are called is
stripped of control characters, so nobody can end their turn and speak as another."""

TURN_END: Final = "\x03"
"""Ends a turn of a chat (ChatML's `<|im_end|>`)."""


class BadChoices(ModelError):
    """No choices, two of them alike, no prompt, or more text than the model can hold."""


class ChooserBusy(ModelError):
    """Others wait already; ask again later."""


class ChooserTimeout(ModelError):
    """The deadline passed before all choices were scored."""


class ChooserCancelled(ModelError):
    """Somebody called it off."""


class ChooserAway(ModelError):
    """There is no model, or its process is gone; it may come back."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What each choice is worth before anybody has said anything, to be taken off its score.

    A small model likes some texts whatever it is asked. Scored after prompts that ask for
    nothing, that liking shows, and most of it can be subtracted.
    """

    prompts: tuple[str, ...]
    """Prompts of the same form that ask for nothing; the mean over them counts. Five ("hello",
    "this is a sentence", "please do something", "well", "I would like something") were better
    than one, for all weights."""

    weight: float = 0.75
    """Share of it that is taken off, 0 to 1. Right of 42 indirect wishes over 17 choices, mean of
    four prefixes: 13.5 at 0, 22.5 at 0.5, 23.5 at 0.75, 19 at 1, where whatever the sentence
    raised most from nearly nothing wins."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The model's word on one prompt."""

    index: int
    """Place of the best choice in what was asked."""

    scores: tuple[float, ...]
    """For each choice the logarithm of its probability among all of them, in nats: at each fork
    only the ways that lead to a choice are compared. Less the weighted baseline where one was
    asked for; without one their exponentials sum to 1."""

    elapsed_ms: float = 0.0

    @classmethod
    def of(cls, scores: Sequence[float], *, elapsed_ms: float = 0.0) -> Choice:
        """The choice that these scores make; of equals the first."""
        return cls(scores.index(max(scores)), tuple(scores), elapsed_ms)

    @property
    def margin(self) -> float:
        """Best score less the second best, in nats; 0 for a single choice: nothing was compared."""
        best, *others = sorted(self.scores, reverse=True)
        return best - others[0] if others else 0.0


class Chooser(ABC):
    """Scores closed sets of texts. For one thread, but `cancel` is for any."""

    @abstractmethod
    def set_prefix(self, text: str, *, end: str = "\n") -> int:
        """Make a text resident that every prompt continues; the same again costs nothing.

        Args:
            text: instructions and examples, until the next call.
            end: what follows each choice in this text's form. It counts where one choice goes on
                and another ends: "the lamp" does not win over "the lamp in the hall" by default.

        Returns:
            Its length in tokens.

        Raises:
            BadChoices: it is longer than the model can hold.
            ChooserCancelled: called off. After any error there is no prefix.
        """

    @abstractmethod
    def choose(
        self,
        prompt: str,
        choices: Sequence[str],
        *,
        deadline_s: float,
        baseline: Baseline | None = None,
    ) -> Choice:
        """Score each choice as the continuation of prefix and prompt.

        Args:
            prompt: not empty. Where it ends in a word the choices begin with a blank.
            choices: distinct texts, at least one.
            deadline_s: longest time it may take, in seconds from now.
            baseline: taken off the scores. What it costs is kept until the prefix changes.

        Raises:
            BadChoices: these cannot be scored.
            ChooserTimeout: the deadline passed.
            ChooserCancelled: `cancel` was called.
            ChooserBusy: others wait already.
            ChooserAway: there is no model to ask.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Call off what is under way, within some 50 ms; without effect where nothing is."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the model. Nothing else may be called afterwards."""


def check(prompt: str, choices: Sequence[str], baseline: Baseline | None = None) -> None:
    """Refuse what no chooser can score.

    Raises:
        BadChoices: the text says what and why.
    """
    if not prompt or (baseline and not all(baseline.prompts)):
        raise BadChoices("the prompt is empty, there is nothing to continue")
    if not choices:
        raise BadChoices("there are no choices to choose from")
    if not all(choices):
        raise BadChoices("a choice is empty")
    if len(set(choices)) != len(choices):
        twice = next(choice for choice in choices if choices.count(choice) > 1)
        raise BadChoices(f"choice {twice.strip()!r} stands twice")
    if baseline and not (baseline.prompts and 0.0 <= baseline.weight <= 1.0):
        raise BadChoices("a baseline has at least one prompt and a weight from 0 to 1")
