"""Two opinions by the real model: what it must act on, and what it must not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agentd.config import read
from agentd.understand.vocabulary import build_vocabulary
from agentd.voice.listener import Listener
from agentd.voice.recording import load
from llmagentos.clock import Instant
from llmagentos.home import Home
from tests.agentd.voice.sound import say, silence
from tests.models.spoken import vosk

pytestmark = pytest.mark.model

ROOM = Path(__file__).parents[3] / "agentd" / "example" / "room.toml"


@pytest.fixture(scope="module")
def listener() -> Listener:
    """Listens for the sentences of the demo room."""
    config = read(ROOM)
    home = Home(devices=tuple(row.device for row in config.devices), areas=config.areas)
    listener = Listener(vosk(), clock=lambda: Instant(time.monotonic(), time.time()))
    assert listener.set_sentences(build_vocabulary(home).sentences) == ()
    return listener


def gist(text: str) -> list[str]:
    """What is the same to the home: "switch" and "turn", with and without "the"."""
    return [word for word in text.replace("switch", "turn").split() if word != "the"]


COMMANDS = (
    ("awb", "turn on the desk lamp"),
    ("awb", "turn off the desk lamp"),
    ("awb", "switch on the ceiling light"),
    ("awb", "turn on the heater"),
    ("awb", "turn the fan off"),
    ("awb", "open the blind"),
    ("awb", "set the blind to seventy percent"),
    ("rms", "turn off the reading light"),
    ("rms", "turn on the pump"),
    ("rms", "what is the temperature in the study"),
    ("slt", "turn on the desk lamp"),
    ("slt", "close the blind"),
    ("espeak", "open the blind"),
    ("espeak", "close the blind"),
)

NOT_COMMANDS = (
    ("rms", "my coffee went cold while I was on the phone"),
    ("slt", "my coffee went cold while I was on the phone"),
    ("awb", "I turned the page and read on"),
    ("rms", "he set the table for twenty people"),
    ("awb", "turn on the disk drive"),
    ("rms", "turn on the disk drive"),
    ("awb", "it is raining outside today"),
    ("slt", "the theatre was full last night"),
    ("rms", "the fan of the football team was happy"),
)


@pytest.mark.parametrize(("voice", "text"), COMMANDS)
def test_a_spoken_command_is_heard_and_borne_out(listener, tmp_path, voice, text):
    heard = listener.hear(load(say(tmp_path, text, voice=voice)))
    assert (gist(heard.text), heard.agreement.reason) == (gist(text), "")


@pytest.mark.parametrize(("voice", "text"), NOT_COMMANDS)
def test_other_talk_is_not_acted_on(listener, tmp_path, voice, text):
    heard = listener.hear(load(say(tmp_path, text, voice=voice)))
    assert not heard.agreement.is_agreed, heard.text


@pytest.mark.parametrize("voice", ["rms", "awb", "slt"])
@pytest.mark.parametrize("text", ["don't turn on the desk lamp", "never turn on the pump"])
def test_a_denial_never_becomes_its_command(listener, tmp_path, voice, text):
    heard = listener.hear(load(say(tmp_path, text, voice=voice)))
    assert not heard.agreement.is_agreed


def test_silence_is_nothing_said(listener):
    heard = listener.hear(silence(2.0))
    assert (heard.text, heard.free_text, heard.agreement.reason) == ("", "", "nothing was said")


def test_the_same_recording_is_always_heard_alike(listener, tmp_path):
    sound = load(say(tmp_path, "set the desk lamp to fifty percent", voice="rms"))
    assert len({(h.text, h.free_text) for h in (listener.hear(sound) for _ in range(3))}) == 1
