"""Choosing with llama.cpp: a resident prefix, and what the choices share is read once.

Lane 0 of the model's memory holds the prefix and, during a choice, the prompt. The choices form a
trie. The model reads it only as far as it forks, and is asked at each fork which of the tokens
that can follow it expects: constrained decoding, of all choices at once instead of the best one.
Its branches are lanes that share lane 0 and their common beginnings, so that one batch reads
tokens of many branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from llmagentos.clock import Clock
from models.choose import (
    BadChoices,
    Baseline,
    Choice,
    Chooser,
    ChooserCancelled,
    ChooserTimeout,
    check,
)
from models.llama import BATCH_TOKENS, CONTEXT_TOKENS, Aborted, Llama, Slot
from models.trie import Node, Trie
from models.trie import Path as Way

_Item = TypeVar("_Item")

_RESERVE_TOKENS: Final = 128
"""Room that a prefix must leave for prompt and choices."""

_LONGEST_TOKENS: Final = 64
"""Longest choice, its end included; a label of 40 characters has some 10."""

_KEPT_COSTS: Final = 4096
"""Tokens whose cost is remembered for each prompt of a baseline."""


class LlamaChooser(Chooser):
    """Scores choices with a GGUF model."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        threads: int | None = None,
        context_tokens: int = CONTEXT_TOKENS,
    ) -> None:
        """Load the model; blocks for some 0.1 s once its file is in the page cache.

        Args:
            path: a GGUF file whose hash was verified.
            clock: deadlines count on it; it is read about a thousand times an evaluation.
            threads: for evaluation; None for one core less than there are.
            context_tokens: room for prefix, prompt and choices together.

        Raises:
            ModelMissing, ModelCorrupt, ModelUnfit: as `Llama`.
        """
        self._clock = clock
        self._is_cancelled = False
        self._until_s = float("inf")
        self._prefix: tuple[int, ...] = ()
        self._end = "\n"
        self._baselines: dict[str, dict[Way, float]] = {}
        """prompt -> what a token costs at a fork, after the resident prefix and that prompt"""
        self._llama = Llama(
            path, should_stop=self._should_stop, threads=threads, context_tokens=context_tokens
        )

    @property
    def threads(self) -> int:
        """Threads it evaluates with."""
        return self._llama.threads

    def set_prefix(self, text: str, *, end: str = "\n") -> int:
        tokens = self._llama.tokenise(text)
        if (tokens, end) == (self._prefix, self._end):
            return len(tokens)
        same = _common(tokens, self._prefix)
        self._prefix, self._end = (), end
        self._baselines.clear()
        with self._within(float("inf")):
            most = self._llama.context_tokens - _RESERVE_TOKENS
            if len(tokens) > most:
                raise BadChoices(f"the prefix has {len(tokens)} tokens, at most {most} fit")
            self._llama.forget(lane=0, start=same)
            self._read(tokens[same:], start=same)
            self._prefix = tokens
        return len(tokens)

    def choose(
        self,
        prompt: str,
        choices: Sequence[str],
        *,
        deadline_s: float,
        baseline: Baseline | None = None,
    ) -> Choice:
        check(prompt, choices, baseline)
        started_s = self._clock().mono_s
        with self._within(started_s + deadline_s):
            trie = self._trie(choices)
            # First, since what is known of it stays known when the deadline passes.
            base = self._baseline(baseline, trie) if baseline else [0.0] * len(choices)
            raw = trie.likelihoods(self._costs(prompt, trie))
        scores = [high - low for high, low in zip(raw, base, strict=True)]
        return Choice.of(scores, elapsed_ms=(self._clock().mono_s - started_s) * 1000.0)

    def cancel(self) -> None:
        self._is_cancelled = True

    def close(self) -> None:
        self._llama.close()

    def _should_stop(self) -> bool:
        return self._is_cancelled or self._clock().mono_s >= self._until_s

    @contextmanager
    def _within(self, until_s: float) -> Iterator[None]:
        """Bound what happens inside, and leave nothing but the prefix in the memory."""
        self._until_s, self._is_cancelled = until_s, False
        try:
            yield
        except Aborted as exc:
            if self._is_cancelled:
                raise ChooserCancelled("called off") from exc
            raise ChooserTimeout("the model did not finish before the deadline") from exc
        finally:
            self._forget_lanes()
            self._llama.forget(lane=0, start=len(self._prefix))

    def _forget_lanes(self) -> None:
        for lane in range(1, self._llama.lanes):
            self._llama.forget(lane=lane)

    def _baseline(self, baseline: Baseline, trie: Trie) -> list[float]:
        """The weighted mean of what the choices cost after the baseline's prompts."""
        total = [0.0] * len(trie.sequences)
        for prompt in baseline.prompts:
            if len(known := self._baselines.setdefault(prompt, {})) > _KEPT_COSTS:
                known.clear()
            if not all(path in known for fork in trie.forks for path in trie.children[fork]):
                known |= self._costs(prompt, trie)
            total = [low + more for low, more in zip(total, trie.likelihoods(known), strict=True)]
        return [low * baseline.weight / len(baseline.prompts) for low in total]

    def _trie(self, choices: Sequence[str]) -> Trie:
        sequences = [self._llama.tokenise(choice + self._end) for choice in choices]
        if (longest := max(map(len, sequences))) > _LONGEST_TOKENS:
            raise BadChoices(f"a choice has {longest} tokens, at most {_LONGEST_TOKENS} are scored")
        return Trie(sequences)

    def _costs(self, prompt: str, trie: Trie) -> dict[Way, float]:
        """The log-probability of each follower of each fork, after prefix and prompt."""
        ahead = self._llama.tokenise(prompt)
        start = len(self._prefix) + len(ahead)
        passes = list(trie.passes(self._llama.lanes - 1))
        self._check_room(start, max((len(nodes) for nodes in passes), default=0))
        costs = self._after(trie, (), self._read(ahead, start=len(self._prefix)))
        for nodes in passes:
            self._llama.fork(range(1, 2 + max(max(node.lanes) for node in nodes)))
            for part in _parts(nodes):
                self._llama.evaluate([_slot(node, start) for node in part])
                for number, node in enumerate(part):
                    if node.is_fork:
                        costs |= self._after(trie, node.path, number)
            self._forget_lanes()
        self._llama.forget(lane=0, start=len(self._prefix))
        return costs

    def _after(self, trie: Trie, path: Way, slot: int) -> dict[Way, float]:
        followers = trie.children[path]
        costs = self._llama.log_probabilities(slot, [follower[-1] for follower in followers])
        return dict(zip(followers, costs, strict=True))

    def _read(self, tokens: Sequence[int], *, start: int) -> int:
        """Append tokens to lane 0; returns the slot of the last one, which is looked at."""
        slots = [
            Slot(token, start + i, is_looked_at=i == len(tokens) - 1)
            for i, token in enumerate(tokens)
        ]
        part: Sequence[Slot] = ()
        for part in _parts(slots):
            self._llama.evaluate(part)
        return len(part) - 1

    def _check_room(self, before: int, branches: int) -> None:
        if before + branches > self._llama.context_tokens:
            raise BadChoices(
                f"prefix and prompt have {before} tokens and the choices {branches} at a time, "
                f"at most {self._llama.context_tokens} fit"
            )


def _slot(node: Node, start: int) -> Slot:
    """A node of the trie, `start` being the first position behind the prompt."""
    lanes = tuple(lane + 1 for lane in node.lanes)
    return Slot(node.path[-1], start + len(node.path) - 1, lanes, is_looked_at=node.is_fork)


def _parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), BATCH_TOKENS):
        yield items[start : start + BATCH_TOKENS]


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens they begin with in common."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
