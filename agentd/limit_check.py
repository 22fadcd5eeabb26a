"""Whether the limits of a device can hold together, and together with those of its neighbours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentd.safety import Row, quiet
from agentd.schema import DeviceTable, Limits
from llmagentos.home import Device
from llmagentos.kind import is_output

SAFE_BY_KIND: Final = {"light": "keep", "fan": "off", "climate": "off"}
"""What holds where nothing is written; any other output must say."""

SHORTEST_LEASE_S: Final = 2.0
"""The gate looks once a second; a shorter lease would run out between two looks."""

_NUMBERS: Final = ("max_on_s", "min_on_s", "min_off_s", "duty_per_day_s", "interlock_wait_s",
                   "slope_per_s", "lease_s", "manual_hold_s")  # fmt: skip
_NEEDS_OFF: Final = ("max_on_s", "min_on_s", "min_off_s", "duty_per_day_s", "interlock", "lease_s")
_ENDS_ON: Final = ("max_on_s", "min_off_s", "duty_per_day_s", "rate_per_min", "requires",
                   "quiet_hours")  # fmt: skip
_ONE_QUANTITY: Final = frozenset({"serial.jsonl", "onewire.ds18b20", "gpio.hc_sr04",
                                  "i2c.ads1115", "serial.mh_z19", "modbus.register"})  # fmt: skip
"""Drivers whose sensors give their device class and nothing else."""
_SLOW_KINDS: Final = ("number", "climate", "valve")
_SHARE_KINDS: Final = ("light", "fan", "cover", "valve")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What a check wants to know of another device, right or wrong as that may be written."""

    kind: str = ""
    driver: str = ""
    device_class: str | None = None
    interlock: str | None = None
    safe_state: object = None
    wait_s: object = 0.0


@dataclass(frozen=True, slots=True)
class Around:
    """The rest of the file, as far as limits depend on it."""

    devices: Mapping[str, Neighbour] = field(default_factory=dict)
    """By id, in the order of the file; the device itself is among them."""

    has_second_channel: bool = True
    """Whether a yes can come another way than from this box's command line."""


Mistake = tuple[str, str]
"""(key within the device's table, what is wrong with it)."""

Check = Callable[[DeviceTable, Around], Mistake | None]


def read_neighbours(tables: Iterable[Mapping[str, Any]]) -> dict[str, Neighbour]:
    """The devices of a file by their id, whether they hold or not."""
    found: dict[str, Neighbour] = {}
    for raw in tables:
        limits = raw.get("limits")
        limits = limits if isinstance(limits, dict) else {}
        found.setdefault(
            str(raw.get("id")),
            Neighbour(
                kind=str(raw.get("kind")),
                driver=str(raw.get("driver")),
                device_class=raw.get("device_class"),
                interlock=limits.get("interlock"),
                safe_state=limits.get("safe_state"),
                wait_s=limits.get("interlock_wait_s", 0.0),
            ),
        )
    return found


def safe_state(table: DeviceTable) -> str | float:
    """The safe state as it is written, else the kind's own."""
    chosen = table.limits.safe_state
    return SAFE_BY_KIND.get(table.kind, "keep") if chosen is None else chosen


def find_mistake(table: DeviceTable, around: Around) -> Mistake | None:
    """The first thing that is wrong with the limits of a device."""
    return next((mistake for check in _CHECKS if (mistake := check(table, around))), None)


def _no_output(table: DeviceTable, _: Around) -> Mistake | None:
    if is_output(table.kind) or table.limits == Limits():
        return None
    return "limits", f"a {table.kind} only reports, it has no limits"


def _no_number(table: DeviceTable, _: Around) -> Mistake | None:
    for name in _NUMBERS:
        value = getattr(table.limits, name)
        if value is not None and not math.isfinite(value):
            return _on(name, f"{value} is not a number of {name.rpartition('_')[0]}")
    return None


def _no_range(table: DeviceTable, _: Around) -> Mistake | None:
    if table.min is None or table.max is None or table.min <= table.max:
        return None
    return "min", f"min {table.min:g} is above max {table.max:g}"


def _safe_unsaid(table: DeviceTable, _: Around) -> Mistake | None:
    chosen = table.limits.safe_state
    if chosen is None:
        if not is_output(table.kind) or table.kind == "button" or table.kind in SAFE_BY_KIND:
            return None
        words = "needs limits.safe_state: off, on, keep or a value"
        return _on("safe_state", f"{table.kind} {table.id!r} {words}")
    if isinstance(chosen, str):
        if chosen in ("off", "on", "keep"):
            return None
        return _on("safe_state", f"{chosen!r}: allowed are off, on, keep or a value")
    return None if math.isfinite(chosen) else _on("safe_state", f"{chosen} is not a number")


def _safe_impossible(table: DeviceTable, _: Around) -> Mistake | None:
    """A safe state that the kind cannot take, or out of what the device takes."""
    chosen = safe_state(table)
    if chosen == "keep" or not is_output(table.kind):
        return None
    if table.kind == "button":
        return _on("safe_state", "a button has no state to be safe in; leave it out")
    if table.kind == "number" and chosen == "on":
        return _on("safe_state", "a number is not on or off; write off or a value")
    if isinstance(chosen, str):
        if table.kind != "number":
            return None
        chosen = 0.0
    elif table.kind not in (*_SHARE_KINDS, "climate", "number"):
        return _on("safe_state", f"a {table.kind} takes no value; allowed are off, on, keep")
    low, high = (0.0, 100.0) if table.kind in _SHARE_KINDS else (table.min, table.max)
    if (low is not None and chosen < low) or (high is not None and chosen > high):
        return _on("safe_state", f"{chosen:g} is out of {_range(low, high)}")
    return None


def _no_off(table: DeviceTable, _: Around) -> Mistake | None:
    """Limits on being on, of a kind that is never simply on or off."""
    if table.kind not in ("button", "cover"):
        return None
    for name in _NEEDS_OFF:
        if getattr(table.limits, name) is not None:
            return _on(name, f"a {table.kind} is not on or off, it cannot have {name}")
    return None


def _safe_on_against_limits(table: DeviceTable, _: Around) -> Mistake | None:
    if not _is_safe_on(table):
        return None
    for name in _ENDS_ON:
        if getattr(table.limits, name):
            return _on(name, f"{name} forbids what safe_state = {safe_state(table)!r} demands")
    return None


def _too_short_on(table: DeviceTable, _: Around) -> Mistake | None:
    limits = table.limits
    for name in ("max_on_s", "duty_per_day_s"):
        most_s = getattr(limits, name)
        if limits.min_on_s is not None and most_s is not None and most_s < limits.min_on_s:
            return _on(name, f"{name} {most_s:g} is less than min_on_s {limits.min_on_s:g}")
    return None


def _lease_for_nothing(table: DeviceTable, _: Around) -> Mistake | None:
    lease_s = table.limits.lease_s
    if lease_s is None:
        return None
    if lease_s < SHORTEST_LEASE_S:
        return _on("lease_s", f"{lease_s:g} is too short; at least {SHORTEST_LEASE_S:g}")
    if safe_state(table) == "keep":
        return _on("lease_s", "safe_state keep leaves nothing to do when the lease runs out")
    return None


def _quiet_unread(table: DeviceTable, _: Around) -> Mistake | None:
    text = table.limits.quiet_hours
    if text is None:
        return None
    try:
        quiet.parse(text)
    except ValueError as exc:
        return _on("quiet_hours", str(exc))
    return None


def _slope_of_nothing(table: DeviceTable, _: Around) -> Mistake | None:
    if table.limits.slope_per_s is None or table.kind in _SLOW_KINDS:
        return None
    kinds = ", ".join(_SLOW_KINDS)
    return _on("slope_per_s", f"a {table.kind} has no number to change slowly; only {kinds}")


def _interlock_alone(table: DeviceTable, around: Around) -> Mistake | None:
    group = table.limits.interlock
    if group is None:
        is_waiting = table.limits.interlock_wait_s > 0
        return _on("interlock_wait_s", "there is no interlock to wait for") if is_waiting else None
    others = [name for name, each in around.devices.items() if each.interlock == group]
    if others == [table.id]:
        return _on("interlock", f"no other device is in the interlock {group!r}")
    return None


def _interlock_unsafe(table: DeviceTable, around: Around) -> Mistake | None:
    """A safe state of on: all others must be off by then, and nobody may wait for them."""
    group = table.limits.interlock
    if group is None or not _is_safe_on(table):
        return None
    if table.limits.interlock_wait_s > 0:
        return _on("interlock_wait_s", "its safe_state is on, and a stop cannot wait")
    for name, other in around.devices.items():
        is_off = SAFE_BY_KIND.get(other.kind) if other.safe_state is None else other.safe_state
        if name != table.id and other.interlock == group and is_off != "off":
            text = f"its safe_state is on, so that of {name!r} in {group!r} must be off"
            return _on("safe_state", text)
    return None


def _requires_what(table: DeviceTable, around: Around) -> Mistake | None:
    for row in table.limits.requires:
        sensor = around.devices.get(row.device)
        if sensor is None:
            return _on("requires", f"no [[device]] {row.device!r}")
        if sensor.kind != "sensor":
            return _on("requires", f"{row.device!r} is a {sensor.kind}, not a sensor")
        gives_one = sensor.driver in _ONE_QUANTITY and sensor.device_class is not None
        if gives_one and row.quantity not in (None, "state", sensor.device_class):
            return _on(
                "requires", f"{row.device!r} gives {sensor.device_class}, not {row.quantity}"
            )
        bounds = [each for each in (row.min, row.max) if each is not None]
        if not all(map(math.isfinite, bounds)) or bounds != sorted(bounds):
            return _on("requires", f"nothing is within {_range(row.min, row.max)}")
    return None


def _no_second_channel(table: DeviceTable, around: Around) -> Mistake | None:
    if table.limits.confirm != "second_channel" or around.has_second_channel:
        return None
    return _on("confirm", "second_channel needs [mqtt] or [voice]; both are off")


_CHECKS: Final[tuple[Check, ...]] = (
    _no_output, _no_range, _no_number, _safe_unsaid, _safe_impossible, _no_off,
    _safe_on_against_limits, _too_short_on, _lease_for_nothing, _quiet_unread, _slope_of_nothing,
    _interlock_alone, _interlock_unsafe, _requires_what, _no_second_channel,
)  # fmt: skip


def _is_safe_on(table: DeviceTable) -> bool:
    device = Device(table.id, table.id, table.kind)
    return is_output(table.kind) and Row(device, table.limits, safe_state(table)).is_safe_on


def _on(name: str, text: str) -> Mistake:
    return f"limits.{name}", text


def _range(low: float | None, high: float | None) -> str:
    ends = ("" if low is None else f"{low:g}", "" if high is None else f"{high:g}")
    return f"{ends[0]}..{ends[1]}"
