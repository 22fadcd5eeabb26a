"""The model's offer: which of the actions that are legal now may be the wish behind a sentence.

The model only ever picks a number; what it picks is asked, not done.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agentd.understand.legal import LegalAction, clean, legal_actions
from agentd.understand.words import Words
from llmagentos.errors import LlmagentosError
from llmagentos.plan import Action
from llmagentos.utterance import Observation, Utterance
from models.choose import (
    BadChoices,
    Baseline,
    Choice,
    Chooser,
    ChooserAway,
    ChooserBusy,
    ChooserCancelled,
    ChooserTimeout,
)  # fmt: skip

DEADLINE_S: Final = 6.0
"""Longest wait for the model: a person who asked is still there after it."""

_LONGEST_TEXT: Final = 200
"""Characters of the sentence that the model reads."""


class ModelAway(LlmagentosError):
    """The language model does not answer: it is not there, restarts, is busy or too slow."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the model thinks is wanted."""

    action: Action | None
    """None when it picked "none of these"."""

    text: str = ""
    """The question to ask."""

    margin: float | None = None
    """Nats between its first and its second choice; None where it was not asked."""

    explain: Mapping[str, object] = field(default_factory=dict)


class Offerer:
    """Builds prompts and asks the model, one question at a time."""

    def __init__(self, chooser: Chooser, words: Words, *, deadline_s: float = DEADLINE_S) -> None:
        self._chooser = chooser
        self._words = words
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._has_prefix = False

    def warm(self) -> None:
        """Hand the prefix over, so that the first question need not wait for it.

        Raises:
            ModelAway: the model does not answer.
        """
        with self._lock:
            self._warm()

    def offer(self, utterance: Utterance, observation: Observation) -> Offer:
        """Ask the model which action may be meant.

        Raises:
            ModelAway: it does not answer in time.
        """
        legal = legal_actions(observation, self._words, area=utterance.origin.area)
        if not legal:
            return Offer(None)
        labels = [*(action.label for action in legal), self._words.model.none]
        try:
            picked = self._choose(utterance.text, labels)
        except BadChoices as exc:
            return Offer(None, explain={"error": str(exc)})
        scores = sorted(zip(picked.scores, labels, strict=True), reverse=True)
        explain = {"scores": {label: round(score, 2) for score, label in scores[:5]}}
        if picked.index == len(legal):
            return Offer(None, margin=picked.margin, explain=explain)
        return self._asking(legal[picked.index], picked, observation, explain)

    def _choose(self, text: str, labels: list[str]) -> Choice:
        form = self._words.model
        baseline = Baseline(tuple(self._prompt(text) for text in form.baseline))
        choices = [form.choice.format(label=label) for label in labels]
        with self._lock:
            self._warm()
            try:
                return self._chooser.choose(
                    self._prompt(text), choices, deadline_s=self._deadline_s, baseline=baseline
                )
            except (ChooserAway, ChooserBusy, ChooserTimeout, ChooserCancelled) as exc:
                self._has_prefix = False
                raise ModelAway(str(exc)) from exc

    def _warm(self) -> None:
        if self._has_prefix:
            return
        try:
            self._chooser.set_prefix(self._words.model.prefix, end=self._words.model.end)
        except (ChooserAway, ChooserBusy, ChooserTimeout, ChooserCancelled) as exc:
            raise ModelAway(str(exc)) from exc
        self._has_prefix = True

    def _asking(
        self, chosen: LegalAction, picked: Choice, observation: Observation,
        explain: Mapping[str, object],
    ) -> Offer:  # fmt: skip
        device = observation.home.by_id[chosen.action.device]
        what = self._words.act(chosen.action.name, device.name)
        question = self._words.say("shall_i", what=what)
        return Offer(chosen.action, question, picked.margin, explain)

    def _prompt(self, text: str) -> str:
        """The sentence in the form of the examples; it cannot end its quotes."""
        said = clean(text, longest=_LONGEST_TEXT).replace('"', "'").rstrip(".!?,; ")
        return self._words.model.prompt.format(text=said[:1].upper() + said[1:])
