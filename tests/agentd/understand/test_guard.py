"""Questions, refusals and conditions never act, whatever a recogniser made of them."""

from __future__ import annotations

import pytest

from agentd.understand.guard import Guard
from agentd.understand.words import load_words
from llmagentos.plan import Action
from llmagentos.utterance import Act, Answer, Delayed, TimerRequest

LAMP_ON = Act((Action("lamp", "turn_on"),))


@pytest.fixture
def guard():
    return Guard(load_words("en"))


@pytest.mark.parametrize(
    "text",
    [
        "turn on the lamp",
        "Could you please turn on the lamp?",
        "can we have the lamp on",
        "would you mind turning on the lamp",
        "ok so now turn on the lamp",
        "the lamp should be on",
        "I'd like the lamp on",
        "make sure the lamp is on",
        "lamp on",
    ],
)
def test_request_may_act(guard, text):
    assert guard.forbids(text, LAMP_ON) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("is the lamp on",                              "question"),
        ("Update on the lamp",                          "question"),
        ("hey, did we turn on the lamp",                "question"),
        ("so who turned on the lamp",                   "question"),
        ("can you tell me if the lamp is on",           "question"),
        ("fill me in on the lamp would you",            "question"),
        ("would the lamp turn on",                      "question"),
        ("what if I turn on the lamp",                  "question"),
        ("don't turn on the lamp",                      "negation"),
        ("please do not turn on the lamp",              "negation"),
        ("turn on the lamp but not the fan",            "negation"),
        ("under no circumstances turn on the lamp",     "negation"),
        ("turn on everything except the lamp",          "negation"),
        ("leave the lamp on",                           "negation"),
        ("turn on the lamp if it gets dark",            "condition"),
        ("turn on the lamp when I come home",           "condition"),
        ("turn on the lamp tomorrow",                   "condition"),
    ],
)  # fmt: skip
def test_question_refusal_or_condition_does_not_act(guard, text, reason):
    assert guard.forbids(text, LAMP_ON) == reason


def test_question_starts_no_timer_but_may_ask_for_one(guard):
    text = "how long is left on the timer"

    assert guard.forbids(text, TimerRequest("start", 60)) == "question"
    assert guard.forbids(text, TimerRequest("status")) == ""
    assert guard.forbids("what if you turn on the lamp in a minute", Delayed(60, "x")) == "question"


def test_on_and_off_at_once_is_a_contradiction(guard):
    act = Act((Action("lamp", "turn_on"), Action("lamp", "turn_off")))

    assert guard.forbids("turn the lamp on and off", act) == "contradiction"


def test_level_after_on_is_no_contradiction(guard):
    act = Act((Action("lamp", "turn_on"), Action("lamp", "set_brightness", {"brightness": 40})))

    assert guard.forbids("turn on the lamp and set it to 40 percent", act) == ""


def test_long_statement_is_not_answered(guard):
    assert guard.forbids("somebody is at the back door", Answer("Yes")) == "statement"
    assert guard.forbids("study temperature", Answer("21")) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("it is too dark to read in here",           ""),
        ("I cannot see a thing",                     ""),
        ("I would not like to freeze",               ""),
        ("don't you dare turn the radiator on",      "negation"),
        ("there is no call to put the radio on",     "negation"),
        ("I'm not asking you to unlock anything",    "negation"),
        ("leave the hall light exactly as it is",    "negation"),
        ("would you say a fan beats a cooler",       "question"),
        ("did you know that fans are old",           "question"),
    ],
)  # fmt: skip
def test_model_is_not_asked_about_questions_and_refusals(guard, text, reason):
    assert guard.forbids_model(text) == reason
