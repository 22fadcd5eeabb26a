"""Home Assistant's discovery document, kind by kind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jinja2 import Environment

from agentd.door.discovery import discovery
from agentd.door.document import state_document
from agentd.door.setting import parse_setting, read_payload
from llmagentos.home import Area, Device, Home
from llmagentos.kind import ACTIONS
from llmagentos.reading import Quality, State

ALL = Home(
    devices=tuple(Device(kind, kind, kind) for kind in ACTIONS), areas=(Area("study", "Study"),)
)


def components(*devices: Device) -> dict[str, Any]:
    home = Home(devices=devices) if devices else ALL
    return discovery("box", info={"version": "1"}, home=home)[1]["cmps"]


def test_document_describes_the_box() -> None:
    info = {"name": "Kitchen", "version": "1.2", "area": "study"}
    topic, document = discovery("box", info=info, home=ALL)
    assert topic == "homeassistant/device/agentd_box/config"
    assert document["dev"]["identifiers"] == ["agentd_box"]
    assert document["dev"]["suggested_area"] == "Study"
    assert document["o"] == {"name": "agentd", "sw": "1.2"}
    assert sorted(document["cmps"]) == sorted(ACTIONS)
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_component_has_what_home_assistant_demands(kind: str) -> None:
    made = components()[kind]
    assert made["p"] == kind
    assert made["unique_id"] == f"agentd_box_{kind}"
    assert made["default_entity_id"] == f"{kind}.box_{kind}"
    topics = {entry["topic"] for entry in made["availability"]}
    assert topics == {"agentd/box/status", f"agentd/box/{kind}/availability"}
    assert made["availability_mode"] == "all"
    assert "~" not in json.dumps(made)
    assert "object_id" not in made


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_component_reads_our_state_and_writes_our_set_topic(kind: str) -> None:
    for key, value in components()[kind].items():
        if key.endswith("command_topic") or key == "set_position_topic":
            assert value == f"agentd/box/{kind}/set"
        elif key.endswith("_topic"):
            assert value == f"agentd/box/{kind}/state"


COMMANDS = [
    # kind       template of the component          variables            what it asks for
    ("light",    "brightness_command_template",     {"value": 40},       ("set_brightness", {"brightness": 40})),
    ("light",    "color_temp_command_template",     {"value": 2700},     ("set_color_temp", {"kelvin": 2700})),
    ("fan",      "percentage_command_template",     {"value": 30},       ("set_speed", {"speed": 30})),
    ("cover",    "set_position_template",           {"position": 20},    ("set_position", {"position": 20})),
    ("climate",  "mode_command_template",           {"value": "heat"},   ("set_hvac_mode", {"mode": "heat"})),
    ("climate",  "temperature_command_template",    {"value": 21.5},     ("set_temperature", {"temperature": 21.5})),
    ("siren",    "command_template",                {"value": "on"},     ("turn_on", {})),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "template", "variables", "wanted"), COMMANDS)
def test_command_template_makes_what_set_understands(
    kind: str, template: str, variables: dict[str, Any], wanted: tuple[str, dict[str, Any]]
) -> None:
    payload = Environment().from_string(components()[kind][template]).render(**variables)
    (action,) = parse_setting(ALL.by_id[kind], read_payload(payload.encode(), max_bytes=1000))
    assert (action.name, dict(action.args)) == wanted


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_every_payload_is_understood_by_set(kind: str) -> None:
    for key, value in components()[kind].items():
        if key.startswith("payload_") and kind != "binary_sensor":
            assert parse_setting(ALL.by_id[kind], value)


STATES = [
    # kind             template                       values                     rendered
    ("light",          "state_value_template",        {"state": "on"},           "on"),
    ("light",          "brightness_value_template",   {"brightness": 40},        "40"),
    ("light",          "brightness_value_template",   {"state": "off"},          ""),
    ("switch",         "value_template",              {"state": "off"},          "off"),
    ("fan",            "percentage_value_template",   {"speed": 30},             "30"),
    ("cover",          "value_template",              {"state": "opening"},      "opening"),
    ("cover",          "position_template",           {"position": 0},           "0"),
    ("lock",           "value_template",              {"state": "locked"},       "locked"),
    ("climate",        "mode_state_template",         {"state": "heat"},         "heat"),
    ("climate",        "temperature_state_template",  {"target_temperature": 21}, "21"),
    ("climate",        "current_temperature_template", {},                       "None"),
    ("sensor",         "value_template",              {"state": 0.0},            "0.0"),
    ("number",         "value_template",              {"state": 3},              "3"),
    ("binary_sensor",  "value_template",              {"state": "on"},           "on"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "template", "values", "rendered"), STATES)
def test_value_template_reads_our_state_document(
    kind: str, template: str, values: dict[str, Any], rendered: str
) -> None:
    document = state_document(State(kind, values))
    found = Environment().from_string(components()[kind][template]).render(value_json=document)
    assert found == rendered


def test_unavailable_device_is_unknown_and_not_a_made_up_value() -> None:
    document = state_document(State("sensor", quality=Quality.UNAVAILABLE, reason="away"))
    template = components()["sensor"]["value_template"]
    assert Environment().from_string(template).render(value_json=document) == "None"


def test_lamp_without_a_dimmer_offers_no_brightness() -> None:
    relay = Device("l", "l", "light", actions=frozenset({"turn_on", "turn_off", "toggle"}))
    assert not [key for key in components(relay)["l"] if "brightness" in key]


def test_valve_that_tells_its_position_names_no_payloads() -> None:
    # Home Assistant refuses a valve that has both.
    made = components()["valve"]
    assert made["reports_position"]
    assert not {"payload_open", "payload_close", "state_open", "state_closed"} & set(made)
    simple = Device("v", "v", "valve", actions=frozenset({"open", "close"}))
    assert components(simple)["v"]["payload_open"] == "open"


def test_micro_is_written_with_the_greek_letter() -> None:
    dust = Device("d", "d", "sensor", device_class="pm25", unit="\u00b5g/m³")
    assert components(dust)["d"]["unit_of_measurement"] == "\u03bcg/m³"


def test_class_that_home_assistant_does_not_know_is_left_out() -> None:
    assert "device_class" not in components(Device("p", "p", "switch", device_class="pump"))["p"]
    outlet = Device("o", "o", "switch", device_class="outlet")
    assert components(outlet)["o"]["device_class"] == "outlet"


def test_limits_of_a_climate_are_its_own() -> None:
    made = components(Device("c", "c", "climate", minimum=5, maximum=25))["c"]
    assert (made["min_temp"], made["max_temp"], made["temperature_unit"]) == (5, 25, "C")


def test_removed_device_is_named_with_its_platform_alone() -> None:
    _, document = discovery("box", info={}, home=Home(), gone=[Device("x", "x", "light")])
    assert document["cmps"] == {"x": {"p": "light"}}
