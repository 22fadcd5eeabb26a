from __future__ import annotations

import pytest

from agentd.voice.sentence import MOST_BEHIND_NATS, RIVAL_NATS, Pick, Sentences
from models.transcribe import Alternative, Transcript, Word

HOME = Sentences([
    "Turn on the heater.", "turn off the heater", "switch on the heater", "stop",
    "set the fan to twenty percent",
])  # fmt: skip


def heard(*ways: tuple[str, float]) -> Transcript:
    words = tuple(Word(word, 0.0, 0.1) for word in ways[0][0].split())
    return Transcript(words, tuple(Alternative(text, nats) for text, nats in ways))


PICKS = {
    "silence":                   ([("", 0.0), ("stop", 1.0)],                                          Pick("", is_sentence=False)),
    "a sentence as it is":       ([("stop", 0.0)],                                                     Pick("stop")),
    "no sentence near":          ([("the heater", 0.0)],                                               Pick("the heater", is_sentence=False)),
    "a sentence behind":         ([("the heater", 0.0), ("turn on the heater", 2.0)],                  Pick("turn on the heater")),
    "a sentence too far behind": ([("the heater", 0.0), ("turn on the heater", MOST_BEHIND_NATS + 1)], Pick("the heater", is_sentence=False)),
    "a rival":                   ([("turn on the heater", 0.0), ("turn off the heater", RIVAL_NATS)],  Pick("turn on the heater", has_rival=True)),
    "a rival too far behind":    ([("turn on the heater", 0.0), ("turn off the heater", 1.5)],         Pick("turn on the heater")),
    "another way to say it":     ([("turn on the heater", 0.0), ("switch on the heater", 0.1)],        Pick("turn on the heater")),
}  # fmt: skip


@pytest.mark.parametrize(("ways", "pick"), PICKS.values(), ids=PICKS)
def test_the_likeliest_sentence_is_picked(ways, pick):
    assert HOME.pick(heard(*ways)) == pick


def test_without_alternatives_the_text_stands():
    assert HOME.pick(Transcript((Word("stop", 0.0, 0.4, 1.0),))) == Pick("stop")


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        ("set the fan to twenty percent", True),
        ("set the fan to thirty five percent", True),
        ("set the heater to twenty percent", False),
        ("set the fan to percent", False),
        ("turn on the heater stop", False),
        ("", False),
    ],
)
def test_a_sentence_is_known_by_its_words_whatever_its_numbers(text, is_known):
    assert (text in HOME) is is_known


def test_punctuation_and_case_do_not_make_another_sentence():
    assert HOME.pick(heard(("x", 0.0), ("turn on the heater", 1.0))).text == "turn on the heater"
