"""What holds for every recogniser, its scripted twin included."""

from __future__ import annotations

import json

import pytest

from agentd.understand.gazetteer import GazetteerRecogniser
from agentd.understand.hassil import HassilRecogniser
from agentd.understand.intent import Target
from agentd.understand.recogniser import Context, Recogniser
from agentd.understand.scene import SceneRecogniser
from agentd.understand.scripted import ScriptedRecogniser
from agentd.understand.status import StatusRecogniser
from agentd.understand.words import load_words
from llmagentos.clock import Instant
from llmagentos.home import Area, Device, Home, Scene
from llmagentos.plan import Action
from llmagentos.reading import State
from llmagentos.utterance import Act, Answer, Nothing, Observation

LAMP_ON = Act((Action("lamp", "turn_on"),))
LAMP_IS_OFF = Answer("Desk lamp is off", ("lamp",))
HOME = Home(
    devices=(Device("lamp", "desk lamp", "light", area="study"),
             Device("fan", "fan", "fan", area="study")),
    areas=(Area("study", "study"),),
    scenes=(Scene("night", "night", actions=LAMP_ON.actions),),
)  # fmt: skip
OBSERVATION = Observation(
    HOME,
    {"lamp": State("lamp", {"state": "off"}), "fan": State("fan", {"state": "on"})},
    Instant(0.0, 0.0),
)
NOWHERE = Context()


def scripted():
    return ScriptedRecogniser({"turn on the desk lamp": LAMP_ON})


MAKERS = {
    "hassil": (lambda: HassilRecogniser(load_words("en")), "turn on the desk lamp"),
    "gazetteer": (lambda: GazetteerRecogniser(load_words("en")), "turn on the desk lamp"),
    "scene": (lambda: SceneRecogniser(load_words("en")), "activate night"),
    "status": (lambda: StatusRecogniser(load_words("en")), "is the desk lamp glowing"),
    "scripted": (scripted, "turn on the desk lamp"),
}


@pytest.fixture(params=MAKERS)
def made(request):
    make, sentence = MAKERS[request.param]
    recogniser = make()
    recogniser.refresh(HOME)
    return recogniser, sentence


def test_is_a_recogniser_with_a_name(made):
    recogniser, _ = made

    assert isinstance(recogniser, Recogniser)
    assert recogniser.name


def test_sentence_is_understood_and_explained(made):
    recogniser, sentence = made

    found = recogniser.recognise(sentence, OBSERVATION, NOWHERE)

    assert found is not None
    assert found.outcome in (LAMP_ON, LAMP_IS_OFF)
    assert found.recogniser == recogniser.name
    assert found.is_final
    json.dumps(found.explain)


@pytest.mark.parametrize(
    "text",
    ["", " ", "?", "asdf", "turn on", "the", "%", "{name}", "(a|b)", "[x]", "<the>", "1" * 400,
     "turn on the desk lamp of the neighbours", "\u0000", "a" * 500, "🙂", "'", "and and and"],
)  # fmt: skip
def test_other_text_is_not_understood_and_breaks_nothing(made, text):
    recogniser, _ = made

    found = recogniser.recognise(text, OBSERVATION, NOWHERE)

    assert found is None or isinstance(found.outcome, Nothing)


def test_same_sentence_means_the_same_again(made):
    recogniser, sentence = made

    first, second = (recogniser.recognise(sentence, OBSERVATION, NOWHERE) for _ in range(2))

    assert first == second


def test_area_and_past_talk_that_the_home_lacks_are_survived(made):
    recogniser, sentence = made
    context = Context("attic", (Target(devices=("ghost",)), Target(area="attic")))

    found = recogniser.recognise(sentence, OBSERVATION, context)

    assert found is not None
    assert found.outcome in (LAMP_ON, LAMP_IS_OFF)


def test_new_home_replaces_the_old_one(made):
    recogniser, sentence = made
    empty = Home()

    recogniser.refresh(empty)
    found = recogniser.recognise(sentence, Observation(empty, {}, Instant(0.0, 0.0)), NOWHERE)

    if recogniser.name != "scripted":
        assert found is None or isinstance(found.outcome, Nothing)
