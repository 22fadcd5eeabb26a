"""The recogniser over the names of the home: gazetteer-matcher, held to every word it hears.

The library forgives a few words that it cannot place and spells names generously. Here a word may
be forgiven only when it is mere filler or belongs to the very devices that were found, and a
misspelt one only when it is one slip away from such a word: "dining room" is not "living room".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any, Final

from gazetteer_matcher import (  # type: ignore[import-untyped]  # typed, but without its marker
    FrameCandidate,
    GazetteerMatcher,
    Interpretation,
    TargetReference,
)

from agentd.understand.intent import Intent, Target
from agentd.understand.naming import Directory
from agentd.understand.recogniser import Context, Recogniser, Recognition
from agentd.understand.resolver import Resolver
from agentd.understand.sentences import read_yaml
from agentd.understand.words import Words
from llmagentos.home import Home
from llmagentos.utterance import Act, Answer, Nothing, Observation, Outcome

LANGUAGE: Final = "en"
"""The only language that the library knows."""

_LARGEST_NUMBER: Final = 1000
"""Number words are understood up to here; the library's 10,000 cost half a second at start."""

_SHORTEST_MISSPELT: Final = 5
"""Letters from which a word may be misspelt: hall and wall, path and bath are words themselves."""

_TARGET_SLOTS: Final = frozenset({"name", "area", "floor", "domain", "device_class"})


class GazetteerRecogniser(Recogniser):
    """Terse, compound and slightly misspelt English."""

    name = "gazetteer"

    def __init__(self, words: Words) -> None:
        self._words = words
        self._resolver = Resolver(words)
        self._directory = Directory(Home(), words=words)
        vocabulary = _package_data("vocabulary.yaml")
        vocabulary["numbers"]["max_cardinal"] = _LARGEST_NUMBER
        self._matcher = GazetteerMatcher(
            vocabulary=vocabulary, responses=_package_data("responses.yaml"), home=_entities(Home())
        )

    def refresh(self, home: Home) -> None:
        self._directory = Directory(home, words=self._words)
        self._matcher.set_home(_entities(home))

    def recognise(
        self, text: str, observation: Observation, context: Context
    ) -> Recognition | None:
        known = context.area if context.area in observation.home.area_by_id else None
        found = self._matcher.interpret(
            text, context_area=known, previous_targets=tuple(_references(context.previous))
        )
        if not found.accepted:
            return None
        intents = [_intent(frame) for frame in found.frames]
        outcomes = [self._resolver.resolve(intent, observation, context) for intent in intents]
        outcome = _merge(outcomes)
        if not isinstance(outcome, Nothing) and not self._is_explained(found, outcome):
            return None
        targets = tuple(intent.target for intent in intents if not intent.target.is_empty)
        return Recognition(outcome, self.name, targets, _explain(found))

    def _is_explained(self, found: Interpretation, outcome: Outcome) -> bool:
        """Whether every word was placed, is filler, or belongs to the devices found."""
        devices = _devices(outcome)
        loose = [found.tokens[i].text for frame in found.frames for i in frame.unexplained_tokens]
        return all(self._directory.explains(word, devices) for word in loose) and all(
            self._is_spelt(text, devices) for text in _misspelt(found)
        )

    def _is_spelt(self, text: str, devices: Iterable[str]) -> bool:
        """Whether each word is one of the devices' own, or one slip away from one of them."""
        known = self._directory.vocabulary(devices)
        return all(stem in known or _is_slip(stem, known) for stem in self._directory.content(text))


def _is_slip(word: str, known: Iterable[str]) -> bool:
    return len(word) >= _SHORTEST_MISSPELT and any(_one_slip(word, other) for other in known)


def _one_slip(said: str, meant: str) -> bool:
    """Whether one letter was changed, left out, added, or swapped with its neighbour."""
    if abs(len(said) - len(meant)) > 1 or len(meant) < _SHORTEST_MISSPELT:
        return False
    at = next((i for i, (a, b) in enumerate(zip(said, meant, strict=False)) if a != b), None)
    if at is None:
        return True
    rests = {(said[at + 1 :], meant[at + 1 :]), (said[at:], meant[at + 1 :]),
             (said[at + 1 :], meant[at:])}  # fmt: skip
    swapped = said[at : at + 2] == meant[at : at + 2][::-1] and said[at + 2 :] == meant[at + 2 :]
    return swapped or any(a == b for a, b in rests)


def _misspelt(found: Interpretation) -> Iterator[str]:
    """The texts that the matcher took for a name or place by their spelling alone."""
    for frame in found.frames:
        for option in frame.slot_options.values():
            for span in option.spans:
                if span.source.startswith("fuzzy"):
                    yield span.text


def _devices(outcome: Outcome) -> tuple[str, ...]:
    if isinstance(outcome, Act):
        return tuple(action.device for action in outcome.actions)
    return outcome.about if isinstance(outcome, Answer) else ()


def _merge(outcomes: list[Outcome]) -> Outcome:
    """One outcome of the several parts of a sentence; a part that fails spoils the whole."""
    failed = next((outcome for outcome in outcomes if isinstance(outcome, Nothing)), None)
    if failed:
        return failed
    acts = [outcome for outcome in outcomes if isinstance(outcome, Act)]
    if len(acts) == len(outcomes):
        return Act(tuple(action for act in acts for action in act.actions))
    return outcomes[0] if len(outcomes) == 1 else Nothing("rejected")


def _intent(frame: FrameCandidate) -> Intent:
    slots: dict[str, Any] = dict(frame.slots)
    classes = slots.get("device_class")
    target = Target(
        devices=(slots["name"],) if slots.get("name") else (),
        area=slots.get("area"),
        floor=slots.get("floor"),
        kind=slots.get("domain"),
        classes=tuple(classes) if isinstance(classes, list | tuple) else _one(classes),
    )
    rest = {name: value for name, value in slots.items() if name not in _TARGET_SLOTS}
    return Intent(frame.intent, target, rest, frame.response_key)


def _one(value: object) -> tuple[str, ...]:
    return () if value is None else (str(value),)


def _references(targets: Iterable[Target]) -> Iterator[TargetReference]:
    for target in targets:
        kind = {"domain": target.kind} if target.kind else {}
        if target.devices:
            yield from (TargetReference.for_entity(device) for device in target.devices)
        elif target.area:
            yield TargetReference.for_area(target.area, **kind, **_class(target))
        elif target.floor:
            yield TargetReference.for_floor(target.floor, **kind, **_class(target))


def _class(target: Target) -> dict[str, str]:
    return {"device_class": target.classes[0]} if len(target.classes) == 1 else {}


def _entities(home: Home) -> dict[str, Any]:
    """The home as the library wants it."""
    return {
        "areas": {a.id: {"name": a.name, "aliases": list(a.aliases), "floor": a.floor}
                  for a in home.areas},
        "floors": {f.id: {"name": f.name, "aliases": list(f.aliases)} for f in home.floors},
        "entities": {
            d.id: {"name": d.name, "aliases": list(d.aliases), "domain": d.kind, "area": d.area}
            | ({"device_class": d.device_class} if d.device_class else {})
            for d in home.devices
        },
    }  # fmt: skip


def _package_data(name: str) -> Any:
    return read_yaml((files("gazetteer_matcher") / "data" / name).read_text("utf-8"))


def _explain(found: Interpretation) -> dict[str, object]:
    return {
        "frames": [{"intent": f.intent, "slots": {k: str(v) for k, v in f.slots.items()}}
                   for f in found.frames],
        "unexplained": [found.tokens[i].text for f in found.frames for i in f.unexplained_tokens],
    }  # fmt: skip
