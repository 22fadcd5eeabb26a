"""Settings: what of a state counts, and the way from one to another."""

from __future__ import annotations

from typing import Any

import pytest

from agentd import setting
from llmagentos.home import Device
from llmagentos.plan import Action

OFF, ON = {"state": "off"}, {"state": "on"}
DIM, BRIGHT = {"state": "on", "brightness": 40}, {"state": "on", "brightness": 90}
HALF, SHUT, OPEN = (
    {"state": s, "position": p} for s, p in (("open", 50), ("closed", 0), ("open", 100))
)
PLAIN = frozenset({"turn_on", "turn_off", "open", "close", "stop"})


def act(name: str, **args: Any) -> tuple[str, dict[str, Any]]:
    return name, args


WAYS: dict[str, tuple[str, frozenset[str] | None, Any, Any, list[tuple[str, dict[str, Any]]] | None]] = {
    # what              kind      can    present                goal                    the way; None: there is none
    "nothing to do":    ("light",  None,  OFF,                  {**OFF, "brightness": 40}, []),
    "off":              ("light",  None,  DIM,                  OFF,                     [act("turn_off")]),
    "on":               ("switch", None,  OFF,                  ON,                      [act("turn_on")]),
    "dimmed":           ("light",  None,  OFF,                  DIM,                     [act("set_brightness", brightness=40)]),
    "brighter":         ("light",  None,  DIM,                  BRIGHT,                  [act("set_brightness", brightness=90)]),
    "no dimmer":        ("light",  PLAIN, DIM,                  BRIGHT,                  None),
    "brightness lost":  ("light",  None,  DIM,                  ON,                      None),
    "nearly so":        ("light",  None,  DIM,                  {**DIM, "brightness": 41}, []),
    "colour":           ("light",  None,  {**ON, "color": "red"}, {**ON, "color": "white"}, [act("set_color", color="white")]),
    "fan":              ("fan",    None,  OFF,                  {**ON, "speed": 30},     [act("set_speed", speed=30)]),
    "cover half":       ("cover",  None,  SHUT,                 HALF,                    [act("set_position", position=50)]),
    "cover open":       ("cover",  None,  HALF,                 OPEN,                    [act("open")]),
    "cover shut":       ("cover",  None,  HALF,                 SHUT,                    [act("close")]),
    "cover cannot":     ("cover",  PLAIN, SHUT,                 HALF,                    None),
    "cover was moving": ("cover",  None,  SHUT,                 {"state": "opening"},    None),
    "lock":             ("lock",   None,  {"state": "unlocked"}, {"state": "locked"},    [act("lock")]),
    "colder":           ("climate", None, {"state": "heat", "target_temperature": 22.0, "current_temperature": 20.0},
                         {"state": "heat", "target_temperature": 19.5, "current_temperature": 18.0}, [act("set_temperature", temperature=19.5)]),
    "heating off first": ("climate", None, {"state": "heat", "target_temperature": 22.0}, {"state": "off", "target_temperature": 20.0},
                          [act("set_hvac_mode", mode="off"), act("set_temperature", temperature=20.0)]),
    "warmer itself":    ("climate", None, {"state": "off", "current_temperature": 20.0}, {"state": "off", "current_temperature": 18.0}, []),
    "number":           ("number", None,  {"state": 3.0},       {"state": 0.0},          [act("set_value", value=0.0)]),
    "unknown":          ("switch", None,  ON,                   {},                      None),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "can", "present", "goal", "way"), WAYS.values(), ids=WAYS.keys())
def test_the_way_back(
    kind: str, can: frozenset[str] | None, present: Any, goal: Any, way: Any
) -> None:
    found = setting.way_back(Device("d", "d", kind, actions=can), present, goal)
    assert found == (None if way is None else tuple(Action("d", *each) for each in way))
