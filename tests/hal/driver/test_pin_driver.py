"""Relay, lamp, buzzer, button and motion sensor on mock pins."""

from __future__ import annotations

from typing import Any

import pytest

from hal.contract import Unsupported
from hal.driver.button import Button
from hal.driver.motion import Motion
from hal.driver.pwm_light import PwmLight
from hal.driver.relay import Relay
from hal.link.gpio import open_pins
from tests.hal.bench import NOW, Inbox, act, clock, wiring


@pytest.fixture
def pins() -> Any:
    return open_pins("mock")


@pytest.mark.parametrize("active_high", [True, False])
@pytest.mark.parametrize(
    ("kind", "on", "off", "active", "resting"),
    [
        ("switch", "turn_on", "turn_off", "on",       "off"),
        ("light",  "turn_on", "turn_off", "on",       "off"),
        ("lock",   "unlock",  "lock",     "unlocked", "locked"),
        ("valve",  "open",    "close",    "open",     "closed"),
    ],
)  # fmt: skip
def test_relay_speaks_the_words_of_its_kind(
    pins: Any, kind: str, on: str, off: str, active: str, resting: str, active_high: bool
) -> None:
    relay = Relay(wiring(kind, pin=17, gpio=pins, options={"active_high": active_high}))
    assert relay.read_back(NOW)["state"] == resting
    relay.apply(act(on), NOW)
    assert relay.read_back(NOW)["state"] == active
    assert bool(pins.pin(17).state) is active_high
    relay.apply(act(off), NOW)
    assert relay.read_back(NOW)["state"] == resting


@pytest.mark.parametrize(
    ("kind", "name"), [("switch", "open"), ("lock", "turn_on"), ("fan", "set_speed")]
)
def test_relay_refuses_what_its_kind_does_not_say(pins: Any, kind: str, name: str) -> None:
    relay = Relay(wiring(kind, pin=17, gpio=pins))
    with pytest.raises(Unsupported, match=name):
        relay.apply(act(name), NOW)


def brightness(lamp: PwmLight) -> Any:
    return lamp.read_back(NOW)["brightness"]


def test_lamp_remembers_its_brightness(pins: Any) -> None:
    lamp = PwmLight(wiring("light", pin=18, gpio=pins))
    assert lamp.read_back(NOW) == {"state": "off", "brightness": 0}
    lamp.apply(act("turn_on"), NOW)
    assert brightness(lamp) == 100
    lamp.apply(act("set_brightness", brightness=30.0), NOW)
    lamp.apply(act("turn_on"), NOW)
    assert brightness(lamp) == 30, "a lamp that is on stays as it is"
    lamp.apply(act("turn_off"), NOW)
    lamp.apply(act("turn_on"), NOW)
    assert brightness(lamp) == 30


def test_brightness_of_zero_is_off(pins: Any) -> None:
    lamp = PwmLight(wiring("light", pin=18, gpio=pins))
    lamp.apply(act("set_brightness", brightness=55.5), NOW)
    assert lamp.read_back(NOW) == {"state": "on", "brightness": 55.5}
    lamp.apply(act("set_brightness", brightness=0), NOW)
    assert lamp.read_back(NOW) == {"state": "off", "brightness": 0}
    lamp.apply(act("turn_on"), NOW)
    assert brightness(lamp) == 55.5


def test_button_tells_edges(pins: Any) -> None:
    inbox = Inbox()
    button = Button(wiring("button", pin=16, gpio=pins))
    button.start(inbox.post, clock)
    pins.pin(16).drive_low()
    pins.pin(16).drive_high()
    assert [(each.quantity, each.value, each.quality) for each in inbox.readings] == [
        ("state", "idle", "good"), ("state", "pressed", "good"), ("state", "idle", "good"),
    ]  # fmt: skip
    button.close()


def test_button_that_is_down_at_the_start_is_suspect(pins: Any) -> None:
    inbox = Inbox()
    held = Button(wiring("button", pin=16, gpio=pins, options={"pull": "down"}))
    held.start(inbox.post, clock)
    assert inbox.has("pressed", "suspect")


def test_motion_is_on_and_off(pins: Any) -> None:
    inbox = Inbox()
    motion = Motion(wiring("binary_sensor", pin=12, gpio=pins))
    motion.start(inbox.post, clock)
    pins.pin(12).drive_high()
    pins.pin(12).drive_low()
    assert inbox.values == ["off", "on", "off"]
