"""A garden for rules: sensors whose states a test sets, and one instant after the other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from agentd.agents.due import Now
from agentd.agents.firing import Instance, step
from agentd.agents.rule import Rule
from agentd.agents.rules import read_table
from agentd.agents.sight import Sight
from agentd.agents.trigger import Memory
from llmagentos.clock import Instant
from llmagentos.home import Device
from llmagentos.reading import Quality, Reading, State

DEVICES = {
    device.id: device
    for device in (
        Device("soil", "soil", "sensor", device_class="moisture", unit="%"),
        Device("tank", "tank", "sensor", unit="%"),
        Device("door", "door", "binary_sensor"),
        Device("button", "button", "button"),
        Device("pump", "pump", "switch"),
        Device("lamp", "lamp", "light"),
        Device("lock", "lock", "lock"),
        Device("heater", "heater", "climate"),
    )
}
BERLIN = ZoneInfo("Europe/Berlin")


def rule(**table: Any) -> Rule:
    """A rule as it is written; by default it runs the pump."""
    do = [{"device": "pump", "action": "turn_on"}]
    return read_table({"id": "r", "do": do, **table}, known=DEVICES)


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Garden:
    """One rule and what it sees."""

    def __init__(self, watched: Rule, *, at: str = "2026-03-02T11:00") -> None:
        self.rule, self.memory = watched, Memory()
        self.at = Instant(1000.0, utc(at))
        self.boot, self.is_set = "b1", True
        self.states: dict[str, State] = {}

    def see(self, device: str = "", value: Any = None, quality: Quality = Quality.GOOD) -> Instance:
        """Let a reading come in, or nothing, and the rule see it."""
        readings = ()
        if device:
            reading = Reading(device, "state", value, "", self.at, quality)
            self.states[device] = State(device, {"state": value}, self.at, quality)
            readings = (reading,)
        return self._step(readings)

    def see_all(self, device: str, *values: Any) -> Instance:
        """Let several readings come in at once."""
        self.states[device] = State(device, {"state": values[-1]}, self.at)
        return self._step(tuple(Reading(device, "state", each, "", self.at) for each in values))

    def wait(self, seconds: float) -> None:
        self.at = Instant(self.at.mono_s + seconds, self.at.wall_s + seconds)

    def after(self, seconds: float) -> Instance:
        self.wait(seconds)
        return self._step(())

    def put_clock(self, text: str) -> Instance:
        self.at = Instant(self.at.mono_s + 1.0, utc(text))
        return self._step(())

    def sight(self, readings: tuple[Reading, ...] = ()) -> Sight:
        now = Now(self.at, self.boot, self.is_set, Instant(0.0, 0.0), BERLIN)
        return Sight(self.states, readings, now, DEVICES)

    def _step(self, readings: tuple[Reading, ...]) -> Instance:
        instance = step(self.rule, self.memory, self.sight(readings))
        self.memory = instance.memory
        return instance
