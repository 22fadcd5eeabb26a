"""Timers, reminders and commands for later, in the book of promises that the box really keeps."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from agentd.agents.promise import Problem, TimerAnswer
from agentd.agents.promises import PromiseBook
from agentd.understand.notice_reply import NoticeReply
from agentd.understand.promise_reply import PromiseReply
from agentd.understand.words import load_words
from llmagentos.clock import Instant
from llmagentos.plan import Action, Ruling, Verdict
from llmagentos.utterance import Observation, Timer, TimerRequest

from ..agents.paper import Paper
from .room import HOME, Daemon, assistant, say

BERLIN = ZoneInfo("Europe/Berlin")


class Desk:
    """A home whose promises are really kept; it is 13:16:40 on Wednesday, 1 January 2025."""

    def __init__(self, **daemon) -> None:
        self.daemon = Daemon(**daemon)
        self.paper = Paper()
        self.book = self.open_book()
        self.talk = assistant(self.daemon, promises=self.book)

    def open_book(self) -> PromiseBook:
        book = PromiseBook(
            self.paper.shelf(), tell=NoticeReply(load_words("en")).tell, boot="b1", zone=BERLIN,
            now=self.daemon.clock(),
        )  # fmt: skip
        book.adopt((), HOME)
        return book

    def ask(self, text: str, **where) -> str:
        return self.talk.ask(say(text, **where)).text

    def tick(self):
        return self.book.turn(self.daemon.observe(), (), {}, self.daemon.clock())


@pytest.mark.parametrize(
    ("sentences", "reply"),
    [
        (["set a timer for five minutes"],          "Your timer is set for 5 minutes."),
        (["set a timer for 90 seconds"],            "Your timer is set for 1 minute and 30 seconds."),
        (["set a 10 minute timer named pizza"],     "Your pizza timer is set for 10 minutes."),
        (["set a timer for half an hour"],          "Your timer is set for 30 minutes."),
        (["set a timer for an hour and a half"],    "Your timer is set for 1 hour and 30 minutes."),
        (["set a timer for two and a half minutes"], "Your timer is set for 2 minutes and 30 seconds."),
        (["how much time is left on the timer"],    "There is no timer running."),
        (["cancel the tea timer"],                  "There is no timer running."),
        (["set a 10 minute timer named pizza", "cancel the tea timer"], "There is no timer called tea."),
        (["set a 10 minute timer named pizza", "how much time is left on the pizza timer"],
         "Your pizza timer has 10 minutes left."),
        (["set a 10 minute timer named pizza", "add 5 minutes to the pizza timer"],
         "Your pizza timer now has 15 minutes left."),
        (["set a 10 minute timer named pizza", "pause the pizza timer"],
         "Your pizza timer is paused with 10 minutes left."),
        (["set a timer for 5 minutes", "pause the timer", "pause the timer"], "Your timer is paused already."),
        (["set a timer for 5 minutes", "resume the timer"], "Your timer is not paused."),
        (["set a timer for 5 minutes", "cancel the timer"], "Your timer is cancelled."),
        (["set a 10 minute timer named pizza", "set a 5 minute timer named tea", "cancel the timer"],
         "Which timer do you mean: pizza or tea?"),
        (["set a 10 minute timer named pizza", "set a 5 minute timer named tea", "cancel all timers"],
         "All 2 timers are cancelled."),
        (["set a timer for 5 minutes", "set a 10 minute timer named tea", "what timers are running"],
         "Your timer of 5 minutes has 5 minutes left. Your tea timer has 10 minutes left."),
    ],
)  # fmt: skip
def test_timer_is_kept_and_told(sentences, reply):
    desk = Desk()

    *_, last = [desk.ask(sentence) for sentence in sentences]

    assert last == reply


@pytest.mark.parametrize(
    ("sentence", "reply"),
    [
        ("turn on the fan in ten minutes",      "All right, in 10 minutes I will turn on the fan."),
        ("turn on the fan at seven",            "All right, today at 19:00 I will turn on the fan."),
        ("turn on the fan at one",              "All right, tomorrow at 01:00 I will turn on the fan."),
        ("turn on the fan at 6:30 tomorrow morning", "All right, tomorrow at 06:30 I will turn on the fan."),
        ("open the blind on friday at noon",    "All right, on Friday at 12:00 I will open the blind."),
        ("turn on the fan today at noon",       "That time is over."),
        ("set the desk lamp to forty percent in half an hour",
         "All right, in 30 minutes I will set the desk lamp to 40 percent."),
        ("remind me to water the plants in two hours", "All right, in 2 hours I will remind you: water the plants."),
        ("remind me at six to call Mum",        "All right, today at 18:00 I will remind you: call Mum."),
    ],
)  # fmt: skip
def test_promise_is_told_with_its_time_in_full(sentence, reply):
    desk = Desk()

    assert desk.ask(sentence) == reply
    assert desk.daemon.plans == []


def test_delayed_command_is_due_with_what_was_understood():
    desk = Desk()

    desk.ask("turn on the fan in ten minutes")
    assert not any(wish.actions for wish in desk.tick())
    desk.daemon.now_s += 601

    assert [wish.actions for wish in desk.tick()] == [(Action("fan", "turn_on"),)]


def test_promise_survives_the_process():
    desk = Desk()
    desk.ask("turn on the fan in ten minutes")

    desk.talk = assistant(desk.daemon, promises=desk.open_book())

    assert desk.ask("what did I ask you to do later") == "In 10 minutes: turn on the fan."


def test_what_the_disk_does_not_take_is_not_promised():
    desk = Desk()
    desk.paper.is_broken = True

    reply = desk.ask("turn on the fan in ten minutes")

    assert reply.startswith("I could not write that down, so I do not promise it")
    assert desk.book.all() == ()


def test_refusal_of_now_is_told_but_promised():
    desk = Desk(refused={"heater": "The fan is on, and they must not run together."})

    reply = desk.ask("turn on the heater in ten minutes")

    assert reply == (
        "All right, in 10 minutes I will turn on the heater. "
        "Now it would be refused: The fan is on, and they must not run together."
    )
    assert len(desk.book.all()) == 1


def test_what_a_device_cannot_do_is_not_promised():
    desk = Desk()
    desk.daemon.preview = lambda plan: tuple(
        Verdict(Ruling.DENY, action, None, "allowed", "The fan cannot turn on.")
        for action in plan.actions
    )
    desk.talk = assistant(desk.daemon, promises=desk.book)

    assert desk.ask("turn on the fan in ten minutes") == "The fan cannot turn on."
    assert desk.book.all() == ()


def test_risky_command_is_asked_about_before_it_is_promised():
    desk = Desk(asks_first={"back_door": "The back door is a lock."})

    question = desk.ask("unlock the back door in ten minutes")
    assert question == "The back door is a lock. Shall I unlock the back door in 10 minutes?"
    assert desk.book.all() == ()

    assert desk.ask("yes") == "All right, in 10 minutes I will unlock the back door."
    assert [promise.text for promise in desk.book.all()] == ["unlock the back door"]
    assert desk.daemon.plans == []


@pytest.mark.parametrize("word", ["no", "never mind", "turn on the fan"])
def test_without_a_yes_nothing_risky_is_promised(word):
    desk = Desk(asks_first={"back_door": "The back door is a lock."})

    desk.ask("unlock the back door in ten minutes")
    desk.ask(word)
    desk.ask("yes")

    assert desk.book.all() == ()
    assert desk.daemon.values["back_door"]["state"] == "locked"


@pytest.mark.parametrize("word", ["never mind", "cancel that", "forget it", "undo that"])
@pytest.mark.parametrize(
    "sentence",
    ["turn on the fan in ten minutes", "set a timer for five minutes", "remind me at six to eat"],
)
def test_promise_is_taken_back_at_once(sentence, word):
    desk = Desk()
    desk.ask(sentence)

    assert desk.ask(word) == "All right, I take it back."
    assert desk.book.all() == ()


def test_never_mind_later_on_leaves_promises_alone():
    desk = Desk()
    desk.ask("turn on the fan in ten minutes")
    desk.ask("what time is it")

    assert desk.ask("never mind") == "All right."
    assert len(desk.book.all()) == 1


@pytest.mark.parametrize(
    ("sentence", "reply", "left"),
    [
        ("what did I ask you to do later",
         "In 10 minutes: turn on the fan. In 20 minutes I remind you: call mum. "
         "Tomorrow at 09:00 I remind you: feed the cat.", 3),
        ("what reminders do I have",
         "In 20 minutes I remind you: call mum. Tomorrow at 09:00 I remind you: feed the cat.", 3),
        ("cancel the reminder",
         "Which one do you mean: the reminder: call mum or the reminder: feed the cat?", 3),
        ("cancel the reminder to call mum", "Cancelled: the reminder: call mum.", 2),
        ("cancel my cat reminder",          "Cancelled: the reminder: feed the cat.", 2),
        ("cancel the reminder to fly",      "There is no such reminder.", 3),
        ("cancel all reminders",
         "Cancelled: the reminder: call mum and the reminder: feed the cat.", 1),
        ("forget what I asked you to do later", "Cancelled: turn on the fan.", 2),
        ("what timers are running",         "There is no timer running.", 3),
    ],
)  # fmt: skip
def test_promises_are_listed_and_cancelled(sentence, reply, left):
    desk = Desk()
    desk.ask("turn on the fan in ten minutes")
    desk.ask("remind me in twenty minutes to call mum")
    desk.ask("remind me tomorrow at nine am to feed the cat")

    assert desk.ask(sentence) == reply
    assert len(desk.book.all()) == left


@pytest.mark.parametrize(
    "sentence",
    [
        "turn on the fan in ten minutes", "set a timer for five minutes", "remind me at six to eat",
        "turn on the fan at seven", "cancel all reminders", "cancel all timers",
    ],
)  # fmt: skip
def test_interpret_promises_and_cancels_nothing(sentence):
    desk = Desk()
    desk.ask("remind me in twenty minutes to call mum")
    desk.ask("set a timer for five minutes")
    before = desk.book.all()

    assert desk.talk.interpret(say(sentence)).text

    assert desk.book.all() == before


def test_risky_device_that_is_on_now_is_asked_about_too():
    desk = Desk()
    desk.daemon.values["back_door"]["state"] = "unlocked"

    assert desk.ask("unlock the back door in ten minutes") == (
        "Shall I unlock the back door in 10 minutes?"
    )
    assert desk.book.all() == ()
    assert desk.ask("yes") == "All right, in 10 minutes I will unlock the back door."


@pytest.mark.parametrize(
    ("sentence", "question", "answer", "reply"),
    [
        ("turn on the fan tomorrow", "At what time?", "at seven",
         "All right, tomorrow at 07:00 I will turn on the fan."),
        ("remind me to call mum", "When shall I remind you?", "in ten minutes",
         "All right, in 10 minutes I will remind you: call mum."),
        ("remind me in ten minutes", "What shall I remind you of?", "to call mum",
         "All right, in 10 minutes I will remind you: call mum."),
        ("turn on the fan every day at seven", "In the morning or in the evening?",
         "in the morning", "Every day at 07:00, I turn on the fan. Is that right?"),
    ],
)  # fmt: skip
def test_what_was_lacking_is_taken_from_the_answer(sentence, question, answer, reply):
    desk = Desk()

    assert desk.ask(sentence) == question
    assert desk.ask(answer) == reply
    assert desk.daemon.plans == []


@pytest.mark.parametrize("between", ["what time is it", "never mind", "turn on the pump"])
def test_answer_that_comes_after_something_else_completes_nothing(between):
    desk = Desk()

    desk.ask("turn on the fan tomorrow")
    desk.ask(between)

    assert desk.ask("at seven") == "Sorry, I did not understand that."
    assert desk.book.all() == ()


def test_answer_that_comes_too_late_completes_nothing():
    desk = Desk()

    desk.ask("turn on the fan tomorrow")
    desk.daemon.now_s += 61

    assert desk.ask("at seven") == "Sorry, I did not understand that."


def test_time_of_day_needs_a_clock_that_was_set():
    desk = Desk()
    observed = desk.daemon.observe()
    desk.daemon.observe = lambda: Observation(
        observed.home, observed.states, observed.now, is_clock_set=False
    )
    desk.talk = assistant(desk.daemon, promises=desk.book)

    assert desk.ask("turn on the fan at seven") == (
        "I do not know what time it is, so please say in how long."
    )
    assert desk.ask("turn on the fan in ten minutes").startswith("All right")


def test_without_a_book_nothing_is_promised():
    talk = assistant(Daemon())

    assert talk.ask(say("set a timer for five minutes")).text == "I cannot set timers yet."
    assert talk.ask(say("turn on the fan at seven")).text == "I cannot do things later yet."


def test_clock_of_the_desk_is_what_the_tests_say():
    assert Desk().daemon.clock() == Instant(1000.0, 1_735_733_800.0)


@pytest.mark.parametrize("problem", Problem)
@pytest.mark.parametrize("wish", [TimerRequest("cancel"), TimerRequest("cancel", name="tea")])
def test_every_problem_with_timers_has_words(problem, wish):
    running = (Timer("pizza", None, 600, 300), Timer(None, "study", 300, 200))

    text = PromiseReply(load_words("en")).of_timer(
        wish, TimerAnswer("cancel", running, problem), HOME
    )

    assert text.endswith((".", "?"))
