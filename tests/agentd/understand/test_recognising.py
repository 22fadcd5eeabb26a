"""Sentences over a small room: what must be understood, and what must not be."""

from __future__ import annotations

import pytest

from llmagentos.home import Scene
from llmagentos.plan import Action
from llmagentos.utterance import Act, Answer, ClockQuestion, Delayed, Nothing, TimerRequest

from .room import HOME, Daemon, assistant, say


@pytest.fixture(scope="module")
def understood():
    talk = assistant(Daemon())
    return lambda text, **where: talk.interpret(say(text, **where)).interpretation.outcome


@pytest.mark.parametrize(
    ("sentence", "device", "action", "args"),
    [
        ("turn on the desk lamp",                     "desk_lamp", "turn_on", {}),
        ("trun on the heater",                        "heater", "turn_on", {}),
        ("turn on the celing light",                  "ceiling_light", "turn_on", {}),
        ("would you mind turning on the desk lamp",   "desk_lamp", "turn_on", {}),
        ("can I have the desk lamp on",               "desk_lamp", "turn_on", {}),
        ("turn on the lamp on the desk",              "desk_lamp", "turn_on", {}),
        ("get the fan going",                         "fan", "turn_on", {}),
        ("power down the heater",                     "heater", "turn_off", {}),
        ("shut the fan off",                          "fan", "turn_off", {}),
        ("disable the garden pump",                   "pump", "turn_off", {}),
        ("stop the pump",                             "pump", "turn_off", {}),
        ("please ensure the heater is off",           "heater", "turn_off", {}),
        ("silence the buzzer",                        "buzzer", "turn_off", {}),
        ("pull up the blind",                         "blind", "open", {}),
        ("blind down",                                "blind", "close", {}),
        ("the blind needs to be closed",              "blind", "close", {}),
        ("stop the blind where it is",                "blind", "stop", {}),
        ("set the blind to half",                     "blind", "set_position", {"position": 50}),
        ("open the blind to thirty percent",          "blind", "set_position", {"position": 30}),
        ("back door should be locked",                "back_door", "lock", {}),
        ("make sure the back door is locked",         "back_door", "lock", {}),
        ("unlock the garden",                         "back_door", "unlock", {}),
        ("dim the desk lamp to twenty",               "desk_lamp", "set_brightness", {"brightness": 20}),
        ("desk lamp 20%",                             "desk_lamp", "set_brightness", {"brightness": 20}),
        ("make the desk lamp blue",                   "desk_lamp", "set_color", {"color": "blue"}),
        ("set the desk lamp to warm white",           "desk_lamp", "set_color_temp", {"kelvin": 2700}),
        ("fan at full speed",                         "fan", "set_speed", {"speed": 100}),
        ("set the temperature to twenty one degrees", "thermostat", "set_temperature", {"temperature": 21}),
        ("heat the study to 22 degrees",              "thermostat", "set_temperature", {"temperature": 22}),
        ("turn the heating up to 23",                 "thermostat", "set_temperature", {"temperature": 23}),
        ("turn off the heating",                      "thermostat", "turn_off", {}),
        ("set the thermostat to 68 degrees fahrenheit", "thermostat", "set_temperature", {"temperature": 20}),
    ],
)  # fmt: skip
def test_command_is_understood(understood, sentence, device, action, args):
    assert understood(sentence) == Act((Action(device, action, args),))


@pytest.mark.parametrize(
    "sentence",
    [
        "turn on", "turn on the purple elephant", "turn on the lamp in the kitchen",
        "turn on and off the desk lamp", "turn the desk lamp on and off",
        "open the window", "unlock the front door",
        "unlock the black door", "turn on the desk", "turn on the study", "turn on the dsk lmp",
        "turn on the desk ramp", "I turned on the desk lamp", "the fan needs repair",
        "the pump should be replaced", "we had the heater on yesterday", "set the desk lamp",
        "set the desk lamp to banana", "set the blind to 400 percent",
        "set the thermostat to 900 degrees", "turn off all but the desk lamp",
        "turn on the fan in the garden", "stop telling me to open the blind",
        "if the soil is dry run the pump", "run the pump for twenty seconds", "toggle everything",
        "turn on the tv", "dim it", "it is too hot", "turn on the fan and why not",
    ],
)  # fmt: skip
def test_sentence_with_an_unexplained_word_does_nothing(understood, sentence):
    assert isinstance(understood(sentence), Nothing)


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("is the desk lamp on",                       "No, the desk lamp is off"),
        ("is the blind open or closed",               "Blind is closed"),
        ("update on the desk lamp",                   "Desk lamp is off"),
        ("fill me in on the fan",                     "Fan is off"),
        ("did we open the blind",                     "No, the blind is closed"),
        ("is the pump spinning or still",             "Pump is off"),
        ("any idea if the back door is locked",       "Yes, the back door is locked"),
        ("what is the temperature in the study",      "21.5 degrees"),
        ("what is the status of the soil",            "Soil is at 34 %"),
        ("which lights are on",                       "None"),
        ("how wet is the soil just now",              "Soil is at 34 %"),
        ("how dry is the garden",                     "Soil is at 34 %"),
    ],
)  # fmt: skip
def test_question_is_answered_from_states(understood, sentence, text):
    outcome = understood(sentence)

    assert isinstance(outcome, Answer)
    assert outcome.text == text


def test_timers_delays_and_clock_are_understood(understood):
    assert understood("set a timer named pizza for five minutes") == TimerRequest(
        "start", 300, "pizza"
    )
    assert understood("turn on the fan in 5 minutes") == Delayed(
        300, "turn on the fan", (Action("fan", "turn_on"),)
    )
    assert understood("what time is it") == ClockQuestion("time")


def test_two_wishes_in_one_sentence_are_both_done(understood):
    outcome = understood("disable the fan, then open the blind")

    assert outcome == Act((Action("fan", "turn_off"), Action("blind", "open")))


def test_one_wish_that_is_not_understood_spoils_the_other(understood):
    assert isinstance(understood("disable the fan and open the moon"), Nothing)


def test_speakers_room_is_meant_where_none_is_named(understood):
    assert understood("turn on the lights", area="study") == Act(
        (Action("desk_lamp", "turn_on"), Action("ceiling_light", "turn_on"))
    )


def test_value_beyond_the_devices_limits_is_refused_with_them(understood):
    outcome = understood("set the thermostat to 35 degrees")

    assert outcome == Nothing("range", "Thermostat takes 5 to 30")


def test_scene_is_its_actions():
    scene = Scene("evening", "evening", ("cosy time",), (Action("desk_lamp", "turn_on"),))
    daemon = Daemon(home=type(HOME)(HOME.devices, HOME.areas, HOME.floors, scenes=(scene,)))
    talk = assistant(daemon)

    for text in ("activate evening", "evening mode", "start cosy time"):
        assert talk.interpret(say(text)).interpretation.outcome == Act(scene.actions)


def test_changed_home_is_known_at_the_next_sentence():
    daemon = Daemon()
    talk = assistant(daemon)
    daemon.home = type(HOME)(HOME.devices[:1], HOME.areas)
    daemon.values = {"desk_lamp": {"state": "off"}}

    assert isinstance(talk.interpret(say("turn on the fan")).interpretation.outcome, Nothing)
