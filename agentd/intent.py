"""Plans that wait until it is on disk that they are about to be carried out.

A crash between the writing and the act then leaves a trace: what was risky may have been begun,
and is never done a second time by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from agentd.inbox import Begun, Inbox, Proposal
from agentd.ledger import Ledger
from llmagentos.plan import Action, Plan


@dataclass
class _Waiting:
    proposal: Proposal
    overtaken: set[str] = field(default_factory=set)
    """Devices of which a newer plan has spoken since."""


class Intents:
    """Those plans, for the one thread of the tick."""

    def __init__(self, ledger: Ledger, inbox: Inbox) -> None:
        """None waits."""
        self._ledger = ledger
        self._inbox = inbox
        self._waiting: list[_Waiting] = []

    def begin(self, proposal: Proposal, actions: Sequence[Action]) -> None:
        """Have a plan's intent written; the proposal comes back through the inbox then."""
        self._waiting.append(_Waiting(proposal))

        def tell(written: Future[bool]) -> None:
            if error := written.exception():
                self._inbox.begun(Begun(proposal, error=str(error)))
            else:
                self._inbox.begun(Begun(proposal, is_new=written.result()))

        self._ledger.begin(proposal.plan, actions).add_done_callback(tell)

    def overtake(self, plan: Plan) -> None:
        """Let a newer plan of the same rank or a higher one win over those that still wait."""
        devices = {action.device for action in plan.actions}
        for waiting in self._waiting:
            if plan.origin.rank >= waiting.proposal.plan.origin.rank:
                waiting.overtaken |= devices

    def end(self, begun: Begun) -> set[str]:
        """Forget one that has come back; returns the devices on which it was overtaken."""
        for place, waiting in enumerate(self._waiting):
            if waiting.proposal is begun.proposal:
                del self._waiting[place]
                return waiting.overtaken
        return set()
