"""When a rule runs, and why it does not."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.agents.trigger import Memory
from llmagentos.reading import Quality
from tests.agentd.agents.garden import Garden, rule, utc

DRY = {"device": "soil", "below": 30}
PRESSED = {"device": "button", "value": "pressed"}
HALF_THREE = {"at": "02:30"}


def runs(instance) -> int:
    return len(instance.firings)


# a value --------------------------------------------------------------------------------------


def test_a_value_sets_off_when_it_is_taken_and_not_when_it_is_repeated() -> None:
    garden = Garden(rule(when=PRESSED))
    seen = [
        runs(garden.see("button", value)) for value in ("pressed", "pressed", "idle", "pressed")
    ]
    assert seen == [1, 0, 0, 1]


def test_two_presses_in_one_instant_are_two_occasions() -> None:
    instance = Garden(rule(when=PRESSED)).see_all("button", "pressed", "idle", "pressed")
    assert len({firing.occasion for firing in instance.firings}) == 2


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.SUSPECT, Quality.UNAVAILABLE])
def test_a_value_that_is_not_good_sets_nothing_off(quality: Quality) -> None:
    assert not runs(Garden(rule(when=PRESSED)).see("button", "pressed", quality))


def test_a_value_must_stay_for_as_long_as_was_said() -> None:
    garden = Garden(rule(when={"device": "door", "value": "on", "for_s": 600}))
    garden.see("door", "on")
    assert not runs(garden.after(599))
    assert runs(garden.after(1)) == 1
    assert not runs(garden.after(600))


def test_a_value_that_goes_in_between_starts_anew() -> None:
    garden = Garden(rule(when={"device": "door", "value": "on", "for_s": 600}))
    garden.see("door", "on")
    garden.wait(300)
    garden.see("door", "off")
    garden.see("door", "on")
    assert not runs(garden.after(599))
    assert runs(garden.after(1)) == 1


def test_a_value_that_turns_stale_meanwhile_sets_nothing_off() -> None:
    garden = Garden(rule(when={"device": "door", "value": "on", "for_s": 600}))
    garden.see("door", "on")
    garden.wait(300)
    garden.see("door", "on", Quality.STALE)
    assert not runs(garden.after(600))


# a bound --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "values", "expected"),
    [
        pytest.param(DRY, [35, 30, 29, 28, 31, 29], [0, 0, 1, 0, 0, 1], id="below, each time it goes under"),
        pytest.param(DRY, [29, 28], [1, 0], id="below from the start"),
        pytest.param({"device": "soil", "above": 30}, [29, 30, 31, 40, 30, 31], [0, 0, 1, 0, 0, 1], id="above"),
        pytest.param({**DRY, "hysteresis": 5}, [29, 31, 29, 34.9, 29, 35, 29], [1, 0, 0, 0, 0, 0, 1], id="hysteresis holds it until it was far enough back"),
        pytest.param(DRY, [0.0, 31, 0], [1, 0, 1], id="nought is a number"),
        pytest.param(DRY, [True, "10", float("nan"), None], [0, 0, 0, 0], id="what is no number is not below"),
    ],
)  # fmt: skip
def test_a_bound_is_crossed(when, values, expected) -> None:
    garden = Garden(rule(when=when))
    assert [runs(garden.see("soil", value)) for value in values] == expected


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.SUSPECT, Quality.UNAVAILABLE])
def test_a_reading_that_is_not_good_crosses_nothing(quality: Quality) -> None:
    garden = Garden(rule(when=DRY))
    assert not runs(garden.see("soil", 10, quality))
    assert runs(garden.see("soil", 10)) == 1


def test_a_bound_must_stay_crossed_for_as_long_as_was_said() -> None:
    garden = Garden(rule(when={**DRY, "for_s": 60}))
    garden.see("soil", 29)
    garden.wait(59)
    assert not runs(garden.see("soil", 29))
    garden.see("soil", 31)
    garden.see("soil", 29)
    assert not runs(garden.after(59))
    assert runs(garden.after(1)) == 1


def test_a_bound_crossed_at_night_runs_in_the_morning() -> None:
    garden = Garden(rule(when=DRY, quiet_hours="22:00-06:00"), at="2026-03-02T22:30")
    night = garden.see("soil", 20)  # 23:30 in Berlin
    assert (runs(night), night.obstacle) == (0, "it is quiet until 06:00")
    assert not runs(garden.after(6.4 * 3600))
    assert runs(garden.after(0.2 * 3600)) == 1


def test_a_button_pressed_at_night_does_nothing_in_the_morning() -> None:
    garden = Garden(rule(when=PRESSED, quiet_hours="22:00-06:00"), at="2026-03-02T22:30")
    assert garden.see("button", "pressed").obstacle
    assert not runs(garden.after(8 * 3600))


# again and again ------------------------------------------------------------------------------


def test_every_so_often_begins_one_pause_after_the_rule_was_made() -> None:
    garden = Garden(rule(when={"every_s": 60}))
    assert [runs(garden.after(20)) for _ in range(10)] == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1]


def test_what_was_missed_of_every_so_often_is_not_made_up_for() -> None:
    garden = Garden(rule(when={"every_s": 60}))
    garden.after(0)
    assert runs(garden.after(1000)) == 1
    assert not runs(garden.after(1))


# a time of day --------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    start=st.dates(date(2026, 3, 20), date(2026, 11, 1)),
    step_s=st.sampled_from([60.0, 600.0, 590.0]),
)
def test_a_time_of_day_comes_once_a_day_over_both_clock_changes(start, step_s) -> None:
    garden = Garden(rule(when={**HALF_THREE, "late_s": 700}), at=f"{start}T12:00")
    garden.after(0)
    days = []
    for _ in range(int(5 * 86_400 / step_s)):
        days += [firing.occasion for firing in garden.after(step_s).firings]
    assert days == [f"rule:r@{start + timedelta(days=n)}T02:30" for n in range(1, 6)]


def test_a_clock_put_back_over_it_does_not_run_it_twice() -> None:
    garden = Garden(rule(when=HALF_THREE), at="2026-03-02T01:20")
    garden.after(0)
    assert runs(garden.put_clock("2026-03-02T01:30")) == 1
    assert not runs(garden.put_clock("2026-03-02T00:00"))
    assert not runs(garden.after(2 * 3600))
    assert runs(garden.put_clock("2026-03-03T01:30")) == 1


def test_a_clock_put_days_ahead_and_back_again_does_not_run_it_twice() -> None:
    garden = Garden(rule(when=HALF_THREE), at="2026-03-02T01:20")
    garden.after(0)
    assert runs(garden.put_clock("2026-03-02T01:30")) == 1
    garden.put_clock("2026-03-05T12:00")
    garden.put_clock("2026-03-02T00:00")
    assert not runs(garden.put_clock("2026-03-02T01:30"))
    assert runs(garden.put_clock("2026-03-03T01:30")) == 1


def test_a_rule_that_is_switched_off_misses_nothing() -> None:
    garden = Garden(rule(when=HALF_THREE, enabled=False), at="2026-03-02T01:20")
    garden.after(0)
    assert garden.put_clock("2026-03-02T12:00").missed_s == 0


@pytest.mark.parametrize(
    ("now", "count", "late_s", "obstacle"),
    [
        pytest.param("2026-03-02T01:35", 1, 300, "",                         id="a little late"),
        pytest.param("2026-03-02T04:30", 0, 0,   "it was 3 hours late",      id="too late"),
        pytest.param("2026-03-05T01:31", 1, 60,  "",                         id="the newest counts, older ones are missed"),
        pytest.param("2036-01-01T00:00", 0, 0,   "it was 22 hours late",     id="ten years"),
    ],
)  # fmt: skip
def test_a_clock_put_forward_over_it_runs_it_late_or_tells(now, count, late_s, obstacle) -> None:
    garden = Garden(rule(when=HALF_THREE), at="2026-03-02T01:00")
    garden.after(0)
    instance = garden.put_clock(now)
    assert (runs(instance), instance.obstacle) == (count, obstacle)
    assert [firing.late_s for firing in instance.firings] == [late_s] * count


def test_a_clock_that_was_years_ahead_does_not_silence_it_for_years() -> None:
    garden = Garden(rule(when=HALF_THREE), at="2026-03-02T12:00")
    garden.after(0)
    garden.put_clock("2036-01-01T00:00")
    garden.put_clock("2026-03-02T12:00")
    assert runs(garden.put_clock("2026-03-03T01:30")) == 1


def test_no_time_of_day_comes_before_the_clock_is_set() -> None:
    garden = Garden(rule(when=HALF_THREE), at="2026-03-02T01:00")
    garden.after(0)
    garden.is_set = False
    assert not runs(garden.after(3600))
    garden.is_set = True
    assert garden.after(0).missed_s == pytest.approx(1800)


def test_a_new_rule_does_not_run_for_a_time_that_was_before_it() -> None:
    garden = Garden(rule(when=HALF_THREE), at="2026-03-02T01:31")
    assert not runs(garden.after(0))


def test_days_of_the_week() -> None:
    garden = Garden(rule(when={"at": "12:30", "days": ["sat", "sun"]}), at="2026-03-02T11:00")
    garden.after(0)
    seen = [firing.occasion for _ in range(14 * 144) for firing in garden.after(600).firings]
    assert seen == [f"rule:r@2026-03-{day:02}T12:30" for day in (7, 8, 14, 15)]


@settings(max_examples=200, deadline=None)
@given(jumps=st.lists(st.floats(-90_000, 90_000), max_size=30))
def test_however_the_clock_is_put_no_day_comes_twice(jumps) -> None:
    """Put about by up to 25 hours a time: what was kept today is not kept again today."""
    garden = Garden(rule(when={**HALF_THREE, "late_s": 100_000}), at="2026-03-27T12:00")
    garden.after(0)
    occasions = []
    for jump_s in jumps:
        garden.at = type(garden.at)(garden.at.mono_s + 60, garden.at.wall_s + jump_s)
        before = utc("2026-03-27T12:00")
        if garden.at.wall_s < before - 80_000:
            continue
        occasions += [firing.occasion for firing in garden.after(1).firings]
    assert all(a != b for a, b in pairwise(occasions))


# conditions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "state", "obstacle"),
    [
        pytest.param({"device": "tank", "min": 5},            5.0,  "", id="in range, its end included"),
        pytest.param({"device": "tank", "min": 5},            4.9,  "the tank is at 4.9 %, below 5 %", id="below"),
        pytest.param({"device": "tank", "max": 5},            6,    "the tank is at 6 %, above 5 %", id="above"),
        pytest.param({"device": "tank", "min": 0},            0.0,  "", id="nought"),
        pytest.param({"device": "tank", "min": 5},            None, "there is no reading of the tank yet", id="never seen"),
        pytest.param({"device": "tank", "min": 5},            "on", "the tank gives no number", id="no number"),
        pytest.param({"device": "lamp", "value": "off"},      "off", "", id="a state"),
        pytest.param({"device": "lamp", "value": "off"},      "on", "the lamp is on, not off", id="another state"),
        pytest.param({"between": "08:00-13:00"},              None, "", id="within hours"),
        pytest.param({"between": "13:00-20:00"},              None, "it is 12:00", id="not within hours"),
        pytest.param({"days": ["mon"]},                       None, "", id="on the day"),
        pytest.param({"days": ["tue"], "between": "08:00-13:00"}, None, "it is mon", id="not on the day"),
    ],
)  # fmt: skip
def test_a_condition(condition, state, obstacle) -> None:
    garden = Garden(rule(when=PRESSED, only_if=[condition]))  # Monday, 12:00 in Berlin
    if state is not None:
        garden.see(condition["device"], state)
    instance = garden.see("button", "pressed")
    assert (runs(instance), instance.obstacle) == (int(not obstacle), obstacle)


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.SUSPECT, Quality.UNAVAILABLE])
def test_a_condition_that_cannot_be_known_does_not_hold(quality: Quality) -> None:
    garden = Garden(rule(when=PRESSED, only_if=[{"device": "tank", "min": 5}]))
    garden.see("tank", 50.0, quality)
    instance = garden.see("button", "pressed")
    assert (runs(instance), instance.obstacle) == (0, f"the tank is {quality.value}")


@pytest.mark.parametrize(
    "more", [{"only_if": [{"between": "00:00-23:59"}]}, {"quiet_hours": "22:00-06:00"}]
)
def test_hours_cannot_be_known_before_the_clock_is_set(more) -> None:
    garden = Garden(rule(when=PRESSED, **more))
    garden.is_set = False
    instance = garden.see("button", "pressed")
    assert not runs(instance)
    assert "the clock has not been set yet" in instance.obstacle


def test_all_conditions_must_hold_and_the_first_that_does_not_is_told() -> None:
    garden = Garden(
        rule(
            when=PRESSED, only_if=[{"device": "lamp", "value": "on"}, {"device": "tank", "min": 5}]
        )
    )
    garden.see("lamp", "on")
    garden.see("tank", 1)
    assert garden.see("button", "pressed").obstacle == "the tank is at 1 %, below 5 %"


def test_a_rule_rests_after_it_ran() -> None:
    garden = Garden(rule(when=PRESSED, cooldown_s=60))
    assert runs(garden.see_all("button", "pressed", "idle", "pressed")) == 1
    garden.see("button", "idle")
    garden.wait(59)
    assert garden.see("button", "pressed").obstacle == "it rests for 1 second more"
    garden.see("button", "idle")
    garden.wait(1)
    assert runs(garden.see("button", "pressed")) == 1


def test_the_rest_goes_on_over_a_power_cut() -> None:
    garden = Garden(rule(when=PRESSED, cooldown_s=600))
    garden.see("button", "pressed")
    garden.memory = Memory(rest=garden.memory.rest)
    garden.boot, garden.at = "b2", type(garden.at)(5.0, garden.at.wall_s + 300)
    assert "rests for 5 minutes" in garden.see("button", "pressed").obstacle


def test_a_rule_that_is_switched_off_does_not_run() -> None:
    assert not runs(Garden(rule(when=PRESSED, enabled=False)).see("button", "pressed"))


def test_the_same_readings_replayed_give_the_same_runs() -> None:
    """What a rehearsal over stored readings stands on."""
    days = []
    for _ in range(2):
        garden = Garden(rule(when={**DRY, "hysteresis": 3, "for_s": 30}, cooldown_s=300))
        values = [(n * 37) % 50 for n in range(500)]
        seen = []
        for value in values:
            garden.wait(20)
            seen += [firing.occasion for firing in garden.see("soil", value).firings]
        days.append(seen)
    assert days[0] == days[1]
    assert days[0]
