"""Every driver and link by the name that agentd.toml gives it.

A row names its class as text: nothing of a driver, its vendor library least of all, is imported
before a device asks for it. A new driver is one file and one row here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from hal.contract import Actuator, DriverError, Sensor, Wiring
from hal.option import Option, describe, nearest, read
from llmagentos.home import Device

_ON_OFF: Final = frozenset({"turn_on", "turn_off", "toggle"})
_DIMMED: Final = _ON_OFF | {"set_brightness"}
_LOCK: Final = frozenset({"lock", "unlock", "toggle"})
_VALVE: Final = frozenset({"open", "close", "toggle"})
_NONE: Final = frozenset[str]()

UNITS: Final[Mapping[str, str]] = {
    "carbon_dioxide": "ppm",
    "distance": "cm",
    "humidity": "%",
    "illuminance": "lx",
    "moisture": "%",
    "pm1": "μg/m³",
    "pm10": "μg/m³",
    "pm25": "μg/m³",
    "pressure": "hPa",
    "power": "W",
    "speed": "km/h",
    "temperature": "°C",
    "voltage": "V",
}
"""Unit of a sensor that names none, by its Home Assistant device class."""


@dataclass(frozen=True, slots=True)
class Row:
    """One driver."""

    name: str
    """As `driver = "..."` says it."""

    target: str
    """`module:attribute` of what makes the device of a `Wiring`; the module holds `Options`."""

    kinds: Mapping[str, frozenset[str] | None]
    """Kind of device -> the actions it can carry out; None for every action of the kind."""

    summary: str
    """One line for a person."""

    device_class: str | None = None
    """What it measures when the device does not say; None when that is open."""

    has_pin: bool = False
    """Whether it takes `pin`."""

    has_link: bool = False
    """Whether it takes `link`."""

    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the `Device` that hold when the configuration leaves them out."""

    @property
    def options(self) -> tuple[Option, ...]:
        """What `[device.options]` may hold; imports the driver."""
        return describe(_module(self.target).Options)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One way to parts that several devices share."""

    target: str
    """`module:class`; the module holds `Options`."""

    summary: str
    """One line for a person."""


_ROWS: Final = (
    Row(
        "gpio.relay",
        "hal.driver.relay:Relay",
        {
            "switch": _ON_OFF, "light": _ON_OFF, "fan": _ON_OFF, "siren": _ON_OFF,
            "lock": _LOCK, "valve": _VALVE,
        },
        "relay, transistor or solid-state switch on one pin",
        has_pin=True,
    ),
    Row(
        "gpio.pwm",
        "hal.driver.pwm_light:PwmLight",
        {"light": _DIMMED},
        "lamp that is dimmed by pulses on one pin",
        has_pin=True,
    ),
    Row(
        "gpio.rgb",
        "hal.driver.rgb_light:RgbLight",
        {"light": _DIMMED | {"set_color"}},
        "lamp of three colours on three pins",
    ),
    Row(
        "gpio.motor_cover",
        "hal.driver.motor_cover:MotorCover",
        {"cover": None},
        "blind or shutter on a motor with two directions",
    ),
    Row(
        "gpio.h_bridge",
        "hal.driver.h_bridge:HBridge",
        {"fan": None, "number": None},
        "motor on an H-bridge, with a speed and two directions",
    ),
    Row(
        "gpio.buzzer",
        "hal.driver.buzzer:Buzzer",
        {"siren": _ON_OFF},
        "buzzer that sounds while its pin is active",
        has_pin=True,
    ),
    Row(
        "gpio.button",
        "hal.driver.button:Button",
        {"button": _NONE},
        "push button between a pin and ground",
        has_pin=True,
    ),
    Row(
        "gpio.motion",
        "hal.driver.motion:Motion",
        {"binary_sensor": _NONE},
        "motion sensor or contact on one pin",
        device_class="motion",
        has_pin=True,
    ),
    Row(
        "gpio.hc_sr04",
        "hal.driver.hc_sr04:HcSr04",
        {"sensor": _NONE},
        "HC-SR04 ultrasonic distance sensor on two pins",
        device_class="distance",
    ),
    Row(
        "onewire.ds18b20",
        "hal.driver.ds18b20:Ds18b20",
        {"sensor": _NONE},
        "DS18B20 thermometer on the 1-wire bus",
        device_class="temperature",
        has_link=True,
    ),
    Row(
        "i2c.bme280",
        "hal.driver.bme280:Bme280",
        {"sensor": _NONE},
        "BME280 thermometer, hygrometer and barometer",
        device_class="temperature",
        has_link=True,
    ),
    Row(
        "i2c.sht31",
        "hal.driver.sht31:Sht31",
        {"sensor": _NONE},
        "SHT30, SHT31 or SHT35 thermometer and hygrometer",
        device_class="temperature",
        has_link=True,
    ),
    Row(
        "i2c.ads1115",
        "hal.driver.ads1115:Ads1115",
        {"sensor": _NONE},
        "voltage, or what a straight line makes of it, on an ADS1115",
        device_class="voltage",
        has_link=True,
    ),
    Row(
        "i2c.pca9685",
        "hal.driver.pca9685:Pca9685",
        {"number": None, "light": _DIMMED},
        "servo or dimmed lamp on one of a PCA9685's sixteen outputs",
        has_link=True,
    ),
    Row(
        "serial.pms5003",
        "hal.driver.pms5003:Pms5003",
        {"sensor": _NONE},
        "PMS5003 particle counter",
        device_class="pm25",
    ),
    Row(
        "serial.mh_z19",
        "hal.driver.mh_z19:MhZ19",
        {"sensor": _NONE},
        "MH-Z19 carbon dioxide sensor",
        device_class="carbon_dioxide",
    ),
    Row(
        "serial.tfmini",
        "hal.driver.tfmini:TfMini",
        {"sensor": _NONE},
        "TFmini laser distance sensor",
        device_class="distance",
    ),
    Row(
        "serial.nmea",
        "hal.driver.nmea_gps:NmeaGps",
        {"sensor": _NONE},
        "GPS or other satellite receiver that speaks NMEA 0183",
        device_class="speed",
        has_link=True,
    ),
    Row(
        "modbus.register",
        "hal.driver.modbus_register:ModbusRegister",
        {"sensor": _NONE, "binary_sensor": _NONE},
        "register or input of a Modbus RTU station",
        has_link=True,
    ),
    Row(
        "modbus.coil",
        "hal.driver.modbus_coil:ModbusCoil",
        {"switch": _ON_OFF, "light": _ON_OFF, "fan": _ON_OFF, "siren": _ON_OFF},
        "coil of a Modbus RTU station, such as a relay board's",
        has_link=True,
    ),
    Row(
        "board.health",
        "hal.driver.pi_health:PiHealth",
        {"sensor": _NONE},
        "this board: processor temperature, throttling, under-voltage",
        device_class="temperature",
    ),
    Row(
        "board.undervoltage",
        "hal.driver.pi_health:PiHealth",
        {"binary_sensor": _NONE},
        "whether this Raspberry Pi gets too little voltage",
        device_class="problem",
    ),
    Row(
        "serial.jsonl",
        "hal.driver.json_lines:build",
        {
            "sensor": _NONE, "binary_sensor": _NONE, "button": _NONE, "number": None,
            "switch": _ON_OFF, "light": _ON_OFF, "fan": _ON_OFF, "siren": _ON_OFF,
        },
        "your own microcontroller, one JSON object a line",
        has_link=True,
    ),
    Row(
        "climate.thermostat",
        "hal.driver.thermostat:Thermostat",
        {"climate": frozenset({"turn_on", "turn_off", "toggle", "set_temperature",
                               "set_hvac_mode"})},
        "thermostat made of a heater and a thermometer of this home",
        defaults={"minimum": 5.0, "maximum": 30.0, "modes": ("off", "heat"), "unit": "°C"},
    ),
)  # fmt: skip

_LINKS: Final[Mapping[str, LinkRow]] = {
    "i2c": LinkRow("hal.link.i2c:I2cBus", "I2C bus of the header"),
    "serial": LinkRow("hal.link.serial:SerialLink", "serial adapter, lines of text"),
    "serial.jsonl": LinkRow("hal.link.serial:SerialLink", "the same, by its devices' driver"),
    "modbus": LinkRow("hal.link.modbus:ModbusLine", "Modbus RTU line over a serial adapter"),
    "onewire": LinkRow("hal.link.onewire:OneWireBus", "1-wire bus of the kernel"),
}

_BY_NAME: Final[Mapping[str, Row]] = {row.name: row for row in _ROWS}


def names() -> tuple[str, ...]:
    """The names of all drivers."""
    return tuple(_BY_NAME)


def link_names() -> tuple[str, ...]:
    """The names of all kinds of link."""
    return tuple(_LINKS)


def row(name: str) -> Row:
    """The row of a driver.

    Raises:
        DriverError: there is none of that name; the text says which come near.
    """
    if name not in _BY_NAME:
        hint = nearest(name, _BY_NAME)
        raise DriverError(f"unknown driver {name!r}{hint}; there are {', '.join(names())}")
    return _BY_NAME[name]


def complete(device: Device, *, driver: str) -> Device:
    """The device with what its driver knows of it: actions, and what the configuration left out.

    Raises:
        DriverError: unknown driver, or it cannot be a device of this kind.
    """
    found = row(driver)
    if device.kind not in found.kinds:
        allowed = ", ".join(found.kinds)
        raise DriverError(f"{device.id}: {driver} cannot be a {device.kind}; allowed are {allowed}")
    known = dict(found.defaults) | {"device_class": found.device_class}
    if device.kind == "sensor":
        known["unit"] = UNITS.get(device.device_class or found.device_class or "")
    missing = {name: value for name, value in known.items() if getattr(device, name) in (None, ())}
    return dataclasses.replace(device, actions=found.kinds[device.kind], **missing)


def build(name: str, wiring: Wiring) -> Sensor | Actuator:
    """Make a device. Opens its pins; a link of its own waits for the start.

    Raises:
        DriverError: unknown driver, unfit kind or option; the text names it and what is allowed.
        PinBusy: another device or program holds its pin.
        PinUnknown: the board has no such pin.
        Unplugged: the board is away; it may be tried again.
    """
    found = row(name)
    device = complete(wiring.device, driver=name)
    if wiring.pin is not None and not found.has_pin:
        raise DriverError(f"{device.id}: {name} takes no pin; look at its options")
    if wiring.link is not None and not found.has_link:
        raise DriverError(f"{device.id}: {name} takes no link")
    made = _load(found.target)(dataclasses.replace(wiring, device=device))
    assert isinstance(made, Sensor | Actuator)
    return made


def open_link(driver: str, **options: Any) -> Any:
    """Make a link that several devices share. It opens its port when the first device listens.

    Args:
        driver: a name of `link_names`.
        options: the rest of the `[[link]]` table.

    Raises:
        DriverError: unknown link, or an unfit option.
    """
    if driver not in _LINKS:
        hint = nearest(driver, _LINKS)
        raise DriverError(f"unknown link {driver!r}{hint}; there are {', '.join(_LINKS)}")
    target = _LINKS[driver].target
    checked = read(_module(target).Options, options, owner=f"link {driver}")
    return _load(target)(**dataclasses.asdict(checked))


def _module(target: str) -> Any:
    return import_module(target.partition(":")[0])


def _load(target: str) -> Any:
    return getattr(_module(target), target.partition(":")[2])
