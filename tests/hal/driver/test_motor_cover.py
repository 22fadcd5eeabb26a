"""The blind on mock pins, its time turned by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import HalError, PinBusy, Unplugged
from hal.driver.motor_cover import OVERRUN, MotorCover
from hal.link.gpio import OutputLine, open_pins
from tests.hal.bench import act, at, wiring

OPEN, CLOSE = 5, 6
OPTIONS = {
    "open_pin": OPEN,
    "close_pin": CLOSE,
    "travel_s": 20,
    "close_travel_s": 10,
    "pause_s": 0.5,
}


class Blind:
    """A cover and a clock that ticks ten times a second while it wants to."""

    def __init__(self) -> None:
        self.pins: Any = open_pins("mock")
        self.cover = MotorCover(wiring("cover", gpio=self.pins, options=OPTIONS))
        self.seconds = 0.0

    @property
    def powered(self) -> tuple[bool, bool]:
        return bool(self.pins.pin(OPEN).state), bool(self.pins.pin(CLOSE).state)

    @property
    def state(self) -> tuple[Any, Any]:
        read = self.cover.read_back(at(self.seconds))
        return read["state"], read["position"]

    def tell(self, name: str, **args: Any) -> None:
        self.cover.apply(act(name, **args), at(self.seconds))

    def wait(self, seconds: float) -> None:
        end = self.seconds + seconds
        while self.seconds < end - 1e-9:
            self.seconds = min(end, self.seconds + 0.1)
            self.cover.advance(at(self.seconds))
            assert self.powered != (True, True)

    def settle(self) -> None:
        while self.cover.advance(at(self.seconds)):
            self.wait(0.1)


@pytest.fixture
def blind() -> Blind:
    return Blind()


@pytest.fixture
def closed(blind: Blind) -> Blind:
    blind.tell("close")
    blind.settle()
    assert blind.state == ("closed", 0)
    blind.wait(1)  # more than the rest between two directions
    return blind


def test_position_is_unknown_until_a_full_travel(blind: Blind) -> None:
    assert blind.state == ("stopped", None)
    blind.tell("open")
    blind.wait(19.9)
    assert blind.state == ("opening", None)
    blind.settle()
    assert blind.state == ("open", 100)
    assert blind.seconds == pytest.approx(20 * (1 + OVERRUN), abs=0.11)


def test_stop_on_the_way_to_a_first_end_leaves_it_unknown(blind: Blind) -> None:
    blind.tell("open")
    blind.wait(10)
    blind.tell("stop")
    assert (blind.state, blind.powered) == (("stopped", None), (False, False))


def test_open_said_again_does_not_start_the_travel_anew(blind: Blind) -> None:
    blind.tell("open")
    blind.wait(15)
    blind.tell("open")
    blind.settle()
    assert blind.seconds == pytest.approx(21, abs=0.11)


@pytest.mark.parametrize(("position", "first"), [(60, "opening"), (50, "opening"), (20, "closing")])
def test_unknown_position_is_found_at_the_nearer_end_first(
    blind: Blind, position: float, first: str
) -> None:
    blind.tell("set_position", position=position)
    blind.wait(0.2)
    assert blind.state == (first, None)
    blind.settle()
    assert blind.state == ("open", pytest.approx(position, abs=2))


@pytest.mark.parametrize("position", [1, 10, 50, 99])
def test_position_is_reached_from_closed_and_back(closed: Blind, position: float) -> None:
    closed.tell("set_position", position=position)
    closed.settle()
    assert closed.state == ("open", pytest.approx(position, abs=2))
    closed.tell("set_position", position=0)
    closed.settle()
    assert closed.state == ("closed", 0)


def test_travel_times_of_both_ways_differ(closed: Blind) -> None:
    closed.tell("open")
    closed.wait(10)
    assert closed.state == ("opening", pytest.approx(50, abs=1))
    closed.tell("close")
    closed.wait(0.5 + 2.5)
    assert closed.state == ("closing", pytest.approx(25, abs=2))


def test_motor_rests_between_directions(closed: Blind) -> None:
    closed.tell("open")
    closed.wait(5)
    closed.tell("close")
    assert (closed.state[0], closed.powered) == ("open", (False, False))
    closed.wait(0.4)
    assert closed.powered == (False, False)
    closed.wait(0.2)
    assert closed.powered == (False, True)


def test_last_wish_during_the_rest_wins(closed: Blind) -> None:
    closed.tell("open")
    closed.wait(5)
    closed.tell("close")
    closed.wait(0.2)
    closed.tell("open")
    assert closed.powered == (True, False), "the same way as before needs no rest"
    closed.tell("close")
    closed.tell("stop")
    closed.wait(2)
    assert closed.powered == (False, False)


def test_being_there_already_moves_nothing(closed: Blind) -> None:
    closed.tell("close")
    assert not closed.cover.advance(at(closed.seconds))
    assert closed.powered == (False, False)


def test_tick_that_comes_late_is_told_honestly(closed: Blind) -> None:
    closed.tell("set_position", position=50)
    closed.seconds += 14  # the tick was held up for 4 s too long
    closed.cover.advance(at(closed.seconds))
    assert closed.state == ("open", 70)


def test_motor_found_running_is_stopped(blind: Blind) -> None:
    blind.tell("open")
    pins = blind.pins
    for line in blind.cover._lines.values():
        line.close()  # its owner died
    assert blind.powered == (True, False)
    again = MotorCover(wiring("cover", gpio=pins, options=OPTIONS))
    assert blind.powered == (False, False)
    assert again.read_back(at(0))["position"] is None


def test_close_stops_the_motor(blind: Blind) -> None:
    blind.tell("open")
    blind.cover.close()
    assert blind.powered == (False, False)


def test_stuck_other_direction_forbids_to_start(blind: Blind) -> None:
    pin = blind.pins.pin(CLOSE)
    pin._change_state = lambda value: None  # its driver is shorted on, on gpiozero's mock
    pin._state = True
    with pytest.raises(HalError, match="does not let go"):
        blind.tell("open")
    assert blind.powered == (False, True)
    blind.wait(5)
    assert blind.powered == (False, True), "it started later by itself"


def test_other_direction_that_sticks_during_the_rest_is_told_by_the_read_back(
    closed: Blind,
) -> None:
    closed.tell("open")
    closed.wait(5)
    closed.tell("close")
    pin = closed.pins.pin(OPEN)
    pin._change_state = lambda value: None  # its driver is shorted on, on gpiozero's mock
    pin._state = True
    closed.seconds += 1
    assert not closed.cover.advance(at(closed.seconds))
    with pytest.raises(HalError, match="does not let go"):
        closed.cover.read_back(at(closed.seconds))
    assert closed.powered == (True, False)


def test_motor_that_could_not_be_stopped_is_tried_again(closed: Blind) -> None:
    closed.tell("open")
    pin = closed.pins.pin(OPEN)
    sound = pin._set_state

    def vanish(value: float) -> None:
        raise ConnectionResetError("board is away")

    pin._set_state = vanish
    closed.seconds += 30
    assert closed.cover.advance(at(closed.seconds))
    pin._set_state = sound
    assert not closed.cover.advance(at(closed.seconds))
    assert closed.powered == (False, False)


def test_both_directions_powered_is_told(blind: Blind) -> None:
    blind.pins.pin(OPEN).state = 1
    blind.pins.pin(CLOSE).state = 1
    with pytest.raises(HalError, match="both directions"):
        blind.cover.read_back(at(0))


def test_same_pin_for_both_directions_is_refused_and_freed() -> None:
    pins = open_pins("mock")
    options = OPTIONS | {"close_pin": OPEN}
    with pytest.raises(PinBusy):
        MotorCover(wiring("cover", gpio=pins, options=options))
    OutputLine(pins, OPEN, owner="other")


def test_board_that_vanishes_fails_the_wish_and_starts_nothing_later(closed: Blind) -> None:
    pin = closed.pins.pin(OPEN)
    sound = pin._set_state

    def vanish(value: float) -> None:
        raise ConnectionResetError("board is away")

    pin._set_state = vanish
    with pytest.raises(Unplugged):
        closed.tell("open")
    pin._set_state = sound
    closed.settle()
    assert closed.powered == (False, False)


wishes = st.sampled_from(
    [("open", {}), ("close", {}), ("stop", {}), *(("set_position", {"position": p}) for p in (0, 3, 50, 97, 100))]
)  # fmt: skip


@given(st.lists(st.tuples(wishes, st.floats(0, 30)), max_size=12))
def test_never_both_on_always_in_range_and_at_rest_in_the_end(
    steps: list[tuple[tuple[str, dict[str, float]], float]],
) -> None:
    blind = Blind()
    for (name, args), seconds in steps:
        blind.tell(name, **args)
        blind.wait(seconds)
        position = blind.state[1]
        assert position is None or 0 <= position <= 100
    blind.wait(80)  # more than the longest chain: to an end, rest, to the goal
    assert blind.powered == (False, False)
    assert not blind.cover.advance(at(blind.seconds))


@given(st.lists(st.sampled_from(["open", "close"]), min_size=1, max_size=8))
def test_reversing_always_rests(names: list[str]) -> None:
    blind, off_since, last = Blind(), 0.0, None
    for name in names * 2:
        blind.tell(name)
        for _ in range(15):
            way = {(True, False): "open", (False, True): "close"}.get(blind.powered)
            if way and last and way != last:
                assert blind.seconds - off_since >= 0.5 - 1e-6
            if way:
                off_since, last = blind.seconds, way
            blind.wait(0.1)


STOPS = {"open_stop_pin": 20, "closed_stop_pin": 21}


class Spindle(Blind):
    """The same with two end stops, and a motor whose real place the world knows."""

    def __init__(self, *, place_s: float = 10.0) -> None:
        self.place_s = place_s
        """Seconds of opening from closed; the whole way takes 18."""
        self.is_stuck = False
        self.pins = open_pins("mock")
        self.cover = MotorCover(wiring("cover", gpio=self.pins, options={**OPTIONS, **STOPS}))
        self.seconds = 0.0
        self.press()

    def press(self) -> None:
        for pin, pressed in ((20, self.place_s >= 18), (21, self.place_s <= 0)):
            (self.pins.pin(pin).drive_low if pressed else self.pins.pin(pin).drive_high)()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            opening, closing = self.powered
            self.place_s += 0 if self.is_stuck else (opening - 2 * closing) * 0.1
            self.press()
            super().wait(0.1)


def test_end_stop_ends_the_run_and_tells_the_place() -> None:
    spindle = Spindle()
    spindle.tell("open")
    spindle.wait(7.5)
    assert spindle.powered == (True, False)
    spindle.wait(1.0)
    assert spindle.powered == (False, False), "the stop was reached long before the travel time"
    assert spindle.state == ("open", 100)


def test_place_is_known_at_start_from_an_end_stop() -> None:
    assert Spindle(place_s=18.0).state == ("open", 100)
    assert Spindle(place_s=0.0).state == ("closed", 0)
    assert Spindle(place_s=9.0).state == ("stopped", None)


def test_hand_that_moved_it_from_its_end_is_noticed() -> None:
    spindle = Spindle(place_s=0.0)
    assert spindle.state == ("closed", 0)
    spindle.place_s = 5.0
    spindle.press()
    assert spindle.state == ("stopped", None)
    spindle.tell("close")
    spindle.settle()
    assert spindle.state == ("closed", 0)


def test_motor_that_does_not_reach_its_end_stop_is_told() -> None:
    spindle = Spindle()
    spindle.is_stuck = True
    spindle.tell("open")
    spindle.wait(25)
    assert spindle.powered == (False, False)
    with pytest.raises(HalError, match="did not reach its end stop"):
        spindle.state  # noqa: B018  # reading it is the test
    spindle.is_stuck = False
    spindle.tell("open")
    spindle.settle()
    assert spindle.state == ("open", 100), "the next wish is tried again"


def test_position_is_reached_by_way_of_an_end_stop() -> None:
    spindle = Spindle()
    spindle.tell("set_position", position=50)
    spindle.settle()
    assert spindle.state[1] == pytest.approx(50, abs=2)
    assert spindle.powered == (False, False)


def test_run_to_an_end_that_is_reached_already_powers_nothing() -> None:
    spindle = Spindle(place_s=18.0)
    spindle.tell("open")
    assert spindle.powered == (False, False)


def test_pins_of_the_end_stops_are_given_back() -> None:
    spindle = Spindle()
    spindle.cover.close()
    MotorCover(wiring("cover", gpio=spindle.pins, options={**OPTIONS, **STOPS})).close()
