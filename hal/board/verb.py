"""What the board's socket can be asked: first the pins, then the world around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hal.board.line import PINS, Header, LineRefused, Owner
from hal.board.server import Verb
from llmagentos.clock import Clock


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
