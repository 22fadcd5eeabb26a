"""The board's health from files as the kernel writes them: Pi kernels, upstream's, other boards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import Unplugged
from hal.driver.pi_health import PiHealth, read_celsius, read_flags
from tests.hal.bench import Inbox, clock, eventually, wiring

TEMPERATURE = "class/thermal/thermal_zone0/temp"
THROTTLED = "devices/platform/soc/soc:firmware/get_throttled"


class SysTree:
    """What a board's kernel shows below /sys."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.put(TEMPERATURE, "48312\n")

    def put(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name("fresh")
        fresh.write_text(text)
        fresh.rename(file)

    def firmware(self, bits: str) -> None:
        self.put(THROTTLED, f"{bits}\n")

    def alarm(self, value: str) -> None:
        self.put("class/hwmon/hwmon0/name", "cpu_thermal\n")
        self.put("class/hwmon/hwmon1/in0_lcrit_alarm", f"{value}\n")
        self.put("class/hwmon/hwmon1/name", "rpi_volt\n")


@pytest.fixture
def tree(tmp_path: Path) -> SysTree:
    return SysTree(tmp_path)


@pytest.mark.parametrize(
    ("bits", "undervoltage", "throttled"),
    [
        ("0",     "off", "off"),
        ("1",     "on",  "off"),
        ("4",     "off", "on"),
        ("2",     "off", "on"),
        ("8",     "off", "on"),
        ("f",     "on",  "on"),
        ("50000", "off", "off"),
        ("50005", "on",  "on"),
    ],
    ids=["well", "weak", "throttled", "capped", "soft limit", "all", "it was", "it was and is"],
)  # fmt: skip
def test_bits_of_the_firmware(bits: str, undervoltage: str, throttled: str) -> None:
    samples = read_flags(f"{bits}\n".encode())
    assert (samples["undervoltage"].value, samples["throttled"].value) == (undervoltage, throttled)


@pytest.mark.parametrize(
    ("raw", "celsius", "quality"),
    [(b"48312\n", 48.312, "good"), (b"0\n", 0.0, "good"), (b"-40000\n", -40.0, "suspect"),
     (b"200000\n", 200.0, "suspect")],
)  # fmt: skip
def test_temperature_of_the_kernel(raw: bytes, celsius: float, quality: str) -> None:
    sample = read_celsius(raw)
    assert (sample.value, sample.quality) == (celsius, quality)


@pytest.mark.parametrize("raw", [b"", b"\n", b"48", b"4 8\n", b"nan\n", b"4_8\n", b"\xff\n"])
def test_what_is_no_number_gives_no_value(raw: bytes) -> None:
    for parse in (read_celsius, read_flags):
        with pytest.raises(Unplugged):
            parse(raw)


@given(st.binary(max_size=30))
def test_noise_is_refused_or_whole(raw: bytes) -> None:
    for parse in (read_celsius, read_flags):
        try:
            assert parse(raw)
        except Unplugged:
            continue


def told(inbox: Inbox) -> dict[str, Any]:
    return {reading.quantity: reading.value for reading in inbox.readings}


def start(tree: SysTree, inbox: Inbox, kind: str = "sensor") -> PiHealth:
    device_class = "temperature" if kind == "sensor" else "problem"
    made = PiHealth(wiring(kind, device_class=device_class, options={"path": str(tree.root)}))
    made.start(inbox.post, clock)
    assert eventually(lambda: inbox.last)
    made.close()
    return made


def test_kernel_of_raspberry_pi(tree: SysTree, inbox: Inbox) -> None:
    tree.firmware("50001")
    start(tree, inbox)
    assert told(inbox) == {"undervoltage": "on", "throttled": "off", "temperature": 48.312}
    assert inbox.readings[-1].quantity == "temperature", "the main one last"


def test_kernel_of_upstream(tree: SysTree, inbox: Inbox) -> None:
    tree.alarm("1")
    start(tree, inbox)
    assert told(inbox) == {"undervoltage": "on", "temperature": 48.312}


def test_another_board_tells_its_temperature_alone(tree: SysTree, inbox: Inbox) -> None:
    start(tree, inbox)
    assert told(inbox) == {"temperature": 48.312}


def test_alarm_alone(tree: SysTree, inbox: Inbox) -> None:
    tree.alarm("0")
    start(tree, inbox, "binary_sensor")
    assert told(inbox) == {"state": "off"}


def test_board_without_an_alarm_says_so(tree: SysTree, inbox: Inbox) -> None:
    start(tree, inbox, "binary_sensor")
    assert "no Raspberry Pi" in inbox.readings[0].reason


def test_this_machine_gives_a_temperature_or_says_why_not(inbox: Inbox) -> None:
    made = PiHealth(wiring("sensor", device_class="temperature"))
    made.start(inbox.post, clock)
    assert eventually(lambda: inbox.last)
    assert (inbox.readings[-1].value is None) == bool(inbox.readings[-1].reason)
    made.close()
