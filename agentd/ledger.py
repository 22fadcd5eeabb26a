"""What the loop wants on disk before it acts, and before it answers.

The journal is one; `Unwritten` is the other, for a house that remembers nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from llmagentos.plan import Action, Plan


class Ledger(Protocol):
    """Never blocks; its futures are set from any thread."""

    def begin(self, plan: Plan, actions: Sequence[Action], /) -> Future[bool]:
        """Write down that a plan is about to be carried out.

        Returns:
            True once it is on disk, False when a plan of the same occasion was begun before;
            an exception when it cannot be written.
        """

    def settle(self) -> Future[None]:
        """Done once all that was recorded so far is on disk, or could not be written."""

    def record_document(self, kind: str, name: str, body: str, /) -> None:
        """Keep a small document under its kind and name."""


class Unwritten:
    """Remembers for as long as it lives."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.begun: list[tuple[Plan, tuple[Action, ...]]] = []
        self.documents: dict[tuple[str, str], str] = {}
        self._occasions: set[str] = set()

    def begin(self, plan: Plan, actions: Sequence[Action], /) -> Future[bool]:
        """True, but for an occasion that was begun before."""
        is_new = plan.occasion not in self._occasions
        if plan.occasion:
            self._occasions.add(plan.occasion)
        if is_new:
            self.begun.append((plan, tuple(actions)))
        done: Future[bool] = Future()
        done.set_result(is_new)
        return done

    def settle(self) -> Future[None]:
        """Nothing is ever waiting."""
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def record_document(self, kind: str, name: str, body: str, /) -> None:
        """Keep it here."""
        self.documents[kind, name] = body
