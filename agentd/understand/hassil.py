"""The recogniser over sentence templates: hassil with Home Assistant's sentences and ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hassil import Intents, RecognizeResult, SlotList, TextSlotList, recognize_all, recognize_best

from agentd.understand.intent import Intent, Target
from agentd.understand.naming import Directory
from agentd.understand.recogniser import Context, Recogniser, Recognition
from agentd.understand.resolver import Resolver
from agentd.understand.sentences import home_assistant_sentences, own_sentences
from agentd.understand.words import Words
from llmagentos.home import Home
from llmagentos.utterance import Nothing, Observation

_TARGET_SLOTS = frozenset({"name", "area", "floor", "domain", "device_class", "thing"})


class HassilRecogniser(Recogniser):
    """Strict: a sentence fits a template from its first to its last word, or it does not."""

    name = "hassil"

    def __init__(self, words: Words, *, directory: Directory | None = None) -> None:
        self._words = words
        self._resolver = Resolver(words)
        self._theirs = Intents.from_dict(dict(home_assistant_sentences(words.language)))
        self._ours = Intents.from_dict(dict(own_sentences(words.language)))
        self._directory = directory or Directory(Home(), words=words)
        self._lists: dict[str, SlotList] = {}
        self._named: dict[str, list[tuple[str, str]]] = {}

    def refresh(self, home: Home, *, directory: Directory | None = None) -> None:
        self._directory = directory or Directory(home, words=self._words)
        self._named = _by_name(home)
        self._lists = {
            "name": _list("name", list(_names(home))),
            "area": _list(
                "area", [(n, a.id, {}) for a in home.areas for n in (a.name, *a.aliases)]
            ),
            "floor": _list(
                "floor", [(n, f.id, {}) for f in home.floors for n in (f.name, *f.aliases)]
            ),
        }

    def recognise(
        self, text: str, observation: Observation, context: Context
    ) -> Recognition | None:
        theirs = self._by_theirs(text, observation, context)
        if theirs and theirs.is_final:
            return theirs
        return self._by_ours(text, observation, context) or theirs

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
        for result in recognize_all(text, self._ours, language=self._words.language):
            for intent in self._our_intents(result, context):
                outcome = self._resolver.resolve(intent, observation, context)
                if not isinstance(outcome, Nothing) or outcome.reason == "ambiguous":
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
        kinds = frozenset((result.intent_metadata or {}).get("kinds", ()))
        for target in self._targets(slots.get("thing"), kinds, context):
            yield Intent(
                name=result.intent.name,
                target=target,
                slots={k: v for k, v in slots.items() if k not in _TARGET_SLOTS},
                response=result.response,
                kinds=kinds,
            )

    def _targets(self, phrase: Any, kinds: frozenset[str], context: Context) -> tuple[Target, ...]:
        """What a free phrase means, one target each; nothing where nothing fits."""
        if phrase is None:
            return (Target(),)
        if self._directory.is_pronoun(str(phrase)):
            return context.previous[:1]
        found = self._directory.find(str(phrase), kinds=kinds, area=context.area)
        return (found,) if found else ()

    def _devices(self, name: Any, result: RecognizeResult) -> tuple[str, ...]:
        """Ids of the devices of that name and of a kind that the sentence fits."""
        if name is None:
            return ()
        hint = (result.context or {}).get("domain")
        kind = hint.get("value") if isinstance(hint, dict) else hint
        carriers = self._named.get(str(name).casefold(), [])
        return tuple(device for device, of in carriers if kind is None or of == kind)


def _names(home: Home) -> Iterator[tuple[str, str, dict[str, str]]]:
    for device in home.devices:
        context = {"domain": device.kind}
        if device.device_class:
            context["device_class"] = device.device_class
        for name in (device.name, *device.aliases):
            yield name, name, context


def _list(name: str, rows: list[tuple[str, str, dict[str, str]]]) -> TextSlotList:
    return TextSlotList.from_tuples(rows, allow_template=False, name=name)


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


def _looseness(result: RecognizeResult) -> int:
    """How much of the sentence free phrases took: less means that the template said more."""
    return sum(len(e.text) for e in result.entities_list if e.is_wildcard)


def _explain(result: RecognizeResult) -> dict[str, object]:
    slots = {name: str(entity.value) for name, entity in result.entities.items()}
    sentence = result.intent_sentence.text if result.intent_sentence else ""
    return {"intent": result.intent.name, "slots": slots, "sentence": sentence}
