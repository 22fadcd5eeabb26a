"""Local time: each day has each time once, whatever its clocks are put to."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.agents.schedule import is_within, next_occurrence, on_day, resolve
from llmagentos.utterance import LocalTime

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
"""Puts its clocks by half an hour."""
ZONES = [BERLIN, LORD_HOWE, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Apia"), UTC]


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("zone", "day", "clock", "expected"),
    [
        # Berlin: forward 2026-03-29 02:00 -> 03:00, back 2026-10-25 03:00 -> 02:00
        pytest.param(BERLIN, "2026-03-28", "02:30", "2026-03-28T01:30", id="Berlin, the day before"),
        pytest.param(BERLIN, "2026-03-29", "02:30", "2026-03-29T01:30", id="Berlin, skipped: shown as 03:30"),
        pytest.param(BERLIN, "2026-03-30", "02:30", "2026-03-30T00:30", id="Berlin, the day after"),
        pytest.param(BERLIN, "2026-10-25", "02:30", "2026-10-25T00:30", id="Berlin, twice: the first"),
        pytest.param(BERLIN, "2026-10-26", "02:30", "2026-10-26T01:30", id="Berlin, winter"),
        # Lord Howe: forward 2026-10-04 02:00 -> 02:30, back 2026-04-05 02:00 -> 01:30
        pytest.param(LORD_HOWE, "2026-10-04", "02:15", "2026-10-03T15:45", id="Lord Howe, skipped: shown as 02:45"),
        pytest.param(LORD_HOWE, "2026-04-05", "01:45", "2026-04-04T14:45", id="Lord Howe, twice: the first"),
    ],
)  # fmt: skip
def test_a_time_of_day_on_a_day_that_changes_its_clocks(zone, day, clock, expected) -> None:
    hour, minute = map(int, clock.split(":"))
    found = on_day(date.fromisoformat(day), hour=hour, minute=minute, zone=zone)
    assert (found.day, found.wall_s) == (day, utc(expected))


@settings(max_examples=100, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    start=st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    clock=st.times(),
)
def test_a_daily_time_comes_exactly_once_a_day(zone, start, clock) -> None:
    after_s = on_day(start, hour=0, minute=0, zone=zone).wall_s - 1
    days = []
    for _ in range(400):
        found = next_occurrence(after_s, hour=clock.hour, minute=clock.minute, zone=zone)
        assert found.wall_s > after_s
        days.append(found.day)
        after_s = found.wall_s
    assert days == [(start + timedelta(days=n)).isoformat() for n in range(400)]


@settings(max_examples=300, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    after_s=st.floats(1_700_000_000, 1_900_000_000),
    clock=st.times(),
    weekdays=st.sets(st.integers(0, 6)),
)
def test_the_next_is_the_very_next(zone, after_s, clock, weekdays) -> None:
    def next_after(at_s: float):
        return next_occurrence(
            at_s, hour=clock.hour, minute=clock.minute, zone=zone, weekdays=weekdays
        )

    found = next_after(after_s)
    assert next_after(found.wall_s - 0.001) == found
    assert not weekdays or date.fromisoformat(found.day).weekday() in weekdays


@pytest.mark.parametrize(
    ("said", "asked", "expected"),
    [
        pytest.param("2026-03-02T06:00", LocalTime(8),             "2026-03-02T07:00", id="later today"),
        pytest.param("2026-03-02T07:00", LocalTime(8),             "2026-03-03T07:00", id="just now means tomorrow"),
        pytest.param("2026-03-02T06:00", LocalTime(8, in_days=1),  "2026-03-03T07:00", id="tomorrow"),
        pytest.param("2026-03-02T23:30", LocalTime(8, in_days=1),  "2026-03-04T07:00", id="tomorrow, said after midnight"),
        pytest.param("2026-03-02T10:00", LocalTime(8, in_days=0),  "2026-03-02T07:00", id="today, and over"),
        pytest.param("2026-03-02T10:00", LocalTime(8, weekday=0),  "2026-03-09T07:00", id="Monday on a Monday"),
        pytest.param("2026-03-02T10:00", LocalTime(8, weekday=6),  "2026-03-08T07:00", id="Sunday"),
        pytest.param("2026-03-02T06:00", LocalTime(8, may_be_later=True), "2026-03-02T07:00", id="at eight, in the morning"),
        pytest.param("2026-03-02T10:00", LocalTime(8, may_be_later=True), "2026-03-02T19:00", id="at eight, by day"),
        pytest.param("2026-03-02T22:00", LocalTime(8, may_be_later=True), "2026-03-03T07:00", id="at eight, at night"),
        pytest.param("2026-03-02T10:00", LocalTime(8, in_days=0, may_be_later=True), "2026-03-02T19:00", id="today at eight"),
        pytest.param("2026-03-02T22:00", LocalTime(8, in_days=0, may_be_later=True), "2026-03-02T19:00", id="today at eight, and over"),
        pytest.param("2026-03-28T12:00", LocalTime(2, 30),         "2026-03-29T01:30", id="a time that the night skips"),
    ],
)  # fmt: skip
def test_what_a_person_means_by_a_time(said, asked, expected) -> None:
    assert resolve(asked, said_s=utc(said), zone=BERLIN) == utc(expected)


@pytest.mark.parametrize(
    ("clock", "start", "end", "inside"),
    [
        ("21:59", "22:00", "06:00", False), ("22:00", "22:00", "06:00", True),
        ("00:00", "22:00", "06:00", True), ("05:59", "22:00", "06:00", True),
        ("06:00", "22:00", "06:00", False), ("12:00", "08:00", "20:00", True),
        ("20:00", "08:00", "20:00", False), ("07:59", "08:00", "20:00", False),
    ],
)  # fmt: skip
def test_a_window_begins_with_its_start_and_ends_before_its_end(clock, start, end, inside) -> None:
    read = time.fromisoformat
    assert is_within(read(clock), start=read(start), end=read(end)) is inside


def test_a_weekday_that_does_not_exist_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="0 to 6"):
        next_occurrence(0.0, hour=1, minute=0, zone=UTC, weekdays=(7,))
