"""The memory of the gate lives through restarts and power cuts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentd import safety
from agentd.safety import GateState, Row, note
from agentd.schema import Limits
from llmagentos.cause import Rank
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.utterance import Observation
from tests.agentd.safety.stage import (
    LEARNER,
    NOW,
    OFF,
    ON,
    RULE,
    START,
    at,
    fired,
    gate_after,
    observe,
    rows,
    rule_for,
)

LATER = Instant(1010.0, START.wall_s + 1010.0)
REBOOTED = Instant(20.0, START.wall_s + 1100.0)
UNSET = Instant(20.0, START.wall_s - 5000.0)


def revived(gate: GateState, now: Instant, all_rows: dict[str, Row], *, same: bool) -> GateState:
    """The memory after agentd was started again, in the same boot or after a power cut."""
    texts = safety.freeze(gate, now=NOW, boot_id="b1")
    return safety.thaw(texts, all_rows, now=now, boot_id="b1" if same else "b2")


def seen_at(now: Instant, **states: Scalar) -> Observation:
    return observe(now, **states)


def test_a_stretch_goes_on_through_a_restart() -> None:
    limited = rows(heater=Limits(max_on_s=100))
    gate = revived(gate_after(limited["heater"], (915.0, "on")), LATER, limited, same=True)
    assert not fired(gate, seen_at(LATER, heater="on"), limited)
    later = at(1015.0)
    assert [each.rule for each in fired(gate, seen_at(later, heater="on"), limited)] == ["max_on_s"]


@pytest.mark.parametrize(
    ("now", "same"), [(LATER, True), (REBOOTED, False)], ids=["restart", "cut"]
)
def test_what_is_off_counts_as_switched_off_just_now(now: Instant, same: bool) -> None:
    limited = rows(heater=Limits(min_off_s=100))
    gate = gate_after(limited["heater"], (10.0, "on"), (20.0, "off"))
    revived_gate = revived(gate, now, limited, same=same)
    assert rule_for(ON, limited, revived_gate, seen_at(now, heater="off")) == "min_off_s"
    rested = Instant(now.mono_s + 100, now.wall_s + 100)
    assert rule_for(ON, limited, revived_gate, seen_at(rested, heater="off")) == "allow"


@pytest.mark.parametrize(
    ("now", "same"), [(LATER, True), (REBOOTED, False)], ids=["restart", "cut"]
)
def test_switchings_go_on_counting(now: Instant, same: bool) -> None:
    limited = rows(heater=Limits(rate_per_min=2))
    gate = revived(
        gate_after(limited["heater"], (990.0, "on"), (995.0, "off")), now, limited, same=same
    )
    assert rule_for(ON, limited, gate, seen_at(now, heater="off")) == "rate_per_min"


@pytest.mark.parametrize(
    ("now", "same"), [(LATER, True), (REBOOTED, False)], ids=["restart", "cut"]
)
@pytest.mark.parametrize("end_s", [950.0, None], ids=["was off", "was on"])
def test_the_day_used_up_stays_used_up(now: Instant, same: bool, end_s: float | None) -> None:
    limited = rows(heater=Limits(duty_per_day_s=50))
    gate = gate_after(limited["heater"], (900.0, "on"), *([(end_s, "off")] if end_s else []))
    gate = revived(gate, now, limited, same=same)
    gate = note(gate, limited["heater"], {"state": "off"}, now, rank=None)
    assert rule_for(ON, limited, gate, seen_at(now, heater="off")) == "duty_per_day_s"


def test_an_output_that_is_on_has_its_day_written_down_a_minute_ahead() -> None:
    limited = rows(heater=Limits(duty_per_day_s=500))
    gate = gate_after(limited["heater"], (900.0, "on"))
    texts = [
        safety.freeze(gate, now=at(at_s), boot_id="b1")["heater"] for at_s in (946, 1004, 1005)
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("now", "same", "rule"),
    [
        pytest.param(Instant(1400.0, 0.0), True, "manual_hold", id="restart, not yet over"),
        pytest.param(Instant(1500.0, 0.0), True, "allow", id="restart, over"),
        pytest.param(Instant(20.0, START.wall_s + 1400), False, "manual_hold", id="cut, not yet"),
        pytest.param(Instant(20.0, START.wall_s + 1500), False, "allow", id="cut, over"),
        pytest.param(UNSET, False, "manual_hold", id="cut, and the clock is not set"),
    ],
)
def test_a_hold_lasts_through_restarts_and_power_cuts(now: Instant, same: bool, rule: str) -> None:
    all_rows = rows(heater=Limits(manual_hold_s=600))
    gate = gate_after(all_rows["heater"], (900.0, "off"), rank=Rank.PERSON)
    gate = safety.exempt(gate, ["heater"], "p9")
    gate = revived(gate, now, all_rows, same=same)
    settled = seen_at(Instant(now.mono_s + 3, now.wall_s + 3), heater="off")
    assert rule_for(ON, all_rows, gate, settled, RULE) == rule
    assert rule_for(ON, all_rows, gate, settled, replace(RULE, who="p9")) == "allow"


def test_a_hold_with_a_clock_that_is_not_set_ends_all_the_same() -> None:
    all_rows = rows(heater=Limits(manual_hold_s=600))
    gate = gate_after(all_rows["heater"], (900.0, "off"), rank=Rank.PERSON)
    gate = revived(gate, UNSET, all_rows, same=False)
    later = Instant(UNSET.mono_s + 600, UNSET.wall_s + 600)
    assert rule_for(ON, all_rows, gate, seen_at(later, heater="off"), RULE) == "allow"


@pytest.mark.parametrize("same", [True, False], ids=["restart", "cut"])
def test_stop_and_faults_stay(same: bool) -> None:
    gate = safety.fault(safety.stop(GateState(START)), "heater", "it smells")
    gate = revived(gate, REBOOTED if not same else LATER, rows(), same=same)
    assert gate.is_stopped
    assert gate.track("heater").fault == "it smells"


def test_the_last_rank_stands_for_a_moment_after_a_restart() -> None:
    all_rows = rows()
    gate = gate_after(all_rows["heater"], (900.0, "on"), rank=Rank.AGENT)
    gate = revived(gate, LATER, all_rows, same=True)
    assert rule_for(OFF, all_rows, gate, seen_at(LATER, heater="on"), LEARNER) == "precedence"
    assert rule_for(OFF, all_rows, gate, seen_at(at(1012.0), heater="on"), LEARNER) == "allow"


def test_renewing_a_lease_writes_nothing() -> None:
    row = rows()["heater"]
    gate = gate_after(row, (900.0, "on"), rank=Rank.AGENT)
    again = gate_after(row, (905.0, "on"), rank=Rank.AGENT, gate=gate)
    assert again != gate
    first, second = (safety.freeze(each, now=NOW, boot_id="b1") for each in (gate, again))
    assert first == second


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"boot": "b1", "since": "x"}', '{"boot": "b1", "since": 1e300}',
     '{"boot": "b1", "since": NaN}', '{"boot": "b1", "held": [1]}', '{"boot": "b1", "rank": 77}',
     '{"boot": "b1", "on_time": 5}', '{"boot": "b1", "on_time": [[1]]}', '{"boot": "b1", "switched": {}}'],
)  # fmt: skip
def test_a_text_that_makes_no_sense_counts_as_just_switched_off(text: str) -> None:
    limited = rows(heater=Limits(min_off_s=100))
    gate = safety.thaw({"heater": text}, limited, now=NOW, boot_id="b1")
    assert rule_for(ON, limited, gate, observe(heater="off")) == "min_off_s"


@pytest.mark.parametrize(
    ("text", "is_stopped"),
    [
        ('{"stopped":false}', False),
        ('{"stopped":true}', True),
        ("{", True),
        ("{}", True),
        ("7", True),
    ],
)
def test_a_stop_that_cannot_be_read_may_have_been_one(text: str, is_stopped: bool) -> None:
    assert safety.thaw({"": text}, {}, now=NOW, boot_id="b1").is_stopped is is_stopped


def test_boots_without_a_name_are_never_the_same() -> None:
    limited = rows(heater=Limits(max_on_s=100))
    gate = gate_after(limited["heater"], (915.0, "on"))
    texts = safety.freeze(gate, now=NOW, boot_id="")
    assert not safety.thaw(texts, limited, now=LATER, boot_id="").track("heater").is_active


def test_an_output_that_is_not_there_now_is_remembered_until_it_is_back() -> None:
    gate = safety.fault(GateState(START), "attic_fan", "it squeaks")
    assert revived(gate, LATER, rows(), same=True).track("attic_fan").fault == "it squeaks"
