"""Spoken sentences into the real box: sound, two opinions, gate, pin, and the reply."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agentd.ctl.appliance import Choice
from agentd.voice.errors import EarError
from tests.agentd.voice.sound import say
from tests.broker import wait_until
from tests.models.spoken import vosk
from tests.system.box import Box

pytestmark = pytest.mark.model

DESK_LAMP_PIN = 18


@pytest.fixture(scope="module")
def spoken_box() -> Iterator[Box]:
    vosk()
    with Box(Choice(has_voice=True, has_llm=False, has_microphone=False)) as box:
        yield box


def test_a_spoken_sentence_moves_a_pin_and_why_quotes_it(spoken_box, tmp_path):
    heard = spoken_box.hear(say(tmp_path, "turn on the desk lamp", voice="awb"))
    assert (heard.text, heard.is_agreed) == ("turn on the desk lamp", True)
    assert heard.answer["applied"][0]["stage"] == "read_back"
    spoken_box.wait_level(DESK_LAMP_PIN, 1)
    assert spoken_box.state("desk_lamp")["cause"] == heard.answer["cause"]
    assert "turn on the desk lamp" in spoken_box.request("why", device="desk_lamp")["text"]
    spoken_box.hear(say(tmp_path, "turn off the desk lamp", voice="awb"))
    spoken_box.wait_level(DESK_LAMP_PIN, 0)


@pytest.mark.parametrize(
    "text", ["my coffee went cold while I was on the phone", "never turn on the pump"]
)
def test_other_talk_moves_nothing(spoken_box, tmp_path, text):
    before = len(spoken_box.edges())
    heard = spoken_box.hear(say(tmp_path, text, voice="rms"))
    assert (heard.was_asked, len(spoken_box.edges())) == (False, before)


def test_the_box_says_how_its_ears_are(spoken_box):
    assert spoken_box.health()["parts"]["voice"]["status"] == "no_microphone"


def test_a_killed_voice_comes_back_and_hears(spoken_box, tmp_path):
    spoken = say(tmp_path, "turn on the desk lamp", voice="awb")
    old = spoken_box.pid("agentd-voice")
    spoken_box.kill("agentd-voice")
    spoken_box.wait_restarted("agentd-voice", old)

    def answers() -> bool:
        try:
            return spoken_box.hear(spoken).was_asked
        except EarError:
            return False

    wait_until(answers, timeout_s=15)
    spoken_box.wait_level(DESK_LAMP_PIN, 1)
