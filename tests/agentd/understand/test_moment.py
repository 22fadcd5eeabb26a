"""Lengths of time and times of day: read from words, resolved, and said back."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.understand.moment import Moments, When, instant, resolve, resolve_past
from agentd.understand.spell import speller
from agentd.understand.words import load_words, tokens
from llmagentos.utterance import LocalTime

BERLIN = ZoneInfo("Europe/Berlin")

MOMENTS = Moments(load_words("en"))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("ten minutes",                 600),
        ("90 seconds",                  90),
        ("half an hour",                1800),
        ("an hour",                     3600),
        ("an hour and a half",          5400),
        ("one and a half hours",        5400),
        ("1.5 hours",                   5400),
        ("two and a half minutes",      150),
        ("two hours and ten minutes",   7800),
        ("1 hour 5 minutes 30 seconds", 3930),
        ("a quarter of an hour",        900),
        ("three quarters of an hour",   2700),
        ("a couple of minutes",         120),
        ("twenty-five minutes",         1500),
        ("two days",                    172800),
        ("ten",                         None),
        ("minutes",                     None),
        ("ten minutes ten minutes",     None),
        ("5 seconds and 2 minutes",     None),
        ("zero minutes",                None),
        ("a thousand days",             None),
        ("400 days",                    None),
        ("and ten minutes",             None),
        ("ten minutes and",             None),
        ("ten minutes lamp",            None),
        ("",                            None),
    ],
)  # fmt: skip
def test_length_of_time_is_read(text, seconds):
    assert MOMENTS.spans.read(tokens(text)) == seconds


@given(st.integers(1, 23), st.integers(0, 59), st.integers(0, 59))
def test_length_that_is_said_is_read_back(hours, minutes, seconds):
    spell = speller("en")
    parts = [f"{spell(count)} {unit}" for count, unit in
             ((hours, "hours"), (minutes, "minutes"), (seconds, "seconds")) if count]  # fmt: skip

    read = MOMENTS.spans.read(tokens(" and ".join(parts)))

    assert read == hours * 3600 + minutes * 60 + seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0,     "0 seconds"),
        (1,     "1 second"),
        (59.6,  "1 minute"),
        (240,   "4 minutes"),
        (330,   "5 minutes and 30 seconds"),
        (5400,  "1 hour and 30 minutes"),
        (90061, "1 day and 1 hour"),
    ],
)  # fmt: skip
def test_length_of_time_is_said(seconds, text):
    assert MOMENTS.spans.say(seconds) == text


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("in ten minutes",                 "2026-11-20 20:40"),
        ("ten minutes from now",           "2026-11-20 20:40"),
        ("after half an hour",             "2026-11-20 21:00"),
        ("at seven",                       "2026-11-21 07:00"),
        ("at nine",                        "2026-11-20 21:00"),
        ("at 9:05",                        "2026-11-20 21:05"),
        ("at nine oh five",                "2026-11-20 21:05"),
        ("at eight thirty",                "2026-11-21 08:30"),
        ("at 8.45",                        "2026-11-20 20:45"),
        ("at 18:30",                       "2026-11-21 18:30"),
        ("at 07:00",                       "2026-11-21 07:00"),
        ("at seven o'clock",               "2026-11-21 07:00"),
        ("at 9 am",                        "2026-11-21 09:00"),
        ("9pm",                            "2026-11-20 21:00"),
        ("at 9 p.m.",                      "2026-11-20 21:00"),
        ("at twelve",                      "2026-11-21 00:00"),
        ("at noon",                        "2026-11-21 12:00"),
        ("at midnight",                    "2026-11-21 00:00"),
        ("tonight at midnight",            "2026-11-21 00:00"),
        ("tonight at eleven",              "2026-11-20 23:00"),
        ("tonight at one",                 "2026-11-21 01:00"),
        ("at eleven at night",             "2026-11-20 23:00"),
        ("at two at night",                "2026-11-21 02:00"),
        ("this evening at nine",           "2026-11-20 21:00"),
        ("at 6:30 tomorrow morning",       "2026-11-21 06:30"),
        ("tomorrow morning at six thirty", "2026-11-21 06:30"),
        ("tomorrow at noon",               "2026-11-21 12:00"),
        ("tomorrow at eight in the evening", "2026-11-21 20:00"),
        ("the day after tomorrow at nine", "2026-11-22 09:00"),
        ("at half past six",               "2026-11-21 06:30"),
        ("at quarter to nine",             "2026-11-20 20:45"),
        ("at ten to nine",                 "2026-11-20 20:50"),
        ("at ten past nine",               "2026-11-20 21:10"),
        ("at a quarter to one",            "2026-11-21 00:45"),
        ("on monday at six",               "2026-11-23 06:00"),
        ("next friday at six pm",          "2026-11-27 18:00"),
        ("on friday at nine",              "2026-11-20 21:00"),
    ],
)  # fmt: skip
def test_moment_is_the_next_one_that_was_meant(text, when):
    now_s = at("2026-11-20 20:30")  # a Friday

    read = MOMENTS.read(tokens(text))
    assert read is not None
    if read.at:
        moment = resolve(read.at, now_s=now_s, zone=BERLIN)
        assert moment is not None
        found = instant(moment, now_s=now_s, zone=BERLIN)
    else:
        found = now_s + read.after_s

    assert datetime.fromtimestamp(found, BERLIN).isoformat(" ", "minutes")[:16] == when


@pytest.mark.parametrize(
    "text",
    [
        "", "at", "at 25", "at 9:75", "at seven eight", "in the study", "in ten", "seven", "9",
        "at thirteen in the morning", "at nine in the morning in the evening", "at nine at ten",
        "today tomorrow at nine", "at nine percent", "at 21 degrees", "in an hour at nine",
        "quarter to", "at half past", "at quarter to 30",
    ],
)  # fmt: skip
def test_other_words_are_no_moment(text):
    assert MOMENTS.read(tokens(text)) is None


@pytest.mark.parametrize("text", ["tomorrow", "tonight", "in the evening", "on monday"])
def test_day_without_a_time_is_vague(text):
    assert MOMENTS.read(tokens(text)) == When()


def test_mere_number_may_be_something_else():
    assert MOMENTS.read(("at", "20")).is_bare
    assert not MOMENTS.read(tokens("at 20 o'clock")).is_bare
    assert not MOMENTS.read(tokens("tomorrow at 20")).is_bare


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at nine",           "today at 21:00"),
        ("at seven",          "tomorrow at 07:00"),
        ("on monday at noon", "on Monday at 12:00"),
    ],
)  # fmt: skip
def test_moment_is_said_in_full(text, said):
    moment = resolve(
        MOMENTS.read(tokens(text)).at, now_s=at("2026-11-20 20:30"), zone=BERLIN
    )  # fmt: skip

    assert MOMENTS.say(moment) == said


def test_time_of_today_that_is_over_is_none():
    assert resolve(LocalTime(19, 0, 0), now_s=at("2026-11-20 20:30"), zone=BERLIN) is None


def test_time_that_a_clock_change_leaves_out_comes_after_it():
    moment = resolve(LocalTime(2, 30), now_s=at("2026-03-28 20:00"), zone=BERLIN)

    found = instant(moment, now_s=at("2026-03-28 20:00"), zone=BERLIN)

    assert datetime.fromtimestamp(found, BERLIN).isoformat(" ", "minutes")[:16] == (
        "2026-03-29 03:30"
    )


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("ten",                   "2026-11-20 10:00"),
        ("nine this morning",     "2026-11-20 09:00"),
        ("eight",                 "2026-11-20 20:00"),
        ("half past eleven",      "2026-11-20 11:30"),
        ("yesterday at noon",     "2026-11-19 12:00"),
        ("ten yesterday evening", "2026-11-19 22:00"),
    ],
)  # fmt: skip
def test_past_moment_is_the_last_one_that_has_been(text, when):
    read = MOMENTS.read_time(tokens(text), needs_at=False)

    found = resolve_past(read.at, now_s=at("2026-11-20 20:30"), zone=BERLIN)

    assert datetime.fromtimestamp(found, BERLIN).isoformat(" ", "minutes")[:16] == when
