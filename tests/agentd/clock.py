"""A clock that tests turn by hand."""

from __future__ import annotations

from llmagentos.clock import Instant


class HandClock:
    """Both clocks advance together, only when told."""

    def __init__(self) -> None:
        self.now = Instant(1000.0, 1_790_000_000.0)

    def __call__(self) -> Instant:
        return self.now

    def advance(self, seconds: float) -> Instant:
        """Let time pass; returns the new instant."""
        self.now = Instant(self.now.mono_s + seconds, self.now.wall_s + seconds)
        return self.now
