from __future__ import annotations

from pathlib import Path

from hal.scan import Found, I2cBus, OneWirePart, SerialAdapter, find_serial, scan


def test_empty_machine_has_nothing(tmp_path: Path) -> None:
    assert scan(tmp_path) == Found(serial=find_serial(tmp_path / "dev"))


def test_parts_are_found_below_dev_and_sys(tmp_path: Path) -> None:
    by_id = tmp_path / "dev/serial/by-id"
    by_id.mkdir(parents=True)
    (tmp_path / "dev/ttyACM0").touch()
    (by_id / "usb-Arduino_Uno_1234-if00").symlink_to("../../ttyACM0")
    (tmp_path / "dev/i2c-1").touch()
    (tmp_path / "dev/i2c-9").touch()
    (tmp_path / "sys/class/i2c-dev/i2c-1").mkdir(parents=True)
    (tmp_path / "sys/class/i2c-dev/i2c-1/name").write_text("bcm2835 (i2c@7e804000)\n")
    (tmp_path / "sys/bus/w1/devices/28-0316a279a5ff").mkdir(parents=True)
    (tmp_path / "sys/bus/w1/devices/w1_bus_master1").mkdir()
    (tmp_path / "dev/gpiochip0").touch()  # a file that is no chip is left out
    found = scan(tmp_path)
    port = str(by_id / "usb-Arduino_Uno_1234-if00")
    assert SerialAdapter(port, "Arduino Uno 1234") in found.serial
    dev = tmp_path / "dev"
    assert found.i2c == (
        I2cBus(str(dev / "i2c-1"), "bcm2835 (i2c@7e804000)"), I2cBus(str(dev / "i2c-9"), ""),
    )  # fmt: skip
    assert found.onewire == (OneWirePart("28-0316a279a5ff", "DS18B20 thermometer"),)
    assert found.gpio == ()
