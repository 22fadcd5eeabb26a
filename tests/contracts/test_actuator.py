"""The same tests over every actuator, on every board it can stand on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hal import registry
from hal.contract import DriverError, Unplugged, Unsupported
from llmagentos.home import Device
from llmagentos.kind import ACTIONS, effect
from tests.contracts.bench import Row, cases, set_up
from tests.hal.bench import NOW, act, at
from tests.hal.i2c import Pca9685Chip

COVER = {"open_pin": 5, "close_pin": 6, "travel_s": 2, "pause_s": 0.1}
BRIDGE = {"forward_pin": 5, "backward_pin": 6}
ROOM = {"heater": "heater", "sensor": "air"}

ROWS = (
    Row("gpio.relay", "switch", 17, (17,)),
    Row("gpio.relay", "light", 17, (17,), {"active_high": False}),
    Row("gpio.relay", "fan", 17, (17,)),
    Row("gpio.relay", "lock", 17, (17,)),
    Row("gpio.relay", "valve", 17, (17,)),
    Row("gpio.pwm", "light", 18, (18,)),
    Row("gpio.rgb", "light", None, (12, 13, 19), {"red_pin": 12, "green_pin": 13, "blue_pin": 19}),
    Row("gpio.buzzer", "siren", 25, (25,)),
    Row("gpio.motor_cover", "cover", None, (5, 6), COVER),
    Row("gpio.h_bridge", "fan", None, (5, 6), BRIDGE, stops=True),
    Row("gpio.h_bridge", "number", None, (5, 6), BRIDGE, stops=True),
    Row("serial.jsonl", "switch", bench="serial"),
    Row(
        "i2c.pca9685",
        "number",
        bench="i2c",
        chip=Pca9685Chip,
        address=0x40,
        options={"channel": 3, "period_s": 0.1},
    ),
    Row(
        "i2c.pca9685",
        "light",
        bench="i2c",
        chip=Pca9685Chip,
        address=0x40,
        options={"channel": 3, "period_s": 0.1},
    ),
    Row("modbus.coil", "switch", bench="modbus", options={"coil": 5, "period_s": 0.1}),
    Row("modbus.coil", "fan", bench="modbus", options={"coil": 5, "period_s": 0.1}),
    Row("serial.jsonl", "number", bench="serial"),
    Row("climate.thermostat", "climate", bench="bare", options=ROOM),
)

ARGS: dict[str, dict[str, Any]] = {
    "set_brightness": {"brightness": 40.0},
    "set_speed": {"speed": 60.0},
    "set_color": {"color": "red"},
    "set_position": {"position": 50.0},
    "set_temperature": {"temperature": 21.5},
    "set_hvac_mode": {"mode": "heat"},
    "set_value": {"value": 7.5},
}

BLOCKS_S = 0.02
"""Longest that a call may take: the tick waits for it."""


CASES = [pytest.param((row, on), id=f"{row.name}-{on}") for row, on in cases(ROWS)]
PLUGGED = [case for case in CASES if not str(case.id).endswith(("-mock", "-bare"))]
"""Those whose hardware can go away."""

SHARED = [case for case in CASES if str(case.id).endswith(("-chip", "-simulated"))]
"""Those whose lines outlive the process."""


@pytest.fixture(params=CASES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = set_up(*request.param, tmp_path)
    yield made
    made.close()


def actions(row: Row) -> list[str]:
    """What the driver says it can, but for toggle, which no driver sees."""
    device = registry.complete(Device("thing", "thing", row.kind), driver=row.driver)
    return [name for name in ACTIONS[row.kind] if device.can(name) and name != "toggle"]


def quickest(call: Callable[[], Any]) -> float:
    """The best of three: what the driver takes, apart from what the machine was busy with."""
    took = []
    for _ in range(3):
        before = time.perf_counter()
        call()
        took.append(time.perf_counter() - before)
    return min(took)


def rounded(key: str, value: Any) -> Any:
    """A position that is told by time, to the nearest ten."""
    return round(value, -1) if key == "position" else value


def at_rest(bench: Any) -> list[float]:
    """What a meter shows of a motor that is stopped."""
    return [0.0 for _ in bench.row.pins]


def test_every_output_driver_is_under_contract() -> None:
    drivers = {
        name
        for name in registry.names()
        if any(actions != frozenset() for actions in registry.row(name).kinds.values())
    }
    assert drivers == {row.driver for row in ROWS}


def test_what_was_applied_is_read_back(bench: Any) -> None:
    for name in actions(bench.row) * 2:
        args = ARGS.get(name, {})
        bench.tell(name, **args)
        state = bench.settle()
        expected = effect(bench.row.kind, name, args)
        assert {key: rounded(key, state[key]) for key in expected} == expected


def test_calls_do_not_block(bench: Any) -> None:
    for name in actions(bench.row):
        action = act(name, **ARGS.get(name, {}))
        assert quickest(lambda action=action: bench.actuator.apply(action, NOW)) < BLOCKS_S
    assert quickest(lambda: bench.actuator.advance(NOW)) < BLOCKS_S
    assert quickest(lambda: bench.actuator.read_back(NOW)) < BLOCKS_S


def test_unknown_action_is_refused_and_changes_nothing(bench: Any) -> None:
    before, state = bench.measure(), bench.settle()
    theirs = {name for of_kind in ACTIONS.values() for name in of_kind}
    for name in (*sorted(theirs - set(actions(bench.row))), "explode", ""):
        with pytest.raises(Unsupported, match="thing"):
            bench.actuator.apply(act(name, **ARGS.get(name, {})), at(bench.seconds))
    assert (bench.measure(), bench.settle()) == (before, state)


def test_close_leaves_every_level(bench: Any) -> None:
    for name in actions(bench.row):
        bench.tell(name, **ARGS.get(name, {}))
        bench.settle()
        before = at_rest(bench) if bench.row.stops else bench.measure()
        bench.made.close()
        assert bench.measure() == before
        bench.made = bench.build()
        assert bench.measure() == before, "taking over changed it"


def test_unknown_option_is_named_with_what_is_allowed(bench: Any) -> None:
    with pytest.raises(DriverError, match="thing: unknown option 'colour'"):
        bench.build(options={**bench.row.options, "colour": 1})


@pytest.mark.parametrize("bench", SHARED, indirect=True)
def test_next_process_takes_over_every_level(bench: Any) -> None:
    for name in actions(bench.row):
        bench.tell(name, **ARGS.get(name, {}))
        bench.settle()
        before = at_rest(bench) if bench.row.stops else bench.measure()
        bench.restart()
        # A dimmed lamp may be fully lit meanwhile: pulses of software end with their process.
        assert [level > 0 for level in bench.measure()] == [level > 0 for level in before]


@pytest.mark.parametrize("bench", PLUGGED, indirect=True)
def test_unplugged_part_is_told_and_works_again_when_it_is_back(bench: Any) -> None:
    name = actions(bench.row)[0]
    bench.unplug()
    with pytest.raises(Unplugged):
        bench.actuator.read_back(NOW)
    with pytest.raises(Unplugged):
        bench.actuator.apply(act(name, **ARGS.get(name, {})), NOW)
    bench.replug()
    bench.tell(name, **ARGS.get(name, {}))
    state = bench.settle()
    expected = effect(bench.row.kind, name, ARGS.get(name, {}))
    assert {key: state[key] for key in expected} == expected
