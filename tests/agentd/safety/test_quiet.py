"""Quiet hours, on the clock of the home."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agentd.safety.quiet import parse
from agentd.schema import Limits
from llmagentos.cause import Origin
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.utterance import Observation
from tests.agentd.safety.stage import (
    AGENT,
    LEARNER,
    OFF,
    ON,
    PERSON,
    RULE,
    fired,
    gate_after,
    observe,
    rows,
    rule_for,
    verdict_for,
)

NIGHT = Limits(quiet_hours="22:00-07:00")


def at_time(
    text: str, zone: str = "UTC", *, is_clock_set: bool = True, **states: Scalar
) -> Observation:
    """The house at a local time, written 2026-11-20 21:59."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    now = Instant(1000.0, moment.timestamp())
    return replace(observe(now, **states), is_clock_set=is_clock_set)


@pytest.mark.parametrize(
    ("hours", "time", "rule"),
    [
        ("22:00-07:00", "21:59", "allow"),
        ("22:00-07:00", "22:00", "quiet_hours"),
        ("22:00-07:00", "03:00", "quiet_hours"),
        ("22:00-07:00", "06:59", "quiet_hours"),
        ("22:00-07:00", "07:00", "allow"),
        ("13:00-15:00", "12:59", "allow"),
        ("13:00-15:00", "13:00", "quiet_hours"),
        ("13:00-15:00", "15:00", "allow"),
    ],
)
@pytest.mark.parametrize("origin", [PERSON, RULE, AGENT], ids=["person", "rule", "agent"])
def test_quiet_hours_bind_everybody(hours: str, time: str, rule: str, origin: Origin) -> None:
    quiet = rows(heater=Limits(quiet_hours=hours))
    seen = at_time(f"2026-11-20 {time}")
    assert rule_for(ON, quiet, observation=seen, origin=origin) == rule
    assert rule_for(OFF, quiet, observation=seen, origin=origin) == "allow"


@pytest.mark.parametrize(
    ("text", "is_quiet"),
    [
        pytest.param("2026-03-29 06:30", True, id="summer time has begun in the night"),
        pytest.param("2026-03-29 07:00", False, id="and they end by the new time"),
        pytest.param("2026-10-25 06:59", True, id="summer time has ended in the night"),
        pytest.param("2026-10-25 07:00", False, id="and they end by the old time"),
    ],
)
def test_quiet_hours_follow_summer_time(text: str, is_quiet: bool) -> None:
    quiet = rows(heater=NIGHT)
    quiet["heater"] = replace(quiet["heater"], zone=ZoneInfo("Europe/Berlin"))
    rule = rule_for(ON, quiet, observation=at_time(text, "Europe/Berlin"))
    assert (rule == "quiet_hours") is is_quiet


@pytest.mark.parametrize(
    ("origin", "rule"),
    [(PERSON, "allow"), (RULE, "quiet_hours"), (AGENT, "quiet_hours"), (LEARNER, "quiet_hours")],
    ids=["person", "rule", "agent", "learner"],
)
def test_while_nobody_knows_the_time_only_a_person_may(origin: Origin, rule: str) -> None:
    seen = at_time("2026-11-20 12:00", is_clock_set=False)
    verdict = verdict_for(ON, rows(heater=NIGHT), None, seen, origin)
    assert (verdict.rule or "allow") == rule
    if rule == "quiet_hours":
        assert "The clock is not set" in verdict.reason


@pytest.mark.parametrize(
    ("min_on_s", "is_clock_set", "rules"),
    [
        pytest.param(None, True, ["quiet_hours"], id="goes off"),
        pytest.param(None, False, [], id="not by a clock that is not set"),
        pytest.param(100.0, True, [], id="not before it may stop"),
    ],
)
def test_what_is_on_goes_off_when_quiet_hours_begin(
    min_on_s: float | None, is_clock_set: bool, rules: list[str]
) -> None:
    quiet = rows(heater=Limits(quiet_hours="22:00-07:00", min_on_s=min_on_s))
    gate = gate_after(quiet["heater"], (950.0, "on"))
    seen = at_time("2026-11-20 22:00", is_clock_set=is_clock_set, heater="on")
    assert [order.rule for order in fired(gate, seen, quiet)] == rules


@pytest.mark.parametrize(
    "text", ["", "22-7", "24:00-07:00", "22:00-07:60", "22:00-22:00", "22:00 - 07:00"]
)
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"22:00-07:00|begins"):
        parse(text)
