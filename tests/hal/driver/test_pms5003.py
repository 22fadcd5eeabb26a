"""PMS5003 frames: one by the manual, broken ones, and the device on a cable."""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.driver.pms5003 import SHAPE, Pms5003, decode, is_sound
from hal.link.frame import Frames
from tests.hal.bench import Cable, Inbox, clock, eventually, wiring

EXAMPLE = bytes.fromhex(
    "424d001c 0005 000d 0016 0005 000d 0016 0399 011d 006a 0020 0008 0004 9700 02e2"
)
"""Composed by appendix I of the manual: 5, 13 and 22 μg/m³, version 0x97, the sum by hand."""


def frame(*words: int) -> bytes:
    """A frame with the right sum; missing words are 0."""
    body = SHAPE.head + b"".join(word.to_bytes(2) for word in [*words, *[0] * (13 - len(words))])
    return body + sum(body).to_bytes(2)


def test_example_comes_out() -> None:
    assert is_sound(EXAMPLE)
    samples = decode(EXAMPLE)
    assert {name: sample.value for name, sample in samples.items()} == {
        "pm1": 5, "pm25": 13, "pm10": 22,
    }  # fmt: skip


def test_values_are_the_atmospheric_ones() -> None:
    samples = decode(frame(1, 2, 3, 4, 5, 6, 7))
    assert [sample.value for sample in samples.values()] == [4, 5, 6]


@pytest.mark.parametrize(("word", "quality"), [(0, "good"), (1000, "good"), (1001, "suspect")])
def test_value_beyond_the_part_is_suspect(word: int, quality: str) -> None:
    assert decode(frame(0, 0, 0, 0, word))["pm25"].quality == quality


@given(st.integers(0, 255))
def test_no_flipped_bit_passes(bit: int) -> None:
    broken = bytearray(EXAMPLE)
    broken[bit // 8] ^= 1 << bit % 8
    assert Frames(SHAPE).feed(bytes(broken)) == []


@pytest.mark.parametrize("length", range(32))
def test_no_truncated_frame_passes(length: int) -> None:
    assert Frames(SHAPE).feed(EXAMPLE[:length]) == []


def test_silent_part_is_told(cable: Cable, inbox: Inbox) -> None:
    sensor = Pms5003(wiring("sensor", device_class="pm25", options={"port": str(cable.path)}))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(None, "unavailable"), within_s=8)
    assert inbox.last is not None
    assert "says nothing" in inbox.last.reason
    sensor.close()


def test_noise_is_told_and_the_part_comes_back(cable: Cable, inbox: Inbox) -> None:
    sensor = Pms5003(wiring("sensor", device_class="pm25", options={"port": str(cable.path)}))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: sensor._link.is_open)
    cable.say(bytes(range(256)))
    assert eventually(lambda: inbox.has(None, "unavailable"))
    assert "noise" in inbox.readings[0].reason
    assert eventually(lambda: sensor._link.is_open)
    cable.say(EXAMPLE)
    assert eventually(lambda: inbox.has(13))
    sensor.close()


def test_megabyte_of_noise_gives_no_number_and_costs_no_core(cable: Cable, inbox: Inbox) -> None:
    sensor = Pms5003(wiring("sensor", device_class="pm25", options={"port": str(cable.path)}))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: sensor._link.is_open)
    os.set_blocking(cable._master, False)
    chance, started_s, used_s = random.Random(5), time.monotonic(), time.process_time()
    for _ in range(1024):
        with suppress(BlockingIOError):  # an adapter drops what nobody fetches, too
            os.write(cable._master, chance.randbytes(1024))
        time.sleep(0.002)  # half a megabyte a second: faster than any adapter
    took_s, used_s = time.monotonic() - started_s, time.process_time() - used_s
    assert {reading.value for reading in inbox.readings} == {None}
    assert used_s < 0.3 * took_s
    os.set_blocking(cable._master, True)
    assert eventually(lambda: say(cable) or inbox.has(13), within_s=8)
    sensor.close()


def say(cable: Cable) -> None:
    with suppress(OSError):  # nobody has the port open just now
        cable.say(EXAMPLE)
