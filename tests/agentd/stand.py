"""A loop over a house in memory, with time turned by hand."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from agentd.agents.keeper import Keeper
from agentd.inbox import Inbox
from agentd.ledger import Ledger
from agentd.loop import Loop, Turn
from agentd.world import House
from llmagentos.cause import Cause
from llmagentos.plan import Action, Decision
from llmagentos.reading import Reading
from tests.agentd.clock import HandClock
from tests.agentd.house import PERSON, Output, plan


class Stand:
    """Lets a test hand in wishes and readings, and turn the loop."""

    def __init__(
        self,
        furnished: tuple[House, dict[str, Output]],
        *,
        ledger: Ledger | None = None,
        keeper: Keeper | None = None,
        remembered: Mapping[str, str] | None = None,
        boot_id: str = "b1",
        clock: HandClock | None = None,
    ) -> None:
        self.house, self.outputs = furnished
        self.clock, self.inbox = clock or HandClock(), Inbox()
        self.turns: list[Turn] = []
        self._numbers = count(1)
        self.loop = Loop(
            self.inbox,
            next_cause=self.next_cause,
            publish=self.turns.append,
            now=self.clock.now,
            ledger=ledger,
            keeper=keeper,
            remembered=remembered,
            boot_id=boot_id,
        )
        self.loop.adopt(self.house, self.clock.now)

    def next_cause(self) -> Cause:
        return Cause("box", "00000000", next(self._numbers))

    def turn(self, seconds: float = 0.1) -> float:
        """Let time pass, then one turn, and another while something comes back at once."""
        return self.loop.tick(self.inbox.take(wait_s=0), self.clock.advance(seconds))

    def ask(self, *actions: Action, **more: Any) -> Decision:
        """Hand in a plan, and turn until it is decided: a risky one takes a second turn."""
        decision = self.inbox.propose(plan(*actions, now=self.clock.now, **more))
        self.turn()
        if not decision.done():
            self.turn(0.0)
        return decision.result(timeout=0)

    def stop(self) -> None:
        """Stop everything."""
        self.inbox.latch(is_stop=True, cause=self.next_cause(), origin=PERSON)
        self.turn()

    def reset(self, device: str | None = None) -> None:
        """Lift the stop and the faults, or one device's fault."""
        self.inbox.latch(is_stop=False, cause=self.next_cause(), origin=PERSON, device=device)
        self.turn()

    def read(self, device: str, value: float | str, quantity: str = "state") -> None:
        """Hand in a reading."""
        self.inbox.post(Reading(device, quantity, value, "", self.clock.now))
