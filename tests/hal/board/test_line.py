"""The header's lines: who holds them and what they read."""

from __future__ import annotations

import pytest

from hal.board.line import Edge, Header, LineRefused, Owner
from llmagentos.clock import Instant

NOW = Instant(100.0, 1_800_000_000.0)
AGENTD = Owner(number=1, pid=11, name="agentd")
OTHER = Owner(number=2, pid=22, name="toy.py")


@pytest.fixture
def header() -> Header:
    return Header()


@pytest.fixture
def told(header: Header) -> list[Edge]:
    edges: list[Edge] = []
    header.listen(edges.append)
    return edges


def take(header: Header, pin: int = 17, *, owner: Owner = AGENTD, level: float | None = None):
    header.claim(pin, owner=owner, output=True, pull="floating", level=level, now=NOW)


def listen_to(header: Header, pin: int, pull: str):
    header.claim(pin, owner=AGENTD, output=False, pull=pull, level=None, now=NOW)


@pytest.mark.parametrize(
    ("pin", "pull", "level"),
    [
        (16, "up",       1),
        (16, "down",     0),
        (16, "floating", 0),
        (2,  "floating", 1),  # a resistor on the board pulls it up
    ],
    ids=["pulled up", "pulled down", "floating", "i2c line"],
)  # fmt: skip
def test_undriven_input_reads_its_pull(header: Header, pin: int, pull: str, level: int) -> None:
    listen_to(header, pin, pull)
    assert header.level(pin) == level


def test_outside_world_wins_over_the_pull_of_an_input(header: Header) -> None:
    listen_to(header, 16, "up")
    header.drive(16, level=0.0, now=NOW)
    assert header.level(16) == 0
    header.drive(16, level=None, now=NOW)
    assert header.level(16) == 1


def test_output_does_not_follow_the_outside_world(header: Header) -> None:
    take(header, level=1.0)
    header.drive(17, level=0.0, now=NOW)
    assert header.level(17) == 1


def test_second_owner_is_told_who_holds_the_line(header: Header) -> None:
    take(header)
    with pytest.raises(LineRefused, match=r"GPIO17 is held by agentd \(pid 11\)") as caught:
        take(header, owner=OTHER)
    assert caught.value.code == "busy"


def test_released_line_keeps_its_level_and_can_be_taken_over_without_a_blip(
    header: Header, told: list[Edge]
) -> None:
    take(header, level=1.0)
    header.release(17, owner=AGENTD, now=NOW)
    take(header, owner=OTHER)
    assert [(edge.level, edge.why, edge.owner) for edge in told] == [
        (1, "claim", 11), (1, "release", 11), (1, "claim", 22),
    ]  # fmt: skip


def test_pulsed_line_is_taken_over_with_its_pulses(header: Header) -> None:
    take(header)
    header.pwm(17, owner=AGENTD, duty=0.4, hz=200.0, now=NOW)
    header.drop(AGENTD, now=NOW)
    take(header, owner=OTHER)
    view = header.view(17)
    assert (view.level, view.hz, view.owner_name) == (0.4, 200.0, "toy.py")


@pytest.mark.parametrize(
    ("is_strict", "level", "direction"),
    [(False, 1, "output"), (True, 0, "input")],
    ids=["raspberry pi kernel", "upstream kernel"],
)
def test_death_of_the_owner_keeps_or_frees_the_line(
    is_strict: bool, level: int, direction: str
) -> None:
    header = Header(has_strict_lines=is_strict)
    edges: list[Edge] = []
    header.listen(edges.append)
    take(header, level=1.0)
    header.drop(AGENTD, now=NOW)
    assert (header.level(17), header.view(17).direction) == (level, direction)
    assert edges[-1] == Edge(NOW, 17, level, 11, "death")
    assert header.view(17).owner_pid is None


def test_stuck_line_reads_back_wrong_until_repaired(header: Header, told: list[Edge]) -> None:
    take(header)
    header.stick(17, level=0.0, now=NOW)
    header.write(17, owner=AGENTD, level=1.0, now=NOW)
    assert header.level(17) == 0
    header.stick(17, level=None, now=NOW)
    assert header.level(17) == 1
    assert [edge.why for edge in told] == ["claim", "fault"]


def test_unchanged_level_is_not_an_edge(header: Header, told: list[Edge]) -> None:
    take(header)
    for level in (1.0, 1.0, 0.0, 0.0):
        header.write(17, owner=AGENTD, level=level, now=NOW)
    assert [(edge.why, edge.level) for edge in told] == [("claim", 0), ("write", 1), ("write", 0)]


@pytest.mark.parametrize(
    ("pin", "owner", "level", "code"),
    [
        (99, AGENTD, 1.0, "no_such_pin"),
        (-1, AGENTD, 1.0, "no_such_pin"),
        (17, OTHER,  1.0, "not_claimed"),
        (16, AGENTD, 1.0, "not_claimed"),
        (17, AGENTD, 1.5, "bad_request"),
    ],
    ids=["pin 99", "pin -1", "not its owner", "an input", "level 1.5"],
)  # fmt: skip
def test_writing_is_refused(
    header: Header, pin: int, owner: Owner, level: float, code: str
) -> None:
    take(header)
    listen_to(header, 16, "up")
    with pytest.raises(LineRefused) as caught:
        header.write(pin, owner=owner, level=level, now=NOW)
    assert caught.value.code == code


def test_releasing_what_one_does_not_hold_changes_nothing(header: Header, told: list[Edge]) -> None:
    take(header)
    header.release(17, owner=OTHER, now=NOW)
    assert (header.view(17).owner_pid, len(told)) == (11, 1)
