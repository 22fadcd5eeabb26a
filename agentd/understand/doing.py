"""Having a plan carried out: it goes to the tick, and what came of it comes back as a reply."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from agentd.understand.conversation import Conversation, Pending
from agentd.understand.interpreter import Understood
from agentd.understand.reply import (
    Reply,
    ReplyMaker,
    asked_of,
    is_read_back,
    pending_of,
)  # fmt: skip
from llmagentos.cause import Cause
from llmagentos.clock import Clock
from llmagentos.home import Home
from llmagentos.plan import Action, Decision, Plan, Verdict
from llmagentos.utterance import Act, Utterance

Propose = Callable[[Plan], Future[Decision]]
"""Hands a plan to the tick."""

Preview = Callable[[Plan], tuple[Verdict, ...]]
"""What the gate would say to a plan, without doing it."""


class Doer:
    """Proposes plans and waits for the devices, for a bounded time."""

    def __init__(
        self, propose: Propose, replies: ReplyMaker, *, clock: Clock, wait_s: float
    ) -> None:
        self._propose, self._replies = propose, replies
        self._clock, self._wait_s = clock, wait_s

    def do(self, plan: Plan, found: Understood, talk: Conversation, *, home: Home) -> Reply:
        """Propose a plan, tell what came of it, and open a question if the gate wants a yes.

        A yes that the gate does not take, since it came on the wrong channel, leaves its question
        open for one that comes on another.
        """
        future = self._propose(plan)
        try:
            decision = future.result(self._wait_s)
        except TimeoutError:
            return Reply(self._replies.unanswered(), found.interpretation, cause=plan.cause)
        text = ""
        if any(asked_of(a) not in pending_of(decision) for a in decision.applied):
            text = self._replies.of_decision(decision, home)
        if decision.needs_yes:
            question = self._ask(decision, found, talk, home)
            text = f"{text} {question}".strip()
        return Reply(text, found.interpretation, decision, needs_yes=decision.needs_yes,
                     confirmed=is_read_back(decision), cause=plan.cause)  # fmt: skip

    def _ask(
        self, decision: Decision, found: Understood, talk: Conversation, home: Home
    ) -> str:  # fmt: skip
        """Leave a question in the conversation; what to say of it."""
        wish = Act(pending_of(decision))
        if found.confirmed:
            talk.pending = replace(found.confirmed, wish=wish)
            return self._replies.wrong_channel(decision)
        question = self._replies.question(decision, home)
        talk.pending = Pending(wish, self._clock(), found.chosen_by, question)
        return question


def make_plan(
    heard: Utterance, found: Understood, actions: tuple[Action, ...], cause: Cause
) -> Plan:
    """The plan of a sentence; a yes makes one of the question that it answers."""
    asked = found.confirmed
    return Plan(
        actions=actions,
        cause=cause,
        origin=(asked.origin if asked else None) or heard.origin,
        at=heard.at,
        text=heard.text,
        chosen_by=found.chosen_by,
        is_confirmed=asked is not None,
        confirmed_on=heard.origin.channel if asked else "",
    )
