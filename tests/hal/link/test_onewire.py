from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.link.onewire import OneWireBus, list_parts
from tests.hal.bench import W1_SLAVE, W1Tree, eventually

SECOND = "28-0000061573a1"


class Eye:
    """Looks at a bus."""

    def __init__(self) -> None:
        self.looks: list[bytes] = []
        self.losses: list[str] = []


@pytest.fixture
def line(bus: W1Tree) -> Iterator[OneWireBus]:
    made = OneWireBus(bus.path, period_s=0.02)
    yield made
    made.close()


def test_parts_are_listed_and_other_folders_are_not(bus: W1Tree) -> None:
    bus.put()
    bus.put(SECOND)
    (bus.path / "w1_bus_master1").mkdir()
    assert list_parts(bus.path) == (SECOND, "28-0316a279a5ff")
    assert list_parts(bus.path / "no_bus") == ()


def test_only_part_needs_no_name(line: OneWireBus, bus: W1Tree) -> None:
    bus.put()
    eye = Eye()
    line.subscribe(None, eye.looks.append, eye.losses.append)
    assert eventually(lambda: len(eye.looks) > 2)
    assert set(eye.looks) == {W1_SLAVE}


@pytest.mark.parametrize(
    ("parts", "wanted", "says"),
    [
        ([], None, "no part on the 1-wire bus"),
        ([], SECOND, "there are none"),
        (["28-0316a279a5ff"], SECOND, "there are 28-0316a279a5ff"),
        (["28-0316a279a5ff", SECOND], None, "which 1-wire part"),
    ],
)
def test_missing_part_is_told_with_what_there_is(
    line: OneWireBus, bus: W1Tree, parts: list[str], wanted: str | None, says: str
) -> None:
    for part in parts:
        bus.put(part)
    eye = Eye()
    line.subscribe(wanted, eye.looks.append, eye.losses.append)
    assert eventually(lambda: eye.losses)
    assert says in eye.losses[0]


def test_part_that_cannot_be_read_is_told(line: OneWireBus, bus: W1Tree) -> None:
    (bus.path / SECOND / "w1_slave").mkdir(parents=True)
    eye = Eye()
    line.subscribe(None, eye.looks.append, eye.losses.append)
    assert eventually(lambda: eye.losses)
    assert "Is a directory" in eye.losses[0]


def test_newcomer_is_looked_at_without_waiting_a_period(bus: W1Tree) -> None:
    bus.put()
    slow = OneWireBus(bus.path, period_s=60)
    first, second = Eye(), Eye()
    slow.subscribe(None, first.looks.append, first.losses.append)
    assert eventually(lambda: first.looks)
    forget = slow.subscribe(None, second.looks.append, second.losses.append)
    assert eventually(lambda: second.looks)
    forget()
    before = time.monotonic()
    slow.close()
    assert time.monotonic() - before < 0.5


def test_bus_that_is_not_there_is_told(tmp_path: Path) -> None:
    line, eye = OneWireBus(tmp_path / "none"), Eye()
    line.subscribe(None, eye.looks.append, eye.losses.append)
    assert eventually(lambda: eye.losses)
    line.close()
