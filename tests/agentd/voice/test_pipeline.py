from __future__ import annotations

import logging

import pytest

from agentd.door.request import RequestError
from agentd.voice.pipeline import AWAY, NOT_UNDERSTOOD
from models.errors import ModelMissing
from tests.agentd.voice.house import CANARY, LAMP, both, split
from tests.agentd.voice.sound import silence, tone
from tests.broker import wait_until


def hear(house, *, area="study"):
    hearing = house.pipeline.begin()
    hearing.accept(tone(1.0))
    return house.pipeline.respond(hearing.finish(), who="room", area=area)


def test_an_agreed_sentence_reaches_agentd_with_who_and_where(make_house):
    house = make_house(both(LAMP))
    heard = hear(house)
    (request,) = house.agentd.asked
    assert (request.data["text"], request.origin.channel, request.origin.area) == (
        LAMP,
        "voice",
        "study",
    )
    assert request.origin.who.endswith("room")
    assert (heard.reply, heard.is_agreed, heard.was_asked) == ("Desk lamp is on.", True, True)
    assert heard.answer["cause"] == "demo/00000001/7"
    assert heard.ms >= heard.ask_ms > 0


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (split(LAMP, "my coffee went cold"), NOT_UNDERSTOOD),
        (split("[unk]", "my coffee went cold"), NOT_UNDERSTOOD),
        (split("", "my coffee went cold"), NOT_UNDERSTOOD),
        (both(""), ""),
    ],
    ids=["disagreement", "an unknown word", "no sentence", "silence"],
)
def test_without_agreement_agentd_is_not_asked(make_house, said, reply):
    house = make_house(said)
    heard = hear(house)
    assert house.agentd.asked == []
    assert (heard.reply, heard.is_agreed, heard.was_asked) == (reply, False, False)
    assert heard.reason


def test_agentd_away_is_said_and_nothing_is_kept_for_later(make_house):
    house = make_house(both(LAMP), both(LAMP))
    house.agentd.stop()
    assert hear(house).reply == AWAY
    house.agentd.start()
    assert house.agentd.asked == []
    assert hear(house).reply == "Desk lamp is on."


def test_a_refusal_of_agentd_is_no_crash(make_house):
    house = make_house(both(LAMP))
    house.agentd.answer = RequestError("bad_request", "no area 'study'")
    heard = hear(house)
    assert (heard.reply, heard.reason) == (AWAY, "agentd did not answer")


def test_a_missing_model_says_what_to_type(make_house):
    house = make_house(is_deaf=True)
    house.pipeline.miss("fetch it: agentctl models pull vosk-small-en")
    with pytest.raises(ModelMissing, match="models pull vosk-small-en"):
        house.pipeline.begin()


def test_what_was_said_never_reaches_the_log(make_house, caplog):
    caplog.set_level(logging.INFO)
    house = make_house(both(CANARY), both(CANARY), split(CANARY, "quite another thing"))
    house.agentd.answer = {"reply": f"I do not know {CANARY}"}
    hear(house)
    house.agentd.answer = RequestError("bad_request", f"what is {CANARY}")
    assert hear(house).reason == "agentd did not answer"
    assert "differs" in hear(house).reason
    assert "1.0 s of sound" in caplog.text
    assert "canary" not in caplog.text
    assert "yellow" not in caplog.text


def test_sentences_that_come_before_the_model_are_not_lost(make_house):
    from agentd.voice.listener import Listener
    from tests.agentd.voice.house import clock

    house = make_house(is_deaf=True)
    wait_until(lambda: house.agentd.reports)
    house.pipeline.use(Listener(house.transcriber, clock=clock))
    assert LAMP in house.transcriber.sentences


def test_silence_before_agentd_told_its_sentences_gets_no_reply(make_house):
    house = make_house(both(""))
    hearing = house.pipeline.begin()
    hearing.accept(silence(1.0))
    assert house.pipeline.respond(hearing.finish(), who="", area=None).reply == ""
