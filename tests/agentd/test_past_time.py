"""Times of the past as people type them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agentd.past_time import PastTimeError, moment, seconds_ago

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
"""The day on which Berlin's clocks go forward."""

TIMES = {
    "2h":               "2026-03-29T08:00",
    "90 min":           "2026-03-29T08:30",
    "1h30m":            "2026-03-29T08:30",
    "45s":              "2026-03-29T09:59:15",
    "1d":               "2026-03-28T10:00",
    "10:05":            "2026-03-29T08:05",
    "1:30":             "2026-03-29T00:30",
    "13:00":            "2026-03-28T12:00",
    "2026-03-28T13:00": "2026-03-28T12:00",
    "2026-03-28T13:00+00:00": "2026-03-28T13:00",
}  # fmt: skip


@pytest.mark.parametrize(("text", "utc"), TIMES.items())
def test_a_time_is_read_in_the_homes_zone(text: str, utc: str) -> None:
    found = moment(text, now_s=NOW.timestamp(), zone=NOW.tzinfo)
    assert datetime.fromtimestamp(found, UTC) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a time"), ("soon", "is not a time"), ("25:00", "is not a time"),
        ("0h", "is not a time"), ("10:5", "is not a time"), ("2h later", "is not a time"),
        ("9" * 400 + "h", "longer ago"), ("2026-03-30", "has not been yet"),
        ("2020-01-01", "longer ago"), ("0001-01-01T00:00", "longer ago"),
    ],
)  # fmt: skip
def test_what_names_no_time_of_the_past_is_refused_with_a_hint(text: str, words: str) -> None:
    with pytest.raises(PastTimeError, match=words):
        moment(text, now_s=NOW.timestamp(), zone=NOW.tzinfo)


def test_a_clock_time_is_no_length() -> None:
    assert seconds_ago("10:05") is None
