"""A file that is not as we left it: set aside, said, and its promises kept where they can be."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agentd.journal import Journal, schema
from agentd.journal.file import _CHECKED_WHOLE_BYTES, JournalFile
from tests.agentd.clock import HandClock
from tests.agentd.journal.conftest import Open
from tests.agentd.journal.rows import ON, do, is_sound, look, plan

PAGE = 1024


def fill(journal: Journal, count: int = 30) -> None:
    for number in range(count):
        wish = plan(number=number, occasion=f"o{number}")
        journal.begin(wish, wish.actions)
        do(journal, wish)
        journal.save("promise", f"p{number}", "body " * 20)
    journal.settle().result(10)


def die(journal: Journal, path: Path, folder: Path) -> Path:
    """The files as they lie there when the process is killed; returns the journal's place."""
    folder.mkdir()
    for each in path.parent.glob(f"{path.name}*"):
        shutil.copy(each, folder)
    journal.close()
    return folder / path.name


def edit(path: Path, change: Callable[[bytearray], object]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def overwrite(content: bytearray, start: int, length: int) -> None:
    content[start : start + length] = random.Random(start).randbytes(length)


def execute(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    # what happened            how                                                           what is said
    "no database":            (lambda p: p.write_bytes(b"not a database at all" * 400),      "not a database"),
    "nothing in it":          (lambda p: p.write_bytes(b""),                                 "it is empty"),
    "a folder":               (lambda p: (p.unlink(), p.mkdir(), (p / "x").write_text("")),  "it is a folder"),
    "cut in half":            (lambda p: edit(p, lambda c: c.__delitem__(slice(len(c) // 2 - 100, None))), ""),
    "head overwritten":       (lambda p: edit(p, lambda c: overwrite(c, 0, 100)),            "not a database"),
    "first page overwritten": (lambda p: edit(p, lambda c: overwrite(c, 100, 3000)),         "malformed"),
    "pages overwritten":      (lambda p: edit(p, lambda c: overwrite(c, PAGE, 4 * PAGE)),    ""),
    "of the future":          (lambda p: execute(p, "PRAGMA user_version = 99"),             "of version 99, this program knows"),
    "without a table":        (lambda p: execute(p, "DROP TABLE outbox"),                    "it has no outbox"),
    "without an index":       (lambda p: execute(p, "DROP INDEX intent_by_occasion"),        "it has no intent_by_occasion"),
    "with another column":    (lambda p: execute(p, "ALTER TABLE note RENAME COLUMN kind TO sort"), "it has no note.kind"),
    "of another program":     (lambda p: (p.unlink(), execute(p, "CREATE TABLE applied (x); PRAGMA user_version = 1")), "no such"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "word"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_set_aside_and_told(
    damage: Callable[[Path], object], word: str, open_journal: Open, path: Path
) -> None:
    first = open_journal()
    fill(first)
    first.close()
    damage(path)
    size = path.stat().st_size if path.is_file() else None
    journal = open_journal()
    assert journal.set_aside is not None
    assert journal.set_aside.name.startswith("journal.corrupt-")
    assert size in (None, journal.set_aside.stat().st_size), "nothing was thrown away"
    status, why = journal.status()
    assert status == "ok"
    assert "set aside a corrupt file" in why
    assert word in why
    assert journal.entries() == ()
    do(journal, plan())
    assert len(journal.entries()) == 1
    journal.close()
    again = open_journal()
    assert again.set_aside is None
    assert len(again.entries()) == 1
    assert is_sound(path)


def test_promises_are_taken_over_out_of_a_file_that_is_set_aside(
    open_journal: Open, path: Path
) -> None:
    first = open_journal()
    fill(first)
    first.outbox.put({"kind": "timer"})
    first.record_seen("t1")
    first.begin(plan(number=99, occasion="cut short"), (ON,))
    first.close()
    (root,) = look(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'applied'")[0]
    edit(path, lambda content: overwrite(content, (root - 1) * PAGE, PAGE))
    journal = open_journal()
    assert journal.set_aside is not None
    assert journal.entries() == ()
    assert len(journal.saved("promise")) == 30
    assert len(journal.outbox.all()) == 1
    assert set(journal.seen()) == {"t1"}
    assert journal.begin(plan(number=100, occasion="o7"), (ON,)).result(5) is False
    assert "cut short" in {each.occasion for each in journal.interrupted()}


def test_a_page_that_is_not_read_at_the_start_is_found_to_be_broken(
    open_journal: Open, path: Path, clock: HandClock
) -> None:
    first = open_journal()
    fill(first)
    first.close()
    (root,) = look(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'applied_by_time'")[0]
    edit(path, lambda content: overwrite(content, (root - 1) * PAGE, PAGE))
    file = JournalFile(path, clock=clock)
    file.open().close()
    assert file.set_aside is not None


def test_only_the_last_broken_file_is_kept(
    open_journal: Open, path: Path, clock: HandClock
) -> None:
    for number in range(3):
        path.write_bytes(b"broken %d" % number * 100)
        open_journal().close()
        clock.advance(60)
    (kept,) = path.parent.glob("journal.corrupt-*")
    assert kept.read_bytes().startswith(b"broken 2")


def test_what_is_only_in_the_write_ahead_file_survives_a_death(
    open_journal: Open, path: Path, tmp_path: Path, clock: HandClock
) -> None:
    journal = open_journal()
    fill(journal)
    left = die(journal, path, tmp_path / "left")
    assert (left.with_name("journal.db-wal")).stat().st_size > 0
    again = Journal(left, clock=clock)
    assert len(again.entries()) == 30
    assert again.status() == ("ok", "")
    again.close()


WAL_HEADS = {
    "magic":    lambda c: overwrite(c, 0, 4),
    "salt":     lambda c: overwrite(c, 16, 4),
    "checksum": lambda c: overwrite(c, 24, 8),
    "short":    lambda c: c.__delitem__(slice(20, None)),
    "zeros":    lambda c: c.__setitem__(slice(0, None), bytes(len(c))),
}  # fmt: skip


@pytest.mark.parametrize("damage", WAL_HEADS.values(), ids=WAL_HEADS.keys())
def test_a_write_ahead_file_that_sqlite_would_pass_over_is_told(
    damage: Callable[[bytearray], object],
    open_journal: Open,
    path: Path,
    tmp_path: Path,
    clock: HandClock,
) -> None:
    journal = open_journal()
    fill(journal)
    left = die(journal, path, tmp_path / "left")
    edit(left.with_name("journal.db-wal"), damage)
    again = Journal(left, clock=clock)
    assert again.set_aside is not None
    assert again.set_aside.name.endswith("-wal")
    assert "write-ahead file" in again.status()[1]
    do(again, plan())
    assert len(again.entries()) >= 1
    again.close()
    assert is_sound(left)


@pytest.mark.parametrize("number", range(12))
def test_a_write_ahead_file_damaged_anywhere_leaves_a_sound_journal(
    number: int, open_journal: Open, path: Path, tmp_path: Path, clock: HandClock
) -> None:
    journal = open_journal()
    fill(journal)
    left = die(journal, path, tmp_path / "left")
    dice = random.Random(number)
    wal = left.with_name("journal.db-wal")
    place = dice.randrange(32, wal.stat().st_size - 200)
    if number % 2:
        edit(wal, lambda content: overwrite(content, place, 200))
    else:
        edit(wal, lambda content: content.__delitem__(slice(place, None)))
    again = Journal(left, clock=clock)
    assert again.set_aside is None
    causes = [entry.cause for entry in again.entries()]
    assert causes == [f"box/00000000/{n}" for n in reversed(range(len(causes)))], "up to the damage"
    again.close()
    assert is_sound(left)


def test_a_file_of_before_versions_gets_the_new_tables(open_journal: Open, path: Path) -> None:
    execute(path, schema._TO_1)
    execute(path, """
        INSERT INTO cause VALUES ('box/0/1', 1790000000.0, 'voice', '', NULL, 3, 'rule', NULL);
        INSERT INTO applied VALUES (NULL, 'box/0/1', 1790000000.0, 'lamp', 'turn_on', '{}', 'read_back',
                                    'allow', '', '', '{"state": "on"}');
    """)  # fmt: skip
    assert look(path, "PRAGMA user_version") == [(0,)]
    journal = open_journal()
    (entry,) = journal.last("lamp")
    assert (entry.channel, entry.state, entry.before) == ("voice", {"state": "on"}, {})
    assert journal.set_aside is None
    assert look(path, "PRAGMA user_version") == [(schema.VERSION,)]
    assert journal.begin(plan(), (ON,)).result(5) is True


def test_a_step_to_a_newer_version_is_whole_or_not_at_all(
    open_journal: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(path, schema._TO_1)
    half = (schema._TO_1, schema._TO_2 + "CREATE TABLE broken;")
    monkeypatch.setattr(schema, "_STEPS", half)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        pytest.raises(sqlite3.OperationalError),
    ):
        schema.migrate(connection)
    assert look(path, "PRAGMA user_version") == [(1,)]
    assert look(path, "SELECT name FROM sqlite_schema WHERE name = 'outbox'") == []


def test_damage_found_while_running_brings_a_clean_file_and_keeps_promises(
    open_journal: Open, path: Path
) -> None:
    journal = open_journal()
    fill(journal)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = other.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'note'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * PAGE)
    journal.record_note("start", "kept in memory until the file is a new one")
    deadline = 5
    while journal.set_aside is None and deadline:
        journal.flush(timeout_s=1.0)
        deadline -= 1
    assert journal.set_aside is not None
    assert [note.kind for note in journal.notes()] == ["start"]
    assert len(journal.saved("promise")) == 30
    assert journal.status()[0] == "ok"


def test_a_large_file_is_opened_without_reading_all_of_it(open_journal: Open, path: Path) -> None:
    first = open_journal()
    fill(first)
    first.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE ballast (x)")
        for _ in range(12):
            connection.execute("INSERT INTO ballast VALUES (zeroblob(1000000))")
        connection.commit()
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'applied'"
        ).fetchone()
    assert path.stat().st_size > _CHECKED_WHOLE_BYTES
    edit(path, lambda content: overwrite(content, (page - 1) * PAGE, PAGE))
    journal = open_journal()
    assert journal.set_aside is None, "of a large file the promises alone are looked through"
    assert len(journal.saved("promise")) == 30
