"""The same tests over every sensor, on every board it can stand on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hal import registry
from hal.contract import DriverError
from tests.contracts.bench import Row, cases, set_up
from tests.hal.bench import NOW, W1_SLAVE, Inbox, clock, eventually
from tests.hal.driver import test_mh_z19 as mh_z19
from tests.hal.driver import test_nmea_gps as nmea
from tests.hal.driver import test_pms5003 as pms5003
from tests.hal.i2c import Ads1115Chip, Bme280Chip, Sht31Chip

COLDER = b"00 00 4b 46 7f ff 0e 10 59 : crc=59 YES\n00 00 4b 46 7f ff 0e 10 59 t=0\n"

ROWS = (
    Row("gpio.button", "button", 16, levels={"idle": 1, "pressed": 0}),
    Row("gpio.motion", "binary_sensor", 12, levels={"off": 0, "on": 1}),
    Row("onewire.ds18b20", "sensor", bench="bus", levels={23.125: W1_SLAVE, 0.0: COLDER}),
    Row("i2c.bme280", "sensor", bench="i2c", chip=Bme280Chip, address=0x76,
        options={"period_s": 0.1}, levels={25.08: 519888, 20.1: 504000}),
    Row("i2c.sht31", "sensor", bench="i2c", chip=Sht31Chip, address=0x44,
        options={"period_s": 0.1}, levels={25.0: 26214, -25.0: 7490}),
    Row("i2c.ads1115", "sensor", bench="i2c", chip=Ads1115Chip, address=0x48,
        options={"period_s": 0.1}, levels={2.048: 2.048, 0.0: 0.0}),
    Row("serial.pms5003", "sensor", bench="frame",
        levels={13: pms5003.EXAMPLE, 0: pms5003.frame()}),
    Row("serial.mh_z19", "sensor", bench="frame", is_asked=True, options={"period_s": 0.1},
        levels={608: mh_z19.answer(608), 1200: mh_z19.answer(1200)}),
    Row("gpio.hc_sr04", "sensor", bench="sonar", levels={100.0: 0.0058238, 25.0: 0.001456},
        options={"trigger_pin": 23, "echo_pin": 24, "period_s": 0.1}),
    Row("serial.tfmini", "sensor", bench="frame",
        levels={120: bytes.fromhex("595978001004000947"), 30: bytes.fromhex("59591e0010040009ed")}),
    Row("serial.nmea", "sensor", bench="frame",
        levels={18.5: nmea.rmc() + b"\r\n", 0.0: nmea.rmc("0.0") + b"\r\n"}),
    Row("modbus.register", "sensor", bench="modbus", options={"register": 7, "period_s": 0.1},
        levels={230: 230, 0: 0}),
    Row("modbus.register", "binary_sensor", bench="modbus", levels={"off": False, "on": True},
        options={"register": 5, "table": "coil", "period_s": 0.1}),
    Row("board.health", "sensor", bench="health", options={"period_s": 1.0},
        levels={48.3: 48300, 0.0: 0}),
    Row("board.undervoltage", "binary_sensor", bench="health", options={"period_s": 1.0},
        levels={"off": "50000", "on": "50005"}),
    Row("serial.jsonl", "sensor", bench="serial", levels={320: 320, 0: 0}),
    Row("serial.jsonl", "binary_sensor", bench="serial", levels={"off": 0, "on": 1}),
    Row("serial.jsonl", "button", bench="serial", levels={"idle": 0, "pressed": 1}),
)  # fmt: skip

BLOCKS_S = 0.02
"""Longest that start may take: the daemon starts many."""


CASES = [pytest.param((row, on), id=f"{row.name}-{on}") for row, on in cases(ROWS)]
PLUGGED = [
    case
    for case in CASES
    if str(case.id).endswith(("-bus", "-frame", "-health", "-i2c", "-modbus", "-serial", "-sonar"))
]
"""Those whose loss can be seen: a wire that is cut looks like rest."""


@pytest.fixture(params=CASES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = set_up(*request.param, tmp_path)
    yield made
    made.close()


def start(bench: Any, inbox: Inbox) -> None:
    """Start the sensor and let the world change once."""
    bench.sensor.start(inbox.post, clock)
    for value in bench.row.levels:
        bench.act_on(value)
        assert eventually(lambda value=value: inbox.has(value)), f"{value} was not told"


def test_every_input_driver_is_under_contract() -> None:
    drivers = {
        name
        for name in registry.names()
        if {"sensor", "binary_sensor", "button"} & set(registry.row(name).kinds)
    }
    assert drivers == {row.driver for row in ROWS}


def test_what_the_world_does_is_posted(bench: Any, inbox: Inbox) -> None:
    start(bench, inbox)
    values = list(bench.row.levels)
    for value in values[:-1]:
        bench.act_on(value)
        assert eventually(lambda value=value: inbox.has(value))
    for reading in inbox.readings:
        assert (reading.device, reading.at, reading.cause) == ("thing", NOW, None)
        assert reading.quantity
        assert (reading.reason == "") == (reading.quality == "good")


def test_start_returns_at_once(bench: Any, inbox: Inbox) -> None:
    before = time.perf_counter()
    bench.sensor.start(inbox.post, clock)
    assert time.perf_counter() - before < BLOCKS_S


def test_closed_sensor_posts_nothing(bench: Any, inbox: Inbox) -> None:
    start(bench, inbox)
    before = time.monotonic()
    bench.sensor.close()
    assert time.monotonic() - before < 1.0
    count = len(inbox.readings)
    for value in bench.row.levels:
        bench.act_on(value)
    assert not eventually(lambda: len(inbox.readings) > count, within_s=0.15)
    bench.made = bench.build()


def test_sensor_that_never_started_closes(bench: Any) -> None:
    bench.sensor.close()
    bench.made = bench.build()


def test_period_is_known_or_it_only_tells_changes(bench: Any) -> None:
    if bench.row.kind == "sensor":
        assert bench.sensor.period_s > 0
    else:
        assert bench.sensor.period_s is None


def test_unknown_option_is_named_with_what_is_allowed(bench: Any) -> None:
    with pytest.raises(DriverError, match="thing: unknown option 'colour'"):
        bench.build(options={**bench.row.options, "colour": 1})


@pytest.mark.parametrize("bench", PLUGGED, indirect=True)
def test_unplugged_part_is_posted_once_and_comes_back(bench: Any, inbox: Inbox) -> None:
    start(bench, inbox)
    bench.unplug()
    assert eventually(lambda: inbox.has(None, "unavailable"))
    assert inbox.last is not None
    assert inbox.last.reason
    count = len(inbox.readings)
    assert not eventually(lambda: len(inbox.readings) > count, within_s=0.3)
    bench.replug()
    value = next(iter(bench.row.levels))
    bench.act_on(value)
    assert eventually(lambda: inbox.has(value))
