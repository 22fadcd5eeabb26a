"""The serial end: real bytes through a real pty."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hal.board.uart import SerialEnd, SerialFault, encode_frame

VALUES = {"illuminance": 312.44, "moisture": 41.2}
FRAME = b'{"illuminance": 312.4, "moisture": 41.2}\n'


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "serial" / "room"


@pytest.fixture
def end(link: Path) -> Iterator[SerialEnd]:
    end = SerialEnd(link, noise=random.Random(7))
    end.plug()
    yield end
    end.unplug()


def open_port(link: Path) -> serial.Serial:
    return serial.Serial(str(link), 115200, timeout=1.0, exclusive=True)


def test_frame_arrives_as_it_was_sent(end: SerialEnd, link: Path) -> None:
    with open_port(link) as port:
        end.send(VALUES)
        assert port.readline() == FRAME


def test_frames_that_nobody_reads_are_lost_and_block_nothing(end: SerialEnd, link: Path) -> None:
    start = time.monotonic()
    for _ in range(2000):  # many times what a pty holds
        end.send({"illuminance": 1.0})
    assert time.monotonic() - start < 1.0
    reader = os.open(link, os.O_RDONLY | os.O_NOCTTY)  # pyserial would flush what is old
    try:
        end.send(VALUES)
        assert os.read(reader, 4096) == FRAME
    finally:
        os.close(reader)


def test_reader_that_stops_reading_blocks_nothing(end: SerialEnd, link: Path) -> None:
    with open_port(link):
        start = time.monotonic()
        for _ in range(2000):
            end.send(VALUES)
        assert time.monotonic() - start < 1.0


def test_port_can_be_opened_again(end: SerialEnd, link: Path) -> None:
    for _ in range(3):
        with open_port(link) as port:
            end.send(VALUES)
            assert port.readline() == FRAME


def test_reader_without_settings_gets_lines_too(end: SerialEnd, link: Path) -> None:
    reader = os.open(link, os.O_RDONLY | os.O_NOCTTY)
    try:
        for _ in range(3):
            end.send(VALUES)
            assert os.read(reader, 4096) == FRAME
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("fault", "starts", "ends"),
    [
        (SerialFault.NAN,       b'{"illuminance": NaN', b"NaN}\n"),
        (SerialFault.TRUNCATED, b'{"illuminance": 312.', b"."),
        (SerialFault.FLOOD,     FRAME + FRAME,          b""),
    ],
    ids=["nan", "truncated", "flood"],
)  # fmt: skip
def test_fault_spoils_the_frame(
    end: SerialEnd, link: Path, fault: SerialFault, starts: bytes, ends: bytes
) -> None:
    end.misbehave(fault)
    with open_port(link) as port:
        end.send(VALUES)
        time.sleep(0.05)  # the kernel hands bytes over in its own time
        sent = port.read(port.in_waiting)
    assert sent.startswith(starts)
    assert sent.endswith(ends)


def test_noise_leaves_a_good_frame_among_bytes_that_are_none(end: SerialEnd, link: Path) -> None:
    end.misbehave(SerialFault.NOISE)
    with open_port(link) as port:
        end.send(VALUES)
        time.sleep(0.05)  # as above
        sent = port.read(port.in_waiting)
    assert FRAME.rstrip() in sent
    with pytest.raises(UnicodeDecodeError):
        sent.decode()


def test_silence_is_silent_and_ends(end: SerialEnd, link: Path) -> None:
    with open_port(link) as port:
        port.timeout = 0.1
        end.misbehave(SerialFault.SILENT)
        end.send(VALUES)
        assert port.readline() == b""
        end.misbehave(SerialFault.NONE)
        end.send(VALUES)
        assert port.readline() == FRAME


def test_pulled_adapter_hangs_up_and_comes_back(end: SerialEnd, link: Path) -> None:
    with open_port(link) as port:
        end.misbehave(SerialFault.UNPLUGGED)
        assert not link.is_symlink()
        with pytest.raises(serial.SerialException):
            port.read(1)
    end.send(VALUES)
    end.misbehave(SerialFault.NONE)
    with open_port(link) as port:
        end.send(VALUES)
        assert port.readline() == FRAME


def test_name_of_a_dead_board_is_replaced(link: Path) -> None:
    link.parent.mkdir()
    link.symlink_to("/dev/pts/does-not-exist")
    end = SerialEnd(link, noise=random.Random(7))
    end.plug()
    assert str(link.resolve()).startswith("/dev/pts/")
    with open_port(link) as port:
        end.send(VALUES)
        assert json.loads(port.readline()) == {"illuminance": 312.4, "moisture": 41.2}
    end.unplug()


def test_frame_has_one_decimal() -> None:
    assert encode_frame({"illuminance": 0.04, "moisture": 41.26}) == (
        b'{"illuminance": 0.0, "moisture": 41.3}\n'
    )
