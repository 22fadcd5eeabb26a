"""The states between a request and its answer, each a place where a process may die.

The loop and the journal are given one callable, `Steps`, and call it with every state that they
pass; in the product it does nothing. The crash-state suite gives one that kills the process, or
fails, at one of them (`tests/agentd/test_crash_states.py`). That suite has a row for every state
named here and fails for one without; a state that stands here and is never passed fails it too.

Who calls it, in the order of one risky action:

    loop      RECEIVED    the plan is out of the inbox, nobody has judged it
    loop      JUDGED      the verdicts are known; the intent is not yet handed to the journal
    journal   WRITING     its rows stand in an open transaction (before COMMIT)
    journal   WRITTEN     the transaction is committed, nobody has been told (before the futures)
    loop      INTENDED    the intent is known to be committed; nothing was done yet
    loop      ACTUATED    the actuator has returned, its device was not read back
    loop      APPLIED     read back; the decision is not yet handed to journal and feed
    app       RECORDED    handed to the journal; not known to be committed (end of `_publish`)
    loop      ANSWERED    just before the decision's future is set: the last state before the
                          requester hears of it

WRITING and WRITTEN are passed for every group of rows: intents, applied rows, documents. An
action in the safe direction passes no INTENDED, for it does not wait for the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Step(Enum):
    """One state, named after what has just happened."""

    RECEIVED = "received"
    JUDGED = "judged"
    WRITING = "writing"
    WRITTEN = "written"
    INTENDED = "intended"
    ACTUATED = "actuated"
    APPLIED = "applied"
    RECORDED = "recorded"
    ANSWERED = "answered"


Steps = Callable[[Step], None]
"""Told of every state that is passed, on the thread that passes it."""


def pass_by(step: Step) -> None:
    """Nothing happens at a state, as it should be."""
