from __future__ import annotations

import pytest

from agentd.voice.daemon import VoiceSettings
from models.scripted_speech import ScriptedTranscriber
from tests.agentd.voice.house import LAMP
from tests.broker import wait_until

SETTINGS = {
    "nothing told": ({},                                                 VoiceSettings()),
    "nothing set":  ({"microphone": None, "listen": "push", "area": ""}, VoiceSettings()),
    "all set":      ({"microphone": "USB", "speaker": "HDMI", "listen": "open", "area": "study", "new": 1},
                     VoiceSettings("USB", "HDMI", is_always_open=True, area="study")),
}  # fmt: skip


@pytest.mark.parametrize(("told", "read"), SETTINGS.values(), ids=SETTINGS)
def test_settings(told, read):
    assert VoiceSettings.read(told) == read


def test_the_state_is_reported_and_the_area_taken_over(make_house):
    house = make_house()
    wait_until(lambda: house.agentd.reports)
    assert house.agentd.reports[0] == ("listening", "scripted")
    assert house.door.area == "study"


def test_a_changed_configuration_changes_the_sentences(make_house):
    house = make_house()
    house.agentd.sentences = ["open the blind"]
    wait_until(
        lambda: house.agentd.tell("config") or house.transcriber.sentences == ("open the blind",)
    )


def test_a_restarted_agentd_is_found_again_and_told_the_state(make_house):
    house = make_house()
    house.agentd.stop()
    before = len(house.agentd.reports)
    house.agentd.sentences = ["lock the door"]
    house.agentd.start()
    wait_until(lambda: len(house.agentd.reports) > before)
    wait_until(lambda: house.transcriber.sentences == ("lock the door",))


def test_agentd_may_be_late(make_house):
    house = make_house(is_deaf=True)
    assert house.pipeline.listener is None
    house.agentd.stop()
    assert not house.follower.refresh()
    house.agentd.start()
    wait_until(house.follower.refresh)


def test_what_is_to_be_said_is_said_and_a_stop_hushes(make_house):
    house = make_house()
    wait_until(lambda: house.agentd.tell("say", text="The tea is ready.") or house.shown)
    assert house.shown[0] == "The tea is ready."
    house.talk.notice({"kind": "stop"})
    house.talk.notice({"kind": "something else"})


def test_words_that_the_model_lacks_are_told(make_house, caplog):
    house = make_house(is_deaf=True)
    from agentd.voice.listener import Listener
    from tests.agentd.voice.house import clock

    house.agentd.sentences = [LAMP, "turn on the zigbee"]
    house.pipeline.use(Listener(ScriptedTranscriber(lexicon=frozenset(LAMP.split())), clock=clock))
    wait_until(lambda: house.agentd.tell("config") or house.pipeline.unknown_words)
    assert house.pipeline.unknown_words == ("zigbee",)
