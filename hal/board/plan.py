"""The room's plan: which line does what, read from room.toml.

HalError
 └─ PlanError    the file cannot be used; the text names the file and the key
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from hal.board.line import PINS
from hal.board.room import Building, Loads
from hal.contract import HalError

PACKAGED: Final = Path(__file__).with_name("room.toml")
LOADS: Final = frozenset(load.name for load in fields(Loads))
INPUTS: Final = frozenset({"motion", "door_button"})
IDLE: Final = frozenset({"buzzer"})
"""May be wired, changes nothing in the room."""


class PlanError(HalError):
    """The room's file cannot be used."""


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """How the room is wired and built."""

    loads: Mapping[str, int]
    """Field of `Loads` -> BCM number."""

    motion: int | None
    """BCM number of the PIR sensor; None where there is none."""

    building: Building


def load_plan(path: Path = PACKAGED) -> RoomPlan:
    """Read a room.toml.

    Raises:
        PlanError: no file, no TOML, an unknown name, a line that is none or is used twice.
    """
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise PlanError(f"{path}: {exc}") from exc
    _refuse_unknown(path, tables, {"wires", "building"})
    wires = _read_wires(path, tables.get("wires", {}))
    return RoomPlan(
        loads={name: pin for name, pin in wires.items() if name in LOADS},
        motion=wires.get("motion"),
        building=_read_building(path, tables.get("building", {})),
    )


def _read_wires(path: Path, wires: Mapping[str, Any]) -> dict[str, int]:
    _refuse_unknown(path, wires, LOADS | INPUTS | IDLE)
    used: dict[int, str] = {}
    for name, pin in wires.items():
        if type(pin) is not int or pin not in PINS:
            raise PlanError(f"{path}: wires.{name} is a BCM number from 0 to 27, not {pin!r}")
        if pin in used:
            raise PlanError(f"{path}: wires.{name} and wires.{used[pin]} share GPIO{pin}")
        used[pin] = name
    return dict(wires)


def _read_building(path: Path, table: Mapping[str, Any]) -> Building:
    _refuse_unknown(path, table, {constant.name for constant in fields(Building)})
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PlanError(f"{path}: building.{name} is a number, not {value!r}")
    return Building(**{name: float(value) for name, value in table.items()})


def _refuse_unknown(path: Path, table: Any, known: frozenset[str] | set[str]) -> None:
    if not isinstance(table, dict):
        raise PlanError(f"{path}: expected a table, not {table!r}")
    for name in table:
        if name not in known:
            raise PlanError(f"{path}: unknown {name!r}; there are {', '.join(sorted(known))}")
