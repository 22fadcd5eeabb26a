from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from agentd.voice.mouth import Mouth
from models.errors import ModelError
from models.scripted_speech import ScriptedSpeaker
from models.speak import Speaker, Speech
from tests.agentd.voice.sound import ScriptedCard
from tests.broker import wait_until


class Mute(Speaker):
    def synthesise(self, text: str) -> Speech:
        raise ModelError("espeak-ng is not installed")


@pytest.fixture
def make_mouth() -> Callable[..., Mouth]:
    def make(card: ScriptedCard | None, shown: list[str], speaker: Speaker | None = None) -> Mouth:
        mouth = Mouth(speaker or ScriptedSpeaker(), card, show=shown.append)
        threading.Thread(target=mouth.run, daemon=True).start()
        return mouth

    return make


def quiet(mouth: Mouth) -> None:
    wait_until(lambda: not mouth.is_speaking)


def test_sentences_are_spoken_one_after_the_other(make_mouth):
    card, shown = ScriptedCard(has_loudspeaker=True), []
    mouth = make_mouth(card, shown)
    mouth.say("one")
    mouth.say("three")
    quiet(mouth)
    assert [len(sound) for sound in card.played] == [3 * 320, 5 * 320]
    assert shown == []


@pytest.mark.parametrize("card", [None, ScriptedCard()], ids=["without sound", "no loudspeaker"])
def test_what_cannot_be_spoken_is_shown(make_mouth, card):
    shown: list[str] = []
    mouth = make_mouth(card, shown)
    mouth.say("Desk lamp is on.")
    quiet(mouth)
    assert shown == ["Desk lamp is on."]


def test_a_missing_voice_shows_the_text_and_the_mouth_goes_on(make_mouth):
    shown: list[str] = []
    mouth = make_mouth(ScriptedCard(has_loudspeaker=True), shown, Mute())
    mouth.say("one")
    mouth.say("two")
    quiet(mouth)
    assert shown == ["one", "two"]


def test_hush_ends_what_is_said_and_what_waits(make_mouth):
    card = ScriptedCard(has_loudspeaker=True)
    card.hold.clear()
    mouth = make_mouth(card, [])
    for text in ("one", "two", "three"):
        mouth.say(text)
    assert mouth.is_speaking
    mouth.hush()
    quiet(mouth)
    assert card.played == []
    card.hold.set()
    mouth.say("four")
    quiet(mouth)
    assert len(card.played) == 1


def test_a_flood_of_sentences_is_bounded_and_never_waited_for(make_mouth):
    card = ScriptedCard(has_loudspeaker=True)
    card.hold.clear()
    mouth = make_mouth(card, [])
    for _ in range(1000):
        mouth.say("again")
    card.hold.set()
    quiet(mouth)
    assert len(card.played) <= 10


def test_nothing_is_not_said(make_mouth):
    shown: list[str] = []
    mouth = make_mouth(None, shown)
    mouth.say("  ")
    assert not mouth.is_speaking
    assert shown == []
