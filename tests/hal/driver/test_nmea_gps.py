"""NMEA sentences: published ones, broken ones, and a receiver on a cable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import DriverError
from hal.driver.nmea_gps import PATIENCE, NmeaGps, NoFix, SentenceError, decode
from tests.hal.bench import Cable, Inbox, clock, eventually, wiring

RMC = b"$GPRMC,083559.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A*57"
GGA = b"$GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*5B"
"""The examples of UBX-13003221 R28, 31.2.7 and 31.2.13."""


def sentence(body: str) -> bytes:
    """The sentence of a body, with its checksum."""
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}".encode()


def rmc(knots: str = "10.0", lat: str = "4717.11437,N", lon: str = "00833.91522,E") -> bytes:
    return sentence(f"GNRMC,083559.00,A,{lat},{lon},{knots},77.52,091202,,,A")


def values(line: bytes) -> dict:
    return {name: sample.value for name, sample in decode(line).items()}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (RMC, {"latitude": 47.285240, "longitude": 8.565254, "speed": 0.0}),
        (GGA, {"altitude": 499.6, "satellites": 8, "fix": "gps"}),
        (rmc(), {"latitude": 47.285240, "longitude": 8.565254, "speed": 18.5}),
        (rmc(lat="3351.5,S", lon="15112.6,W"),
         {"latitude": -33.858333, "longitude": -151.21, "speed": 18.5}),
        (sentence("GPGSV,3,1,10,23,38,230,44,29,71,156,47"), {}),
    ],
    ids=["u-blox RMC", "u-blox GGA", "another talker", "south and west", "of no interest"],
)  # fmt: skip
def test_sentence_is_read(line: bytes, expected: dict) -> None:
    assert values(line) == expected


@pytest.mark.parametrize("line", [
    sentence("GPRMC,,V,,,,,,,,,,N"), sentence("GPGGA,,,,,,0,00,99.99,,,,,,"),
])  # fmt: skip
def test_no_fix_gives_no_position(line: bytes) -> None:
    with pytest.raises(NoFix):
        decode(line)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"$", b"$GPRMC", RMC[:-3], RMC[1:], RMC[:-2] + b"58", RMC.replace(b"A,47", b"A,48"),
        rmc(knots=""), rmc(knots="nan"), rmc(knots="1e9"), rmc(knots="inf"),
        rmc(lat="9117.0,N"), rmc(lat="4760.0,N"), rmc(lat="4717.1,E"), rmc(lat=",N"), rmc(lat="4717.1,"),
        rmc(lon="18100.0,E"), sentence("GPRMC,1"), sentence("GPRMC,083559,X,1,N,1,E,1,1,1"),
        sentence("GPGGA,1,4717.1,N,00833.9,E,9,08,1.0,499.6,M"),
        sentence("GPGGA,1,4717.1,N,00833.9,E,1,-8,1.0,499.6,M"),
        sentence("GPGGA,1,4717.1,N,00833.9,E,1,08,1.0,499.6,F"),
        GGA[:-2] + GGA[14:],  # two halves of one sentence, whose checksums cancel out
    ],
)  # fmt: skip
def test_broken_sentence_gives_nothing(line: bytes) -> None:
    with pytest.raises(SentenceError):
        decode(line)


@given(st.sampled_from([RMC, GGA]), st.data())
def test_no_flipped_bit_passes(line: bytes, data: st.DataObject) -> None:
    at, bit = data.draw(st.integers(0, len(line) - 1)), data.draw(st.integers(0, 7))
    broken = bytearray(line)
    broken[at] ^= 1 << bit
    if broken.upper() != line.upper():  # a checksum may be written small
        with pytest.raises(SentenceError):
            decode(bytes(broken))


@pytest.mark.parametrize("length", range(len(GGA)))
def test_no_truncated_sentence_passes(length: int) -> None:
    with pytest.raises(SentenceError):
        decode(GGA[:length])


def test_receiver_finds_loses_and_finds_its_place(cable: Cable, inbox: Inbox) -> None:
    options = {"port": str(cable.path)}
    sensor = NmeaGps(wiring("sensor", device_class="speed", options=options))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: sensor._link.is_open)
    cable.say(rmc() + b"\r\n")
    assert eventually(lambda: inbox.has(18.5))
    for _ in range(3):
        cable.say(sentence("GPRMC,,V,,,,,,,,,,N") + b"\r\n")
    assert eventually(lambda: inbox.has(None, "unavailable"))
    assert inbox.last is not None
    assert "sky" in inbox.last.reason
    cable.say(rmc(knots="0.0") + b"\r\n")
    assert eventually(lambda: inbox.has(0.0))
    cable.say(b"\xff\xfe\xfd\r\n" * PATIENCE)
    assert eventually(lambda: inbox.has(None, "unavailable"))
    sensor.close()


def test_receiver_without_a_port_is_told() -> None:
    with pytest.raises(DriverError, match="'port'"):
        NmeaGps(wiring("sensor"))
