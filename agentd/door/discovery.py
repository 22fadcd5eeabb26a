"""The description by which Home Assistant finds the box and all its devices.

One document for the whole box (MQTT device discovery, Home Assistant 2024.11 and later). Every
device is a component that reads the device's own state topic and writes its own set topic, so the
contract of those topics is all that stands behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentd.door.topic import Topics
from llmagentos.home import Device, Home

_MICRO: Final = {0x00B5: 0x03BC}
"""Home Assistant spells micro with the Greek letter, U+03BC, not the sign U+00B5."""

_UNITS: Final = {"°C": "C", "°F": "F"}

_DIMMED: Final = {
    "brightness_scale": 100,
    "brightness_value_template": "{{ value_json.brightness | default('') }}",
    "brightness_command_template": '{"brightness": {{ value }}}',
    # Home Assistant then sends one command to turn on, the brightness, and no "on" beside it.
    "on_command_type": "brightness",
}
_STATE: Final = "{{ value_json.state | default('None') }}"
"""None is Home Assistant's word for unknown; an unavailable device has no state at all."""

_CLASSES: Final[Mapping[str, frozenset[str]]] = {
    "switch": frozenset({"outlet", "switch"}),
    "valve": frozenset({"water", "gas"}),
    "button": frozenset({"identify", "restart", "update"}),
}
"""Device classes that Home Assistant takes; with another one it refuses the whole component."""

Component = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Part:
    """What a component is made from."""

    device: Device
    state: str
    """Topic of its state."""

    command: str
    """Topic of its commands."""

    temperature_unit: str
    """°C or °F."""


def discovery(
    node: str, *, info: Mapping[str, Any], home: Home, gone: Iterable[Device] = ()
) -> tuple[str, dict[str, Any]]:
    """Topic and document that describe a box.

    Args:
        node: id of the box.
        info: what the box says of itself; `name`, `version` and `area` are used where given.
        home: its devices and areas.
        gone: devices that the previous document had; they are removed.

    Raises:
        TopicError: the node or a device has an id that cannot stand in a topic.
    """
    topics = Topics(node)
    areas = {area.id: area.name for area in home.areas}
    box = {
        "identifiers": [f"agentd_{node}"],
        "name": str(info.get("name") or node),
        "manufacturer": "LLMAgentOS",
        "model": "agentd",
        "sw_version": str(info.get("version", "")),
    }
    if info.get("area") in areas:
        box["suggested_area"] = areas[info["area"]]
    components = {device.id: _removed(device) for device in gone}
    components |= {device.id: component(device, topics, home=home) for device in home.devices}
    return topics.discovery, {
        "dev": box,
        "o": {"name": "agentd", "sw": str(info.get("version", ""))},
        "qos": 1,
        "cmps": components,
    }


def component(device: Device, topics: Topics, *, home: Home) -> Component:
    """One device, as Home Assistant wants to know it."""
    unique = f"agentd_{topics.node}_{device.id}"
    slug = unique.removeprefix("agentd_").replace("-", "_")
    common: Component = {
        "p": device.kind,
        "unique_id": unique,
        "default_entity_id": f"{device.kind}.{slug}",
        "name": device.name,
        "availability": [
            {"topic": topics.status},
            {"topic": topics.availability(device.id)},
        ],
        "availability_mode": "all",
        "json_attributes_topic": topics.state(device.id),
    }
    if device.device_class and device.device_class in _CLASSES.get(
        device.kind, {device.device_class}
    ):
        common["device_class"] = device.device_class
    part = _Part(device, topics.state(device.id), topics.set(device.id), home.temperature_unit)
    return common | _KINDS[device.kind](part)


def _removed(device: Device) -> Component:
    """A component that says nothing but its platform is one that is no more."""
    return {"p": device.kind}


def _switch(part: _Part) -> Component:
    return {
        "state_topic": part.state,
        "value_template": _STATE,
        "command_topic": part.command,
        "payload_on": "on",
        "payload_off": "off",
    }


def _light(part: _Part) -> Component:
    made = _switch(part)
    made["state_value_template"] = made.pop("value_template")
    if part.device.can("set_brightness"):
        made |= {
            **_DIMMED,
            "brightness_state_topic": part.state,
            "brightness_command_topic": part.command,
        }
    if part.device.can("set_color_temp"):
        made |= {
            "color_temp_kelvin": True,
            "color_temp_state_topic": part.state,
            "color_temp_value_template": "{{ value_json.kelvin | default('') }}",
            "color_temp_command_topic": part.command,
            "color_temp_command_template": '{"kelvin": {{ value }}}',
        }
    return made


def _fan(part: _Part) -> Component:
    made = _switch(part)
    made["state_value_template"] = made.pop("value_template")
    if part.device.can("set_speed"):
        made |= {
            "percentage_state_topic": part.state,
            "percentage_value_template": "{{ value_json.speed | default('None') }}",
            "percentage_command_topic": part.command,
            "percentage_command_template": '{"speed": {{ value }}}',
        }
    return made


def _siren(part: _Part) -> Component:
    made = _switch(part)
    made["state_value_template"] = made.pop("value_template")
    # Without these Home Assistant offers a duration and a volume, which no siren here has.
    return made | {
        "command_template": "{{ value }}",
        "support_duration": False,
        "support_volume_set": False,
    }


def _cover(part: _Part) -> Component:
    made: Component = {
        "state_topic": part.state,
        "value_template": _STATE,
        "command_topic": part.command,
        "payload_open": "open",
        "payload_close": "close",
    }
    # Null, and not left out: Home Assistant would take a missing one for "STOP".
    made["payload_stop"] = "stop" if part.device.can("stop") else None
    if part.device.can("set_position"):
        made |= {
            "position_topic": part.state,
            "position_template": "{{ value_json.position | default('') }}",
            "set_position_topic": part.command,
            "set_position_template": '{"position": {{ position }}}',
        }
    return made


def _valve(part: _Part) -> Component:
    # A valve that tells its position must not name payloads: Home Assistant then writes the bare
    # number, 0 and 100 for closed and open, to the command topic.
    made: Component = {"state_topic": part.state, "command_topic": part.command}
    if part.device.can("stop"):
        made["payload_stop"] = "stop"
    if part.device.can("set_position"):
        return made | {"reports_position": True}
    known = "{{ 'open' if value_json.state == 'stopped' else value_json.state | default('None') }}"
    return made | {
        "value_template": known,
        "payload_open": "open",
        "payload_close": "close",
        "state_open": "open",
        "state_closed": "closed",
    }


def _lock(part: _Part) -> Component:
    return {
        "state_topic": part.state,
        "value_template": _STATE,
        "command_topic": part.command,
        "payload_lock": "lock",
        "payload_unlock": "unlock",
        "state_locked": "locked",
        "state_unlocked": "unlocked",
    }


def _climate(part: _Part) -> Component:
    made: Component = {
        "modes": list(part.device.modes or ("off", "heat")),
        "mode_state_topic": part.state,
        "mode_state_template": _STATE,
        "mode_command_topic": part.command,
        "mode_command_template": '{"mode": "{{ value }}"}',
        "temperature_state_topic": part.state,
        "temperature_state_template": "{{ value_json.target_temperature | default('None') }}",
        "temperature_command_topic": part.command,
        "temperature_command_template": '{"temperature": {{ value }}}',
        "current_temperature_topic": part.state,
        "current_temperature_template": "{{ value_json.current_temperature | default('None') }}",
        "temperature_unit": _UNITS.get(part.temperature_unit, "C"),
        "temp_step": 0.5,
    }
    return made | _bounds(part.device, low="min_temp", high="max_temp")


def _button(part: _Part) -> Component:
    return {"command_topic": part.command, "payload_press": "press"}


def _number(part: _Part) -> Component:
    made: Component = {
        "state_topic": part.state,
        "value_template": _STATE,
        "command_topic": part.command,
    }
    return made | _unit(part.device) | _bounds(part.device, low="min", high="max")


def _sensor(part: _Part) -> Component:
    made: Component = {"state_topic": part.state, "value_template": _STATE}
    if part.device.unit:
        made["state_class"] = "measurement"
    return made | _unit(part.device)


def _binary_sensor(part: _Part) -> Component:
    return {
        "state_topic": part.state,
        "value_template": _STATE,
        "payload_on": "on",
        "payload_off": "off",
    }


def _unit(device: Device) -> Component:
    return {"unit_of_measurement": device.unit.translate(_MICRO)} if device.unit else {}


def _bounds(device: Device, *, low: str, high: str) -> Component:
    bounds = {low: device.minimum, high: device.maximum}
    return {key: value for key, value in bounds.items() if value is not None}


_KINDS: Final[Mapping[str, Callable[[_Part], Component]]] = {
    "light": _light,
    "switch": _switch,
    "fan": _fan,
    "cover": _cover,
    "lock": _lock,
    "valve": _valve,
    "climate": _climate,
    "siren": _siren,
    "button": _button,
    "number": _number,
    "sensor": _sensor,
    "binary_sensor": _binary_sensor,
}
