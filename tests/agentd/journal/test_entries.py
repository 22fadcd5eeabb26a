"""What was done or refused: written down, and asked for in every way."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from agentd.journal import Entry, Journal, JournalError
from llmagentos.cause import Cause
from llmagentos.plan import Action, Applied, Ruling, Stage, Verdict
from tests.agentd.clock import HandClock
from tests.agentd.journal.conftest import Open
from tests.agentd.journal.rows import ANNA, NOW, ON, applied, do, plan, reading


def test_an_entry_holds_all_that_why_and_undo_need(journal: Journal) -> None:
    dim = Action("lamp", "set_brightness", {"brightness": 40})
    wish = plan(dim, text="dim the lamp", chosen_by="model")
    verdict = Verdict(Ruling.CLAMP, dim, dim, "max", "It goes no higher.")
    journal.record_plan(wish)
    journal.record_trigger(wish.cause, reading(28.5, wall_s=NOW.wall_s))
    journal.record_applied(
        Applied(dim, Stage.READ_BACK, wish.cause, NOW, {"state": "on"}, {"state": "off"}, verdict)
    )
    assert journal.entries() == (
        Entry(
            cause="box/00000000/1", at_s=NOW.wall_s, device="lamp", action="set_brightness",
            stage="read_back", rule="max", reason="", channel="cli", who="anna",
            chosen_by="model", text="dim the lamp", id=1, args={"brightness": 40},
            ruling="clamp", state={"state": "on"}, before={"state": "off"}, area="kitchen",
            rank=int(ANNA.rank),
            reading={"device": "soil", "quantity": "moisture", "value": 28.5, "unit": "%"},
        ),
    )  # fmt: skip


def test_an_entry_without_its_plan_is_still_told(journal: Journal) -> None:
    journal.record_applied(applied(plan()))
    (entry,) = journal.entries()
    assert (entry.device, entry.channel, entry.text, entry.area) == ("pump", "", None, None)


ASKED = [
    # wanted                                     numbers of the causes, newest first
    ({},                                         [5, 4, 3, 2, 1]),
    ({"limit": 2},                               [5, 4]),
    ({"device": "lamp"},                         [4, 2]),
    ({"cause": "box/00000000/3"},                [3]),
    ({"since_s": NOW.wall_s + 3},                [5, 4, 3]),
    ({"until_s": NOW.wall_s + 2},                [2, 1]),
    ({"since_s": NOW.wall_s + 2, "until_s": NOW.wall_s + 4, "device": "lamp"}, [4, 2]),
    ({"device": "nothing"},                      []),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "numbers"), ASKED)
def test_entries_are_found(wanted: dict[str, object], numbers: list[int], journal: Journal) -> None:
    clock = HandClock()
    for number in range(1, 6):
        device = "pump" if number % 2 else "lamp"
        do(journal, plan(Action(device, "turn_on"), number=number, now=clock.advance(1)))
    found = journal.entries(**wanted)
    assert [Cause.parse(entry.cause).number for entry in found] == numbers


def test_last_leaves_out_what_changed_nothing_and_the_sweeps(journal: Journal) -> None:
    wish = plan()
    for stage in (Stage.REFUSED, Stage.FAILED):
        journal.record_applied(dataclasses.replace(applied(wish), stage=stage))
    sweep = Verdict(Ruling.ALLOW, ON, ON, "start", "The box has just started.")
    journal.record_applied(dataclasses.replace(applied(wish), verdict=sweep))
    assert journal.last() == ()
    assert [entry.rule for entry in journal.last("pump", limit=5)] == ["start"]


def test_entries_are_in_the_order_of_writing_whatever_the_clock_did(
    journal: Journal, clock: HandClock
) -> None:
    do(journal, plan(number=1, now=clock.advance(3600)))
    do(journal, plan(number=2, now=clock.advance(-7200)))
    assert [entry.cause[-1] for entry in journal.entries()] == ["2", "1"]


def test_entries_survive_a_restart_but_sentences_do_not(open_journal: Open, path: Path) -> None:
    first = open_journal()
    do(first, plan(text="a private sentence"))
    assert first.last("pump")[0].text == "a private sentence"
    first.close()
    assert open_journal().last("pump")[0].text is None
    assert b"private" not in b"".join(each.read_bytes() for each in path.parent.iterdir())


def test_sentences_are_forgotten_after_a_day(journal: Journal, clock: HandClock) -> None:
    do(journal, plan(text="a sentence"))
    clock.advance(86_399)
    assert journal.last("pump")[0].text == "a sentence"
    clock.advance(2)
    assert journal.last("pump")[0].text is None


def test_sentences_are_written_when_the_owner_asked_for_it(open_journal: Open) -> None:
    first = open_journal(keep_utterances=True)
    do(first, plan(text="a kept sentence"))
    first.close()
    assert open_journal().last("pump")[0].text == "a kept sentence"


def test_notes_and_faults_are_told_newest_first(journal: Journal, clock: HandClock) -> None:
    began_s = clock.now.wall_s
    for kind in ("start", "stop", "reset"):
        journal.record_note(kind, f"{kind}ed")
        journal.record_fault("heater", "max_on_s", f"before {kind}")
        clock.advance(10)
    assert [note.kind for note in journal.notes()] == ["reset", "stop", "start"]
    assert [note.text for note in journal.notes(since_s=began_s + 5, limit=1)] == ["reseted"]
    assert [fault.reason for fault in journal.faults(until_s=began_s)] == ["before start"]
    assert journal.faults()[0].device == "heater"


def test_one_row_that_cannot_be_written_costs_no_other(journal: Journal) -> None:
    do(journal, plan(Action("first", "turn_on")))
    journal.record_note("start", "half a pair: \ud800")
    journal.record_reading(reading(1.0, wall_s=NOW.wall_s))
    do(journal, plan(Action("second", "turn_on")))
    with pytest.raises(JournalError, match="one row cannot be"):
        journal.settle().result(5)
    assert [entry.device for entry in journal.entries()] == ["second", "first"]
    assert journal.settle().result(5) is None, "it was told"
    status, why = journal.status()
    assert (status, why.split(": ")[0]) == ("failing", "1 rows were lost")
