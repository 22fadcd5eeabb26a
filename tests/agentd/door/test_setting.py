"""What `set` may carry, kind by kind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.door.setting import SettingError, parse_setting, read_payload
from llmagentos.home import Device
from llmagentos.kind import ACTIONS
from llmagentos.wire import WireError

LAMP = Device("x", "x", "light")
RELAY_LAMP = Device("x", "x", "light", actions=frozenset({"turn_on", "turn_off", "toggle"}))
SWITCH = Device("x", "x", "switch")
FAN = Device("x", "x", "fan")
BLIND = Device("x", "x", "cover")
LOCK = Device("x", "x", "lock")
HEATING = Device("x", "x", "climate", modes=("off", "heat", "auto"))
SIREN = Device("x", "x", "siren")
BUTTON = Device("x", "x", "button")
NUMBER = Device("x", "x", "number")
SENSOR = Device("x", "x", "sensor")

UNDERSTOOD = [
    # device      value                                     actions
    (LAMP,        "on",                                     [("turn_on", {})]),
    (LAMP,        " OFF ",                                  [("turn_off", {})]),
    (LAMP,        True,                                     [("turn_on", {})]),
    (LAMP,        False,                                    [("turn_off", {})]),
    (LAMP,        "toggle",                                 [("toggle", {})]),
    (LAMP,        40,                                       [("set_brightness", {"brightness": 40})]),
    (LAMP,        "40",                                     [("set_brightness", {"brightness": 40})]),
    (LAMP,        "40.5",                                   [("set_brightness", {"brightness": 40.5})]),
    (LAMP,        0,                                        [("set_brightness", {"brightness": 0})]),
    (LAMP,        {"state": "on"},                          [("turn_on", {})]),
    (LAMP,        {"state": "on", "brightness": 40},        [("set_brightness", {"brightness": 40})]),
    (LAMP,        {"brightness": 40, "kelvin": 2700},       [("set_brightness", {"brightness": 40}),
                                                             ("set_color_temp", {"kelvin": 2700})]),
    (LAMP,        {"color": "Red"},                         [("set_color", {"color": "red"})]),
    (LAMP,        {"action": "turn_on"},                    [("turn_on", {})]),
    (LAMP,        {"action": "set_brightness", "args": {"brightness": 9}},
                                                            [("set_brightness", {"brightness": 9})]),
    (SWITCH,      {"state": "off"},                         [("turn_off", {})]),
    (FAN,         30,                                       [("set_speed", {"speed": 30})]),
    (BLIND,       "open",                                   [("open", {})]),
    (BLIND,       "closed",                                 [("close", {})]),
    (BLIND,       "stop",                                   [("stop", {})]),
    (BLIND,       37,                                       [("set_position", {"position": 37})]),
    (BLIND,       {"state": "open", "position": 20},        [("set_position", {"position": 20})]),
    (LOCK,        "unlock",                                 [("unlock", {})]),
    (LOCK,        "locked",                                 [("lock", {})]),
    (HEATING,     21.5,                                     [("set_temperature", {"temperature": 21.5})]),
    (HEATING,     "heat",                                   [("set_hvac_mode", {"mode": "heat"})]),
    (HEATING,     "off",                                    [("turn_off", {})]),
    (HEATING,     {"mode": "auto", "temperature": 19},      [("set_hvac_mode", {"mode": "auto"}),
                                                             ("set_temperature", {"temperature": 19})]),
    (HEATING,     {"state": "heat", "target_temperature": 19}, [("set_hvac_mode", {"mode": "heat"}),
                                                             ("set_temperature", {"temperature": 19})]),
    (SIREN,       "on",                                     [("turn_on", {})]),
    (BUTTON,      "press",                                  [("press", {})]),
    (NUMBER,      -3,                                       [("set_value", {"value": -3})]),
    (NUMBER,      {"value": 3},                             [("set_value", {"value": 3})]),
]  # fmt: skip


@pytest.mark.parametrize(("device", "value", "actions"), UNDERSTOOD)
def test_value_means_actions(device: Device, value: Any, actions: list[Any]) -> None:
    found = parse_setting(device, value)
    assert [(action.name, dict(action.args)) for action in found] == actions
    assert {action.device for action in found} == {"x"}


REFUSED = [
    # device      value                                     words of the refusal
    (LAMP,        "purple",                                 "it takes on, off, toggle, a number"),
    (LAMP,        "",                                       "it takes"),
    (LAMP,        None,                                     "it takes"),
    (LAMP,        [1],                                      "it takes"),
    (LAMP,        {},                                       "it takes"),
    (LAMP,        float("nan"),                             "it takes"),
    (LAMP,        "nan",                                    "it takes"),
    (LAMP,        {"brightness": "bright"},                 "brightness is a number"),
    (LAMP,        {"brightness": True},                     "brightness is a number"),
    (LAMP,        {"brightness": None},                     "brightness is a number"),
    (LAMP,        {"brightness": float("inf")},             "brightness is a number"),
    (LAMP,        {"color": "mauve"},                       "color is one of white"),
    (LAMP,        {"speed": 3},                             "it takes"),
    (LAMP,        {"state": "off", "brightness": 40},       "does not go with"),
    (LAMP,        {"state": "on", "volume": 40},            "it takes"),
    (LAMP,        {"action": "explode"},                    "action is one of turn_on"),
    (LAMP,        {"action": ["turn_on"]},                  "action is one of turn_on"),
    (LAMP,        {"action": "set_brightness"},             "takes args brightness"),
    (LAMP,        {"action": "turn_on", "args": {"x": 1}},  "takes args none"),
    (LAMP,        {"action": "turn_on", "state": "on"},     "beside it only args"),
    (RELAY_LAMP,  40,                                       "it takes on, off, toggle, or JSON with state"),
    (RELAY_LAMP,  {"brightness": 40},                       "it takes on, off, toggle, or JSON with state"),
    (SWITCH,      1,                                        "it takes on, off, toggle"),
    (BLIND,       "on",                                     "it takes open"),
    (HEATING,     "cool",                                   "it takes on, off, toggle, off, heat, auto"),
    (HEATING,     {"mode": "cool"},                         "mode is one of off, heat, auto"),
    (SENSOR,      1,                                        "can be read and not set"),
]  # fmt: skip


@pytest.mark.parametrize(("device", "value", "words"), REFUSED)
def test_other_value_is_refused_with_what_is_allowed(
    device: Device, value: Any, words: str
) -> None:
    with pytest.raises(SettingError) as caught:
        parse_setting(device, value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
    | st.sampled_from(["on", "off", "open", "heat", "toggle", "press", "lock"]),
    lambda inner: st.dictionaries(
        st.sampled_from(["state", "brightness", "mode", "position", "action", "args", "?"]), inner
    ) | st.lists(inner, max_size=2),
    max_leaves=5,
)  # fmt: skip


@given(st.sampled_from(sorted(ACTIONS)), VALUES)
def test_any_value_gives_actions_of_the_table_or_a_refusal(kind: str, value: Any) -> None:
    device = Device("x", "x", kind)
    try:
        actions = parse_setting(device, value)
    except SettingError:
        return
    assert actions
    for action in actions:
        assert device.can(action.name)
        assert set(action.args) == {row.name for row in ACTIONS[kind][action.name]}


PAYLOADS = [
    (b"on",             "on"),
    (b" on\n",          "on"),
    (b"fan only",       "fan only"),
    (b"true",           True),
    (b"40",             40),
    (b"-1.5",           -1.5),
    (b'"on"',           "on"),
    (b'{"a":[1]}',      {"a": [1]}),
    (b"null",           "null"),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "value"), PAYLOADS)
def test_payload_is_json_or_one_word(payload: bytes, value: Any) -> None:
    assert read_payload(payload, max_bytes=100) == value


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "neither"),
        (b"   ", "neither"),
        (b"on!", "neither"),
        (b"on" * 100, "too many"),
        (b"NaN", "not a number"),
        (b"infinity", "neither"),
        (b'{"a":', "not JSON"),
        (b'{"a":NaN}', "not a number"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_other_payload_is_refused(payload: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        read_payload(payload, max_bytes=100)
