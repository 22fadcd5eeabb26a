"""How the box tells what became of promises and rules."""

from __future__ import annotations

import pytest

from agentd.agents.notice import Notice, NoticeKind
from agentd.understand.notice_reply import NoticeReply
from agentd.understand.words import load_words

TIMER, REMINDER, RULE = NoticeKind.TIMER, NoticeKind.REMINDER, NoticeKind.RULE


@pytest.mark.parametrize(
    ("notice", "said"),
    [
        pytest.param(Notice(TIMER, "t1", name="tea"), "Your tea timer is done.", id="a named timer"),
        pytest.param(Notice(TIMER, "t1", start_s=5400.0), "Your timer of 1 hour and 30 minutes is done.", id="a timer by its length"),
        pytest.param(Notice(TIMER, "t1"), "Your timer is done.", id="a timer"),
        pytest.param(Notice(TIMER, "t1", name="tea", late_s=9.9), "Your tea timer is done.", id="hardly late"),
        pytest.param(Notice(TIMER, "t1", name="tea", late_s=300.0), "Your tea timer is done, 5 minutes late.", id="late"),
        pytest.param(Notice(TIMER, "t1", name="tea", is_late_known=False), "Your tea timer is done, and I do not know how late I am.", id="late by nobody knows how much"),
        pytest.param(Notice(REMINDER, "r1", "call mum"), "Reminder: call mum.", id="a reminder"),
        pytest.param(Notice(REMINDER, "r1", "did you call mum?"), "Reminder: did you call mum?", id="a reminder that asks"),
        pytest.param(Notice(RULE, "bell", "Somebody is at the door!"), "Somebody is at the door!", id="a rule's own sentence"),
        pytest.param(Notice(RULE, "bell", "Good morning.", late_s=300.0), "Good morning. (5 minutes late)", id="a rule's own sentence, late"),
        pytest.param(Notice(RULE, "bell", late_s=300.0), "I did “bell”, 5 minutes late.", id="a rule without a sentence, late"),
        pytest.param(Notice(NoticeKind.LATE, "d1", "turn off the lamp", late_s=60.0), "I did “turn off the lamp”, 1 minute late.", id="done late"),
        pytest.param(Notice(NoticeKind.MISSED, "d1", "turn off the lamp", late_s=7200.0), "I did not do “turn off the lamp”, 2 hours late.", id="missed"),
        pytest.param(Notice(NoticeKind.REFUSED, "d1", "turn on the fan", reason="The heater is on."), "I could not do “turn on the fan”. The heater is on.", id="refused, in the gate's words"),
        pytest.param(Notice(NoticeKind.INTERRUPTED, "d1", "turn on pump"), "I was interrupted at “turn on pump”; it may have been cut short, and I did not repeat it.", id="interrupted"),
    ],
)  # fmt: skip
def test_a_notice_in_words(notice, said) -> None:
    assert NoticeReply(load_words("en")).tell(notice) == said
