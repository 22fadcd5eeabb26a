"""Readings by the minute: what is summed up, when it is written, and what it was."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.journal import Journal, Minute
from agentd.journal.minute import Minutes
from llmagentos.reading import Quality
from tests.agentd.clock import HandClock
from tests.agentd.journal.conftest import Open
from tests.agentd.journal.rows import look, reading

START_S = 1_790_000_040.0
"""The beginning of a minute."""


def test_a_minute_is_written_once_it_has_ended(
    journal: Journal, clock: HandClock, path: Path
) -> None:
    clock.advance(START_S - clock.now.wall_s)
    for value in (20, 24.5, 19.0):
        journal.record_reading(reading(value, wall_s=clock.advance(10).wall_s))
    journal.settle().result(5)
    assert journal.readings("soil", "moisture", 0) == ()
    clock.advance(40)
    assert journal.readings("soil", "moisture", 0) == (
        Minute("soil", "moisture", "%", START_S, 19.0, pytest.approx(63.5 / 3), 24.5, 3),
    )
    assert look(path, "SELECT count(*) FROM minute") == [(1,)]


def test_ended_minutes_go_with_what_is_written_anyway_or_wait_for_five(
    journal: Journal, clock: HandClock, path: Path
) -> None:
    clock.advance(START_S - clock.now.wall_s)

    def live(minutes: int) -> int:
        for _ in range(minutes):
            journal.record_reading(reading(20, wall_s=clock.now.wall_s))
            clock.advance(60)
        clock.advance(3)
        journal.settle().result(5)
        return look(path, "SELECT count(*) FROM minute")[0][0]

    assert live(2) == 0
    journal.record_note("start", "")
    assert live(0) == 2
    assert live(4) == 2
    assert live(1) == 2
    assert live(1) == 8


def test_the_running_minute_is_written_at_the_end_and_goes_on_after_it(
    open_journal: Open, clock: HandClock
) -> None:
    clock.advance(START_S - clock.now.wall_s)
    for value, low, mean, high, count in (
        (10, 10, 10, 10, 1),
        (20, 10, 15, 20, 2),
        (0, 0, 10, 20, 3),
    ):
        journal = open_journal()
        journal.record_reading(reading(value, wall_s=clock.advance(5).wall_s))
        journal.close()
        (found,) = open_journal().readings("soil", "moisture", 0)
        assert (found.low, found.mean, found.high, found.count) == (low, mean, high, count)


LEFT_OUT = {
    "stale":       reading(1.0, wall_s=START_S, quality=Quality.STALE),
    "suspect":     reading(1.0, wall_s=START_S, quality=Quality.SUSPECT),
    "unavailable": reading(None, wall_s=START_S, quality=Quality.UNAVAILABLE),
    "a word":      reading("on", wall_s=START_S),
    "a truth":     reading(True, wall_s=START_S),
    "no number":   reading(math.nan, wall_s=START_S),
    "endless":     reading(math.inf, wall_s=START_S),
}  # fmt: skip


@pytest.mark.parametrize("bad", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_is_no_good_number_is_left_out(bad: object) -> None:
    minutes = Minutes()
    assert minutes.add(bad) is False
    assert minutes.take() == []


def test_a_minute_that_lies_ahead_is_written_when_the_clock_was_set_back() -> None:
    minutes = Minutes()
    minutes.add(reading(1.0, wall_s=START_S))
    assert minutes.take(wall_s=START_S + 30) == []
    assert len(minutes.take(wall_s=START_S - 3600)) == 1
    assert minutes.take() == []


def test_a_reading_that_comes_late_joins_its_minute(journal: Journal, clock: HandClock) -> None:
    clock.advance(START_S - clock.now.wall_s)
    journal.record_reading(reading(10, wall_s=clock.now.wall_s))
    clock.advance(65)
    assert len(journal.readings("soil", "moisture", 0)) == 1
    journal.record_reading(reading(30, wall_s=START_S + 59))
    journal.record_reading(reading(30, wall_s=clock.now.wall_s))
    clock.advance(65)
    assert [(each.mean, each.count) for each in journal.readings("soil", "moisture", 0)] == [
        (20, 2),
        (30, 1),
    ]


def test_only_the_minutes_asked_for_are_told(journal: Journal, clock: HandClock) -> None:
    clock.advance(START_S - clock.now.wall_s)
    for number in range(10):
        for device in ("soil", "tank"):
            journal.record_reading(reading(number, wall_s=clock.now.wall_s, device=device))
        clock.advance(60)
    journal.close()
    clock.advance(3600)
    found = journal.readings("soil", "moisture", START_S + 90, START_S + 240)
    assert [(each.device, each.low) for each in found] == [("soil", 2), ("soil", 3), ("soil", 4)]
    assert journal.readings("soil", "temperature", 0) == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from("ab"), st.floats(-1e6, 1e6)), max_size=60
    ),
    st.lists(st.integers(0, 400), max_size=8),
)
def test_every_reading_is_in_one_minute_and_no_other(
    readings: list[tuple[int, str, float]], looks: list[int]
) -> None:
    """However often and whenever what has ended is taken."""
    minutes, rows = Minutes(), []
    pending = sorted(looks)
    for at_s, device, value in sorted(readings):
        while pending and pending[0] <= at_s:
            rows += minutes.take(wall_s=START_S + pending.pop(0))
        minutes.add(reading(value, wall_s=START_S + at_s, device=device))
    rows += minutes.take()
    expected: dict[tuple[int, str], list[float]] = {}
    for at_s, device, value in readings:
        expected.setdefault((int((START_S + at_s) // 60), device), []).append(value)
    assert {(row[0], row[5]): row[1:5] for row in rows} == {
        key: (
            min(values),
            pytest.approx(sum(values) / len(values), abs=1e-6),
            max(values),
            len(values),
        )
        for key, values in expected.items()
    }
    assert len(rows) == len(expected)
