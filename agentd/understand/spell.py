"""Numbers as words, in any language that Unicode knows: 21 is `twenty one`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from unicode_rbnf import RbnfEngine

from agentd.understand.words import tokens

_LARGEST: Final = 120
"""Numbers up to here are understood as words."""


@lru_cache(maxsize=4)
def speller(language: str) -> Callable[[int], str]:
    """Writes numbers as words, without hyphens."""
    engine = RbnfEngine.for_language(language)

    @lru_cache(maxsize=1024)
    def spell(number: int) -> str:
        return engine.format_number(number).text.replace("-", " ").replace("\xad", "")

    return spell


@lru_cache(maxsize=4)
def cardinals(language: str) -> Mapping[tuple[str, ...], int]:
    """The words of a number -> the number, from 0 to 120."""
    spell = speller(language)
    return {tokens(spell(number)): number for number in range(_LARGEST + 1)}
