from __future__ import annotations

import threading

from agentd.voice.daemon import VoiceSettings
from agentd.voice.listener import Listener
from agentd.voice.microphone import Microphone
from agentd.voice.mouth import Mouth
from agentd.voice.pipeline import NOT_UNDERSTOOD, Pipeline
from agentd.voice.talk import Talk
from models.scripted_speech import ScriptedSpeaker, ScriptedTranscriber
from tests.agentd.clock import HandClock
from tests.agentd.voice.house import LAMP, both, split
from tests.agentd.voice.sound import ScriptedCard, silence, tone
from tests.broker import wait_until

SENTENCE = silence(0.6) + tone(1.2) + silence(1.0)


class Room:
    """A microphone that hears `sound` once, and a mouth over the same scripted card."""

    def __init__(self, sound: bytes, *script, has_loudspeaker=True) -> None:
        self.card = ScriptedCard([sound], has_loudspeaker=has_loudspeaker)
        self.clock = HandClock()
        self.asked: list[str] = []
        self.shown: list[str] = []
        self.speaker = ScriptedSpeaker()
        pipeline = Pipeline(self._ask, clock=self.clock)
        pipeline.use(Listener(ScriptedTranscriber(script), clock=self.clock))
        pipeline.set_sentences((LAMP,))
        self.mouth = Mouth(self.speaker, self.card, show=self.shown.append)
        threading.Thread(target=self.mouth.run, daemon=True).start()
        microphone = Microphone(
            self.card, clock=self.clock, wait=self._wait, report=lambda *_: None
        )
        self.talk = Talk(pipeline, self.mouth, microphone)

    def play(self) -> None:
        self.talk.listen()

    def _ask(self, text, *, who, area):
        self.asked.append(text)
        return {"reply": "Done."}

    def _wait(self, seconds: float) -> bool:
        self.clock.advance(seconds or 0.03)
        return seconds > 0


def test_a_pushed_sentence_is_answered_aloud():
    room = Room(SENTENCE, both(LAMP))
    room.talk.notice({"kind": "listen"})
    room.play()
    assert room.asked == [LAMP]
    wait_until(lambda: room.card.played)
    assert room.speaker.said == ["Done."]


def test_without_a_loudspeaker_the_reply_is_shown():
    room = Room(SENTENCE, both(LAMP), has_loudspeaker=False)
    room.talk.notice({"kind": "listen"})
    room.play()
    wait_until(lambda: room.shown == ["Done."])


def test_nothing_is_heard_without_a_push_by_default():
    room = Room(SENTENCE * 2, both(LAMP))
    room.play()
    assert room.asked == []


def test_an_open_ear_answers_commands_and_ignores_talk():
    room = Room(SENTENCE * 2, split(LAMP, "my coffee went cold"), both(LAMP))
    room.talk.settle(VoiceSettings(is_always_open=True))
    room.play()
    wait_until(lambda: room.card.played)
    assert room.asked == [LAMP]
    assert room.speaker.said == ["Done."]


def test_after_a_push_one_is_told_that_nothing_was_understood():
    room = Room(SENTENCE, split(LAMP, "my coffee went cold"))
    room.talk.notice({"kind": "listen"})
    room.play()
    wait_until(lambda: room.speaker.said == [NOT_UNDERSTOOD])


def test_the_box_does_not_hear_itself():
    room = Room(SENTENCE, both(LAMP))
    room.talk.settle(VoiceSettings(is_always_open=True))
    room.card.hold.clear()  # it speaks all the while
    room.mouth.say("A long announcement.")
    room.play()
    room.card.hold.set()
    assert room.asked == []


def test_a_push_interrupts_what_is_being_said():
    room = Room(SENTENCE, both(LAMP))
    room.card.hold.clear()
    room.mouth.say("A long announcement.")
    room.talk.notice({"kind": "listen"})
    wait_until(lambda: not room.mouth.is_speaking)
    room.card.hold.set()
    room.play()
    assert room.asked == [LAMP]
