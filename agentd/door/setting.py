"""What `set` may carry, turned into actions: `on`, `40`, `{"state": "on", "brightness": 40}`.

Only form is judged here. Whether a number is in range, and whether it may be done at all, is the
gate's to say, the same words for every door.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from llmagentos.errors import LlmagentosError
from llmagentos.home import Device
from llmagentos.kind import ACTIONS, COLORS, Scalar
from llmagentos.plan import Action
from llmagentos.wire import WireError, decode


class SettingError(LlmagentosError):
    """A value that the device cannot be set to; the text names what it takes."""


_ON_OFF: Final = {"on": "turn_on", "off": "turn_off", "toggle": "toggle"}
_OPEN_CLOSE: Final = {
    "open": "open", "close": "close", "closed": "close", "stop": "stop", "toggle": "toggle",
}  # fmt: skip

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "light": _ON_OFF,
    "switch": _ON_OFF,
    "fan": _ON_OFF,
    "siren": _ON_OFF,
    "climate": _ON_OFF,
    "cover": _OPEN_CLOSE,
    "valve": _OPEN_CLOSE,
    "lock": {
        "lock": "lock", "locked": "lock", "unlock": "unlock", "unlocked": "unlock",
        "toggle": "toggle",
    },
    "button": {"press": "press"},
}  # fmt: skip
"""kind -> word -> action."""

_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "brightness": ("set_brightness", "brightness"),
    "color": ("set_color", "color"),
    "kelvin": ("set_color_temp", "kelvin"),
    "speed": ("set_speed", "speed"),
    "position": ("set_position", "position"),
    "temperature": ("set_temperature", "temperature"),
    "target_temperature": ("set_temperature", "temperature"),
    "mode": ("set_hvac_mode", "mode"),
    "value": ("set_value", "value"),
}
"""Key of a JSON object -> action and its argument."""

_NUMBER: Final[Mapping[str, str]] = {
    "light": "brightness", "fan": "speed", "cover": "position", "valve": "position",
    "climate": "temperature", "number": "value",
}  # fmt: skip
"""kind -> the key that a bare number stands for."""

_OFF: Final = frozenset({"turn_off", "close", "lock", "unlock", "stop", "press"})
"""Actions that nothing else may accompany."""

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_ ]{0,31}")
_NO_NUMBERS: Final = frozenset({"nan", "infinity", "inf"})


def read_payload(payload: bytes, *, max_bytes: int) -> Any:
    """Read a payload that is JSON or one bare word (`on`).

    Raises:
        WireError: it is neither.
    """
    text = payload[:64].strip()
    word = text.decode(errors="replace")
    if len(payload) <= 64 and _WORD.fullmatch(word) and word.lower() not in _NO_NUMBERS:
        return {"true": True, "false": False}.get(word, word)
    try:
        return decode(payload, max_bytes=max_bytes)
    except WireError as exc:
        if payload.lstrip()[:1] not in (b"{", b"[", b'"') and "not JSON" in str(exc):
            raise WireError("neither a word such as on, a number, nor JSON") from exc
        raise


def parse_setting(device: Device, value: Any) -> tuple[Action, ...]:
    """The actions that setting a device to a value means.

    Args:
        device: what is to be set.
        value: a word, a number, true or false, or an object of such.

    Raises:
        SettingError: the device cannot be set to that; the text names what it takes.
    """
    if not ACTIONS.get(device.kind):
        raise SettingError(f"{device.id} is a {device.kind}, it can be read and not set")
    if isinstance(value, Mapping):
        return _object(device, value)
    return (_scalar(device, value),)


def allowed(device: Device) -> str:
    """What a device can be set to, for people: `on, off, toggle, a number (brightness) ...`."""
    words = [word for word, name in _WORDS.get(device.kind, {}).items() if device.can(name)]
    words += _modes(device)
    number = _NUMBER.get(device.kind)
    if number and device.can(_KEYS[number][0]):
        words.append(f"a number ({number})")
    keys = [key for key, (name, _) in _KEYS.items() if device.can(name)]
    keys = ["state", *keys] if words else keys
    return f"{', '.join(words)}, or JSON with {', '.join(keys)}"


def _scalar(device: Device, value: Any) -> Action:
    if isinstance(value, bool):
        return _word(device, "on" if value else "off")
    if isinstance(value, str):
        number = _as_number(value)
        return _word(device, value.strip().lower()) if number is None else _number(device, number)
    if isinstance(value, int | float) and math.isfinite(value):
        return _number(device, value)
    raise _refusal(device, value)


def _word(device: Device, word: str) -> Action:
    if word in _modes(device) and word != "off":
        return Action(device.id, "set_hvac_mode", {"mode": word})
    name = _WORDS.get(device.kind, {}).get(word)
    if name is None or not device.can(name):
        raise _refusal(device, word)
    return Action(device.id, name)


def _number(device: Device, number: float) -> Action:
    key = _NUMBER.get(device.kind)
    if key is None:
        raise _refusal(device, number)
    return _property(device, key, number)


def _property(device: Device, key: str, value: Any) -> Action:
    if key not in _KEYS or not device.can(_KEYS[key][0]):
        raise _refusal(device, key)
    name, argument = _KEYS[key]
    (row,) = ACTIONS[device.kind][name]
    if row.is_text:
        return Action(device.id, name, {argument: _name(device, key, value)})
    number = _as_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise SettingError(f"{device.id}: {key} is a number, not {value!r}")
    return Action(device.id, name, {argument: number})


def _name(device: Device, key: str, value: Any) -> Scalar:
    names = COLORS if key == "color" else _modes(device)
    if not isinstance(value, str) or value.lower() not in names:
        raise SettingError(f"{device.id}: {key} is one of {', '.join(names)}, not {value!r}")
    return value.lower()


def _object(device: Device, value: Mapping[str, Any]) -> tuple[Action, ...]:
    if "action" in value:
        return (_direct(device, value),)
    actions = [_property(device, key, entry) for key, entry in value.items() if key != "state"]
    if "state" not in value:
        if not actions:
            raise _refusal(device, {})
        return tuple(actions)
    first = _scalar(device, value["state"])
    if not actions:
        return (first,)
    if first.name in _OFF or first.name == "toggle":
        raise SettingError(f"{device.id}: {value['state']} does not go with anything else")
    # A brightness says on by itself; on before it would flash the lamp at full power.
    return tuple(actions) if first.name in ("turn_on", "open") else (first, *actions)


def _direct(device: Device, value: Mapping[str, Any]) -> Action:
    """`{"action": "set_brightness", "args": {"brightness": 40}}`, the words of the table."""
    name, args = value["action"], value.get("args", {})
    if set(value) - {"action", "args"} or not isinstance(name, str) or not device.can(name):
        can = ", ".join(name for name in ACTIONS[device.kind] if device.can(name))
        raise SettingError(f"{device.id}: action is one of {can}, beside it only args")
    wanted = [row.name for row in ACTIONS[device.kind][name]]
    if not isinstance(args, Mapping) or sorted(args) != sorted(wanted):
        raise SettingError(f"{device.id}: {name} takes args {', '.join(wanted) or 'none'}")
    if not wanted:
        return Action(device.id, name)
    (key,) = (key for key, row in _KEYS.items() if row == (name, wanted[0]) and key == wanted[0])
    return _property(device, key, args[wanted[0]])


def _modes(device: Device) -> tuple[str, ...]:
    if device.kind != "climate" or not device.can("set_hvac_mode"):
        return ()
    return device.modes or ("off", "heat")


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def _refusal(device: Device, value: object) -> SettingError:
    return SettingError(f"{device.id} cannot be set to {value!r:.60}; it takes {allowed(device)}")
