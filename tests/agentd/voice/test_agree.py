from __future__ import annotations

import pytest

from agentd.voice.agree import SILENCE, agree, likeness
from agentd.voice.sentence import Pick
from models.transcribe import Transcript, Word


def heard(text: str, *, start_s: float = 0.5, end_s: float = 2.0) -> Transcript:
    """The words, spread evenly between two instants."""
    words = text.split()
    step = (end_s - start_s) / max(len(words), 1)
    return Transcript(
        tuple(Word(w, start_s + i * step, start_s + (i + 1) * step) for i, w in enumerate(words))
    )


# What a small model made of recordings and synthetic voices: sentence, free decode.
BORNE_OUT = {
    "word for word":          ("turn on the desk lamp",          "turn on the desk lamp"),
    "a lost beginning":       ("turn on the desk lamp",          "on the desk lamp"),
    "other words, same sound": ("close the blind",               "los a blind"),
    "glued words":            ("turn on the heater",             "turn on theater"),
    "a wrong verb":           ("set the blind to fifty percent", "said the blind to fifty percent"),
    "a denial said as one":   ("do not turn off the heater",     "do not turned off the heater"),
    "a denial misheard late": ("turn on the heater",             "turn on don't eat or"),
}  # fmt: skip

NOT_BORNE_OUT = {
    "silence":            ("",                       "",                                         SILENCE),
    "other talk":         ("",                       "my coffee went cold",                      "no sentence of this home was heard"),
    "pulled talk":        ("turn light on the fan",  "my coffee went cold while i was on the phone", "the second opinion differs, 0.35 alike"),
    "unknown within":     ("turn on the desk [unk]", "turn on the disk drive",                   "part of it fits no sentence of this home"),
    "a denial lost":      ("turn on the desk lamp",  "don't turn on the desk lamp",              "it may have been a denial"),
    "not, lost":          ("turn on the desk lamp",  "you should not turn on the desk lamp",     "it may have been a denial"),
    "on against off":     ("turn on the fan",        "turn off the fan",                         "the second opinion heard the opposite"),
    "close against open": ("close the blind",        "open the blind",                           "the second opinion heard the opposite"),
    "another number":     ("set the fan to fifty percent", "set the fan to fifteen percent",     "the second opinion heard another number"),
    "nothing to compare": ("turn on the fan",        "",                                         "the second opinion differs, 0.00 alike"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "free"), BORNE_OUT.values(), ids=BORNE_OUT)
def test_two_opinions_of_one_sentence_agree(said, free):
    assert agree(Pick(said), heard(said), heard(free)).reason == ""


@pytest.mark.parametrize(("said", "free", "reason"), NOT_BORNE_OUT.values(), ids=NOT_BORNE_OUT)
def test_a_sentence_that_the_second_opinion_does_not_bear_out_is_refused(said, free, reason):
    verdict = agree(Pick(said), heard(said), heard(free))
    assert (verdict.is_agreed, verdict.reason) == (False, reason)


def test_a_sentence_with_a_rival_is_refused():
    text = "turn on the heater"
    assert not agree(Pick(text, has_rival=True), heard(text), heard(text)).is_agreed


def test_pieces_of_several_sentences_are_refused():
    text = "turn on the desk right"
    assert not agree(Pick(text, is_sentence=False), heard(text), heard(text)).is_agreed


def test_the_word_that_decides_must_have_been_heard():
    verdict = agree(Pick("turn on the pump"), heard("turn the pump"), heard("the pump"))
    assert verdict.reason == "the word that decides was not heard"


@pytest.mark.parametrize(
    ("free_from_s", "free_to_s", "reason"),
    [
        (0.1, 2.0, "more was said before the sentence"),
        (0.5, 2.4, "the two opinions end differently"),
        (0.5, 1.6, "the two opinions end differently"),
        (0.9, 2.0, ""),
    ],
    ids=["talk before", "talk after", "an end that was made up", "a beginning missed"],
)
def test_a_sentence_is_no_piece_of_a_longer_one(free_from_s, free_to_s, reason):
    text = "turn on the pump"
    free = heard(text, start_s=free_from_s, end_s=free_to_s)
    assert agree(Pick(text), heard(text), free).reason == reason


def test_no_reason_repeats_what_was_said():
    for said, free, _ in NOT_BORNE_OUT.values():
        reason = agree(Pick(said), heard(said), heard(free)).reason
        assert not {"lamp", "coffee", "fan", "fifteen"} & set(reason.split())


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("", "", 0.0), ("a b", "ab", 1.0), ("ab", "cd", 0.0)]
)
def test_likeness_leaves_blanks_out(one, other, ratio):
    assert likeness(one, other) == ratio
