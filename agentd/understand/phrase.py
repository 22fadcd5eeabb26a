"""Sentences with slots: `remind (me|us) {when} to {text}`, and all ways a sentence fits one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agentd.understand.said import Said
from agentd.understand.words import tokens

_PIECE: Final = re.compile(r"\{\w+\}|\[[^\]]*\]|\([^)]*\)|[^\s\[\](){}]+")


@dataclass(frozen=True, slots=True)
class Fit:
    """One way in which a sentence fits a phrase."""

    name: str
    """The group that the phrase stands in."""

    slots: Mapping[str, Said]


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """Groups of phrases, each written out into the runs of words that it stands for."""

    phrases: tuple[tuple[str, tuple[str, ...]], ...]
    """(group, words and slots); a slot is `{name}` and takes one word at least."""

    @classmethod
    def of(cls, groups: Mapping[str, Iterable[str]]) -> Phrasebook:
        """Read phrases: `[what may be left out]` and `(one|of these)` do not nest."""
        written = ((name, run) for name, texts in groups.items() for t in texts for run in _runs(t))
        return cls(tuple(dict.fromkeys(written)))

    def fits(self, said: Said) -> Iterator[Fit]:
        """Every way to fit, in the order of the phrases; earlier slots take as much as they can."""
        for name, pattern in self.phrases:
            if not pattern[0].startswith("{") and pattern[0] != next(iter(said.words), ""):
                continue
            for places in _places(pattern, said.words, 0, 0):
                yield Fit(name, {slot: said.part(*place) for slot, place in places})


def _runs(text: str) -> list[tuple[str, ...]]:
    runs: list[tuple[str, ...]] = [()]
    for piece in _PIECE.findall(text):
        options: list[tuple[str, ...]]
        options = [(piece,)] if piece[0] == "{" else [tokens(o) for o in piece.split("|")]
        if piece[0] == "[":
            options.append(())
        runs = [(*run, *option) for run in runs for option in options]
    return runs


def _places(
    pattern: tuple[str, ...], words: tuple[str, ...], at: int, begin: int
) -> Iterator[list[tuple[str, tuple[int, int]]]]:
    """Where the slots of `pattern[at:]` may lie in `words[begin:]`."""
    if at == len(pattern):
        if begin == len(words):
            yield []
        return
    if not pattern[at].startswith("{"):
        if begin < len(words) and words[begin] == pattern[at]:
            yield from _places(pattern, words, at + 1, begin + 1)
        return
    for end in range(len(words), begin, -1):
        for rest in _places(pattern, words, at + 1, end):
            yield [(pattern[at][1:-1], (begin, end)), *rest]
