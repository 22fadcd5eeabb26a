from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hal import registry
from hal.contract import DriverError
from hal.link.gpio import open_pins
from hal.link.onewire import OneWireBus
from hal.link.serial import SerialLink
from llmagentos.home import Device
from llmagentos.kind import ACTIONS
from tests.hal.bench import wiring

DRIVERS = Path(registry.__file__).parent / "driver"


def test_every_driver_file_has_a_row() -> None:
    listed = {registry.row(name).target.partition(":")[0] for name in registry.names()}
    files = {f"hal.driver.{file.stem}" for file in DRIVERS.glob("[!_]*.py")}
    assert listed == files


@pytest.mark.parametrize("name", registry.names())
def test_row_speaks_of_known_kinds_and_actions(name: str) -> None:
    for kind, actions in registry.row(name).kinds.items():
        assert actions is None or actions <= set(ACTIONS[kind])
    assert all(option.expects for option in registry.row(name).options)
    assert len(registry.row(name).summary) < 80


@pytest.mark.parametrize("name", registry.names())
def test_driver_says_what_it_is_in_its_docstring(name: str) -> None:
    module = sys.modules.get(registry.row(name).target.partition(":")[0])
    assert registry.row(name).options is not None
    module = sys.modules[registry.row(name).target.partition(":")[0]]
    for word in ("Quantity:", "Fastest period:", "Wiring:", "Source:", "Quirks:"):
        assert word in (module.__doc__ or ""), f"{name} does not tell its {word}"


def test_listing_imports_no_vendor_library() -> None:
    code = (
        "import sys; from hal import registry; registry.names(); registry.link_names();"
        "registry.row('gpio.relay').summary;"
        "print([name for name in ('serial', 'gpiozero', 'gpiod') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_unknown_driver_names_what_comes_near() -> None:
    with pytest.raises(DriverError, match=r"'gpio\.realy' \(did you mean 'gpio\.relay'"):
        registry.build("gpio.realy", wiring("switch"))


@pytest.mark.parametrize(
    ("driver", "kind", "fields", "says"),
    [
        ("gpio.relay",         "sensor",  {"pin": 4},                        "cannot be a sensor; allowed are switch, light"),
        ("gpio.relay",         "switch",  {"pin": 4, "options": {"inv": 1}}, "unknown option 'inv'; allowed are active_high"),
        ("gpio.relay",         "switch",  {},                                "needs a pin"),
        ("gpio.relay",         "switch",  {"pin": 4, "gpio": None},          "no board"),
        ("gpio.motor_cover",   "cover",   {"pin": 4},                        "takes no pin"),
        ("gpio.motor_cover",   "cover",   {},                                "'open_pin' is missing"),
        ("climate.thermostat", "climate", {"link": object()},                "takes no link"),
        ("climate.thermostat", "climate", {},                                "'heater' is missing"),
        ("onewire.ds18b20",    "sensor",  {"link": object()},                "no 1-wire bus"),
        ("serial.jsonl",       "sensor",  {"link": object()},                "no serial line"),
        ("serial.jsonl",       "sensor",  {},                                "'port'"),
    ],
)  # fmt: skip
def test_unfit_wiring_is_one_clear_line(
    driver: str, kind: str, fields: dict[str, object], says: str
) -> None:
    with pytest.raises(DriverError, match="thing") as caught:
        registry.build(driver, wiring(kind, **{"gpio": open_pins("mock"), **fields}))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("driver", "given", "device_class", "unit"),
    [
        ("onewire.ds18b20", {"kind": "sensor"},                                "temperature", "°C"),
        ("serial.jsonl",    {"kind": "sensor", "device_class": "illuminance"}, "illuminance", "lx"),
        ("serial.jsonl",    {"kind": "sensor", "device_class": "weight"},      "weight",      None),
        ("serial.jsonl",    {"kind": "sensor", "device_class": "power", "unit": "kW"}, "power", "kW"),
        ("gpio.motion",     {"kind": "binary_sensor"},                         "motion",      None),
        ("gpio.motion",     {"kind": "binary_sensor", "device_class": "door"}, "door",        None),
    ],
)  # fmt: skip
def test_device_is_completed_with_what_its_driver_knows(
    driver: str, given: dict[str, str], device_class: str, unit: str | None
) -> None:
    device = registry.complete(Device("thing", "thing", **given), driver=driver)
    assert (device.device_class, device.unit) == (device_class, unit)


def test_completing_keeps_a_zero_that_was_written() -> None:
    given = Device("thermostat", "thermostat", "climate", minimum=0.0)
    device = registry.complete(given, driver="climate.thermostat")
    assert (device.minimum, device.maximum, device.modes) == (0.0, 30.0, ("off", "heat"))


def test_device_is_offered_only_what_its_driver_can_do() -> None:
    relay = registry.complete(Device("a", "a", "light"), driver="gpio.relay")
    lamp = registry.complete(Device("b", "b", "light"), driver="gpio.pwm")
    assert not relay.can("set_brightness")
    assert lamp.can("set_brightness")
    assert not lamp.can("set_color")


@pytest.mark.parametrize(
    ("driver", "options", "made"),
    [
        ("serial", {"port": "/dev/ttyUSB0"}, SerialLink),
        ("serial.jsonl", {"port": "/dev/ttyUSB0", "baud": 9600}, SerialLink),
        ("onewire", {}, OneWireBus),
        ("onewire", {"path": "/run/w1", "period_s": 2}, OneWireBus),
    ],
)
def test_links_open_by_name(driver: str, options: dict[str, object], made: type) -> None:
    link = registry.open_link(driver, **options)
    assert isinstance(link, made)
    link.close()


@pytest.mark.parametrize(
    ("driver", "options", "says"),
    [
        ("serail", {}, "did you mean 'serial'"),
        ("serial", {}, "'port' is missing"),
        ("serial", {"port": "/dev/x", "speed": 9600}, "unknown option 'speed'; allowed are port, baud"),
        ("serial", {"port": "/dev/x", "baud": 7}, "'baud' is 7"),
    ],
)  # fmt: skip
def test_unfit_link_is_one_clear_line(driver: str, options: dict[str, object], says: str) -> None:
    with pytest.raises(DriverError) as caught:
        registry.open_link(driver, **options)
    assert says in str(caught.value)
