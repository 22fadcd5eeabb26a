"""The room's physics: how lamp, heater, fan, pump, blind and the day change it. Pure.

Heat is two lumps, air with furniture and the walls, as in the simple hourly method of ISO 13790
(clause 7.2 and annex C): air exchanges heat with the walls and, through window and draught, with
the outdoors; walls exchange heat with air and outdoors. Light is daylight through the window plus
two lamps. Soil is one bucket of water.

What nature times (day, heat, drying) runs at the room's speed; what a command times (pumping, the
blind's travel) keeps real time, so that "twenty seconds" moves as much water at any speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

LONGEST_STEP_S: Final = 60.0
"""Euler steps stay well below the air's time constant of about 12 minutes."""


@dataclass(frozen=True, slots=True)
class Building:
    """What the room is made of: a study of 12 m², 2.5 m high, in an older brick house."""

    air_j_per_k: float = 180e3
    """Heat capacity of air and furniture: 30 m³ x 1.2 kg/m³ x 1005 J/(kg K) = 36 kJ/K of air,
    five times that with furniture and the skin of the walls, a common choice for two lumps."""

    wall_j_per_k: float = 1.98e6
    """Heat capacity of the walls: ISO 13790 table 12, class medium, 165 kJ/(m² K) x 12 m²."""

    air_to_wall_w_per_k: float = 186.0
    """ISO 13790 clause 7.2.2.2: 3.45 W/(m² K) x 4.5 x 12 m² of surfaces."""

    window_w_per_k: float = 14.0
    """2.5 m² of old double glazing at 2.8 W/(m² K), and 0.7 air changes an hour of 30 m³ at
    0.33 Wh/(m³ K)."""

    wall_to_out_w_per_k: float = 12.0
    """12 m² of brick wall at 1.0 W/(m² K)."""

    heater_w: float = 1500.0
    """An electric convector."""

    fan_w_per_k: float = 50.0
    """A window fan that draws 150 m³/h of outdoor air, 0.33 Wh/(m³ K)."""

    outdoor_mean_c: float = 12.0
    outdoor_swing_c: float = 5.0
    """Outdoors is mean plus swing at 15 h, mean minus swing at 3 h: a mild spring day."""

    noon_lx: float = 20_000.0
    """Outdoor light at noon under a grey sky (overcast 10,000 to 25,000 lx)."""

    daylight_factor: float = 0.02
    """Share of the outdoor light that reaches the desk with the blind open; 2 % is BS 8206-2's
    mark of a room that looks day-lit."""

    blind_leak: float = 0.05
    """Share of that light which a closed blind lets through."""

    desk_lamp_lx: float = 450.0
    """At the sensor under the lamp: an 806 lm bulb (60 W of old) in a shade, 0.75 m above."""

    ceiling_light_lx: float = 150.0
    """A panel of 3,000 lm over 12 m² with a utilisation of 0.6."""

    night_lx: float = 0.5
    """Street light and a standby LED."""

    blind_travel_s: float = 20.0
    """From closed to open."""

    pump_pct_per_s: float = 0.28
    """A 100 l/h mini pump into a planter of 10 l: 28 ml of water each second."""

    soil_full_pct: float = 48.0
    """Pore volume of potting soil: what is more runs out below."""

    drying_per_day: float = 0.06
    """Share of the soil's water lost in a day at 20 °C: about 2.5 points of 42, which is 5 mm of
    evaporation out of 20 cm of soil; twice as much for each 10 K more."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """The room at one instant."""

    hour: float = 9.0
    """Time of day, 0 to 24."""

    air_c: float = 19.0
    wall_c: float = 19.0

    soil_pct: float = 41.0
    """Water content of the soil, percent of its volume."""

    blind_pct: float = 100.0
    """0 closed, 100 open."""


@dataclass(frozen=True, slots=True)
class Loads:
    """What the lines do to the room, each 0 to 1; a pulsed line counts by its duty."""

    desk_lamp: float = 0.0
    ceiling_light: float = 0.0
    heater: float = 0.0
    fan: float = 0.0
    pump: float = 0.0
    open_blind: float = 0.0
    close_blind: float = 0.0


def step(
    state: RoomState, loads: Loads, building: Building, *, dt_s: float, speed: float = 1.0
) -> RoomState:
    """Return the room `dt_s` real seconds later, nature running `speed` times as fast."""
    state = _move_by_hand(state, loads, building, dt_s)
    count = max(1, math.ceil(dt_s * speed / LONGEST_STEP_S))
    for _ in range(count):
        state = _move_by_nature(state, loads, building, dt_s * speed / count)
    return state


def outdoor_c(hour: float, building: Building) -> float:
    """Outdoor temperature in °C."""
    return building.outdoor_mean_c + building.outdoor_swing_c * math.cos(
        (hour - 15) * math.tau / 24
    )


def illuminance_lx(state: RoomState, loads: Loads, building: Building) -> float:
    """Light at the sensor on the desk."""
    sun = max(0.0, math.sin((state.hour - 6) * math.tau / 24))
    way = building.blind_leak + (1 - building.blind_leak) * state.blind_pct / 100
    daylight = building.noon_lx * sun * building.daylight_factor * way
    lamps = (
        building.desk_lamp_lx * loads.desk_lamp + building.ceiling_light_lx * loads.ceiling_light
    )
    return daylight + lamps + building.night_lx


def _move_by_hand(state: RoomState, loads: Loads, building: Building, dt_s: float) -> RoomState:
    """Blind and pump, in real time. With both motor lines high the driver brakes: no travel."""
    travel = (loads.open_blind - loads.close_blind) * dt_s / building.blind_travel_s * 100
    water = loads.pump * building.pump_pct_per_s * dt_s
    return replace(
        state,
        blind_pct=min(100.0, max(0.0, state.blind_pct + travel)),
        soil_pct=min(building.soil_full_pct, state.soil_pct + water),
    )


def _move_by_nature(state: RoomState, loads: Loads, building: Building, dt_s: float) -> RoomState:
    out_c = outdoor_c(state.hour, building)
    to_wall_w = building.air_to_wall_w_per_k * (state.air_c - state.wall_c)
    draught = building.window_w_per_k + building.fan_w_per_k * loads.fan
    air_w = building.heater_w * loads.heater - draught * (state.air_c - out_c) - to_wall_w
    wall_w = to_wall_w - building.wall_to_out_w_per_k * (state.wall_c - out_c)
    drying = building.drying_per_day / 86400 * 2 ** ((state.air_c - 20) / 10)
    return replace(
        state,
        hour=(state.hour + dt_s / 3600) % 24,
        air_c=state.air_c + air_w * dt_s / building.air_j_per_k,
        wall_c=state.wall_c + wall_w * dt_s / building.wall_j_per_k,
        soil_pct=state.soil_pct * (1 - drying * dt_s),
    )
