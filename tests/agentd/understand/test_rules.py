"""Rules by sentence: understood whole or not at all, asked back, armed on a yes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmagentos.home import Device
from llmagentos.utterance import Act, NewRule, Nothing

from .room import HOME, Daemon, assistant, say
from .test_promising import Desk

RUN_PUMP = [{"device": "pump", "action": "turn_on", "args": {}}]
FAN_ON = [{"device": "fan", "action": "turn_on", "args": {}}]
DRY = {"device": "soil", "below": 30.0}


WATCHED = replace(HOME, devices=(
    *HOME.devices,
    Device("hatch", "hatch", "binary_sensor", device_class="door"),
    Device("bell", "bell", "button"),
))  # fmt: skip


@pytest.fixture(scope="module")
def understood():
    talk = assistant(Daemon(home=WATCHED))
    return lambda text, **where: talk.interpret(say(text, **where)).interpretation.outcome


@pytest.mark.parametrize(
    ("sentence", "table"),
    [
        ("when the soil is below thirty percent run the pump", {"when": DRY, "do": RUN_PUMP}),
        ("run the pump when the soil is below 30%",            {"when": DRY, "do": RUN_PUMP}),
        ("if the soil falls below 30 then run the pump",       {"when": DRY, "do": RUN_PUMP}),
        ("whenever the soil drops under thirty percent, please run the pump for twenty seconds",
         {"when": DRY, "do": [{**RUN_PUMP[0], "for_s": 20.0}]}),
        ("when the soil is below thirty percent run the pump for twenty seconds but not at night",
         {"when": DRY, "do": [{**RUN_PUMP[0], "for_s": 20.0}], "quiet_hours": "22:00-06:00"}),
        ("run the pump for half a minute if the soil is below thirty percent but not between ten and seven",
         {"when": DRY, "do": [{**RUN_PUMP[0], "for_s": 30.0}], "quiet_hours": "22:00-07:00"}),
        ("when the room temperature rises above 25.5 degrees turn on the fan",
         {"when": {"device": "room_temperature", "above": 25.5}, "do": FAN_ON}),
        ("turn on the fan when the temperature in the study goes above twenty five",
         {"when": {"device": "room_temperature", "above": 25.0}, "do": FAN_ON}),
        ("when the room temperature is below minus five degrees turn on the fan",
         {"when": {"device": "room_temperature", "below": -5.0}, "do": FAN_ON}),
        ("when the hatch opens turn on the fan only between 9 am and 5 pm",
         {"when": {"device": "hatch", "value": "on"}, "do": FAN_ON,
          "only_if": [{"between": "09:00-17:00"}]}),
        ("turn on the fan when the bell is pressed",
         {"when": {"device": "bell", "value": "pressed"}, "do": FAN_ON}),
        ("if the hatch is closed turn on the fan",
         {"when": {"device": "hatch", "value": "off"}, "do": FAN_ON}),
        ("every day at 7 am turn on the fan",   {"when": {"at": "07:00"}, "do": FAN_ON}),
        ("turn on the fan every monday at noon",
         {"when": {"at": "12:00", "days": ["mon"]}, "do": FAN_ON}),
        ("turn on the fan every weekday at 18:30",
         {"when": {"at": "18:30", "days": ["mon", "tue", "wed", "thu", "fri"]}, "do": FAN_ON}),
    ],
)  # fmt: skip
def test_rule_is_understood_to_its_table(understood, sentence, table):
    outcome = understood(sentence)

    assert isinstance(outcome, NewRule)
    assert outcome.table == table


@pytest.mark.parametrize(
    "sentence",
    [
        "when the soil is dry run the pump", "when the pump goes on turn on the fan",
        "when the moon is below thirty percent run the pump",
        "when the soil is below thirty degrees run the pump",
        "when the soil is below thirty percent run the moon",
        "when the soil is below thirty percent",
        "when the soil is below percent run the pump",
        "when the soil is below thirty percent and it is warm run the pump",
        "when the soil is below thirty percent or above fifty run the pump",
        "when the soil is below thirty percent don't run the pump",
        "when the soil is below thirty percent run the pump but not on sundays",
        "when the soil is below thirty percent run the pump unless it rains",
        "when the soil is not below thirty percent run the pump",
        "when the soil is below thirty percent will the pump run",
        "when the soil is below thirty percent is the pump on",
        "run the pump until the soil is above fifty percent",
        "run the pump for twenty seconds", "when will the pump run", "when is the pump on",
        "every day turn on the fan", "turn on the fan every now and then",
        "every day at noon", "if only the pump ran",
    ],
)  # fmt: skip
def test_rule_with_an_unexplained_word_is_none(understood, sentence):
    assert not isinstance(understood(sentence), Act | NewRule)


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("turn on the fan every day at seven", "In the morning or in the evening?"),
        ("when the soil is below thirty percent run the pump but not between one and five",
         "In the morning or in the evening?"),
    ],
)  # fmt: skip
def test_half_of_the_day_is_asked_for(understood, sentence, question):
    outcome = understood(sentence)

    assert isinstance(outcome, Nothing)
    assert outcome.text == question


SENTENCE = "when the soil is below thirty percent run the pump for twenty seconds but not at night"

TOLD = "When the soil falls below 30 %, I turn on the pump for 20 seconds, but not between 22:00 and 06:00."


def test_rule_is_asked_back_and_armed_on_a_yes():
    desk = Desk()

    assert desk.ask(SENTENCE) == f"{TOLD} Is that right?"
    assert desk.book.rules(desk.daemon.observe()) == ()

    assert desk.ask("yes") == f"All right, that is a rule now. {TOLD}"
    (rule,) = desk.book.rules(desk.daemon.observe())
    assert rule.is_stored
    assert desk.ask("what rules are there") == TOLD
    assert desk.daemon.plans == []


@pytest.mark.parametrize("word", ["no", "never mind", "turn on the fan"])
def test_rule_without_a_yes_is_none(word):
    desk = Desk()

    desk.ask(SENTENCE)
    desk.ask(word)
    desk.ask("yes")

    assert desk.book.rules(desk.daemon.observe()) == ()


def test_armed_rule_survives_the_process():
    desk = Desk()
    desk.ask(SENTENCE)
    desk.ask("yes")

    desk.book = desk.open_book()
    desk.talk = assistant(desk.daemon, promises=desk.book)

    assert desk.ask("what rules are there") == TOLD


def test_rule_is_taken_back_at_once():
    desk = Desk()
    desk.ask(SENTENCE)
    desk.ask("yes")

    assert desk.ask("undo that") == "All right, I take it back."
    assert desk.ask("what rules are there") == "There are no rules."


@pytest.mark.parametrize("sentence", ["cancel the rule about the pump", "delete the soil rule"])
def test_rule_is_taken_out_by_its_device(sentence):
    desk = Desk()
    for rule in (SENTENCE, "turn on the fan every day at noon"):
        desk.ask(rule)
        desk.ask("yes")

    assert desk.ask(sentence) == f"I took that rule out. {TOLD}"
    assert desk.ask("what rules are there") == "Every day at 12:00, I turn on the fan."


def test_which_rule_is_asked_where_several_are_meant():
    desk = Desk()
    for rule in (SENTENCE, "turn on the fan every day at noon"):
        desk.ask(rule)
        desk.ask("yes")

    assert desk.ask("cancel the rule").startswith("Which rule do you mean?")
    assert len(desk.book.rules(desk.daemon.observe())) == 2


def test_rule_on_a_careful_device_takes_its_yes_on_another_channel_only():
    desk = Desk()
    desk.daemon.asks_first["back_door"] = "The yes must come another way."
    verdict = desk.daemon._verdict
    desk.daemon._verdict = lambda action, plan: (
        verdict(action, plan.__class__(plan.actions, plan.cause, plan.origin, plan.at))
        if plan.confirmed_on in ("", plan.origin.channel)
        else verdict(action, plan)
    )

    desk.ask("unlock the back door every day at noon")
    assert desk.ask("yes") == "The yes must come another way."
    assert desk.book.rules(desk.daemon.observe()) == ()

    (asked,) = desk.talk.waiting()
    reply = desk.talk.settle(asked.id, say("", who="ben").origin.__class__(3, "mqtt"), is_yes=True)
    assert reply.text.startswith("All right, that is a rule now.")


def test_rule_on_a_risky_device_is_not_armed_over_the_network():
    desk = Desk()
    heard = say("unlock the back door every day at noon")
    afar = replace(heard, origin=replace(heard.origin, channel="mqtt"))

    assert desk.talk.ask(afar).text == "A rule on back door can be made at the box only."
    assert desk.talk.waiting() == ()


def test_rule_that_cannot_run_is_refused_before_it_is_asked_about():
    desk = Desk()

    reply = desk.ask("when the soil is below thirty percent lock the back door for one minute")

    assert "Is that right" not in reply
    assert desk.ask("yes") == "There is nothing to say yes to."


def test_interpret_arms_nothing():
    desk = Desk()

    assert desk.talk.interpret(say(SENTENCE)).text == TOLD
    assert desk.ask("yes") == "There is nothing to say yes to."
