"""A closed set of token sequences as a trie, cut into passes that fit a batch of sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Path = tuple[int, ...]
"""The tokens from the root to a node."""


@dataclass(frozen=True, slots=True)
class Node:
    """A token that others follow, so that the model has to look at it."""

    path: Path
    """Its own token last."""

    lanes: tuple[int, ...]
    """Numbers, from 0, of the pass's branches that run through it."""


class Trie:
    """Which tokens can follow which, over the whole set."""

    def __init__(self, sequences: Sequence[Path]) -> None:
        """Take the sequences; none is empty."""
        self.children: dict[Path, list[Path]] = {(): []}
        """Node -> the nodes that follow it; holds only nodes that are followed by any."""
        seen: set[Path] = set()
        for sequence in sequences:
            for depth in range(1, len(sequence) + 1):
                path = sequence[:depth]
                if path not in seen:
                    seen.add(path)
                    self.children.setdefault(path[:-1], []).append(path)

    def passes(self, lanes: int) -> Iterator[list[Node]]:
        """Group the followed nodes by branches, at most `lanes` branches at a time.

        A branch is the way to a node behind which everything ends. Nodes come parents first. One
        whose branches fall into two passes is in both; all others are in exactly one.
        """
        tips = list(self._tips())
        for start in range(0, len(tips), lanes):
            through: dict[Path, list[int]] = {}
            for lane, tip in enumerate(tips[start : start + lanes]):
                for depth in range(1, len(tip) + 1):
                    through.setdefault(tip[:depth], []).append(lane)
            yield [Node(path, tuple(numbers)) for path, numbers in through.items()]

    def _tips(self) -> Iterator[Path]:
        """The last followed node of each branch, neighbours next to each other."""
        waiting: list[Path] = [()]
        while waiting:
            path = waiting.pop()
            followed = [child for child in self.children[path] if child in self.children]
            waiting.extend(reversed(followed))
            if path and not followed:
                yield path
