"""What outputs on slow buses have in common: told in the tick, carried out in the bus's threads.

The tick hands an order over and goes on. The bus carries it out, reads the part back, and only what
was read counts. An order that the bus did not get to in time is given up for good: a pump that was
asked for before a bus hung must not start when it comes back.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from hal.contract import Actuator, Unplugged
from hal.link.rounds import Rounds
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action

GIVEN_UP_S: Final = 2.0
"""Age at which an order is no longer what anybody wants just now."""

PATIENCE: Final = 2
"""Looks in a row that must fail before the state is given up: one bad answer is no news. An order
that fails is told at once."""

SLACK_S: Final = 2.0
"""For the looks at the other parts of the bus, beyond two periods of its own."""

GoalT = TypeVar("GoalT")


class _Order:
    """One thing to be done, until it is done or given up."""

    def __init__(self, at: Instant) -> None:
        self.at = at
        self.is_given_up = False


class SlowOutput(Actuator, Generic[GoalT]):
    """An output that is written and read by the threads of its bus."""

    def __init__(self, name: str, rounds: Rounds, *, period_s: float) -> None:
        """Begin to read the part back.

        Args:
            name: id of the device, for messages.
            rounds: what is done on its bus.
            period_s: pause between two looks at what the part is like.
        """
        self._name = name
        self._rounds = rounds
        self._order: _Order | None = None
        self._seen: Mapping[str, Scalar] = {}
        self._lost = f"{name}: not read yet"
        self._is_known = False
        self._stale_s = 2 * period_s + SLACK_S
        self._looks = 0
        self._misses = 0
        self._fresh: tuple[int, Instant] | None = None
        self._forget: Callable[[], None] = rounds.every(period_s, self._look, self._miss)

    @abstractmethod
    def goal(self, action: Action) -> GoalT:
        """What an action asks of the part.

        Raises:
            Unsupported: its driver has no such action.
        """

    @abstractmethod
    def write(self, goal: GoalT) -> None:
        """Make it so; called from a thread of the bus.

        Raises:
            Unplugged: the part does not answer.
        """

    @abstractmethod
    def fetch(self) -> Mapping[str, Scalar]:
        """The state as the part itself tells it; as above."""

    def apply(self, action: Action, now: Instant) -> None:
        goal = self.goal(action)
        if self._lost and self._is_known:
            raise Unplugged(self._lost)
        if self._order is not None:
            self._order.is_given_up = True  # the newest word counts
        # Before it is handed over: the bus may be done with it at once.
        order = self._order = _Order(now)
        try:
            self._rounds.order(lambda: self._carry_out(order, goal), self._lose)
        except Unplugged:
            self._order = None
            raise

    def advance(self, now: Instant) -> bool:
        order = self._order
        if order is not None and order.at.age_s(now) > GIVEN_UP_S:
            order.is_given_up = True
            self._order = None
            self._lose("its bus hangs, what it was told is given up")
        return self._order is not None

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:
        self.advance(now)
        if self._lost:
            raise Unplugged(self._lost)
        if self._fresh is None or self._fresh[0] != self._looks:
            self._fresh = self._looks, now
        if (age_s := self._fresh[1].age_s(now)) > self._stale_s:
            raise Unplugged(f"{self._name}: its bus hangs, nothing was read for {age_s:.0f} s")
        return self._seen

    def close(self) -> None:
        if self._order is not None:
            self._order.is_given_up = True
        self._forget()

    def _carry_out(self, order: _Order, goal: GoalT) -> None:
        if order.is_given_up:
            return
        try:
            self.write(goal)
            self._look()
        finally:
            if self._order is order:
                self._order = None

    def _look(self) -> None:
        self._seen = dict(self.fetch())
        self._lost, self._is_known = "", True
        self._looks += 1
        self._misses = 0

    def _miss(self, reason: str) -> None:
        self._misses += 1
        if self._misses >= PATIENCE:
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        self._lost, self._is_known = f"{self._name}: {reason}", True
