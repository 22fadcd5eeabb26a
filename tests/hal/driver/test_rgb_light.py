"""A lamp of three colours on mock pins: what each pin does, what it says it is."""

from __future__ import annotations

from typing import Any

import pytest

from hal.contract import HalError, PinBusy
from hal.driver.rgb_light import SHADES, RgbLight, name_of
from hal.link.gpio import open_pins
from llmagentos.kind import COLORS
from tests.hal.bench import NOW, act, wiring

PINS = {"red_pin": 12, "green_pin": 13, "blue_pin": 19}


@pytest.fixture
def pins() -> Any:
    return open_pins("mock")


@pytest.fixture
def lamp(pins: Any) -> RgbLight:
    return RgbLight(wiring("light", gpio=pins, options=PINS))


def duties(pins: Any) -> list[float]:
    return [round(pins.pin(pin).state, 3) for pin in PINS.values()]


def test_every_colour_that_is_understood_has_a_shade_but_black() -> None:
    assert set(SHADES) == set(COLORS) - {"black"}
    assert {name_of(shade) for shade in SHADES.values()} == set(SHADES), "two are alike"


@pytest.mark.parametrize("color", SHADES)
@pytest.mark.parametrize("brightness", [100, 40, 3])
def test_colour_and_brightness_are_read_from_the_pins(
    pins: Any, lamp: RgbLight, color: str, brightness: int
) -> None:
    lamp.apply(act("set_color", color=color), NOW)
    lamp.apply(act("set_brightness", brightness=brightness), NOW)
    assert lamp.read_back(NOW) == {"state": "on", "brightness": brightness, "color": color}
    assert duties(pins) == [round(share * brightness / 100, 3) for share in SHADES[color]]


def test_colour_and_brightness_outlast_the_dark(pins: Any, lamp: RgbLight) -> None:
    lamp.apply(act("set_color", color="blue"), NOW)
    lamp.apply(act("set_brightness", brightness=30), NOW)
    lamp.apply(act("turn_off"), NOW)
    assert duties(pins) == [0, 0, 0]
    assert lamp.read_back(NOW) == {"state": "off", "brightness": 0}
    lamp.apply(act("turn_on"), NOW)
    assert lamp.read_back(NOW) == {"state": "on", "brightness": 30, "color": "blue"}


def test_colour_lights_a_dark_lamp(lamp: RgbLight) -> None:
    lamp.apply(act("set_color", color="green"), NOW)
    assert lamp.read_back(NOW)["state"] == "on"


def test_black_is_refused_and_changes_nothing(pins: Any, lamp: RgbLight) -> None:
    lamp.apply(act("turn_on"), NOW)
    with pytest.raises(HalError, match="cannot be black; there are white"):
        lamp.apply(act("set_color", color="black"), NOW)
    assert duties(pins) == [1, 1, 1]


def test_pin_that_does_not_follow_changes_the_colour_that_is_told(
    pins: Any, lamp: RgbLight
) -> None:
    lamp.apply(act("set_color", color="white"), NOW)
    pins.pin(19).state = 0.0  # the blue part is dead
    assert lamp.read_back(NOW).get("color") != "white"


def test_next_process_finds_colour_and_brightness(pins: Any, lamp: RgbLight) -> None:
    lamp.apply(act("set_color", color="turquoise"), NOW)
    lamp.apply(act("set_brightness", brightness=50), NOW)
    lamp.close()
    again = RgbLight(wiring("light", gpio=pins, options=PINS))
    assert again.read_back(NOW) == {"state": "on", "brightness": 50, "color": "turquoise"}


def test_pins_are_given_back_when_one_is_taken(pins: Any, lamp: RgbLight) -> None:
    with pytest.raises(PinBusy):
        RgbLight(wiring("light", gpio=pins, options={**PINS, "red_pin": 5}))
    lamp.close()
    RgbLight(wiring("light", gpio=pins, options={**PINS, "red_pin": 5})).close()
