"""The thermometer's parser against recorded, broken and random answers; the device over a tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.driver.ds18b20 import PATIENCE, Ds18b20, crc8, decode
from hal.link.onewire import OneWireBus
from llmagentos.reading import Quality
from tests.hal.bench import W1_SLAVE, Inbox, W1Tree, clock, eventually, wiring


def answer(sixteenths: int, *, verdict: str = "YES", crc: int | None = None) -> bytes:
    """What the kernel says of a scratchpad with this raw temperature."""
    head = sixteenths.to_bytes(2, "little", signed=True) + bytes.fromhex("4b467fff0c10")
    checksum = crc8(head) if crc is None else crc
    dump = " ".join(f"{byte:02x}" for byte in (*head, checksum))
    thousandths = int(sixteenths * 1000 / 16)  # towards zero, as the kernel's C does
    return f"{dump} : crc={checksum:02x} {verdict}\n{dump} t={thousandths}\n".encode()


ZEROS = b"00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n"
ONES = b"ff ff ff ff ff ff ff ff ff : crc=c9 NO\nff ff ff ff ff ff ff ff ff t=-62\n"


@pytest.mark.parametrize(
    ("raw", "value", "quality", "says"),
    [
        (W1_SLAVE,                        23.125,  "good",        ""),
        (answer(0),                       0.0,     "good",        ""),
        (answer(-1),                      -0.0625, "good",        ""),
        (answer(-880),                    -55.0,   "good",        ""),
        (answer(2000),                    125.0,   "good",        ""),
        (answer(85 * 16),                 85.0,    "suspect",     "before it measured"),
        (answer(126 * 16),                126.0,   "suspect",     "beyond what the part"),
        (answer(-60 * 16),                -60.0,   "suspect",     "beyond what the part"),
        (answer(400, verdict="NO"),       None,    "unavailable", "checksum"),
        (answer(400, crc=1),              None,    "unavailable", "checksum"),
        (W1_SLAVE.replace(b"72", b"73"),  None,    "unavailable", "checksum"),
        (ZEROS,                           None,    "unavailable", "zeros"),
        (ONES,                            None,    "unavailable", "checksum"),
        (b"",                             None,    "unavailable", "cut short"),
        (W1_SLAVE[:20],                   None,    "unavailable", "cut short"),
        (W1_SLAVE.split(b"\n")[0],        None,    "unavailable", "cut short"),
        (W1_SLAVE[:-8],                   None,    "unavailable", "cut short"),
        (b"\xff\x00garbage\n\xfe\n",      None,    "unavailable", "garbled"),
        (W1_SLAVE.replace(b"t=", b"t=x"), None,    "unavailable", "garbled"),
    ],
)  # fmt: skip
def test_answer_of_the_kernel_is_read_or_refused(
    raw: bytes, value: float | None, quality: str, says: str
) -> None:
    sample = decode(raw)
    assert (sample.value, sample.quality) == (value, quality)
    assert says in sample.reason


@pytest.mark.parametrize("length", range(len(W1_SLAVE) - 1))
def test_no_truncated_answer_gives_a_value(length: int) -> None:
    assert decode(W1_SLAVE[:length]).value is None


@given(st.binary(max_size=200))
def test_noise_never_gives_a_value(raw: bytes) -> None:
    assert decode(raw).value is None


@given(st.integers(-880, 2000).filter(lambda raw: raw != 85 * 16))
def test_every_temperature_of_the_part_comes_through(sixteenths: int) -> None:
    sample = decode(answer(sixteenths))
    assert sample.quality is Quality.GOOD
    assert sample.value == sixteenths / 16


@given(st.integers(0, 71), st.integers(-880, 2000))
def test_no_flipped_bit_passes(bit: int, sixteenths: int) -> None:
    head, _, tail = answer(sixteenths).partition(b" :")
    scratchpad = bytearray.fromhex(head.decode())
    scratchpad[bit // 8] ^= 1 << bit % 8
    dump = " ".join(f"{byte:02x}" for byte in scratchpad).encode()
    raw = (dump + b" :" + tail).replace(b"\n" + head, b"\n" + dump)
    assert decode(raw).value is None


def test_one_bad_checksum_is_no_news_two_are(inbox: Inbox, bus: W1Tree) -> None:
    bus.put()
    line = OneWireBus(bus.path, period_s=3600)
    sensor = Ds18b20(wiring("sensor", link=line))
    sensor.start(inbox.post, clock)
    assert eventually(lambda: inbox.has(23.125))
    for bad in range(PATIENCE):
        assert inbox.has(23.125), f"gave up after {bad} bad looks"
        sensor._look(ZEROS)
    assert inbox.has(None, "unavailable")
    sensor.close()
    line.close()


def test_stale_limit_leaves_room_for_one_bad_look(bus: W1Tree) -> None:
    sensor = Ds18b20(wiring("sensor", link=OneWireBus(bus.path, period_s=10)))
    assert sensor.period_s is not None
    assert sensor.period_s > 20
