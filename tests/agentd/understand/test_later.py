"""Sentences about later and about the past: what they mean, and that none of them acts."""

from __future__ import annotations

import pytest

from llmagentos.plan import Action
from llmagentos.utterance import (
    Act,
    AtTime,
    Converse,
    Delayed,
    History,
    LocalTime,
    Nothing,
    PromiseRequest,
    PutBack,
    Reminder,
    Undo,
)
from models.scripted import ScriptedChooser

from .room import Daemon, assistant, say

FAN_ON = (Action("fan", "turn_on"),)
LAMP_OFF = (Action("desk_lamp", "turn_off"),)


@pytest.fixture(scope="module")
def understood():
    talk = assistant(Daemon())
    return lambda text, **where: talk.interpret(say(text, **where)).interpretation.outcome


@pytest.mark.parametrize(
    ("sentence", "outcome"),
    [
        ("turn on the fan in 5 minutes",            Delayed(300, "turn on the fan", FAN_ON)),
        ("Turn on the fan in half an hour, please", Delayed(1800, "Turn on the fan", FAN_ON)),
        ("in 5 minutes turn on the fan",            Delayed(300, "turn on the fan", FAN_ON)),
        ("can you turn on the fan ten minutes from now", Delayed(600, "turn on the fan", FAN_ON)),
        ("turn off the desk lamp in an hour and a half", Delayed(5400, "turn off the desk lamp", LAMP_OFF)),
        ("turn on the fan at nine",                 AtTime(LocalTime(9, may_be_later=True), "turn on the fan", FAN_ON)),
        ("turn on the fan at 6:30 tomorrow morning", AtTime(LocalTime(6, 30, 1), "turn on the fan", FAN_ON)),
        ("tomorrow at noon turn on the fan",        AtTime(LocalTime(12, 0, 1), "turn on the fan", FAN_ON)),
        ("turn on the fan on monday at 18:15",      AtTime(LocalTime(18, 15, None, 0), "turn on the fan", FAN_ON)),
        ("turn on the fan and turn off the desk lamp in one minute",
         Delayed(60, "turn on the fan and turn off the desk lamp", FAN_ON + LAMP_OFF)),
    ],
)  # fmt: skip
def test_command_for_later_is_understood_to_its_actions(understood, sentence, outcome):
    assert understood(sentence) == outcome


@pytest.mark.parametrize(
    ("sentence", "reply"),
    [
        ("turn on the moon in ten minutes",     "I understood when, but not what: turn on the moon"),
        ("set the thermostat to 35 degrees at nine pm", "Thermostat takes 5 to 30"),
        ("turn on the fan tomorrow",            "At what time?"),
        ("turn on the fan for ten minutes",
         "I cannot do that for a while only. Please say it in two: now, and in how long it shall end"),
        ("tonight turn on the fan",             "At what time?"),
        ("remind me to call mum",               "When shall I remind you?"),
        ("remind me in ten minutes",            "What shall I remind you of?"),
        ("remind me to call mum tomorrow",      "At what time?"),
        ("don't turn on the fan in ten minutes", "All right, I leave it"),
        ("if it is dark turn on the fan in ten minutes",
         "I understood when, but not what: if it is dark turn on the fan"),
        ("in ten minutes turn on the fan if it is dark", "I cannot make that depend on something yet"),
    ],
)  # fmt: skip
def test_what_cannot_be_promised_is_said_now(understood, sentence, reply):
    outcome = understood(sentence)

    assert isinstance(outcome, Nothing)
    assert outcome.text == reply


@pytest.mark.parametrize(
    ("sentence", "action"),
    [
        ("set the fan at 20",   Action("fan", "set_speed", {"speed": 20})),
        ("set the blind at 20", Action("blind", "set_position", {"position": 20})),
    ],
)  # fmt: skip
def test_number_that_can_only_be_a_level_is_one(understood, sentence, action):
    assert understood(sentence) == Act((action,))


@pytest.mark.parametrize("sentence", [
    "fan at 20", "desk lamp at 10", "open the blind at one", "open the blind in 5",
    "by nine open the blind", "open the blind for nine", "set the fan from 20",
])  # fmt: skip
def test_number_that_may_be_a_time_or_a_level_is_asked_about(understood, sentence):
    outcome = understood(sentence)

    assert isinstance(outcome, Nothing)
    assert outcome.text.startswith("Do you mean a time or a level?")


@pytest.mark.parametrize(
    "sentence", ["zap the gloom in ten minutes", "at nine pm make it all nice"]
)
def test_model_is_not_asked_what_to_do_now_for_what_is_wanted_later(sentence):
    talk = assistant(Daemon(), chooser=ScriptedChooser({"": "turn on the desk lamp"}))

    answer = talk.ask(say(sentence))

    assert answer.text.startswith("I understood when, but not what")
    assert not answer.needs_yes


@pytest.mark.parametrize(
    "sentence",
    [
        "will the fan turn on in ten minutes", "turn on the fan in ten",
        "turn on the fan in ten minutes in twenty minutes", "turn on the fan at nine at ten",
        "turn on the fan at nine every day", "turn on the fan in a while", "turn on the fan later",
        "turn on the fan at nine and turn off the pump", "turn on the fan in ten minutes but not now",
        "in ten minutes", "at nine", "tomorrow", "at 25 turn on the fan",
    ],
)  # fmt: skip
def test_sentence_about_another_time_does_nothing_now(understood, sentence):
    assert isinstance(understood(sentence), Nothing)


def test_room_of_the_speaker_counts_later_too(understood):
    assert understood("turn on the lights in one minute", area="study") == Delayed(
        60,
        "turn on the lights",
        (Action("desk_lamp", "turn_on"), Action("ceiling_light", "turn_on")),
    )


@pytest.mark.parametrize(
    ("sentence", "outcome"),
    [
        ("remind me to water the plants in two hours", Reminder("water the plants", 7200)),
        ("remind me in two hours to water the plants", Reminder("water the plants", 7200)),
        ("please remind me at six to call Mum",     Reminder("call Mum", at=LocalTime(6, may_be_later=True))),
        ("remind me at ten to seven to call mum",   Reminder("call mum", at=LocalTime(6, 50, may_be_later=True))),
        ("tomorrow at noon remind me to turn on the fan", Reminder("turn on the fan", at=LocalTime(12, 0, 1))),
        ("remind us about the bins tonight at eight", Reminder("the bins", at=LocalTime(20, 0, 0))),
        ("remind me that the cake is in the oven in 40 minutes", Reminder("the cake is in the oven", 2400)),
        ("set a reminder for six pm to feed the cat", Reminder("feed the cat", at=LocalTime(18, 0))),
        ("what timers are running",                 PromiseRequest("list", "timer")),
        ("what did I ask you to do later",          PromiseRequest("list")),
        ("what reminders do I have",                PromiseRequest("list", "reminder")),
        ("cancel the reminder",                     PromiseRequest("cancel", "reminder")),
        ("cancel my reminder to call mum",          PromiseRequest("cancel", "reminder", "call mum")),
        ("delete all reminders",                    PromiseRequest("cancel_all", "reminder")),
        ("forget what I asked you to do later",     PromiseRequest("cancel", "command")),
    ],
)  # fmt: skip
def test_reminders_and_promises_are_understood(understood, sentence, outcome):
    assert understood(sentence) == outcome


@pytest.mark.parametrize(
    ("sentence", "outcome"),
    [
        ("undo",                                     Undo()),
        ("undo that please",                         Undo()),
        ("put it back as it was",                    Undo()),
        ("put the desk lamp back",                   Undo("desk_lamp")),
        ("put the fan back as it was",               Undo("fan")),
        ("undo the heater",                          Undo("heater")),
        ("put the desk lamp back as it was ten minutes ago", PutBack(600, "desk_lamp")),
        ("put everything back as it was half an hour ago", PutBack(1800)),
        ("what happened since ten",                  History(since=LocalTime(10, may_be_later=True))),
        ("what happened since half past nine this morning", History(since=LocalTime(9, 30, 0))),
        ("what happened in the last hour",           History(3600)),
        ("what did you do in the last ten minutes",  History(600)),
        ("what happened while I was out",            History()),
        ("what happened today",                      History(since=LocalTime(0, 0, 0))),
        ("what happened to the pump in the last two hours", History(7200, device="pump")),
        ("what happened to the pump",                History(device="pump")),
        ("why is the pump on",                       Converse("why", "pump")),
        ("why did the reading light turn off",       Converse("why", "desk_lamp")),
        ("why did you do that",                      Converse("why")),
        ("why is it on",                             Converse("why")),
    ],
)  # fmt: skip
def test_past_is_asked_for(understood, sentence, outcome):
    assert understood(sentence) == outcome


@pytest.mark.parametrize(
    ("sentence", "reply"),
    [
        ("why is the garage door open",                 "Which device do you mean?"),
        ("why are the desk lamp and the ceiling light on", "Which one do you mean: ceiling light or desk lamp?"),
        ("put the light back as it was ten minutes ago", "Which one do you mean: desk lamp or ceiling light?"),
        ("undo the moon",                               "There is no such device here"),
        ("what happened to the moon today",             "There is no such device here"),
    ],
)  # fmt: skip
def test_device_of_the_past_must_be_named_exactly(understood, sentence, reply):
    outcome = understood(sentence)

    assert isinstance(outcome, Nothing)
    assert outcome.text == reply


def test_put_it_back_means_what_was_spoken_of():
    talk = assistant(Daemon())
    talk.ask(say("turn on the fan"))

    outcome = talk.interpret(say("put it back as it was ten minutes ago")).interpretation.outcome

    assert outcome == PutBack(600, "fan")


@pytest.mark.parametrize(
    "sentence",
    [
        "turn on the fan in ten minutes", "turn on the fan at nine", "remind me at six to eat",
        "undo", "put the desk lamp back", "what happened today", "what timers are running",
        "cancel the reminder", "turn on the fan tomorrow", "is the fan on at nine", "why is the pump on",
    ],
)  # fmt: skip
def test_nothing_of_it_moves_anything(sentence):
    daemon = Daemon()

    answer = assistant(daemon).ask(say(sentence))

    assert not isinstance(answer.interpretation.outcome, Act)
    assert daemon.plans == []


NOT_NOW = [
    "tomorrow", "tonight", "on monday", "next week", "at night", "at sunset", "when i come home",
    "if it rains", "every day", "every evening at nine", "later", "soon", "in a bit", "shortly",
    "unless it rains", "until nine", "for ten minutes", "after dinner", "on weekends", "once it is dark",
    "between nine and ten", "around nine", "daily", "sometime", "yesterday", "ten minutes ago",
    "in ten or twenty minutes", "in a few minutes", "twice", "but not now", "in 2027", "by nine",
    "in ten minutes", "at nine pm", "tomorrow at noon", "in 5", "from nine", "now and then",
]  # fmt: skip


@pytest.mark.parametrize("when", NOT_NOW)
def test_command_with_any_other_time_is_never_done_at_once(understood, when):
    commands = ("turn on the fan", "open the blind", "unlock the back door", "heater off",
                "set the desk lamp to forty percent", "make it 22 degrees")  # fmt: skip

    for command in commands:
        for sentence in (f"{command} {when}", f"{when} {command}", f"{when}, {command}"):
            assert not isinstance(understood(sentence), Act), sentence
