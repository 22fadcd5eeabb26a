"""The recogniser over sentence templates: hassil with Home Assistant's sentences and ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from hassil import Intents, RecognizeResult, SlotList, TextSlotList, recognize_all, recognize_best

from agentd.understand.guard import Guard
from agentd.understand.intent import Intent, Target
from agentd.understand.naming import Directory
from agentd.understand.recogniser import Context, Recogniser, Recognition
from agentd.understand.resolver import Resolver
from agentd.understand.sentences import home_assistant_sentences, own_sentences
from agentd.understand.words import Words
from llmagentos.home import Area, Floor, Home
from llmagentos.utterance import Answer, Nothing, Observation

_Row = tuple[str, str, dict[str, str]]
"""What is said, what it means, and the context that it brings."""

_TARGET_SLOTS = frozenset({"name", "area", "floor", "domain", "device_class", "thing"})

_WORTH_SAYING = frozenset({"ambiguous", "range"})
"""Why nothing is done, where that helps the one who asked."""


class HassilRecogniser(Recogniser):
    """Strict: a sentence fits a template from its first to its last word, or it does not."""

    name = "hassil"

    def __init__(self, words: Words) -> None:
        self._words = words
        self._resolver = Resolver(words)
        self._guard = Guard(words)
        self._theirs, self._ours = _intents(words.language)
        self.refresh(Home())

    def refresh(self, home: Home) -> None:
        self._directory = Directory(home, words=self._words)
        self._named = _by_name(home)
        self._lists: dict[str, SlotList] = {
            "name": _list("name", _names(home)),
            "area": _list("area", _called(home.areas)),
            "floor": _list("floor", _called(home.floors)),
        }

    def recognise(
        self, text: str, observation: Observation, context: Context
    ) -> Recognition | None:
        theirs = self._by_theirs(text, observation, context)
        if theirs and theirs.is_final and not self._may_be_wish(text, theirs):
            return theirs
        return self._by_ours(text, observation, context) or theirs

    def _may_be_wish(self, text: str, found: Recognition) -> bool:
        """Whether an answer was found for what has no form of a question: "all lights off"."""
        return isinstance(found.outcome, Answer) and not self._guard.is_question(text)

    def _by_theirs(
        self, text: str, observation: Observation, context: Context
    ) -> Recognition | None:
        where = {"area": {"value": context.area, "text": context.area}} if context.area else None
        result = recognize_best(
            text, self._theirs, slot_lists=self._lists, intent_context=where,
            language=self._words.language, best_slot_name="name",
        )  # fmt: skip
        if result is None:
            return None
        intent = self._their_intent(result)
        outcome = self._resolver.resolve(intent, observation, context)
        return Recognition(outcome, self.name, _spoken_of(intent), _explain(result))

    def _by_ours(self, text: str, observation: Observation, context: Context) -> Recognition | None:
        found: dict[int, list[Recognition]] = {}
        language = self._words.language
        for result in recognize_all(text, self._ours, language=language):
            for intent in self._our_intents(result, context):
                outcome = self._resolver.resolve(intent, observation, context)
                if not isinstance(outcome, Nothing) or outcome.reason in _WORTH_SAYING:
                    one = Recognition(outcome, self.name, _spoken_of(intent), _explain(result))
                    found.setdefault(_looseness(result), []).append(one)
        if not found:
            return None
        best = found[min(found)]
        return best[0] if all(one.outcome == best[0].outcome for one in best) else None

    def _their_intent(self, result: RecognizeResult) -> Intent:
        slots = {name: entity.value for name, entity in result.entities.items()}
        is_timer = "Timer" in result.intent.name
        devices = () if is_timer else self._devices(slots.get("name"), result)
        if is_timer:
            slots = {**slots, "name": slots.get("name")}
        return Intent(
            name=result.intent.name,
            target=Target(
                devices=devices,
                area=slots.get("area"),
                floor=slots.get("floor"),
                kind=slots.get("domain"),
                classes=_classes(slots.get("device_class")),
            ),
            slots={k: v for k, v in slots.items() if k not in _TARGET_SLOTS or is_timer},
            response=result.response,
        )

    def _our_intents(self, result: RecognizeResult, context: Context) -> Iterator[Intent]:
        slots = {name: entity.value for name, entity in result.entities.items()}
        for target in self._targets(slots.get("thing"), result, context):
            yield Intent(
                name=result.intent.name,
                target=target,
                slots={k: v for k, v in slots.items() if k not in _TARGET_SLOTS},
                response=result.response,
                kinds=_kinds(result),
            )

    def _targets(
        self, phrase: Any, result: RecognizeResult, context: Context
    ) -> tuple[Target, ...]:
        """What a free phrase means; nothing where nothing fits."""
        if phrase is None:
            return (Target(),)
        if self._directory.is_pronoun(str(phrase)):
            return context.previous[:1]
        metadata = result.intent_metadata or {}
        found = self._directory.find(
            str(phrase),
            kinds=_kinds(result),
            area=context.area,
            may_be_place=bool(metadata.get("place")),
        )
        return (replace(found, classes=tuple(metadata.get("classes", ()))),) if found else ()

    def _devices(self, name: Any, result: RecognizeResult) -> tuple[str, ...]:
        """Ids of the devices of that name and of a kind that the sentence fits."""
        if name is None:
            return ()
        hint = (result.context or {}).get("domain")
        kind = hint.get("value") if isinstance(hint, dict) else hint
        carriers = self._named.get(str(name).casefold(), [])
        return tuple(device for device, of in carriers if kind is None or of == kind)


@lru_cache(maxsize=4)
def _intents(language: str) -> tuple[Intents, Intents]:
    """Home Assistant's sentences and ours; their templates are parsed when first needed."""
    sources = home_assistant_sentences(language), own_sentences(language)
    theirs, ours = (Intents.from_dict(dict(source)) for source in sources)
    return theirs, ours


def _names(home: Home) -> Iterator[_Row]:
    for device in home.devices:
        context = {"domain": device.kind}
        if device.device_class:
            context["device_class"] = device.device_class
        for name in (device.name, *device.aliases):
            yield name, name, context


def _called(things: Iterable[Area | Floor]) -> Iterator[_Row]:
    for thing in things:
        for name in (thing.name, *thing.aliases):
            yield name, thing.id, {}


def _list(slot: str, rows: Iterable[_Row]) -> TextSlotList:
    return TextSlotList.from_tuples(rows, allow_template=False, name=slot)


def _by_name(home: Home) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for device in home.devices:
        for name in {n.casefold() for n in (device.name, *device.aliases)}:
            found.setdefault(name, []).append((device.id, device.kind))
    return found


def _classes(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (str(value),)


def _spoken_of(intent: Intent) -> tuple[Target, ...]:
    return () if intent.target.is_empty else (intent.target,)


def _kinds(result: RecognizeResult) -> frozenset[str]:
    """The kinds of device that one of our sentences can be about."""
    return frozenset((result.intent_metadata or {}).get("kinds", ()))


def _looseness(result: RecognizeResult) -> int:
    """How much of the sentence free phrases took: less means that the template said more."""
    return sum(len(e.text) for e in result.entities_list if e.is_wildcard)


def _explain(result: RecognizeResult) -> dict[str, object]:
    slots = {name: str(entity.value) for name, entity in result.entities.items()}
    sentence = result.intent_sentence.text if result.intent_sentence else ""
    return {"intent": result.intent.name, "slots": slots, "sentence": sentence}
