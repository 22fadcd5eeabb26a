"""The same noise for every parser of wire bytes: no crash, no number that was not on the wire."""

from __future__ import annotations

import math
import random
from contextlib import suppress

import pytest

from hal import registry
from tests.contracts.noise import EXPECTED, WIRES, Wire, broken, of_frames
from tests.contracts.test_sensor import ROWS

INPUTS = 12_000
"""Broken inputs for each parser: more than 100,000 in all."""

KNOWN = {wire.driver for wire in WIRES}
ALL = (
    *WIRES,
    *(of_frames(row) for row in ROWS if row.bench == "frame" and row.driver not in KNOWN),
)
"""Those with an independent word on what is sound, then other parts that send frames."""

WITHOUT_BYTES = {
    "gpio.button", "gpio.motion", "gpio.hc_sr04",  # levels and times
}  # fmt: skip


@pytest.fixture(params=ALL, ids=[wire.driver for wire in ALL])
def wire(request: pytest.FixtureRequest) -> Wire:
    return request.param


def test_every_sensor_that_reads_bytes_is_fed_noise() -> None:
    kinds = {"sensor", "binary_sensor", "button"}
    sensors = {name for name in registry.names() if kinds & set(registry.row(name).kinds)}
    assert sensors - WITHOUT_BYTES == {wire.driver for wire in ALL}
    assert INPUTS * len(ALL) >= 100_000


def test_sound_bytes_give_values(wire: Wire) -> None:
    for seed in wire.seeds:
        assert wire.is_sound(seed)
        assert any(sample.value is not None for sample in wire.hear(seed * wire.repeats))


def test_noise_neither_crashes_a_parser_nor_becomes_a_number(wire: Wire) -> None:
    chance = random.Random(wire.driver)
    told = 0
    for _ in range(INPUTS):
        raw = broken(wire.seeds, chance)
        try:
            samples = list(wire.hear(raw))
        except EXPECTED:
            continue
        for sample in samples:
            assert (sample.value is None) == (sample.quality == "unavailable"), raw
            assert (sample.reason == "") == (sample.quality == "good"), raw
            if sample.value is not None:
                told += 1
                assert wire.is_sound(raw), f"{sample} was not in {raw!r}"
                assert not isinstance(sample.value, float) or math.isfinite(sample.value), raw
    assert told < 5 * INPUTS, "most of this is noise"


def test_empty_input_gives_no_value(wire: Wire) -> None:
    if wire.driver == "i2c.bme280":
        pytest.skip("a transfer always has its length; an open bus reads as ones")
    with suppress(*EXPECTED):
        assert [sample for sample in wire.hear(b"") if sample.value is not None] == []
