"""The journal: what was recorded is there after a restart, and a broken file does not stop us."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from agentd.journal import Journal
from llmagentos.plan import Action, Applied, Plan, Stage
from tests.agentd.clock import HandClock
from tests.agentd.house import plan


def record(journal: Journal, clock: HandClock, device: str, *, text: str = "", **more: str) -> Plan:
    wish = plan(Action(device, "turn_on"), now=clock.now, text=text)
    journal.record_plan(wish)
    stage = Stage(more.get("stage", "read_back"))
    journal.record_applied(Applied(wish.actions[0], stage, wish.cause, clock.now, reason="r"))
    return wish


def test_the_newest_entry_names_the_sentence(tmp_path: Path) -> None:
    clock = HandClock()
    journal = Journal(tmp_path / "journal.db", clock=clock)
    record(journal, clock, "lamp", text="turn on the lamp")
    (entry,) = journal.last("lamp")
    assert (entry.text, entry.channel, entry.action) == ("turn on the lamp", "cli", "turn_on")
    journal.close()


def test_refusals_and_failures_changed_nothing_and_explain_nothing(tmp_path: Path) -> None:
    clock = HandClock()
    journal = Journal(tmp_path / "journal.db", clock=clock)
    record(journal, clock, "lamp", stage="refused")
    record(journal, clock, "lamp", stage="failed")
    assert journal.last("lamp") == ()
    journal.close()


def test_entries_survive_a_restart_but_sentences_do_not(tmp_path: Path) -> None:
    clock = HandClock()
    journal = Journal(tmp_path / "journal.db", clock=clock)
    record(journal, clock, "lamp", text="a private sentence")
    journal.close()
    again = Journal(tmp_path / "journal.db", clock=clock)
    assert again.last("lamp")[0].text is None
    again.close()
    assert b"private" not in (tmp_path / "journal.db").read_bytes()


def test_sentences_are_written_when_the_owner_asked_for_it(tmp_path: Path) -> None:
    clock = HandClock()
    journal = Journal(tmp_path / "journal.db", clock=clock, keep_utterances=True)
    record(journal, clock, "lamp", text="a kept sentence")
    journal.close()
    again = Journal(tmp_path / "journal.db", clock=clock)
    assert again.last("lamp")[0].text == "a kept sentence"
    again.close()


def test_a_corrupt_file_is_set_aside_and_told(tmp_path: Path) -> None:
    path, clock = tmp_path / "journal.db", HandClock()
    path.write_bytes(b"not a database at all" * 100)
    journal = Journal(path, clock=clock)
    record(journal, clock, "lamp")
    assert len(journal.last("lamp")) == 1
    assert journal.set_aside is not None
    assert journal.set_aside.read_bytes().startswith(b"not a database")
    assert "corrupt" in journal.status()[1]
    journal.close()


def test_rows_wait_in_memory_while_the_file_cannot_be_written(tmp_path: Path) -> None:
    path, clock = tmp_path / "journal.db", HandClock()
    journal = Journal(path, clock=clock)
    record(journal, clock, "lamp")
    journal.flush()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    record(journal, clock, "pump")
    journal.flush(timeout_s=7.0)
    assert journal.status()[0] == "failing"
    other.execute("ROLLBACK")
    other.close()
    record(journal, clock, "fan")
    journal.flush(timeout_s=7.0)
    assert journal.status()[0] == "ok"
    assert {entry.device for entry in journal.last(limit=9)} == {"lamp", "pump", "fan"}
    journal.close()
