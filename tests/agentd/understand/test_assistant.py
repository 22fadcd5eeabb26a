"""What a person hears back, and what was proposed for it."""

from __future__ import annotations

import pytest

from llmagentos.plan import Stage
from llmagentos.utterance import Act, Nothing

from .room import Daemon, assistant, say


@pytest.mark.parametrize(
    ("sentence", "reply"),
    [
        ("turn on the desk lamp",              "Desk lamp is on."),
        ("switch the reading light on please", "Desk lamp is on."),
        ("set the desk lamp to forty percent", "Desk lamp is on, at 40 percent."),
        ("set the desk lamp to 40 %",          "Desk lamp is on, at 40 percent."),
        ("turn on the lights in the study",    "Desk lamp and ceiling light are on."),
        ("open the blind",                     "Blind is open."),
        ("open the blind halfway",             "Blind is open, at 50 percent."),
        ("make it 22 degrees",                 "Thermostat is set to 22 degrees."),
        ("disable the heater",                 "Heater is off."),
        ("toggle the fan",                     "Fan is on."),
        ("turn on the pump and open the blind", "Pump is on. Blind is open."),
    ],
)  # fmt: skip
def test_reply_tells_what_was_read_back(sentence, reply):
    daemon = Daemon()

    answer = assistant(daemon).ask(say(sentence))

    assert answer.text == reply
    assert answer.confirmed
    assert len(daemon.plans) == 1


def test_refusal_is_told_in_the_gates_own_words():
    daemon = Daemon(refused={"heater": "The fan is on, and they must not run together."})

    answer = assistant(daemon).ask(say("turn on the heater"))

    assert answer.text == "The fan is on, and they must not run together."
    assert not answer.confirmed


def test_reply_names_what_worked_and_what_did_not():
    daemon = Daemon(refused={"ceiling_light": "It was switched too often."})

    answer = assistant(daemon).ask(say("turn on the lights in the study"))

    assert answer.text == "Desk lamp is on. It was switched too often."


def test_reply_does_not_claim_what_was_only_sent():
    answer = assistant(Daemon(stage=Stage.SENT)).ask(say("turn on the desk lamp"))

    assert answer.text == "I switched the desk lamp, not confirmed yet."
    assert not answer.confirmed


def test_reply_comes_although_the_tick_does_not_answer():
    answer = assistant(Daemon(is_stuck=True), wait_s=0.05).ask(say("turn on the desk lamp"))

    assert answer.text == "I passed that on, but it is not confirmed yet."
    assert answer.decision is None


def test_interpret_proposes_nothing():
    daemon = Daemon(refused={"pump": "The tank is empty."})

    answer = assistant(daemon).interpret(say("turn on the pump"))

    assert isinstance(answer.interpretation.outcome, Act)
    assert [verdict.reason for verdict in answer.verdicts] == ["The tank is empty."]
    assert daemon.plans == []


@pytest.mark.parametrize("text", ["", "   ", "\x00\x1b", "x" * 501, "🙂"])
def test_text_that_is_no_sentence_gets_a_polite_nothing(text):
    daemon = Daemon()

    answer = assistant(daemon).ask(say(text))

    assert isinstance(answer.interpretation.outcome, Nothing)
    assert answer.text.endswith(".")
    assert daemon.plans == []
