"""What the board's socket can be asked: first the pins, then the world around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from hal.board.line import PINS, Header, LineRefused, Owner
from hal.board.onewire import BusFault
from hal.board.server import Verb
from hal.board.uart import SerialFault
from hal.board.world import QUANTITIES, World
from llmagentos.clock import Clock

MAX_SPEED: Final = 10_000.0
"""A day in nine seconds."""

Later = Callable[[float, Callable[[], None]], object]
"""Calls something after so many seconds."""

ROOM: Final = {
    "hour": ("hour", 0.0, 24.0),
    "moisture": ("soil_pct", 0.0, 100.0),
    "position": ("blind_pct", 0.0, 100.0),
}
"""What `room` can set: name -> field of `RoomState`, lowest, highest."""


def pin_verbs(header: Header, clock: Clock) -> dict[str, Verb]:
    """The verbs of a program that uses the pins."""

    def claim(owner: Owner, data: Mapping[str, Any]) -> Any:
        pin = whole(data, "pin")
        direction = word(data, "direction", "output", "input")
        level = None if data.get("level") is None else share(data, "level")
        pull = word(data, "pull", "floating", "up", "down", default="floating")
        is_output = direction == "output"
        header.claim(pin, owner=owner, output=is_output, pull=pull, level=level, now=clock())
        return asdict(header.view(pin))

    def write(owner: Owner, data: Mapping[str, Any]) -> Any:
        pin = whole(data, "pin")
        header.write(pin, owner=owner, level=float(share(data, "level") >= 0.5), now=clock())
        return {"level": header.level(pin)}

    def pwm(owner: Owner, data: Mapping[str, Any]) -> Any:
        pin = whole(data, "pin")
        duty = None if data.get("duty") is None else share(data, "duty")
        header.pwm(pin, owner=owner, duty=duty, hz=number(data, "hz", 0.1, 1e6), now=clock())
        return {"level": header.level(pin)}

    def read(_owner: Owner, data: Mapping[str, Any]) -> Any:
        return asdict(header.view(whole(data, "pin")))

    def release(owner: Owner, data: Mapping[str, Any]) -> Any:
        header.release(whole(data, "pin"), owner=owner, now=clock())
        return {}

    def levels(_owner: Owner, _data: Mapping[str, Any]) -> Any:
        return {"lines": [asdict(header.view(pin)) for pin in PINS]}

    return {
        "claim": claim, "write": write, "pwm": pwm, "read": read, "release": release,
        "levels": levels,
    }  # fmt: skip


def world_verbs(world: World, header: Header, *, clock: Clock, later: Later) -> dict[str, Verb]:
    """The verbs of a test or a demo: fingers, weather and mishaps."""

    presses: dict[int, object] = {}

    def drive(_owner: Owner, data: Mapping[str, Any]) -> Any:
        level = None if data.get("level") is None else share(data, "level")
        header.drive(whole(data, "pin"), level=level, now=clock())
        return {}

    def press(_owner: Owner, data: Mapping[str, Any]) -> Any:
        pin, held_s = whole(data, "pin"), number(data, "held_s", 0.0, 3600.0)
        # Away from the pull: to ground on a line pulled up, to 3.3 V on any other.
        header.drive(pin, level=1.0 - header.rest_level(pin), now=clock())
        presses[pin] = finger = object()

        def let_go() -> None:
            if presses.get(pin) is finger:  # else a later press still holds it
                header.drive(pin, level=None, now=clock())

        later(held_s, let_go)
        return {}

    def room(_owner: Owner, data: Mapping[str, Any]) -> Any:
        now = clock()
        for key in data:
            word({"name": key}, "name", *ROOM, "temperature", "motion", "speed")
        changes = {ROOM[key][0]: number(data, key, *ROOM[key][1:]) for key in data if key in ROOM}
        if "temperature" in data:
            # Walls too, or the air would be drawn back to where it was within minutes.
            warmth = number(data, "temperature", -40.0, 80.0)
            changes |= {"air_c": warmth, "wall_c": warmth}
        speed = number(data, "speed", 0.0, MAX_SPEED) if "speed" in data else world.speed
        world.change(now, **changes)
        world.speed = speed
        if "motion" in data:
            world.move_somebody(is_there=share(data, "motion") > 0, now=now)
        if data:  # a look alone is not to be seen at the sensors
            world.tell()
        return asdict(world.view())

    def fault(_owner: Owner, data: Mapping[str, Any]) -> Any:
        part = word(data, "part", "serial", "onewire", "pin", "sensor")
        FAULTS[part](world, header, data, clock)
        world.tell()
        return {}

    def kill_switch(_owner: Owner, data: Mapping[str, Any]) -> Any:
        world.supply(has_power=share(data, "thrown") == 0, now=clock())
        return {}

    return {"drive": drive, "press": press, "room": room, "fault": fault,
            "kill_switch": kill_switch}  # fmt: skip


def number(data: Mapping[str, Any], key: str, low: float, high: float) -> float:
    """A number between two bounds.

    Raises:
        LineRefused: missing, not a number, out of bounds.
    """
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise LineRefused("bad_request", f"{key} is a number from {low:g} to {high:g}: {value!r}")
    return float(value)


def share(data: Mapping[str, Any], key: str) -> float:
    """A number from 0 to 1; true and false are 1 and 0.

    Raises:
        LineRefused: it is neither.
    """
    if isinstance(data.get(key), bool):
        return float(data[key])
    return number(data, key, 0.0, 1.0)


def whole(data: Mapping[str, Any], key: str) -> int:
    """A whole number.

    Raises:
        LineRefused: it is not.
    """
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise LineRefused("bad_request", f"{key} is a whole number, not {value!r}")
    return value


def word(data: Mapping[str, Any], key: str, *allowed: str, default: str = "") -> str:
    """One of a few words.

    Raises:
        LineRefused: another one.
    """
    value = data.get(key, default)
    if value not in allowed:
        raise LineRefused("bad_request", f"{key} is one of {', '.join(allowed)}, not {value!r}")
    return str(value)


def _fault_serial(world: World, _header: Header, data: Mapping[str, Any], _clock: Clock) -> None:
    world.serial.misbehave(SerialFault(word(data, "mode", *SerialFault)))


def _fault_onewire(world: World, _header: Header, data: Mapping[str, Any], _clock: Clock) -> None:
    world.onewire.fault = BusFault(word(data, "mode", *BusFault))


def _fault_pin(_world: World, header: Header, data: Mapping[str, Any], clock: Clock) -> None:
    level = None if data.get("level") is None else share(data, "level")
    header.stick(whole(data, "pin"), level=level, now=clock())


def _fault_sensor(world: World, _header: Header, data: Mapping[str, Any], _clock: Clock) -> None:
    value = None if data.get("value") is None else number(data, "value", -1e6, 1e6)
    world.stick(word(data, "quantity", *QUANTITIES), value)


FAULTS: Final = {
    "serial": _fault_serial,
    "onewire": _fault_onewire,
    "pin": _fault_pin,
    "sensor": _fault_sensor,
}
"""What can break, and how it is broken or repaired."""
