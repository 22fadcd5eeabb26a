"""Commands about devices: devices, state, identify, set."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from agentd.ctl.command import Json, Run, connect, emit, say
from agentd.ctl.failure import Code, Failure, closest, code_of
from agentd.ctl.sentence import show_reply
from agentd.ctl.show import show_table, state_words
from llmagentos.client import Door, DoorRefused
from llmagentos.kind import ACTIONS, Argument

DeviceId = Annotated[str, typer.Argument(metavar="DEVICE", help="Its id, see `agentctl devices`.")]
MaybeDeviceId = Annotated[
    str | None, typer.Argument(metavar="[DEVICE]", help="Its id; all devices when left out.")
]
Values = Annotated[
    list[str],
    typer.Argument(
        metavar="VALUE|ACTION",
        help="on, 40, 40%, 21.5, open, or an action with its argument: set_brightness 40",
    ),
]


def devices(json: Json = False, run: Run = None) -> None:
    """List the devices of the box with their state."""
    with connect(run) as door:
        data = door.request("devices")
    emit(data, as_json=json, show=_show_devices)


def state(device: MaybeDeviceId = None, json: Json = False, run: Run = None) -> None:
    """Show what devices are like now."""
    about = {"device": device} if device else {}
    with connect(run) as door:
        data = ask_about(door, "state", about)
    emit(data, as_json=json, show=_show_states)


def identify(device: DeviceId, json: Json = False, run: Run = None) -> None:
    """Let a device show itself, or tell how it is wired."""
    with connect(run) as door:
        data = ask_about(door, "identify", {"device": device})
    emit(data, as_json=json, show=lambda found: say(str(found["text"])))


def set_device(device: DeviceId, value: Values, json: Json = False, run: Run = None) -> None:
    """Command one device directly. The safety gate has its word as always."""
    command = wish(value)
    with connect(run) as door:
        data = ask_about(door, "set", {"device": device, **command})
    emit(data, as_json=json, show=show_reply)
    raise typer.Exit(code_of(data))


def wish(words: Sequence[str]) -> dict[str, Any]:
    """What `set` sends for the words after the device.

    Returns:
        `{"action", "args"}` when the first word names an action, else `{"value"}`.

    Raises:
        Failure: an action with arguments it does not take.
    """
    name, *rest = words
    tables = [actions[name] for actions in ACTIONS.values() if name in actions]
    if not tables:
        return {"value": scalar(" ".join(words))}
    return {"action": name, "args": dict(_arguments(name, rest, tables[0]))}


def _arguments(
    name: str, words: Sequence[str], wanted: Sequence[Argument]
) -> Iterator[tuple[str, Any]]:
    takes = ", ".join(f"{each.name} ({each.unit})" if each.unit else each.name for each in wanted)
    if len(words) != len(wanted):
        raise Failure(f"{name} takes {takes or 'no argument'}", code=Code.USAGE)
    for argument, word in zip(wanted, words, strict=True):
        value = word.removeprefix(f"{argument.name}=")
        yield argument.name, value if argument.is_text else scalar(value)


def scalar(text: str) -> Any:
    """A word of the command line as JSON: `40`, `40%`, `21.5`, `{"state": "on"}`, else a text."""
    try:
        return json_text.loads(text.strip().removesuffix("%"), parse_constant=_refuse)
    except ValueError:
        return text.strip()


def _refuse(name: str) -> None:
    raise ValueError(name)


def ask_about(door: Door, verb: str, data: Mapping[str, Any]) -> Any:
    """A request about one device; names what a misspelt id may have meant."""
    try:
        return door.request(verb, **data)
    except DoorRefused as exc:
        if exc.code != "unknown_device":
            raise
        known = [str(row["id"]) for row in door.request("devices")["devices"]]
        hint = closest(str(data.get("device", "")), known) or "`agentctl devices` lists them"
        raise Failure(str(exc), hint=hint) from exc


def _show_devices(data: Mapping[str, Any]) -> None:
    areas = {area["id"]: area["name"] for area in data.get("areas", ())}
    rows = (
        (row["id"], row["name"], areas.get(row.get("area"), row.get("area") or ""), row["kind"],
         state_of(row, unit=row.get("unit") or ""), row.get("reason") or "")
        for row in data["devices"]
    )  # fmt: skip
    head = ("id", "name", "area", "kind", "state", "")
    show_table(head, rows, empty="This box has no devices.", wide=("name", "area", "kind"))


def _show_states(data: Mapping[str, Any]) -> None:
    rows = (
        (name, state_of(row), row.get("reason") or "", str(row.get("cause") or ""))
        for name, row in data["states"].items()
    )
    show_table(("device", "state", "", "cause"), rows, empty="Nothing seen yet.", wide=("cause",))


def state_of(row: Mapping[str, Any], *, unit: str = "") -> str:
    """The state of a row of `devices`, `state` or an event; its quality when that is not good."""
    quality = row.get("quality") or "good"
    if quality == "unavailable":
        return quality
    held = row.get("values", row.get("state"))
    values = held if isinstance(held, Mapping) else {"state": held}
    words = state_words(values, unit=unit)
    return words if quality == "good" else f"{words} ({quality})"
