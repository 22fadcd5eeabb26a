"""Is the wall clock set: a time server, a battery-backed clock, or a machine that has one anyway."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.wall_clock import WallClock


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A board without anything that knows the time."""
    (tmp_path / "device-tree").mkdir()
    return tmp_path


def clock(machine: Path) -> WallClock:
    return WallClock(
        synchronized=machine / "synchronized", rtc=machine / "rtc", board=machine / "device-tree",
        kernel=(machine / "steered").exists,
    )  # fmt: skip


def give_rtc(machine: Path, hctosys: str, since: str) -> None:
    (machine / "rtc").mkdir()
    (machine / "rtc" / "hctosys").write_text(hctosys)
    (machine / "rtc" / "since_epoch").write_text(since)


def test_a_board_without_battery_and_network_does_not_know_the_time(machine: Path) -> None:
    assert not clock(machine).is_set()


def test_a_time_server_sets_it_and_nothing_unsets_it(machine: Path) -> None:
    wall = clock(machine)
    assert not wall.is_set()
    (machine / "synchronized").touch()
    assert wall.is_set()
    (machine / "synchronized").unlink()
    assert wall.is_set()


def test_the_kernel_knows_of_other_time_servers(machine: Path) -> None:
    (machine / "steered").touch()
    assert clock(machine).is_set()


@pytest.mark.parametrize(
    ("hctosys", "since", "is_set"),
    [
        pytest.param("1\n", "1795000000\n", True,  id="it set the clock at boot"),
        pytest.param("0\n", "1795000000\n", False, id="it was not asked"),
        pytest.param("1\n", "946684800\n",  False, id="its battery is empty: the year 2000"),
        pytest.param("1\n", "",             False, id="it cannot be read"),
        pytest.param("x",   "y",            False, id="garbage"),
    ],
)  # fmt: skip
def test_a_battery_backed_clock(machine: Path, hctosys: str, since: str, is_set: bool) -> None:
    give_rtc(machine, hctosys, since)
    assert clock(machine).is_set() is is_set


def test_a_pc_has_a_clock_even_where_a_container_hides_it(machine: Path) -> None:
    (machine / "device-tree").rmdir()
    assert clock(machine).is_set()
