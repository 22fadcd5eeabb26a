"""Questions that wait for a yes: box-wide, on the right channel, and over the death of agentd."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from agentd.understand.confirmation import SHELF_KIND, Questions
from agentd.understand.conversation import QUESTION_S
from llmagentos.cause import Origin, Rank
from llmagentos.plan import Action, Plan, Ruling, Verdict

from ..agents.paper import Paper
from .room import Daemon, assistant, say

REASON = "Shall I really unlock the back door? The yes must come another way than the wish."

VOICE = Origin(Rank.PERSON, "voice", "kitchen")
MQTT = Origin(Rank.PERSON, "mqtt", "phone")


@dataclass
class Careful(Daemon):
    """Wants the yes for its back door on another channel than the wish."""

    asks_first: dict[str, str] = field(default_factory=lambda: {"back_door": REASON})

    def _verdict(self, action: Action, plan: Plan) -> Verdict:
        is_from_elsewhere = plan.confirmed_on not in ("", plan.origin.channel)
        if action.device in self.asks_first and not is_from_elsewhere:
            return Verdict(Ruling.CONFIRM, action, None, "confirm", REASON)
        return super()._verdict(action, plan)


@pytest.fixture
def paper():
    return Paper()


def box(daemon, paper, *, boot="b1"):
    return assistant(daemon, questions=Questions(paper.shelf(), boot=boot))


def test_waiting_questions_are_known_box_wide(paper):
    daemon = Daemon(asks_first={"back_door": "It is a lock.", "pump": "It is a pump."})
    talk = box(daemon, paper)

    talk.ask(say("unlock the back door", who="anna"))
    talk.ask(say("turn on the pump", who="ben"))

    assert [(asked.text, asked.origin.who) for asked in talk.waiting()] == [
        ("It is a lock. Shall I unlock the back door?", "anna"),
        ("It is a pump. Shall I turn on the pump?", "ben"),
    ]


@pytest.mark.parametrize("word", ["no", "never mind", "turn on the fan", "yes"])
def test_question_that_was_answered_waits_no_more(paper, word):
    talk = box(Daemon(asks_first={"back_door": "It is a lock."}), paper)
    talk.ask(say("unlock the back door"))

    talk.ask(say(word))

    assert talk.waiting() == ()
    assert paper.documents == {}


def test_question_waits_for_a_minute_only(paper):
    daemon = Daemon(asks_first={"back_door": "It is a lock."})
    talk = box(daemon, paper)
    talk.ask(say("unlock the back door"))
    (asked,) = talk.waiting()

    daemon.now_s += QUESTION_S + 1

    assert talk.waiting() == ()
    assert paper.documents == {}
    assert talk.settle(asked.id, MQTT, is_yes=True).text == "That question is not open any more."
    assert daemon.values["back_door"]["state"] == "locked"


def test_yes_by_id_does_exactly_what_was_asked(paper):
    daemon = Daemon(asks_first={"back_door": "It is a lock."})
    talk = box(daemon, paper)
    talk.ask(say("unlock the back door"))
    (asked,) = talk.waiting()

    reply = talk.settle(asked.id, MQTT, is_yes=True)

    assert reply.text == "Back door is unlocked."
    plan = daemon.plans[-1]
    assert (plan.is_confirmed, plan.confirmed_on, plan.origin.channel) == (True, "mqtt", "cli")
    assert talk.waiting() == ()


def test_no_by_id_does_nothing(paper):
    daemon = Daemon(asks_first={"back_door": "It is a lock."})
    talk = box(daemon, paper)
    talk.ask(say("unlock the back door"))
    (asked,) = talk.waiting()

    assert talk.settle(asked.id, MQTT, is_yes=False).text == "All right, I leave it."
    assert talk.ask(say("yes")).text == "There is nothing to say yes to."
    assert daemon.values["back_door"]["state"] == "locked"


def test_yes_by_id_counts_once(paper):
    daemon = Daemon(asks_first={"back_door": "It is a lock."})
    talk = box(daemon, paper)
    talk.ask(say("unlock the back door"))
    (asked,) = talk.waiting()

    talk.settle(asked.id, MQTT, is_yes=True)
    talk.settle(asked.id, MQTT, is_yes=True)

    assert len(daemon.plans) == 2  # the one that was asked about, and the confirmed one


def test_yes_on_the_channel_that_asked_leaves_the_question_open(paper):
    daemon = Careful()
    talk = box(daemon, paper)
    talk.ask(say("unlock the back door"))

    reply = talk.ask(say("yes"))

    assert reply.text == REASON
    assert reply.needs_yes
    assert daemon.values["back_door"]["state"] == "locked"
    (asked,) = talk.waiting()
    assert talk.settle(asked.id, VOICE, is_yes=True).text == "Back door is unlocked."


def test_yes_by_id_from_the_channel_that_asked_is_refused_too(paper):
    daemon = Careful()
    talk = box(daemon, paper)
    talk.ask(say("unlock the back door"))
    (asked,) = talk.waiting()

    reply = talk.settle(asked.id, Origin(Rank.PERSON, "cli", "ben"), is_yes=True)

    assert reply.text == REASON
    assert talk.waiting() == (asked,)
    assert daemon.values["back_door"]["state"] == "locked"


def test_refused_yes_does_not_lengthen_the_question(paper):
    daemon = Careful()
    talk = box(daemon, paper)
    talk.ask(say("unlock the back door"))

    daemon.now_s += QUESTION_S - 1
    talk.ask(say("yes"))
    daemon.now_s += 2

    assert talk.waiting() == ()


def test_question_outlives_the_process(paper):
    daemon = Daemon(asks_first={"back_door": "It is a lock."})
    box(daemon, paper).ask(say("unlock the back door"))
    daemon.now_s += 5

    again = box(daemon, paper)

    assert len(again.waiting()) == 1
    assert again.ask(say("yes")).text == "Back door is unlocked."
    assert paper.documents == {}


@pytest.mark.parametrize(("boot", "later_s"), [("b2", 5), ("", 5), ("b1", QUESTION_S + 1)])
def test_question_of_another_boot_or_minute_is_gone(paper, boot, later_s):
    daemon = Daemon(asks_first={"back_door": "It is a lock."})
    box(daemon, paper).ask(say("unlock the back door"))
    daemon.now_s += later_s

    again = box(daemon, paper, boot=boot)

    assert again.waiting() == ()
    assert again.ask(say("yes")).text == "There is nothing to say yes to."
    assert daemon.values["back_door"]["state"] == "locked"
    assert paper.documents == {}


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", "{}", '{"wish": {"type": "actions"}}',
        json.dumps({"wish": {"type": "actions", "actions": [{}]}, "boot": "b1"}),
        json.dumps({"wish": {"type": "timer"}, "boot": "b1", "origin": [3, "cli", "", None]}),
        json.dumps({"wish": {"type": "actions", "actions": []}, "boot": "b1", "origin": None,
                    "asked_at": [1000.0, 0.0], "chosen_by": "rule", "text": "?"}),
    ],
)  # fmt: skip
def test_broken_document_is_left_out(paper, body):
    paper.documents[SHELF_KIND, "q1"] = body

    assert box(Daemon(), paper).waiting() == ()


def test_question_is_asked_although_the_disk_takes_nothing(paper):
    paper.is_broken = True
    talk = box(Daemon(asks_first={"back_door": "It is a lock."}), paper)

    assert talk.ask(say("unlock the back door")).needs_yes
    assert talk.ask(say("yes")).text == "Back door is unlocked."


def test_what_was_said_is_not_written_down(paper):
    talk = box(Daemon(asks_first={"back_door": "It is a lock."}), paper)

    talk.ask(say("please unlock the back door for my secret guest"))
    talk.ask(say("please would you unlock the back door"))

    assert "please" not in "".join(paper.documents.values())
