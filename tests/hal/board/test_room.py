"""The room's physics: directions, sizes and limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hal.board.room import Building, Loads, RoomState, illuminance_lx, outdoor_c, step

BUILDING = Building()
START = RoomState(hour=3.0, air_c=19.0, wall_c=19.0, soil_pct=35.0, blind_pct=50.0)
OFF = Loads()
HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("loads", "hours", "low", "high"),
    [
        (Loads(heater=1.0),             0.25, 23.0, 25.5),
        (Loads(heater=1.0),             1.0,  26.0, 29.0),
        (Loads(heater=0.5),             1.0,  22.0, 24.5),
        (OFF,                           1.0,  17.5, 18.5),
        (Loads(fan=1.0),                1.0,  15.0, 16.0),
        (Loads(heater=1.0, fan=1.0),    1.0,  21.5, 23.0),
    ],
    ids=["heater 15 min", "heater 1 h", "heater at half", "nothing", "fan", "heater against fan"],
)  # fmt: skip
def test_air_ends_between(loads: Loads, hours: float, low: float, high: float) -> None:
    after = step(START, loads, BUILDING, dt_s=hours * HOUR_S)
    assert low < after.air_c < high


def test_fan_warms_a_room_that_is_colder_than_outdoors() -> None:
    noon = replace(START, hour=14.0, air_c=14.0, wall_c=14.0)
    still, blown = (step(noon, loads, BUILDING, dt_s=HOUR_S) for loads in (OFF, Loads(fan=1.0)))
    assert blown.air_c > still.air_c > 14.0


def test_room_settles_at_the_outdoor_mean_with_nothing_on() -> None:
    state = START
    for _ in range(24 * 40):
        state = step(state, OFF, BUILDING, dt_s=HOUR_S)
    assert state.wall_c == pytest.approx(BUILDING.outdoor_mean_c, abs=1.5)


@pytest.mark.parametrize(
    ("seconds", "low", "high"), [(20, 40.5, 40.7), (3600, 47.8, 48.0)], ids=["20 s", "an hour"]
)
def test_pump_wets_the_soil_up_to_what_it_holds(seconds: float, low: float, high: float) -> None:
    after = step(START, Loads(pump=1.0), BUILDING, dt_s=seconds)
    assert low < after.soil_pct <= high


def test_soil_dries_a_few_points_a_day() -> None:
    after = step(START, OFF, BUILDING, dt_s=24 * HOUR_S)
    assert 1.0 < START.soil_pct - after.soil_pct < 4.0


@pytest.mark.parametrize(
    ("loads", "seconds", "position"),
    [
        (Loads(open_blind=1.0),                   5,  75),
        (Loads(close_blind=1.0),                  5,  25),
        (Loads(open_blind=1.0),                   60, 100),
        (Loads(close_blind=1.0),                  60, 0),
        (Loads(open_blind=1.0, close_blind=1.0),  60, 50),
        (OFF,                                     60, 50),
    ],
    ids=["up", "down", "to the top", "to the bottom", "both lines", "none"],
)  # fmt: skip
def test_blind_travels(loads: Loads, seconds: float, position: float) -> None:
    assert step(START, loads, BUILDING, dt_s=seconds).blind_pct == pytest.approx(position)


@pytest.mark.parametrize(
    ("hour", "blind", "loads", "low", "high"),
    [
        (0.0,  100, OFF,                      0.1, 1.0),
        (12.0, 100, OFF,                      390, 410),
        (12.0, 0,   OFF,                      15,  25),
        (6.5,  100, OFF,                      20,  100),
        (0.0,  100, Loads(desk_lamp=1.0),     440, 460),
        (0.0,  100, Loads(desk_lamp=0.5),     220, 230),
        (0.0,  100, Loads(ceiling_light=1.0), 145, 155),
    ],
    ids=["night", "noon", "blind down", "dawn", "lamp", "lamp at half", "ceiling"],
)  # fmt: skip
def test_light_on_the_desk(
    hour: float, blind: float, loads: Loads, low: float, high: float
) -> None:
    state = replace(START, hour=hour, blind_pct=blind)
    assert low < illuminance_lx(state, loads, BUILDING) < high


@pytest.mark.parametrize(("hour", "celsius"), [(3, 7.0), (9, 12.0), (15, 17.0), (21, 12.0)])
def test_outdoors_is_coldest_at_three_and_warmest_at_fifteen(hour: float, celsius: float) -> None:
    assert outdoor_c(hour, BUILDING) == pytest.approx(celsius)


def test_day_comes_round() -> None:
    assert step(replace(START, hour=23.5), OFF, BUILDING, dt_s=HOUR_S).hour == pytest.approx(0.5)


def test_speed_hastens_nature_and_not_the_pump() -> None:
    loads = Loads(heater=1.0, pump=1.0)
    fast = step(START, loads, BUILDING, dt_s=1.0, speed=900.0)
    slow = step(START, loads, BUILDING, dt_s=900.0)
    assert fast.air_c == pytest.approx(slow.air_c, abs=0.01)
    assert fast.soil_pct == pytest.approx(START.soil_pct + BUILDING.pump_pct_per_s, abs=0.05)


def test_one_long_step_is_as_good_as_many_short_ones() -> None:
    state = START
    for _ in range(600):
        state = step(state, Loads(heater=1.0), BUILDING, dt_s=6.0)
    once = step(START, Loads(heater=1.0), BUILDING, dt_s=3600.0)
    assert once.air_c == pytest.approx(state.air_c, abs=0.1)
