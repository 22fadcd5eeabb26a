"""What must be on disk before anybody acts or answers: intents, documents, names, letters."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from agentd.journal import Interrupted, Journal, JournalError
from agentd.journal.outbox import LETTERS_MAX
from llmagentos.plan import Action
from tests.agentd.clock import HandClock
from tests.agentd.journal.conftest import Open
from tests.agentd.journal.rows import NOW, ON, applied, do, look, plan

OPEN = Action("valve", "open")


def test_an_intent_is_on_disk_when_it_is_told(journal: Journal, path: Path) -> None:
    seen: list[list[object]] = []
    wish = plan(ON, occasion="water@7")
    told = journal.begin(wish, wish.actions)
    told.add_done_callback(lambda _: seen.append(look(path, "SELECT occasion FROM intent")))
    assert told.result(5) is True
    assert journal.settle().result(5) is None
    assert seen == [[("water@7",)]]


def test_an_occasion_is_begun_once_and_then_leaves_no_trace(open_journal: Open, path: Path) -> None:
    journal = open_journal()
    first, second = plan(occasion="o", number=1), plan(occasion="o", number=2)
    assert journal.begin(first, first.actions).result(5) is True
    assert journal.begin(second, second.actions).result(5) is False
    journal.close()
    again = open_journal()
    assert again.begin(second, second.actions).result(5) is False
    assert look(path, "SELECT cause FROM cause") == [("box/00000000/1",)]


def test_plans_without_an_occasion_are_each_their_own(journal: Journal) -> None:
    told = [journal.begin(plan(number=number), (ON,)) for number in range(3)]
    assert [each.result(5) for each in told] == [True, True, True]


def test_what_was_begun_and_not_done_is_told_once_by_the_next_run(open_journal: Open) -> None:
    journal = open_journal()
    journal.begin(plan(OPEN, number=1, occasion="a"), (OPEN,))
    journal.begin(plan(ON, number=2), (ON,))
    do(journal, plan(ON, number=2))
    assert journal.interrupted() == (), "it is of this run"
    journal.close()
    again = open_journal()
    again.begin(plan(ON, number=3), (ON,))
    assert again.interrupted() == (Interrupted("box/00000000/1", "a", (OPEN,), NOW.wall_s),)
    assert again.settle().result(5) is None
    assert again.interrupted() == ()
    again.close()
    third = open_journal()
    assert [each.cause for each in third.interrupted()] == ["box/00000000/3"]


def test_of_a_plan_in_parts_only_the_unknown_ones_are_interrupted(open_journal: Open) -> None:
    journal = open_journal()
    wish = plan(ON, OPEN, ON)
    journal.begin(wish, wish.actions)
    journal.record_applied(applied(wish, ON))
    journal.close()
    (cut,) = open_journal().interrupted()
    assert cut.actions == (OPEN, ON)


def test_what_is_settled_is_on_disk(journal: Journal, path: Path) -> None:
    do(journal, plan())
    journal.settle().result(5)
    assert look(path, "SELECT device, before FROM applied") == [("pump", '{"state": "off"}')]


def test_documents_last_until_they_are_dropped(open_journal: Open) -> None:
    journal = open_journal()
    for kind, name, body in [("promise", "a", "1"), ("promise", "b", "2"), ("gate", "a", "3")]:
        journal.save(kind, name, body).result(5)
    journal.save("promise", "a", "4")
    journal.record_document("gate", "b", "5")
    journal.drop("promise", "b").result(5)
    journal.close()
    again = open_journal()
    assert again.saved("promise") == {"a": "4"}
    assert again.saved("gate") == {"a": "3", "b": "5"}
    assert again.saved("rule") == {}


def test_names_of_commands_are_known_with_their_age(open_journal: Open, clock: HandClock) -> None:
    journal = open_journal()
    journal.record_seen("a")
    clock.advance(10)
    journal.record_seen("b")
    clock.advance(5)
    journal.close()
    assert open_journal().seen() == {"a": 15.0, "b": 5.0}
    clock.advance(-3600)
    assert open_journal().seen() == {"a": 0.0, "b": 0.0}, "the clock was set back"


def test_letters_last_until_they_are_done(open_journal: Open, clock: HandClock) -> None:
    journal = open_journal()
    event = journal.outbox.put({"kind": "timer", "name": "pasta"})
    other = journal.outbox.put({"kind": "fault", "device": "heater"})
    assert event == {
        "kind": "timer", "name": "pasta", "letter": event["letter"], "at_s": clock.now.wall_s,
    }  # fmt: skip
    journal.close()
    clock.advance(-3600)
    again = open_journal()
    third = again.outbox.put({"kind": "timer"})
    assert event["letter"] < other["letter"] < third["letter"], "no number comes again"
    again.outbox.done(event["letter"])
    again.settle().result(5)
    kept = again.outbox.all()
    assert [(each.number, each.kind) for each in kept] == [
        (other["letter"], "fault"), (third["letter"], "timer"),
    ]  # fmt: skip
    assert json.loads(kept[0].body) == {key: other[key] for key in ("at_s", "device", "letter")}


def test_a_thousand_letters_wait_and_the_oldest_give_way(journal: Journal) -> None:
    for number in range(LETTERS_MAX + 5):
        journal.outbox.put({"kind": "timer", "number": number})
    journal.settle().result(10)
    kept = [json.loads(each.body)["number"] for each in journal.outbox.all()]
    assert kept == list(range(5, LETTERS_MAX + 5))


def test_a_letter_too_long_for_any_broker_is_told_and_not_kept(journal: Journal) -> None:
    assert "letter" not in journal.outbox.put({"kind": "timer", "text": "a" * 5000})
    journal.settle().result(5)
    assert journal.outbox.all() == ()


def test_a_closed_journal_refuses_at_once(journal: Journal) -> None:
    journal.close()
    for told in (journal.begin(plan(), (ON,)), journal.save("rule", "a", "b"), journal.settle()):
        with pytest.raises(JournalError, match=r"journal\.db: it is closed"):
            told.result(0)
    assert journal.flush() is False


def test_nobody_can_cancel_what_is_on_its_way(journal: Journal) -> None:
    told = journal.begin(plan(), (ON,))
    assert told.cancel() is False
    assert told.result(5) is True


def test_those_who_record_are_never_held_up_by_those_who_listen(journal: Journal) -> None:
    release = threading.Event()
    journal.settle().add_done_callback(lambda _: release.wait(5))
    do(journal, plan())
    waiting = journal.settle()
    assert not waiting.done()
    release.set()
    assert waiting.result(5) is None
