"""The world around the header: the room moves with the lines, its sensors tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hal.board.line import Edge, Header
from hal.board.onewire import OneWire
from hal.board.plan import RoomPlan
from hal.board.room import Loads, RoomState, illuminance_lx, outdoor_c, step
from hal.board.uart import SerialEnd
from llmagentos.clock import Instant

SENSORS_S: Final = 1.0
"""Period of the serial frames and of the thermometer's conversion (0.75 s and some rest)."""

QUANTITIES: Final = ("temperature", "illuminance", "moisture")
"""What the sensors measure, in Home Assistant's words: °C (1-wire), lx and % (serial)."""


@dataclass(frozen=True, slots=True)
class RoomView:
    """The room as it truly is, whatever its sensors say."""

    hour: float
    """Time of day in the room, 0 to 24."""

    temperature: float
    """Of the air, °C."""

    outdoor: float
    """Outdoor temperature, °C."""

    illuminance: float
    """On the desk, lx."""

    moisture: float
    """Water content of the soil, percent of volume."""

    position: float
    """Of the blind: 0 closed, 100 open."""

    motion: bool
    speed: float
    """How many times as fast as ours the day, heat and drying run."""

    kill_switch: bool
    """Whether the supply of all loads is cut."""


class World:
    """Room, thermometer and serial end. Moved by `turn` and by every edge of a load's line."""

    def __init__(
        self,
        header: Header,
        *,
        plan: RoomPlan,
        state: RoomState,
        serial: SerialEnd,
        onewire: OneWire,
        speed: float,
        now: Instant,
    ) -> None:
        self.serial = serial
        self.onewire = onewire
        self.speed = speed
        self.has_power = True
        self._header = header
        self._plan = plan
        self._state = state
        self._has_motion = False
        self._stuck: dict[str, float] = {}
        self._moved_at = self._told_at = now
        self._loads = self._read_loads()
        self._load_pins = frozenset(plan.loads.values())
        header.listen(self._take_edge)

    def turn(self, now: Instant) -> None:
        """Move on to `now`; every `SENSORS_S` the sensors speak."""
        self._move(now)
        if now.mono_s - self._told_at.mono_s >= SENSORS_S:
            self._told_at = now
            self.tell()

    def tell(self) -> None:
        """Have the sensors speak now."""
        seen = self.seen()
        self.onewire.show(seen["temperature"])
        self.serial.send({key: seen[key] for key in ("illuminance", "moisture")})

    def seen(self) -> Mapping[str, float]:
        """What the sensors measure by quantity: the truth, or what one is stuck at."""
        view = self.view()
        truth = {quantity: getattr(view, quantity) for quantity in QUANTITIES}
        return {**truth, **self._stuck}

    def view(self) -> RoomView:
        """The room as it is."""
        state, building = self._state, self._plan.building
        return RoomView(
            hour=state.hour,
            temperature=state.air_c,
            outdoor=outdoor_c(state.hour, building),
            illuminance=illuminance_lx(state, self._loads, building),
            moisture=state.soil_pct,
            position=state.blind_pct,
            motion=self._has_motion,
            speed=self.speed,
            kill_switch=not self.has_power,
        )

    def change(self, now: Instant, **fields: float) -> None:
        """Put the room into another state; names are those of `RoomState`."""
        self._move(now)
        self._state = replace(self._state, **fields)

    def move_somebody(self, *, is_there: bool, now: Instant) -> None:
        """Have somebody move before the PIR sensor, or leave."""
        self._has_motion = is_there
        if self._plan.motion is not None:
            self._header.drive(self._plan.motion, level=float(is_there), now=now)

    def stick(self, quantity: str, value: float | None) -> None:
        """Have a sensor stuck at a value; None repairs it."""
        if value is None:
            self._stuck.pop(quantity, None)
        else:
            self._stuck[quantity] = value

    def supply(self, *, has_power: bool, now: Instant) -> None:
        """Cut or restore the supply of all loads; the lines keep their levels."""
        self._move(now)
        self.has_power = has_power
        self._loads = self._read_loads()

    def _take_edge(self, edge: Edge) -> None:
        if edge.pin in self._load_pins:
            # The time up to the edge ran with the old levels: twenty seconds of pumping are
            # twenty seconds, however rarely `turn` comes round.
            self._move(edge.at)
            self._loads = self._read_loads()

    def _move(self, now: Instant) -> None:
        dt_s = now.mono_s - self._moved_at.mono_s
        self._moved_at = now
        self._state = step(
            self._state, self._loads, self._plan.building, dt_s=dt_s, speed=self.speed
        )

    def _read_loads(self) -> Loads:
        if not self.has_power:
            return Loads()
        wires = self._plan.loads.items()
        return Loads(**{load: self._header.level(pin) for load, pin in wires})
