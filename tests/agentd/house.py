"""A small house for tests of the core: outputs in memory that tell what they were told."""

from __future__ import annotations

from collections.abc import Mapping

from agentd.safety import Row
from agentd.schema import Limits
from agentd.world import House
from hal.contract import Actuator, HalError, Unplugged
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Device, Home
from llmagentos.kind import Scalar, effect
from llmagentos.plan import Action, Plan

PERSON = Origin(Rank.PERSON, "cli", "anna")
RULE = Origin(Rank.RULE, "rule", "r1")


class Output(Actuator):
    """An output in memory; can be stuck or unplugged."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.values: dict[str, Scalar] = {"state": {"cover": "closed"}.get(kind, "off")}
        self.told: list[Action] = []
        self.is_stuck = False
        self.is_unplugged = False

    def apply(self, action: Action, now: Instant) -> None:
        if self.is_unplugged:
            raise Unplugged("the adapter is away")
        self.told.append(action)
        if not self.is_stuck:
            self.values |= effect(self.kind, action.name, action.args)

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:
        if self.is_unplugged:
            raise Unplugged("the adapter is away")
        return dict(self.values)

    def close(self) -> None:
        if self.is_unplugged:
            raise HalError("closed twice")


def plan(*actions: Action, now: Instant, origin: Origin = PERSON, **more: object) -> Plan:
    """A plan of one person, unless told otherwise."""
    return Plan(actions, Cause("box", "00000000", 1), origin, now, **more)  # type: ignore[arg-type]


def house(**limits: Limits) -> tuple[House, dict[str, Output]]:
    """lamp (light), heater and pump (switch), fan, blind (cover), tank (sensor)."""
    kinds = {"lamp": "light", "heater": "switch", "pump": "switch", "fan": "fan", "blind": "cover"}
    devices = tuple(Device(name, name, kind) for name, kind in kinds.items())
    tank = Device("tank", "tank level", "sensor", device_class="moisture", unit="%")
    safe = {"lamp": "keep", "blind": "keep"}
    rows = {
        each.id: Row(each, limits.get(each.id, Limits()), safe.get(each.id, "off"))
        for each in devices
    }
    outputs = {name: Output(kind) for name, kind in kinds.items()}
    home = Home(devices=(*devices, tank))
    return House(home, rows, outputs, period_s={"tank": 3.0}), outputs
