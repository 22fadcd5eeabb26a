from __future__ import annotations

import pytest

from models.errors import ModelError
from models.transcribe import Vocabulary, plain
from models.vosk import VoskTranscriber
from tests.models.spoken import flite, quiet, vosk

pytestmark = pytest.mark.model

SENTENCES = (
    "turn on the desk lamp", "turn off the desk lamp", "open the blind", "close the blind",
    "turn on the pump", "stop", "set the fan to fifty percent",
)  # fmt: skip


@pytest.fixture
def ears() -> VoskTranscriber:
    transcriber = vosk()
    transcriber.set_sentences(SENTENCES)
    return transcriber


@pytest.mark.parametrize("said", SENTENCES)
def test_the_homes_sentences_are_heard(ears, said):
    assert ears.decode(flite(said), vocabulary=Vocabulary.SENTENCES).text == said


def test_the_free_vocabulary_hears_what_is_no_sentence_of_the_home(ears):
    said = "my coffee went cold while i was on the phone"
    assert ears.decode(flite(said, voice="rms"), vocabulary=Vocabulary.FREE).text == said


def test_the_closed_vocabulary_pulls_other_speech_towards_commands(ears):
    sound = flite("my coffee went cold while i was on the phone", voice="rms")
    words = set(ears.decode(sound, vocabulary=Vocabulary.SENTENCES).text.split())
    assert words <= {"[unk]"} | {word for sentence in SENTENCES for word in sentence.split()}


def test_alternatives_come_best_first_with_the_text_as_the_first(ears):
    heard = ears.decode(flite("turn on the desk lamp"), vocabulary=Vocabulary.SENTENCES)
    behind = [way.behind_nats for way in heard.alternatives]
    assert heard.alternatives[0].text == heard.text
    assert len(behind) > 1
    assert (behind[0], behind) == (0.0, sorted(behind))


def test_words_have_their_places_and_the_free_ones_a_confidence(ears):
    sound = flite("turn on the desk lamp")
    for vocabulary in Vocabulary:
        words = ears.decode(sound, vocabulary=vocabulary).words
        assert all(word.start_s < word.end_s <= len(sound) / 32_000 for word in words)
        assert 0.3 < words[0].start_s < 0.9
    assert all(0 <= word.confidence <= 1 for word in words if word.confidence is not None)


def test_a_pause_splits_nothing_from_the_text(ears):
    sound = flite("open the blind") + quiet(1.5) + flite("turn on the pump")
    heard = ears.decode(sound, vocabulary=Vocabulary.SENTENCES)
    assert heard.text == "open the blind turn on the pump"
    assert heard.words[3].start_s > 2.0
    assert heard.text in {way.text for way in heard.alternatives}


@pytest.mark.parametrize("vocabulary", Vocabulary)
@pytest.mark.parametrize("sound", [b"", bytes(32_000)], ids=["no sound", "digital silence"])
def test_silence_is_the_empty_transcript(ears, vocabulary, sound):
    assert ears.decode(sound, vocabulary=vocabulary).text == ""


def test_a_quiet_room_is_no_sentence(ears):
    assert ears.decode(quiet(3.0), vocabulary=Vocabulary.SENTENCES).text in ("", "[unk]")


def test_a_sentence_with_a_word_that_the_model_lacks_is_left_out_as_a_whole(ears):
    unknown = ears.set_sentences(["turn on the zigbeeplug lamp", "open the blind", "stop"])
    assert unknown == ("zigbeeplug",)
    heard = ears.decode(flite("turn on the desk lamp"), vocabulary=Vocabulary.SENTENCES)
    assert "lamp" not in {word for way in heard.alternatives for word in way.text.split()}


def test_no_sentences_at_all_hear_no_sentence(ears):
    ears.set_sentences([])
    assert ears.decode(flite("stop"), vocabulary=Vocabulary.SENTENCES).text in ("", "[unk]")


def test_sentences_may_change_while_an_utterance_is_decoded(ears):
    recognition = ears.begin(Vocabulary.SENTENCES)
    recognition.accept(flite("open the blind"))
    ears.set_sentences(["stop"])
    assert recognition.finish().text == "open the blind"
    assert ears.decode(flite("stop"), vocabulary=Vocabulary.SENTENCES).text == "stop"


def test_three_thousand_sentences_are_taken_in_at_once(ears):
    many = [
        f"set the {name} to {share} percent"
        for name in ("fan", "lamp", "blind")
        for share in ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    ] * 100
    assert ears.set_sentences([*many, *SENTENCES]) == ()
    assert ears.decode(flite("stop"), vocabulary=Vocabulary.SENTENCES).text == "stop"


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match=str(tmp_path)):
        VoskTranscriber(tmp_path)


PLAIN = {
    "case and stops": ("Turn on, please!",   "turn on please"),
    "apostrophes":    ("What’s the time?",   "what's the time"),
    "hyphens":        ("twenty-five",        "twenty five"),
    "blanks":         ("  open \t the\nblind ", "open the blind"),
    "other letters":  ("Schließe die Tür.",  "schließe die tür"),
    "nothing":        ("?!",                 ""),
}  # fmt: skip


@pytest.mark.parametrize(("written", "heard"), PLAIN.values(), ids=PLAIN)
def test_sentences_are_compared_as_transcripts_are_written(written, heard):
    assert plain(written) == heard
