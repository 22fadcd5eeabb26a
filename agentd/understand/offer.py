"""The model's offer: which of the actions that are legal now may be the wish behind a sentence.

The model only ever picks a number; what it picks is asked, not done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentd.understand.answer import Describer
from agentd.understand.legal import Choice, clean, legal_actions
from agentd.understand.words import Words
from llmagentos.errors import LlmagentosError
from llmagentos.home import Device, Home
from llmagentos.plan import Action
from llmagentos.utterance import Observation, Utterance

if TYPE_CHECKING:
    from models.choose import Chooser

DEADLINE_S: Final = 8.0
"""Longest wait for the model: a person who asked is still there after it."""

_LONGEST_TEXT: Final = 200
"""Characters of the sentence that the model reads."""


class ModelAway(LlmagentosError):
    """The language model does not answer: it is not there, restarts, or is too slow."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the model thinks is wanted."""

    action: Action | None
    """None when it picked "none of these"."""

    text: str = ""
    """The question to ask."""

    margin: float | None = None
    """Nats between its first and its second choice."""

    explain: Mapping[str, object] = field(default_factory=dict)


class Offerer:
    """Builds the prompt and asks the model. One prefix for a home; states stay out of it."""

    def __init__(self, chooser: Chooser, words: Words, *, deadline_s: float = DEADLINE_S) -> None:
        self._chooser = chooser
        self._words = words
        self._deadline_s = deadline_s
        self._prefix = ""
        self._is_set = False

    def refresh(self, home: Home) -> None:
        """Take over a new home. The prefix is handed over when the model is next asked."""
        prefix = build_prefix(home, self._words)
        if prefix != self._prefix:
            self._prefix, self._is_set = prefix, False

    def warm(self) -> None:
        """Hand the prefix over now, so that the first question need not wait for it.

        Raises:
            ModelAway: the model does not answer.
        """
        self._chooser.set_prefix(self._prefix)
        self._is_set = True

    def offer(self, utterance: Utterance, observation: Observation) -> Offer:
        """Ask the model which action may be meant.

        Raises:
            ModelAway: it does not answer in time.
        """
        choices = legal_actions(observation, self._words, area=utterance.origin.area)
        if not choices:
            return Offer(None)
        if not self._is_set:
            self.warm()
        labels = [choice.label for choice in choices] + [self._words.model["none"]]
        prompt = build_prompt(utterance, observation, self._words)
        picked = self._chooser.choose(prompt, labels, deadline_s=self._deadline_s)
        explain = {"choice": labels[picked.index], "margin": round(picked.margin, 3)}
        if picked.index >= len(choices):
            return Offer(None, margin=picked.margin, explain=explain)
        return self._asking(choices[picked.index], picked.margin, observation, explain)

    def _asking(
        self, choice: Choice, margin: float, observation: Observation, explain: Mapping[str, object]
    ) -> Offer:
        action = choice.action
        device = observation.home.by_id[action.device]
        what = self._words.act(action.name, device.name)
        return Offer(action, self._words.say("shall_i", what=what), margin, explain)


def build_prefix(home: Home, words: Words) -> str:
    """The part of the prompt that stays: the task and the home, in ChatML."""
    listed = "\n".join(_device_line(device, home, words) for device in home.devices)
    none = words.model["none"]
    task = words.model["instruction"].format(devices=listed, none=none)
    return f"<|im_start|>system\n{task}<|im_end|>\n<|im_start|>user\n"


def build_prompt(utterance: Utterance, observation: Observation, words: Words) -> str:
    """The part that is new each time: the states, the place and the sentence."""
    describe = Describer(words)
    states = [
        words.model["state"].format(name=clean(d.name), state=clean(describe.state_word(d, state)))
        for d in observation.home.devices
        if (state := observation.states.get(d.id)) and state.is_available
    ]
    area = observation.home.area_by_id.get(utterance.origin.area or "")
    place = words.model["place"].format(area=clean(area.name)) if area else ""
    text = _quoted(utterance.text)
    said = words.model["prompt"].format(states=". ".join(states), place=place, text=text)
    return f"{said}<|im_end|>\n<|im_start|>assistant\n"


def _device_line(device: Device, home: Home, words: Words) -> str:
    area = home.area_by_id.get(device.area or "")
    template = words.model["device" if area else "device_bare"]
    shown = clean(area.name) if area else ""
    return template.format(name=_quoted(device.name, 40), kind=device.kind, area=shown)


def _quoted(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Text that cannot end its quotes nor begin another turn of the chat."""
    return clean(text, longest=longest).replace('"', "'").replace("<|", "< |").replace("|>", "| >")
