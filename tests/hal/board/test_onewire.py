"""The thermometer's files, against real captures."""

from __future__ import annotations

from pathlib import Path

import pytest

from hal.board.onewire import NAME, BusFault, OneWire, crc8, encode_scratchpad, slave_text

CAPTURES = {
    # From people's Raspberry Pis, as posted with the text of their w1_slave files.
    21.75: "5c 01 4b 46 7f ff 04 10 a1",
    23.125: "72 01 4b 46 7f ff 0e 10 57",
}


@pytest.mark.parametrize(("celsius", "captured"), CAPTURES.items())
def test_scratchpad_is_what_a_real_part_sent(celsius: float, captured: str) -> None:
    assert encode_scratchpad(celsius).hex(" ") == captured


@pytest.mark.parametrize(
    ("celsius", "first", "shown"),
    [
        (125.0,   "d0 07",  125000),
        (85.0,    "50 05",   85000),
        (0.5,     "08 00",     500),
        (0.0,     "00 00",       0),
        (-0.5,    "f8 ff",    -500),
        (-10.125, "5e ff",  -10125),
        (-55.0,   "90 fc",  -55000),
        (200.0,   "d0 07",  125000),
        (-99.0,   "90 fc",  -55000),
    ],
)  # fmt: skip
def test_temperature_is_encoded_as_the_data_sheet_tables_it(
    celsius: float, first: str, shown: int
) -> None:
    text = slave_text(encode_scratchpad(celsius))
    assert text.startswith(first)
    assert text.endswith(f"t={shown}\n")


def test_sound_file_has_the_kernels_two_lines(tmp_path: Path) -> None:
    OneWire(tmp_path).show(23.14)
    assert (tmp_path / NAME / "w1_slave").read_text() == (
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
    )
    assert (tmp_path / NAME / "temperature").read_text() == "23125\n"


def test_flipped_bit_is_a_no_and_leaves_no_temperature(tmp_path: Path) -> None:
    bus = OneWire(tmp_path)
    bus.fault = BusFault.CRC
    bus.show(23.14)
    first = (tmp_path / NAME / "w1_slave").read_text().splitlines()[0]
    body, verdict = first.split(" : ")
    read = bytes.fromhex(body)
    assert verdict == f"crc={crc8(read[:8]):02x} NO"
    assert crc8(read[:8]) != read[8]
    assert (tmp_path / NAME / "temperature").read_text() == ""


def test_power_dip_reads_85_degrees(tmp_path: Path) -> None:
    bus = OneWire(tmp_path)
    bus.fault = BusFault.POWER_ON
    bus.show(20.0)
    assert (tmp_path / NAME / "w1_slave").read_text() == (
        "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n"
    )


def test_part_leaves_the_bus_and_comes_back(tmp_path: Path) -> None:
    bus = OneWire(tmp_path)
    bus.show(20.0)
    bus.fault = BusFault.GONE
    bus.show(20.0)
    assert list(tmp_path.iterdir()) == []
    bus.fault = BusFault.NONE
    bus.show(20.0)
    assert (tmp_path / NAME / "temperature").read_text() == "20000\n"


def test_no_half_written_file_is_left_beside(tmp_path: Path) -> None:
    bus = OneWire(tmp_path)
    for celsius in (20.0, 21.0):
        bus.show(celsius)
    assert sorted(file.name for file in (tmp_path / NAME).iterdir()) == ["temperature", "w1_slave"]
