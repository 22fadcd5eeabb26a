"""What happened: short, about what people care for, and never more than people listen to."""

from __future__ import annotations

from typing import Any

import pytest

from agentd.history import MAX_SENTENCES, happened
from agentd.journal import Entry, Fault, Note
from llmagentos.cause import Rank
from tests.agentd.entries import NOON_S, WORDING, entry, guarded, refused, ruled

TEN_S = NOON_S - 2 * 3600


def told(*entries: Entry, **more: Any) -> str:
    return happened(entries, WORDING, since_s=TEN_S, **more)


SENTENCES: dict[str, tuple[list[Entry], str]] = {
    "one":         ([entry(1)],                                         "The desk lamp was switched on by voice at 11:01."),
    "many times":  ([ruled(n) for n in (1, 2, 3)],                      "The desk lamp was set 3 times by rule “dusk”, last switched on at 11:03."),
    "one plan":    ([entry(1, n, "turn_off", cause="c") for n in ("lamp", "pump")],
                    "The desk lamp and the pump were switched off by voice at 11:01."),
    "big plan":    ([entry(1, n, "turn_off", cause="c") for n in ("lamp", "pump", "heater", "stat")],
                    "4 devices were switched off by voice at 11:01."),
    "safety":      ([guarded(1)],                                       "The desk lamp was switched off by a safety rule at 11:01: It was on too long."),
    "promise":     ([ruled(1, because="box/0/9")],                      "The desk lamp was switched on as promised at 11:01."),
    "refused":     ([refused(1, "pump"), refused(2, "pump")],
                    "Switching the pump on was refused twice, last at 11:02, asked for by voice: The tank is empty."),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "sentence"), SENTENCES.values(), ids=SENTENCES.keys())
def test_it_is_told_in_one_sentence(entries: list[Entry], sentence: str) -> None:
    assert told(*entries) == f"Since 10:00: {sentence}"


@pytest.mark.parametrize(
    "quiet",
    [
        guarded(1, rule="start", before={"state": "off"}),
        entry(1, before={"state": "on"}),
        guarded(1, rule="slope_per_s"),
        refused(1, ruling="confirm"),
        refused(1, rank=Rank.LEARNER),
    ],
    ids=["a sweep of what is off", "what was so", "a step", "a question", "a learner's try"],
)
def test_what_nobody_cares_for_is_not_told(quiet: Entry) -> None:
    assert told(quiet) == "Since 10:00 nothing was changed."


def test_a_sweep_that_switched_something_off_is_told() -> None:
    assert "switched off by the box itself at 11:01" in told(guarded(1, rule="end", reason=""))


def test_a_long_day_is_told_in_five_sentences_the_most_important_ones() -> None:
    rules = [ruled(n, who=f"r{n}") for n in range(1, 20)]
    text = told(*rules, guarded(20, "pump"), refused(21, "heater"), entry(22, "stat", "turn_off"))
    assert len(text.split(". ")) <= MAX_SENTENCES + 1
    assert all(word in text for word in ("pump", "heater", "thermostat", "And 18 more things."))


def test_stops_and_faults_are_told() -> None:
    text = told(
        notes=[Note(TEN_S + 60, "stop", "voice"), Note(TEN_S + 120, "seen", "x")],
        faults=[Fault(TEN_S + 180, "pump", "stuck", "it does not follow")],
    )
    assert text == (
        "Since 10:00: Everything was stopped by voice at 10:01. "
        "The pump has had a fault since 10:03: it does not follow."
    )


def test_of_one_device_only_its_own_is_told() -> None:
    text = told(device="lamp", notes=[Note(TEN_S, "stop", "voice")],
                faults=[Fault(TEN_S, "pump", "stuck", "it sticks")])  # fmt: skip
    assert text == "Since 10:00 the desk lamp was not changed."
