"""The serial link over pty pairs: real bytes, a cable that is pulled, noise without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import Unplugged
from hal.link.serial import BURST, LINE_BYTES, LINES_PER_READ, Allowance, Framer, SerialLink
from tests.hal.bench import Cable, eventually


class Ear:
    """Hears a link."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.losses: list[str] = []


@pytest.fixture
def link(cable: Cable) -> Iterator[SerialLink]:
    made = SerialLink(str(cable.path), first_pause_s=0.02)
    yield made
    made.close()


@pytest.fixture
def ear(link: SerialLink) -> Ear:
    made = Ear()
    link.subscribe(made.lines.append, made.losses.append)
    assert eventually(lambda: link.is_open)  # what was sent before is flushed by the opening
    return made


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a", b"b\r\n", b"c"], [b"ab"]),
        ([b"\n\r\n  \n"], []),
        ([b"x" * (LINE_BYTES + 1) + b"\nok\n"], [b"ok"]),
        ([b"x" * LINE_BYTES] * 9 + [b"x\nok\n"], [b"ok"]),
        ([b"x" * LINE_BYTES + b"\n"], [b"x" * LINE_BYTES]),
        ([b""], []),
    ],
    ids=["two", "in pieces", "empty", "overlong", "overlong in pieces", "just fits", "nothing"],
)
def test_framer_cuts_lines(chunks: list[bytes], lines: list[bytes]) -> None:
    framer = Framer()
    assert [line for chunk in chunks for line in framer.feed(chunk)] == lines


@given(st.lists(st.binary(max_size=3000)))
def test_framer_never_keeps_more_than_one_line(chunks: list[bytes]) -> None:
    framer = Framer()
    for chunk in chunks:
        assert all(0 < len(line) <= LINE_BYTES for line in framer.feed(chunk))
        assert len(framer._rest) <= LINE_BYTES


@given(st.lists(st.binary(min_size=1, max_size=40).map(lambda each: each.replace(b"\n", b"-"))))
def test_framer_gives_the_same_lines_however_they_are_cut(lines: list[bytes]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    framer = Framer()
    single = [line for byte in data for line in framer.feed(bytes([byte]))]
    assert single == Framer().feed(data)


def test_allowance_lets_a_burst_pass_then_the_newest_few() -> None:
    allowance, noise = Allowance(), [b"%d" % number for number in range(10 * BURST)]
    assert allowance.choose(noise) == noise[-BURST:]
    assert allowance.choose(noise) == noise[-LINES_PER_READ:]
    assert allowance.choose([]) == []
    assert allowance.choose(noise) == noise[-2 * LINES_PER_READ :]


def test_lines_reach_every_subscriber(link: SerialLink, ear: Ear, cable: Cable) -> None:
    other = Ear()
    forget = link.subscribe(other.lines.append, other.losses.append)
    cable.say(b'{"moisture": 41.5}\r\n')
    assert eventually(lambda: ear.lines and other.lines)
    forget()
    cable.say(b"second\n")
    assert eventually(lambda: len(ear.lines) == 2)
    assert other.lines == [b'{"moisture": 41.5}']


def test_frames_are_sent_down_the_line(link: SerialLink, ear: Ear, cable: Cable) -> None:
    cable.say(b"hello\n")
    assert eventually(lambda: ear.lines)
    link.send(b'{"set":{"relay1":1}}\n')
    assert cable.heard() == b'{"set":{"relay1":1}}\n'


def fill(link: SerialLink) -> None:
    """Send until the kernel's buffer is full."""
    for _ in range(1000):
        link.send(b"x" * 1000)


def test_far_end_that_takes_nothing_is_told_at_once(
    link: SerialLink, ear: Ear, cable: Cable
) -> None:
    cable.say(b"hello\n")
    assert eventually(lambda: ear.lines)
    before = time.monotonic()
    with pytest.raises(Unplugged):
        fill(link)
    assert time.monotonic() - before < 0.5


def test_pulled_adapter_is_told_once_and_comes_back(
    link: SerialLink, ear: Ear, cable: Cable
) -> None:
    cable.say(b"one\n")
    assert eventually(lambda: ear.lines)
    cable.pull()
    assert eventually(lambda: ear.losses)
    with pytest.raises(Unplugged, match=str(cable.path)):
        link.send(b"x\n")
    late = Ear()
    link.subscribe(late.lines.append, late.losses.append)
    assert len(late.losses) == 1, "who comes later is told, too"
    time.sleep(0.2)  # several tries to open it
    cable.plug()
    assert eventually(lambda: link.is_open)
    cable.say(b"two\n")
    assert eventually(lambda: ear.lines == [b"one", b"two"])
    assert len(ear.losses) == 1


def test_adapter_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    link, ear = SerialLink(str(tmp_path / "nothing")), Ear()
    link.subscribe(ear.lines.append, ear.losses.append)
    assert eventually(lambda: ear.losses)
    assert ear.losses[0].endswith("nothing: nothing is plugged in there")
    link.close()


def test_port_of_another_program_is_left_alone(cable: Cable) -> None:
    with serial.Serial(str(cable.path), exclusive=True):
        link, ear = SerialLink(str(cable.path), first_pause_s=0.02), Ear()
        link.subscribe(ear.lines.append, ear.losses.append)
        assert eventually(lambda: ear.losses)
        assert ear.losses[0].endswith("another program uses it")
    assert eventually(lambda: link.is_open)
    cable.say(b"free\n")
    assert eventually(lambda: ear.lines == [b"free"])
    link.close()


def test_file_that_is_no_port_is_told_in_words(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a port")
    link, ear = SerialLink(str(file)), Ear()
    link.subscribe(ear.lines.append, ear.losses.append)
    assert eventually(lambda: ear.losses)
    assert "notes.txt" in ear.losses[0]
    link.close()


@pytest.mark.parametrize(
    "noise",
    [b"\xff" * 2**20, b"\n" * 2**17, b"ab\n" * 2**16],
    ids=["a megabyte without a line end", "empty lines", "short lines"],
)
def test_flood_of_noise_costs_neither_memory_nor_a_core(
    link: SerialLink, ear: Ear, cable: Cable, noise: bytes
) -> None:
    sender = threading.Thread(target=cable.say, args=(noise,))
    started_s, used_s = time.monotonic(), time.process_time()
    sender.start()
    sender.join()
    took_s, used_s = time.monotonic() - started_s, time.process_time() - used_s
    cable.say(b"\n")
    cable.say(b"after the flood\n")
    assert eventually(lambda: ear.lines and ear.lines[-1] == b"after the flood")
    assert len(ear.lines) <= BURST + 200 * (took_s + 1)
    assert used_s < 0.3 * took_s, "a third of a core for noise is too much"


def test_close_does_not_wait_for_a_silent_line(link: SerialLink, ear: Ear, cable: Cable) -> None:
    cable.say(b"one\n")
    assert eventually(lambda: ear.lines)
    before = time.monotonic()
    link.close()
    assert time.monotonic() - before < 0.5
    assert link._thread is not None
    assert not link._thread.is_alive()
