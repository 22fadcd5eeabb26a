"""What every transcriber keeps: the scripted twin and Vosk."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from models.scripted_speech import ScriptedTranscriber
from models.transcribe import Transcriber, Vocabulary
from tests.models.spoken import flite, vosk

SENTENCES = ("open the blind", "turn on the desk lamp", "stop")
SAID = "turn on the desk lamp"


def scripted() -> Transcriber:
    lexicon = frozenset(word for sentence in SENTENCES for word in sentence.split())
    return ScriptedTranscriber([dict.fromkeys(Vocabulary, SAID)] * 8, lexicon=lexicon)


MAKERS: dict[str, Callable[[], Transcriber]] = {"scripted": scripted, "vosk": vosk}


@pytest.fixture(params=[
    pytest.param("scripted"), pytest.param("vosk", marks=pytest.mark.model),
])  # fmt: skip
def ears(request) -> Transcriber:
    transcriber = MAKERS[request.param]()
    transcriber.set_sentences(SENTENCES)
    return transcriber


@pytest.mark.parametrize("vocabulary", Vocabulary)
def test_speech_becomes_its_words(ears, vocabulary):
    heard = ears.decode(flite(SAID), vocabulary=vocabulary)
    assert heard.text == SAID
    assert [word.text for word in heard.words] == SAID.split()


@pytest.mark.parametrize("vocabulary", Vocabulary)
def test_words_follow_each_other_within_the_sound(ears, vocabulary):
    sound = flite(SAID)
    words = ears.decode(sound, vocabulary=vocabulary).words
    starts = [word.start_s for word in words]
    assert starts == sorted(starts)
    assert 0 <= starts[0] < words[-1].end_s <= len(sound) / 32_000 + 0.01


@pytest.mark.parametrize("vocabulary", Vocabulary)
def test_no_sound_is_the_empty_transcript(ears, vocabulary):
    assert ears.begin(vocabulary).finish().text == ""
    assert ears.decode(b"", vocabulary=vocabulary).words == ()


def test_small_pieces_are_heard_as_the_whole(ears):
    recognition, sound = ears.begin(Vocabulary.SENTENCES), flite(SAID)
    texts = [recognition.accept(sound[i : i + 960]) for i in range(0, len(sound), 960)]
    assert recognition.finish().text == SAID
    assert texts[-1]


def test_unknown_words_are_named_once_each_in_order(ears):
    unknown = ears.set_sentences(["open the zigbeeplug", "stop the zigbeeplug xylofoon", "stop"])
    assert unknown == ("xylofoon", "zigbeeplug")
    assert ears.set_sentences(SENTENCES) == ()


def test_two_utterances_at_once_do_not_mix(ears):
    heard: list[str] = []
    sound = flite(SAID)

    def listen() -> None:
        heard.append(ears.decode(sound, vocabulary=Vocabulary.SENTENCES).text)

    threads = [threading.Thread(target=listen) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert heard == [SAID, SAID]


def test_it_says_its_name(ears):
    assert ears.name
