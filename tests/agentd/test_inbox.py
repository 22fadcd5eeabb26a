"""The inbox: bounded, and a stop gets past everything."""

from __future__ import annotations

import threading

import pytest

from agentd.inbox import MAX_PROPOSALS, MAX_READINGS, Inbox, InboxFull
from llmagentos.cause import Cause
from llmagentos.plan import Action
from llmagentos.reading import Reading
from tests.agentd.clock import HandClock
from tests.agentd.house import PERSON, plan

NOW = HandClock().now


def test_a_flood_of_readings_keeps_the_newest_and_counts_the_rest() -> None:
    inbox = Inbox()
    for number in range(MAX_READINGS + 5):
        inbox.post(Reading("tank", "state", number, "", NOW))
    readings = inbox.take(wait_s=0).readings
    assert (len(readings), readings[-1].value) == (MAX_READINGS, MAX_READINGS + 4)
    assert inbox.dropped_readings == 5


def test_one_plan_too_many_is_refused_as_busy_and_a_stop_is_not() -> None:
    inbox = Inbox()
    wish = plan(Action("lamp", "turn_on"), now=NOW)
    waiting = [inbox.propose(wish) for _ in range(MAX_PROPOSALS)]
    with pytest.raises(InboxFull):
        inbox.propose(wish).result(0)
    inbox.latch(is_stop=True, cause=Cause("box", "0", 1), origin=PERSON)
    batch = inbox.take(wait_s=0)
    assert len(batch.latches) == 1
    assert len(batch.proposals) == len(waiting)


def test_taking_wakes_as_soon_as_something_comes() -> None:
    inbox = Inbox()
    threading.Timer(0.05, inbox.propose, [plan(now=NOW)]).start()
    assert inbox.take(wait_s=5.0).proposals


def test_taking_an_empty_inbox_returns_when_the_time_is_over() -> None:
    assert Inbox().take(wait_s=0.01).proposals == ()
