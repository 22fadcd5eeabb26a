from __future__ import annotations

import pytest

from agentd.voice.ear import WINDOW_S, Ear
from agentd.voice.listener import Listener, Recognised
from agentd.voice.microphone import FRAME_BYTES
from models.errors import ModelMissing
from models.scripted_speech import ScriptedTranscriber
from models.transcribe import Vocabulary
from tests.agentd.clock import HandClock
from tests.agentd.voice.sound import silence, tone

LAMP = {Vocabulary.SENTENCES: "turn on the lamp", Vocabulary.FREE: "turn on the lamp"}


def make_ear(*script: dict[Vocabulary, str]) -> Ear:
    listener = Listener(ScriptedTranscriber(script), clock=HandClock())
    listener.set_sentences(["turn on the lamp"])
    return Ear(listener.begin)


def play(ear: Ear, sound: bytes) -> list[Recognised]:
    frames = [sound[i : i + FRAME_BYTES] for i in range(0, len(sound), FRAME_BYTES)]
    return [found for frame in frames if (found := ear.feed(frame)) is not None]


SENTENCE = silence(0.6) + tone(1.2) + silence(1.0)


def test_nobody_is_listened_to_without_a_push():
    assert play(make_ear(LAMP), SENTENCE * 3) == []


def test_a_push_hears_one_sentence_and_no_more():
    ear = make_ear(LAMP, LAMP)
    ear.open_window()
    (heard,) = play(ear, SENTENCE * 2)
    assert heard.text == "turn on the lamp"
    assert heard.audio_s < 2.8
    assert not ear.is_listening


def test_a_push_in_silence_ends_by_itself():
    ear = make_ear()
    ear.open_window()
    (heard,) = play(ear, silence(WINDOW_S + 1))
    assert heard.text == ""
    assert heard.audio_s == pytest.approx(WINDOW_S, abs=0.1)


def test_endless_speech_is_cut_at_the_window():
    ear = make_ear(LAMP)
    ear.open_window()
    play(ear, silence(0.5))
    (heard,) = play(ear, tone(WINDOW_S + 1))
    assert heard.audio_s == pytest.approx(WINDOW_S, abs=0.1)


def test_an_open_ear_hears_every_sentence_from_its_beginning():
    ear = make_ear(LAMP, LAMP)
    ear.is_always_open = True
    first, second = play(ear, SENTENCE * 2)
    assert first.text == second.text == "turn on the lamp"
    assert first.audio_s > 1.2 + 0.3  # sound from before speech was noticed, and the pause


def test_what_was_dropped_is_not_heard():
    ear = make_ear(LAMP)
    ear.open_window()
    play(ear, silence(0.6) + tone(0.6))
    ear.drop()
    assert play(ear, tone(0.6) + silence(1.0)) == []


def test_a_missing_model_is_said_once_a_push_and_the_ear_stays_usable():
    def begin():
        raise ModelMissing("fetch it")

    ear = Ear(begin)
    ear.open_window()
    with pytest.raises(ModelMissing):
        play(ear, SENTENCE)
    assert play(ear, SENTENCE) == []
