"""A closed set of token sequences as a trie: where it forks, and what the ways through it cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

Path = tuple[int, ...]
"""The tokens from the root to a node."""


@dataclass(frozen=True, slots=True)
class Node:
    """A token on the way to a fork, so that the model has to read it."""

    path: Path
    """Its own token last."""

    lanes: tuple[int, ...]
    """Numbers, from 0, of the pass's branches that run through it."""

    is_fork: bool
    """Whether more than one token follows it, so that the model is asked which."""


class Trie:
    """Which tokens can follow which, over the whole set.

    Where only one token can follow there is nothing to ask: it costs nothing and is not read.
    """

    def __init__(self, sequences: Sequence[Path]) -> None:
        """Take the sequences; none is empty."""
        self.sequences = tuple(sequences)
        self.children: dict[Path, list[Path]] = {(): []}
        """Node -> the nodes that follow it; holds only nodes that are followed by any."""
        seen: set[Path] = set()
        for sequence in sequences:
            for depth in range(1, len(sequence) + 1):
                path = sequence[:depth]
                if path not in seen:
                    seen.add(path)
                    self.children.setdefault(path[:-1], []).append(path)

    @cached_property
    def forks(self) -> tuple[Path, ...]:
        """The nodes that more than one token follows, parents first."""
        return tuple(path for path, followers in self.children.items() if len(followers) > 1)

    def passes(self, lanes: int) -> Iterator[list[Node]]:
        """Group the nodes up to the last forks by branches, at most `lanes` branches at a time.

        Nodes come parents first. One whose branches fall into two passes is in both; all others
        are in exactly one. The root is in none.
        """
        tips = self._tips()
        for start in range(0, len(tips), lanes):
            through: dict[Path, list[int]] = {}
            for lane, tip in enumerate(tips[start : start + lanes]):
                for depth in range(1, len(tip) + 1):
                    through.setdefault(tip[:depth], []).append(lane)
            yield [
                Node(path, tuple(numbers), len(self.children[path]) > 1)
                for path, numbers in through.items()
            ]

    def likelihoods(self, costs: Mapping[Path, float]) -> list[float]:
        """For each sequence how likely it is among all of them, in nats.

        Args:
            costs: for each follower of a fork its logarithmic probability, up to a constant of
                the fork: only followers are compared.
        """
        shares = {follower: 0.0 for followers in self.children.values() for follower in followers}
        for fork in self.forks:
            followers = self.children[fork]
            highest = max(costs[follower] for follower in followers)
            total = math.log(sum(math.exp(costs[follower] - highest) for follower in followers))
            shares |= {follower: costs[follower] - highest - total for follower in followers}
        return [sum(shares[s[:depth]] for depth in range(1, len(s) + 1)) for s in self.sequences]

    def _tips(self) -> list[Path]:
        """The last fork of each branch, neighbours next to each other; never the root."""
        inner = {fork[:depth] for fork in self.forks for depth in range(len(fork))}
        return sorted(fork for fork in self.forks if fork and fork not in inner)
