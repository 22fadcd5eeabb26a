"""The words of one language: what people say beside commands, and what the box says.

A language is one folder, `language/<code>`, with a `words.toml`; the code knows no English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from llmagentos.home import Device

_TOKEN: Final = re.compile(r"(?:(?<!\w)[+\-])?\d+(?:[.,]\d+)?|[^\W_]+(?:['’][^\W_]+)*|%|°")

_CLAUSE: Final = re.compile(r"[,;.!?]+(?:\s+|$)")


def tokens(text: str) -> tuple[str, ...]:
    """The words and numbers of a text, lower case, without punctuation."""
    return tuple(word.replace("’", "'") for word in _TOKEN.findall(text.casefold()))


def placed(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """The same words, each with where it begins and ends in the text."""
    for found in _TOKEN.finditer(text):
        yield found.group().casefold().replace("’", "'"), found.span()


def clauses(text: str) -> tuple[str, ...]:
    """The parts of a text between commas, semicolons and full stops."""
    return tuple(part for part in _CLAUSE.split(text) if part.strip())


@dataclass(frozen=True, slots=True)
class Phrases:
    """A set of word sequences, found fast in a tokenised text."""

    by_first: Mapping[str, tuple[tuple[str, ...], ...]]
    """First word -> the phrases that begin with it, longest first."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Phrases:
        """Build from plain text."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for phrase in {tokens(text) for text in texts} - {()}:
            found.setdefault(phrase[0], []).append(phrase)
        return cls({k: tuple(sorted(v, key=len, reverse=True)) for k, v in found.items()})

    def match_at(self, words: tuple[str, ...], index: int) -> int:
        """How many words from `index` on are the longest phrase there; 0 for none."""
        if index >= len(words):
            return 0
        for phrase in self.by_first.get(words[index], ()):
            if words[index : index + len(phrase)] == phrase:
                return len(phrase)
        return 0

    def starts(self, words: tuple[str, ...]) -> bool:
        """Whether the text begins with one of them."""
        return bool(words) and self.match_at(words, 0) > 0

    def occurs(self, words: tuple[str, ...]) -> bool:
        """Whether one of them stands anywhere in the text."""
        return any(self.match_at(words, index) for index in range(len(words)))

    def equals(self, words: tuple[str, ...]) -> bool:
        """Whether the text is one of them."""
        return bool(words) and self.match_at(words, 0) == len(words)


@dataclass(frozen=True, slots=True)
class ModelWords:
    """The form in which the language model sees a sentence and the choices that may follow it."""

    prefix: str
    """Examples; the same for every home, so that it is read once."""

    prompt: str
    """One sentence, with {text}."""

    choice: str
    """One choice, with {label}; it continues the prompt."""

    end: str
    """What follows a choice."""

    baseline: tuple[str, ...]
    """Sentences that ask for nothing."""

    none: str
    """The label of "nothing of all this"."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    language: str
    """BCP 47."""

    conversation: Mapping[str, Phrases]
    """yes, no, never_mind, repeat, undo, stop, why, why_openers"""

    conversation_phrases: tuple[tuple[str, ...], ...]
    """The same as plain text, without those that only begin a sentence."""

    filler: frozenset[str]
    """Words that may stand in a name without naming anything."""

    linking: frozenset[str]
    """Prepositions: a phrase that begins or ends with one is cut in the wrong place."""

    politeness: frozenset[str]
    """Words that may stand around a request without changing it."""

    courtesies: frozenset[str]
    """Words that a sentence may end with after it said what it wants."""

    lead_in: frozenset[str]
    """Words that a sentence may begin with before it says what it wants."""

    question: Mapping[str, Phrases]
    """openers, markers"""

    negation: Mapping[str, Phrases]
    """openers, markers, refusals"""

    condition: Phrases
    """What makes a wish depend on something."""

    generic: frozenset[str]
    """Last words of names that do not say what a thing is."""

    conjunctions: Phrases
    """What joins two wishes in one sentence."""

    pronouns: Phrases
    """Words for what was spoken of before."""

    quantifiers: frozenset[str]
    """Words that make all of something out of it."""

    numbers: Mapping[str, str]
    """Small number words, as they stand in names -> digits."""

    kinds: Mapping[str, tuple[str, ...]]
    """`kind` or `kind.device_class` -> what people call such a thing."""

    states: Mapping[str, str]
    """State of a device -> how it is said."""

    replies: Mapping[str, str]
    """Name of a reply -> its template."""

    actions: Mapping[str, str]
    """Name of an action -> how it is named in a question, with {name} and {value}."""

    speech: Mapping[str, tuple[str, ...]]
    """Group of sentences that the speech recogniser listens for -> their templates."""

    delays: tuple[str, ...]
    """Lengths of time that the speech recogniser listens for in commands for later."""

    colors: tuple[str, ...]
    """Colours that the speech recogniser listens for."""

    duration: Mapping[str, Phrases]
    """second, minute, hour, day, half, quarter, three_quarters, and_half, one, couple, joiners"""

    clock: Mapping[str, Phrases]
    """What a time of day is made of: at, noon, midnight, past, to, parts of the day, days."""

    weekdays: tuple[str, ...]
    """From Monday to Sunday."""

    later: Mapping[str, tuple[str, ...]]
    """Group -> sentences about what is to be done later, with slots."""

    rule: Mapping[str, Phrases]
    """What a rule is made of: openers, each, sides of a number, states, but not, for."""

    units: Mapping[str, Phrases]
    """Unit of a device -> how it is said."""

    past: Mapping[str, tuple[str, ...]]
    """Group -> sentences about what was done, with slots."""

    everything: Phrases
    """What stands for all devices in such a sentence."""

    pointing: frozenset[str]
    """Words of a "why" that names nothing and asks about the last thing done."""

    model: ModelWords

    def say(self, reply: str, /, **values: object) -> str:
        """Fill in one reply's template."""
        return self.replies[reply].format(**values)

    def act(self, action: str, name: str, value: object = None) -> str:
        """An action as a wish: `turn on the desk lamp`."""
        return self.actions[action].format(name=self.definite(name), value=value)

    def definite(self, name: str) -> str:
        """The name inside a sentence: `the desk lamp`, but `Fred's lamp`."""
        return name if "'s " in name else self.say("definite", name=name)

    def without_courtesy(self, said: tuple[str, ...]) -> tuple[str, ...]:
        """The words between a greeting at the beginning and a thank-you at the end."""
        while said and said[0] in self.lead_in:
            said = said[1:]
        while said and said[-1] in self.courtesies:
            said = said[:-1]
        return said

    def join(self, names: Iterable[str], *, most: int = 4, last: str = "list_last") -> str:
        """`a, b and c`; beyond `most` only the first three and how many more.

        Args:
            names: what is listed.
            most: how many are listed in full.
            last: the reply that joins the last one: list_last (and) or list_or.
        """
        listed = list(names)
        if len(listed) > most:
            first, count = ", ".join(listed[:3]), len(listed) - 3
            return self.say("list_more", first=first, count=count)
        if len(listed) < 2:
            return "".join(listed)
        return self.say(last, first=", ".join(listed[:-1]), last=listed[-1])

    def kind_names(self, device: Device) -> tuple[str, ...]:
        """What people may call such a device: by its kind, its class, and its modes."""
        modes = device.modes or ("heat",) if device.kind == "climate" else ()
        sorts = (device.kind, *(f"{device.kind}.{s}" for s in (device.device_class, *modes)))
        return tuple(name for sort in sorts for name in self.kinds.get(sort, ()))

    def driven_names(self, kind: str) -> tuple[str, ...]:
        """What people may call the thing that a device of this kind switches."""
        return self.kinds.get(f"{kind}.drives", ())

    def stem(self, word: str) -> str:
        """A word without its ending: `lights` and `light`, `Fred's` and `freds` are one."""
        bare = self.numbers.get(word, word).replace("'", "")
        return bare[:-1] if len(bare) > 3 and bare.endswith("s") and bare[-2] != "s" else bare


@lru_cache(maxsize=8)
def load_words(language: str) -> Words:
    """Read the words of a language, or English where there are none.

    Args:
        language: BCP 47; `de-CH` falls back to `de`.
    """
    folder = files(__package__) / "language"
    for name in (language, language.split("-")[0], "en"):
        source = folder / name / "words.toml"
        if source.is_file():
            return _read(tomllib.loads(source.read_text("utf-8")))
    raise FileNotFoundError("the package lacks language/en/words.toml")


def _read(data: Mapping[str, Any]) -> Words:
    return Words(
        language=data["language"],
        conversation=_phrases(data["conversation"]),
        conversation_phrases=tuple(
            tuple(" ".join(tokens(text)) for text in texts)
            for name, texts in data["conversation"].items()
            if not name.endswith("_openers")
        ),
        filler=frozenset(data["filler"]["words"]),
        linking=frozenset(data["filler"]["linking"]),
        politeness=frozenset(data["filler"]["politeness"]),
        courtesies=frozenset(data["filler"]["courtesies"]),
        lead_in=frozenset(data["filler"]["lead_in"]),
        question=_phrases(data["question"]),
        negation=_phrases(data["negation"]),
        condition=Phrases.of(data["condition"]["markers"]),
        generic=frozenset(data["generic"]["words"]),
        conjunctions=Phrases.of(data["conjunction"]["words"]),
        pronouns=Phrases.of(data["pronoun"]["words"]),
        quantifiers=frozenset(data["quantifier"]["words"]),
        numbers={word: str(value) for value, word in enumerate(data["number"]["words"])},
        kinds={kind: tuple(names) for kind, names in data["kind"].items()},
        states=data["state"],
        replies=data["reply"],
        actions=data["action"],
        speech={group: tuple(texts) for group, texts in data["speech"].items()},
        delays=tuple(data["speech_delays"]["words"]),
        colors=tuple(data["speech_colors"]["words"]),
        duration=_phrases(data["duration"]),
        clock=_phrases(
            {name: texts for name, texts in data["clock"].items() if name != "weekdays"}
        ),
        weekdays=tuple(data["clock"]["weekdays"]),
        later={group: tuple(texts) for group, texts in data["later"].items()},
        rule=_phrases(data["rule"]),
        units=_phrases(data["unit"]),
        past={group: tuple(texts) for group, texts in data["past"].items()},
        everything=Phrases.of(data["recall"]["everything"]),
        pointing=frozenset(data["recall"]["pointing"]),
        model=ModelWords(**{**data["model"], "baseline": tuple(data["model"]["baseline"])}),
    )


def _phrases(table: Mapping[str, list[str]]) -> dict[str, Phrases]:
    return {name: Phrases.of(texts) for name, texts in table.items()}
