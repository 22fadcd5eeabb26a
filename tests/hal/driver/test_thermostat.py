"""The thermostat in a room made of two states."""

from __future__ import annotations

from typing import Any

import pytest

from hal.contract import DriverError, HalError, Unsupported
from hal.driver.thermostat import ASK_AGAIN_S, Thermostat
from llmagentos.plan import Action
from llmagentos.reading import Quality, State
from tests.hal.bench import NOW, act, at, wiring

OPTIONS = {"heater": "heater", "sensor": "air", "target": 20, "tolerance": 0.5, "min_cycle_s": 60}


class Room:
    """A heater that obeys while `obeys`, and air that has the temperature it is given."""

    def __init__(self) -> None:
        self.thermostat = Thermostat(wiring("climate", options=OPTIONS))
        self.seconds = 0.0
        self.celsius: Any = 18.0
        self.quality = Quality.GOOD
        self.heater = "off"
        self.heater_quality = Quality.GOOD
        self.obeys = True

    def tell(self, name: str, **args: Any) -> None:
        self.thermostat.apply(act(name, **args), at(self.seconds))

    def wait(self, seconds: float) -> list[str]:
        """What it asked for, ticking every 5 s."""
        asked = []
        for _ in range(int(seconds / 5)):
            self.seconds += 5
            asked += [action.name for action in self.propose()]
        return asked

    def propose(self) -> tuple[Action, ...]:
        states = {
            "air": State("air", {"temperature": self.celsius}, quality=self.quality),
            "heater": State("heater", {"state": self.heater}, quality=self.heater_quality),
        }
        proposed = self.thermostat.propose(states, at(self.seconds))
        for action in proposed:
            assert action.device == "heater"
            if self.obeys:
                self.heater = "on" if action.name == "turn_on" else "off"
        return proposed


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def heating(room: Room) -> Room:
    room.tell("turn_on")
    assert room.wait(70) == ["turn_on"]
    assert room.heater == "on"
    return room


def test_it_is_off_until_told(room: Room) -> None:
    assert room.wait(600) == []
    assert room.thermostat.read_back(NOW) == {
        "state": "off", "target_temperature": 20.0, "current_temperature": 18.0,
    }  # fmt: skip


def test_it_says_a_wish_once(heating: Room) -> None:
    assert heating.wait(3600) == []


@pytest.mark.parametrize(
    ("celsius", "asked"),
    [(19.0, []), (20.4, []), (20.5, ["turn_off"]), (25.0, ["turn_off"])],
)
def test_it_stops_above_the_tolerance(heating: Room, celsius: float, asked: list[str]) -> None:
    heating.wait(60)
    heating.celsius = celsius
    assert heating.wait(30) == asked


def test_it_starts_again_below_the_tolerance(heating: Room) -> None:
    heating.wait(60)
    heating.celsius = 21.0
    heating.wait(10)
    heating.celsius = 19.6
    assert heating.wait(120) == []
    heating.celsius = 19.5
    assert heating.wait(10) == ["turn_on"]


def test_it_heats_for_a_whole_cycle_at_least(heating: Room) -> None:
    heating.celsius = 30.0
    started = heating.seconds
    while not heating.wait(5):
        pass
    assert heating.seconds - started >= 45


def test_it_waits_a_cycle_after_its_own_start(room: Room) -> None:
    room.tell("turn_on")
    assert room.wait(55) == []


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.SUSPECT, Quality.UNAVAILABLE])
def test_heater_goes_off_at_once_without_a_good_reading(heating: Room, quality: Quality) -> None:
    heating.quality = quality
    assert heating.wait(5) == ["turn_off"]
    assert heating.wait(600) == [], "and stays off"
    assert heating.thermostat.read_back(NOW)["current_temperature"] is None


@pytest.mark.parametrize("celsius", [None, True, "warm"])
def test_reading_that_is_no_number_is_no_reading(heating: Room, celsius: Any) -> None:
    heating.celsius = celsius
    assert heating.wait(5) == ["turn_off"]


def test_zero_degrees_is_a_reading(room: Room) -> None:
    room.celsius = 0.0
    room.tell("turn_on")
    assert room.wait(70) == ["turn_on"]


@pytest.mark.parametrize("told", [("turn_off", {}), ("set_hvac_mode", {"mode": "off"})])
def test_off_switches_its_heater_off_at_once(
    heating: Room, told: tuple[str, dict[str, Any]]
) -> None:
    heating.tell(told[0], **told[1])
    assert heating.wait(5) == ["turn_off"]


def test_off_leaves_a_heater_alone_that_somebody_else_switched_on(room: Room) -> None:
    room.heater = "on"
    assert room.wait(600) == []


def test_refused_wish_is_said_again_after_a_pause(room: Room) -> None:
    room.obeys = False
    room.tell("turn_on")
    room.wait(60)
    assert room.wait(ASK_AGAIN_S * 4) == ["turn_on"] * 4


def test_refused_off_is_said_again(heating: Room) -> None:
    heating.obeys = False
    heating.tell("turn_off")
    assert heating.wait(ASK_AGAIN_S * 2) == ["turn_off"] * 2


def test_heater_that_somebody_switched_off_is_asked_for_again(heating: Room) -> None:
    heating.heater = "off"
    assert heating.wait(65) == ["turn_on"]


@pytest.mark.parametrize("quality", [Quality.UNAVAILABLE])
def test_nothing_is_asked_of_a_heater_that_is_away(room: Room, quality: Quality) -> None:
    room.tell("turn_on")
    room.heater_quality = quality
    assert room.wait(600) == []


def test_missing_devices_are_not_guessed(room: Room) -> None:
    room.tell("turn_on")
    assert room.thermostat.propose({}, NOW) == ()


def test_new_target_counts(heating: Room) -> None:
    heating.wait(60)
    heating.tell("set_temperature", temperature=15.0)
    assert heating.wait(10) == ["turn_off"]


def test_it_knows_two_modes(room: Room) -> None:
    with pytest.raises(HalError, match="cool"):
        room.tell("set_hvac_mode", mode="cool")
    with pytest.raises(Unsupported):
        room.tell("set_position", position=1)


def test_options_name_both_devices() -> None:
    with pytest.raises(DriverError, match="'sensor' is missing"):
        Thermostat(wiring("climate", options={"heater": "heater"}))
