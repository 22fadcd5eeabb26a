"""MH-Z19 answers: the manual's, broken ones, and a part on a cable that answers when it is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.driver.mh_z19 import QUESTION, SHAPE, MhZ19, checksum, decode
from hal.link.frame import Frames
from tests.hal.bench import Cable, Inbox, clock, eventually, wiring


def answer(ppm: int) -> bytes:
    """What the part says; the sum is made by complement, as the manual tells it."""
    body = b"\xff\x86" + ppm.to_bytes(2) + b"\x47\x00\x00\x00"
    return body + bytes([(0xFF - sum(body[1:]) % 256 + 1) % 256])


def test_question_has_the_manuals_checksum() -> None:
    assert checksum(QUESTION) == QUESTION[8] == 0x79


@pytest.mark.parametrize(
    ("raw", "ppm", "quality"),
    [
        (bytes.fromhex("ff 86 02 60 47 00 00 00 d1"), 608,  "good"),
        (answer(400),                                 400,  "good"),
        (answer(5000),                                5000, "good"),
        (answer(5001),                                5001, "suspect"),
        (answer(0),                                   0,    "suspect"),
    ],
)  # fmt: skip
def test_answer_as_ppm(raw: bytes, ppm: int, quality: str) -> None:
    assert Frames(SHAPE).feed(raw) == [raw]
    sample = decode(raw)["carbon_dioxide"]
    assert (sample.value, sample.quality) == (ppm, quality)


@given(st.integers(0, 65535), st.integers(0, 71))
def test_no_flipped_bit_passes(ppm: int, bit: int) -> None:
    broken = bytearray(answer(ppm))
    broken[bit // 8] ^= 1 << bit % 8
    if bit >= 8 * 1:  # byte 0 is not summed, but it is the head
        assert Frames(SHAPE).feed(bytes(broken)) == []


@pytest.mark.parametrize("length", range(9))
def test_no_truncated_answer_passes(length: int) -> None:
    assert Frames(SHAPE).feed(answer(608)[:length]) == []


def test_part_is_asked_and_its_answer_told(cable: Cable, inbox: Inbox) -> None:
    options = {"port": str(cable.path), "period_s": 0.1}
    sensor = MhZ19(wiring("sensor", device_class="carbon_dioxide", options=options))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: sensor._link.is_open)
    for ppm in (608, 750):
        assert cable.heard() == QUESTION
        cable.say(answer(ppm))
        assert eventually(lambda ppm=ppm: inbox.has(ppm))
    sensor.close()


def test_answer_in_pieces_with_a_lost_one_between_is_told(cable: Cable, inbox: Inbox) -> None:
    options = {"port": str(cable.path), "period_s": 0.1}
    sensor = MhZ19(wiring("sensor", device_class="carbon_dioxide", options=options))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: sensor._link.is_open)
    assert cable.heard() == QUESTION
    cable.say(answer(608)[:5])
    assert cable.heard(within_s=3) == QUESTION
    cable.say(answer(650))
    assert eventually(lambda: inbox.has(650))
    assert inbox.values == [650]
    sensor.close()


def test_part_that_does_not_answer_is_told(cable: Cable, inbox: Inbox) -> None:
    options = {"port": str(cable.path), "period_s": 0.1}
    sensor = MhZ19(wiring("sensor", device_class="carbon_dioxide", options=options))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(None, "unavailable"), within_s=5)
    sensor.close()
