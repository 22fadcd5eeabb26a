"""Yes and no, it and them, and whose talk it is."""

from __future__ import annotations

import threading

import pytest

from agentd.understand.conversation import MEMORY_S, QUESTION_S, hear
from agentd.understand.words import load_words
from llmagentos.cause import Origin, Rank
from llmagentos.plan import Action
from llmagentos.utterance import Converse, Nothing
from models.scripted import ScriptedChooser

from .room import Daemon, assistant, say

DARK = "it is too dark to read in here"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("yes",              "yes"),
        ("Yes, please!",     "yes"),
        ("ok",               "yes"),
        ("well, go ahead",   "yes"),
        ("no thanks",        "no"),
        ("Never mind.",      "never_mind"),
        ("say that again",   "repeat"),
        ("undo that please", "undo"),
        ("STOP!",            "stop"),
        ("hey stop now",     "stop"),
        ("why?",             "why"),
        ("why did the pump run", "why"),
    ],
)  # fmt: skip
def test_word_about_the_conversation_is_heard(text, what):
    assert hear(text, load_words("en")) == Converse(what)


@pytest.mark.parametrize("text", ["", "yes man", "no light", "stop the pump", "?", "turn on"])
def test_other_sentence_is_no_word_about_the_conversation(text):
    assert hear(text, load_words("en")) is None


def test_yes_does_what_the_model_was_asked_about():
    daemon = Daemon()
    talk = assistant(daemon, chooser=ScriptedChooser({"dark": "turn on the desk lamp"}))

    question = talk.ask(say(DARK))
    assert question.text == "Shall I turn on the desk lamp?"
    assert question.needs_yes
    assert daemon.plans == []

    answer = talk.ask(say("yes"))

    assert answer.text == "Desk lamp is on."
    assert [plan.actions for plan in daemon.plans] == [(Action("desk_lamp", "turn_on"),)]
    assert daemon.plans[0].is_confirmed
    assert daemon.plans[0].chosen_by == "model"


@pytest.mark.parametrize("word", ["no", "never mind", "turn on the fan", "what time is it"])
def test_anything_but_yes_closes_the_question(word):
    daemon = Daemon()
    talk = assistant(daemon, chooser=ScriptedChooser({"dark": "turn on the desk lamp"}))

    talk.ask(say(DARK))
    talk.ask(say(word))
    answer = talk.ask(say("yes"))

    assert answer.text == "There is nothing to say yes to."
    assert daemon.values["desk_lamp"]["state"] == "off"


def test_repeat_keeps_the_question_open():
    daemon = Daemon()
    talk = assistant(daemon, chooser=ScriptedChooser({"dark": "turn on the desk lamp"}))

    talk.ask(say(DARK))

    assert talk.ask(say("say that again")).text == "Shall I turn on the desk lamp?"
    assert talk.ask(say("yes")).text == "Desk lamp is on."


def test_yes_comes_too_late():
    daemon = Daemon()
    talk = assistant(daemon, chooser=ScriptedChooser({"dark": "turn on the desk lamp"}))

    talk.ask(say(DARK))
    daemon.now_s += QUESTION_S + 1.0

    assert talk.ask(say("yes")).text == "There is nothing to say yes to."
    assert daemon.plans == []


def test_yes_of_somebody_else_does_nothing():
    daemon = Daemon()
    talk = assistant(daemon, chooser=ScriptedChooser({"dark": "turn on the desk lamp"}))

    talk.ask(say(DARK, who="anna"))

    assert talk.ask(say("yes", who="ben")).text == "There is nothing to say yes to."
    assert daemon.plans == []


def test_gate_that_wants_a_yes_is_asked_again_with_it():
    daemon = Daemon(asks_first={"back_door": "The back door is a lock."})
    talk = assistant(daemon)

    question = talk.ask(say("unlock the back door"))
    assert question.text == "The back door is a lock. Shall I unlock the back door?"
    assert question.needs_yes
    assert daemon.values["back_door"]["state"] == "locked"

    answer = talk.ask(say("yes"))

    assert answer.text == "Back door is unlocked."
    assert [plan.is_confirmed for plan in daemon.plans] == [False, True]


def test_part_that_needs_no_yes_is_done_at_once():
    daemon = Daemon(asks_first={"back_door": "The back door is a lock."})

    reply = assistant(daemon).ask(say("turn on the fan and unlock the back door"))

    assert reply.text == "Fan is on. The back door is a lock. Shall I unlock the back door?"
    assert daemon.values["fan"]["state"] == "on"
    assert daemon.values["back_door"]["state"] == "locked"


def test_yes_after_a_command_without_words_confirms_it():
    daemon = Daemon(asks_first={"back_door": "The back door is a lock."})
    talk = assistant(daemon)

    reply = talk.perform((Action("back_door", "unlock"),), Origin(Rank.PERSON, "cli", "anna"))

    assert reply.needs_yes
    assert talk.ask(say("yes")).text == "Back door is unlocked."


@pytest.mark.parametrize(
    ("first", "then", "action"),
    [
        ("turn on the desk lamp",   "turn it off",             Action("desk_lamp", "turn_off")),
        ("turn on the fan",         "set it to 40 percent",    Action("fan", "set_speed", {"speed": 40})),
        ("is the heater on",        "turn it on",              Action("heater", "turn_on")),
        ("open the blind",          "close it again",          Action("blind", "close")),
        ("turn on the desk lamp",   "make it blue",            Action("desk_lamp", "set_color", {"color": "blue"})),
    ],
)  # fmt: skip
def test_it_means_what_was_spoken_of(first, then, action):
    daemon = Daemon()
    talk = assistant(daemon)

    talk.ask(say(first))
    talk.ask(say(then))

    assert daemon.plans[-1].actions == (action,)


def test_it_means_nothing_at_the_beginning_nor_after_a_while():
    daemon = Daemon()
    talk = assistant(daemon)

    assert isinstance(talk.ask(say("turn it off")).interpretation.outcome, Nothing)
    talk.ask(say("turn on the desk lamp"))
    daemon.now_s += MEMORY_S + 1.0
    assert isinstance(talk.ask(say("turn it off")).interpretation.outcome, Nothing)
    assert daemon.values["desk_lamp"]["state"] == "on"


def test_interpret_leaves_no_trace_in_the_conversation():
    daemon = Daemon()
    talk = assistant(daemon, chooser=ScriptedChooser({"dark": "turn on the desk lamp"}))

    assert talk.interpret(say(DARK)).needs_yes

    assert talk.ask(say("yes")).text == "There is nothing to say yes to."


@pytest.mark.parametrize(
    ("sentence", "reply"),
    [
        ("why did the pump run",        "why pump"),
        ("why",                         "why None"),
        ("undo that",                   "I cannot undo things yet."),
        ("repeat that",                 "I have not said anything yet."),
        ("set a timer for 5 minutes",   "I cannot set timers yet."),
        ("turn on the fan in 5 minutes", "I cannot do things later yet."),
        ("turn on the fan if it is hot", "I cannot make that depend on something yet."),
        ("don't turn on the fan",       "All right, I leave it."),
        ("what time is it",             "It is 13:16."),
        ("what is the date",            "It is Wednesday, 01 January 2025."),
        ("colourless green ideas",      "Sorry, I did not understand that."),
        ("open the garage door",        "There is no such device here."),
        ("when I get up, open the blind", "I cannot make that depend on something yet."),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(sentence, reply):
    daemon = Daemon()

    assert assistant(daemon).ask(say(sentence)).text == reply
    assert daemon.plans == []


def test_stop_is_handed_on_at_once():
    stopped = []

    def stop(heard):
        stopped.append(heard.text)
        return "Everything is stopped."

    reply = assistant(Daemon(), stop=stop).ask(say("stop!"))

    assert reply.text == "Everything is stopped."
    assert stopped == ["stop!"]


def test_sentences_of_one_conversation_wait_for_each_other_up_to_a_number():
    daemon = Daemon(is_stuck=True)
    talk = assistant(daemon, wait_s=0.3)
    replies = []
    threads = [
        threading.Thread(target=lambda: replies.append(talk.ask(say("turn on the fan")).text))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert replies.count("One moment, I am still busy with what you said before.") == 2
    assert len(daemon.plans) == 4
