"""Distances from echoes: a table, odd echoes, and the device on a chip's lines."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import DriverError, PinBusy
from hal.driver.hc_sr04 import PINGS, HcSr04, Options, judge
from hal.link.gpiod import GpiodFactory
from tests.hal.bench import Inbox, clock, eventually, wiring
from tests.hal.chip import FakeChip, Sonar

OPTIONS = Options(trigger_pin=23, echo_pin=24)
PINS = {"trigger_pin": 23, "echo_pin": 24}
METRE_S = 2 / 343.42
"""A metre and back through air of 20 °C."""


@pytest.mark.parametrize(
    ("lengths_s", "cm"),
    [
        ([METRE_S] * 3,                       100.0),
        ([METRE_S, METRE_S, 3 * METRE_S],     100.0),
        ([METRE_S, 2 * METRE_S, 3 * METRE_S], 200.0),
        ([METRE_S, METRE_S, 0.038],           100.0),
        ([METRE_S, 0.038, 0.038],             None),
        ([0.038] * 3,                         None),
        ([METRE_S / 100] * 3,                 None),
        ([4 * METRE_S] * 3,                   400.0),
        ([0.0] * 3,                           None),
    ],
    ids=["steady", "one is off", "spread", "one without echo", "two without", "nothing there",
         "covered", "at its reach", "no length"],
)  # fmt: skip
def test_echoes_as_distance(lengths_s: list[float], cm: float | None) -> None:
    assert judge(lengths_s, OPTIONS).value == (None if cm is None else pytest.approx(cm, abs=0.1))


def test_warm_air_is_quicker() -> None:
    warm = judge([METRE_S] * 3, Options(trigger_pin=1, echo_pin=2, air_temperature=30.0))
    assert warm.value == pytest.approx(101.8, abs=0.1)


@given(st.lists(st.floats(-1, 10), min_size=PINGS, max_size=PINGS))
def test_no_echo_gives_a_distance_beyond_reach(lengths_s: list[float]) -> None:
    value = judge(lengths_s, OPTIONS).value
    assert value is None or (isinstance(value, float) and 2.0 <= value <= 400.0)
    assert value is None or math.isfinite(value)


@pytest.fixture
def chip() -> FakeChip:
    return FakeChip()


@pytest.fixture
def pins(chip: FakeChip) -> Iterator[GpiodFactory]:
    made = GpiodFactory("/dev/gpiochip0", open_chip=chip.open)
    yield made
    made.close()


def test_time_stamps_of_the_kernel_are_the_measure(
    chip: FakeChip, pins: GpiodFactory, inbox: Inbox
) -> None:
    sonar = Sonar(chip, trigger=23, echo=24)
    sonar.echoes_s = [METRE_S, METRE_S * 1.2, METRE_S]
    sensor = HcSr04(wiring("sensor", gpio=pins, options={**PINS, "period_s": 3600}))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(100.0))
    assert (sonar.pings, inbox.readings[0].unit) == (PINGS, "cm")
    sensor.close()


@pytest.mark.parametrize(
    ("is_high", "says"), [(False, "no echo pulse"), (True, "stays high")], ids=["dead", "stuck"]
)
def test_part_that_does_not_answer_is_told(
    chip: FakeChip, pins: GpiodFactory, inbox: Inbox, is_high: bool, says: str
) -> None:
    Sonar(chip, trigger=23, echo=24).echoes_s = [None]
    sensor = HcSr04(wiring("sensor", gpio=pins, options={**PINS, "period_s": 0.1}))
    chip.lines[24].level = int(is_high)
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(None, "unavailable"))
    assert says in inbox.readings[0].reason
    sensor.close()


def test_both_pins_are_given_back(pins: GpiodFactory) -> None:
    HcSr04(wiring("sensor", gpio=pins, options=PINS)).close()
    taken = HcSr04(wiring("sensor", gpio=pins, options={"trigger_pin": 5, "echo_pin": 24}))
    with pytest.raises(PinBusy):
        HcSr04(wiring("sensor", gpio=pins, options=PINS))
    taken.close()
    HcSr04(wiring("sensor", gpio=pins, options=PINS)).close()


def test_pins_must_be_written(pins: GpiodFactory) -> None:
    with pytest.raises(DriverError, match="'echo_pin' is missing"):
        HcSr04(wiring("sensor", gpio=pins, options={"trigger_pin": 5}))
