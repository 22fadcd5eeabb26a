"""What the speech recogniser listens for is what the recognisers understand."""

from __future__ import annotations

import dataclasses
import time

import pytest

from agentd.understand.vocabulary import build_vocabulary
from llmagentos.home import Area, Device, Home
from llmagentos.utterance import Nothing

from .room import HOME, Daemon, assistant, say


@pytest.fixture(scope="module")
def vocabulary():
    return build_vocabulary(HOME)


def test_every_sentence_is_understood(vocabulary):
    talk = assistant(Daemon())
    talk.ask(say("open the blind"))  # for "it": something that opens
    lost = [
        sentence
        for sentence in vocabulary.sentences
        if isinstance(talk.interpret(say(sentence)).interpretation.outcome, Nothing)
    ]

    assert lost == []


@pytest.mark.parametrize(
    "sentence",
    [
        "turn on the desk lamp",
        "turn on the reading light",
        "set the desk lamp to forty percent",
        "is the pump on",
        "what is the temperature in the study",
        "turn off the lights in the study",
        "open the blind",
        "set the thermostat to twenty one degrees",
        "set a timer for five minutes",
        "stop",
        "yes",
        "no",
        "why did the pump run",
        "unlock the back door",
        "turn off the desk lamp in ten minutes",
        "turn on the heater at seven",
        "close the blind in half an hour",
        "set a timer for half an hour",
        "what timers are running",
        "what happened in the last hour",
        "put the fan back",
        "undo that",
    ],
)
def test_what_people_say_is_listened_for(vocabulary, sentence):
    assert sentence in vocabulary.sentences


def test_sentences_are_bare_words(vocabulary):
    for sentence in vocabulary.sentences:
        assert all(word.replace("'", "").isalpha() for word in sentence.split()), sentence
    assert vocabulary.words == tuple(sorted({w for s in vocabulary.sentences for w in s.split()}))


def test_digits_in_names_are_said_as_words():
    home = Home((Device("b", "Bedroom 2 TV-Light", "light"),))

    assert "turn on the bedroom two tv light" in build_vocabulary(home).sentences


def test_version_changes_with_the_home(vocabulary):
    renamed = dataclasses.replace(HOME, areas=(Area("study", "office"), Area("garden", "garden")))

    assert build_vocabulary(HOME).version == vocabulary.version
    assert build_vocabulary(renamed).version != vocabulary.version


def test_large_home_stays_within_bounds_and_keeps_what_matters():
    devices = tuple(Device(f"d{n}", f"lamp number {n}", "light") for n in range(300))

    found = build_vocabulary(Home(devices))

    assert len(found.sentences) <= 6000
    assert "stop" in found.sentences


def test_home_of_twelve_devices_is_built_fast():
    build_vocabulary(HOME)
    began = time.process_time()

    found = build_vocabulary(HOME)

    assert time.process_time() - began < 0.3
    assert len(found.sentences) < 6000


def test_empty_home_can_still_be_stopped():
    assert "stop" in build_vocabulary(Home()).sentences
