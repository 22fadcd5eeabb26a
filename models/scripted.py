"""Twin of the language model for tests: it scores what its script tells it to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event, Lock
from types import MappingProxyType
from typing import Final

from models.choose import (
    BadChoices,
    Baseline,
    Choice,
    Chooser,
    ChooserCancelled,
    ChooserTimeout,
    check,
)

Score = Callable[[str, str], float]
"""(prompt, choice) -> nats"""

_CHARACTERS: Final = 8192
"""Longest prefix and prompt together, and longest choice."""


class ScriptedChooser(Chooser):
    """Prefers what a table or a function says; where neither knows a prompt, the shorter text."""

    def __init__(
        self,
        table: Mapping[str, str] = MappingProxyType({}),
        *,
        score: Score | None = None,
        takes_s: float = 0.0,
    ) -> None:
        """Take the script.

        Args:
            table: what a prompt contains -> what the wanted choice contains; the first row fits.
            score: the score of a choice after a prompt, instead of a table.
            takes_s: time a choice takes, in seconds; a deadline below it passes.
        """
        self._table = dict(table)
        self._score = score or self._from_table
        self._takes_s = takes_s
        self._lock = Lock()
        self._stop: Event | None = None
        self.prefix = ""
        """What was set last."""
        self.end = "\n"
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        """Every prompt with its choices, in order."""
        self.is_closed = False

    def set_prefix(self, text: str, *, end: str = "\n") -> int:
        if len(text) > _CHARACTERS:
            self.prefix = ""
            raise BadChoices(f"the prefix has more than {_CHARACTERS} characters")
        self.prefix, self.end = text, end
        return len(text.split())

    def choose(
        self,
        prompt: str,
        choices: Sequence[str],
        *,
        deadline_s: float,
        baseline: Baseline | None = None,
    ) -> Choice:
        check(prompt, choices, baseline)
        if max(len(self.prefix) + len(prompt), *map(len, choices), 0) > _CHARACTERS:
            raise BadChoices(f"prompt and choices have more than {_CHARACTERS} characters")
        self.asked.append((prompt, tuple(choices)))
        self._take(deadline_s)
        scores = tuple(self._scored(prompt, choice, baseline) for choice in choices)
        return Choice.of(scores, elapsed_ms=self._takes_s * 1000.0)

    def cancel(self) -> None:
        with self._lock:
            if self._stop is not None:
                self._stop.set()

    def close(self) -> None:
        self.is_closed = True

    def _take(self, deadline_s: float) -> None:
        """Let the time pass that a choice takes."""
        with self._lock:
            stop = self._stop = Event()
        is_cancelled = stop.wait(min(self._takes_s, deadline_s))
        with self._lock:
            self._stop = None
        if is_cancelled:
            raise ChooserCancelled("called off")
        if self._takes_s > deadline_s or deadline_s <= 0.0:
            raise ChooserTimeout("the script takes longer than that")

    def _scored(self, prompt: str, choice: str, baseline: Baseline | None) -> float:
        base = 0.0
        if baseline is not None:
            base = sum(self._score(p, choice) for p in baseline.prompts) / len(baseline.prompts)
        return self._score(prompt, choice) - (baseline.weight if baseline else 0.0) * base

    def _from_table(self, prompt: str, choice: str) -> float:
        wanted = next((row for part, row in self._table.items() if part in prompt), None)
        is_wanted = wanted is not None and wanted in choice
        return -1.0 if is_wanted else -10.0 - 0.01 * len(choice)
