"""A motor on mock pins: speed, direction, the rest between two directions, stopping."""

from __future__ import annotations

from typing import Any

import pytest

from hal.contract import DriverError, HalError, PinBusy, Unsupported
from hal.driver.h_bridge import HBridge
from hal.link.gpio import open_pins
from tests.hal.bench import NOW, act, at, wiring

BOTH = {"forward_pin": 5, "backward_pin": 6, "pause_s": 0.5}


@pytest.fixture
def pins() -> Any:
    return open_pins("mock")


@pytest.fixture
def motor(pins: Any) -> HBridge:
    return HBridge(wiring("number", gpio=pins, options=BOTH))


def levels(pins: Any) -> list[float]:
    return [round(pins.pin(pin).state, 2) for pin in (5, 6)]


def tell(motor: HBridge, value: float, seconds: float = 0.0) -> None:
    motor.apply(act("set_value", value=value), at(seconds))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, [0, 0]), (100, [1, 0]), (40, [0.4, 0]), (-100, [0, 1]), (-25, [0, 0.25])],
)
def test_speed_goes_to_the_pin_of_its_direction(
    pins: Any, motor: HBridge, value: float, expected: list[float]
) -> None:
    tell(motor, value)
    assert levels(pins) == expected
    assert motor.read_back(NOW) == {"state": value}


def test_motor_rests_between_two_directions(pins: Any, motor: HBridge) -> None:
    tell(motor, 80)
    tell(motor, -60, 1.0)
    assert levels(pins) == [0, 0]
    assert motor.advance(at(1.4)), "it is not there yet"
    assert levels(pins) == [0, 0]
    assert not motor.advance(at(1.6))
    assert levels(pins) == [0, 0.6]


def test_rest_is_kept_when_it_was_stopped_first(pins: Any, motor: HBridge) -> None:
    tell(motor, 80)
    tell(motor, 0, 1.0)
    tell(motor, -60, 1.1)
    assert levels(pins) == [0, 0]
    assert not motor.advance(at(1.6))
    assert levels(pins) == [0, 0.6]


def test_stop_within_the_rest_stays_a_stop(pins: Any, motor: HBridge) -> None:
    tell(motor, 80)
    tell(motor, -60, 1.0)
    tell(motor, 0, 1.1)
    assert not motor.advance(at(5.0))
    assert levels(pins) == [0, 0]


def test_newest_goal_counts_after_the_rest(pins: Any, motor: HBridge) -> None:
    tell(motor, 80)
    tell(motor, -60, 1.0)
    tell(motor, 30, 1.1)
    assert levels(pins) == [0, 0]
    assert not motor.advance(at(2.0))
    assert levels(pins) == [0.3, 0]


@pytest.mark.parametrize("history", [[100, -100, 50, -50], [0, -1, 1, 0, -100, 100], [-5, 5] * 5])
def test_both_inputs_are_never_powered(pins: Any, motor: HBridge, history: list[float]) -> None:
    for step, value in enumerate(history):
        tell(motor, value, step * 0.2)
        assert 0 in levels(pins)
        motor.advance(at(step * 0.2 + 0.1))
        assert 0 in levels(pins)


def test_fan_keeps_its_speed_over_off_and_on(pins: Any) -> None:
    fan = HBridge(wiring("fan", gpio=pins, options={"forward_pin": 5}))
    fan.apply(act("set_speed", speed=40), NOW)
    fan.apply(act("turn_off"), at(1))
    assert fan.read_back(NOW) == {"state": "off", "speed": 0}
    fan.apply(act("turn_on"), at(5))
    fan.advance(at(5))
    assert fan.read_back(NOW) == {"state": "on", "speed": 40}


def test_enable_pin_follows(pins: Any) -> None:
    motor = HBridge(wiring("number", gpio=pins, options={**BOTH, "enable_pin": 7}))
    assert pins.pin(7).state == 0
    tell(motor, 50)
    assert pins.pin(7).state == 1
    pins.pin(7).state = 0
    assert motor.read_back(NOW) == {"state": 0}, "a bridge that sleeps turns nothing"


def test_running_motor_stops_when_it_is_closed_and_when_it_is_taken_over(pins: Any) -> None:
    motor = HBridge(wiring("number", gpio=pins, options=BOTH))
    tell(motor, 70)
    motor.close()
    assert levels(pins) == [0, 0]
    pins.pin(5).state = 1.0  # what pulses that ended may leave behind
    HBridge(wiring("number", gpio=pins, options=BOTH))
    assert levels(pins) == [0, 0]


def test_two_powered_inputs_are_told(pins: Any, motor: HBridge) -> None:
    tell(motor, 50)
    pins.pin(6).state = 1.0
    with pytest.raises(HalError, match="both inputs"):
        motor.read_back(NOW)


@pytest.mark.parametrize(
    ("kind", "options", "action", "error"),
    [
        ("number", BOTH,               act("set_value", value=101), HalError),
        ("number", {"forward_pin": 5}, act("set_value", value=-10), HalError),
        ("number", BOTH,               act("turn_on"),              Unsupported),
        ("fan",    BOTH,               act("set_value", value=5),   Unsupported),
    ],
)  # fmt: skip
def test_what_it_cannot_is_refused_and_changes_nothing(
    pins: Any, kind: str, options: dict, action: Any, error: type
) -> None:
    motor = HBridge(wiring(kind, gpio=pins, options=options))
    with pytest.raises(error):
        motor.apply(action, NOW)
    assert levels(pins)[0] == 0


def test_pins_are_given_back_when_one_is_taken(pins: Any, motor: HBridge) -> None:
    with pytest.raises(PinBusy):
        HBridge(wiring("number", gpio=pins, options={**BOTH, "forward_pin": 9}))
    with pytest.raises(DriverError):
        HBridge(wiring("number", gpio=pins, options={"backward_pin": 6}))
    HBridge(wiring("fan", gpio=pins, options={"forward_pin": 9})).close()
