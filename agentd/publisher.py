"""Publish: hands what a turn changed to the journal and to the feed. Neither blocks."""

from __future__ import annotations

from agentd.agents.notice import notice_json
from agentd.agents.promise import Wish
from agentd.door.feed import Feed
from agentd.door.render import applied_event, state_event
from agentd.inbox import Latch
from agentd.journal import Journal
from agentd.loop import Turn
from agentd.step import Step, Steps, pass_by
from llmagentos.plan import Applied, Decision


class Publisher:
    """The last word of the flow."""

    def __init__(self, journal: Journal, feed: Feed, *, steps: Steps = pass_by) -> None:
        """Ready to publish."""
        self._journal = journal
        self._feed = feed
        self._steps = steps

    def publish(self, turn: Turn) -> None:
        """Tell all that a turn changed; in the tick's thread."""
        for decision in turn.decisions:
            self._decided(decision)
        for state in turn.states:
            self._feed.publish(state_event(state))
        for reading in turn.readings:
            self._journal.record_reading(reading)
        for latch in turn.latches:
            self._latched(latch)
        for wish in turn.said:
            self._said(wish)
        for applied in turn.failed:
            self._failed(applied)
        self._steps(Step.RECORDED)

    def _decided(self, decision: Decision) -> None:
        self._journal.record_plan(decision.plan)
        for applied in decision.applied:
            self._journal.record_applied(applied)
            self._feed.publish(applied_event(applied))

    def _latched(self, latch: Latch) -> None:
        kind = "stop" if latch.is_stop else "reset"
        self._journal.record_note(kind, latch.origin.channel)
        self._feed.publish({"kind": kind, "cause": str(latch.cause)})

    def _failed(self, applied: Applied) -> None:
        """A device that could not be made safe must be heard of."""
        device, rule = applied.action.device, applied.verdict.rule if applied.verdict else ""
        self._journal.record_fault(device, rule, applied.reason)
        event = {"kind": "fault", "device": device, "rule": rule, "reason": applied.reason}
        self._feed.publish(self._journal.outbox.put(event))

    def _said(self, wish: Wish) -> None:
        """Speech is for now; the event waits until a broker has it."""
        self._feed.publish({"kind": "say", "text": wish.say})
        if wish.notice:
            self._feed.publish(self._journal.outbox.put(notice_json(wish.notice)))
