"""What grows old goes, a little at a time; what was promised stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agentd.journal import Caps, schema
from agentd.journal.age import Ageing, used_bytes
from llmagentos.clock import Instant
from tests.agentd.clock import HandClock
from tests.agentd.journal.conftest import Open
from tests.agentd.journal.rows import NOW, ON, do, look, plan, reading
from tests.broker import wait_until

DAY_S = 86_400.0
NOW_S = NOW.wall_s

ROWS = {
    "minute":  ("INSERT INTO minute VALUES ((CAST(? / 60 AS INT) << 16) | ?, 0, 0, 0, 1)", 90),
    "applied": ("INSERT INTO applied VALUES (NULL, 'c' || ?2, ?1, 'd', 'a', '{}', 's', '', '', '', '{}', '{}')", 365),
    "cause":   ("INSERT INTO cause VALUES ('c' || ?2, ?1, 'cli', '', NULL, 3, 'rule', NULL, '')", 365),
    "reading": ("INSERT INTO reading VALUES ('c' || ?2, ?1, 'd', 'q', 1.5, '')", 365),
    "note":    ("INSERT INTO note VALUES (NULL, ?1, 'k', ?2 || '')", 365),
    "fault":   ("INSERT INTO fault VALUES (NULL, ?1, 'd', 'r', ?2 || '')", 365),
    "intent":  ("INSERT INTO intent VALUES (NULL, 'c', 'o' || ?2, ?1, '[]', 0)", 30),
    "seen":    ("INSERT INTO seen VALUES ('k' || ?2, ?1)", 1 / 24),
    "outbox":  ("INSERT INTO outbox VALUES (?2, ?1, 'k', '{}')", 7),
}  # fmt: skip
"""How to make a row of a time and a number, and the days that it is kept."""


@pytest.fixture
def connection() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection)
    return connection


def count(connection: sqlite3.Connection, table: str) -> int:
    return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.mark.parametrize(("table", "sql", "days"), [(k, *v) for k, v in ROWS.items()], ids=ROWS)
def test_rows_go_at_their_age(
    table: str, sql: str, days: float, connection: sqlite3.Connection
) -> None:
    for number, age_days in enumerate((days * 1.1, days * 1.01, days * 0.99, 0.0), 1):
        connection.execute(sql, (NOW_S - age_days * DAY_S, number))
    assert Ageing(Caps()).tend(connection, NOW) is False
    assert count(connection, table) == 2


def test_every_table_that_grows_is_bounded(connection: sqlite3.Connection) -> None:
    grows = {table for table, column in schema.parts(connection) if column}
    assert grows - set(ROWS) == {"document", "series"}, (
        "bounded by what there is to promise and sense"
    )


def test_a_pass_comes_every_ten_minutes(connection: sqlite3.Connection) -> None:
    ageing, sql = Ageing(Caps()), ROWS["note"][0]
    for after_s, left in ((0, 0), (599, 1), (601, 0)):
        connection.execute(sql, (0.0, after_s))
        ageing.tend(connection, Instant(NOW.mono_s + after_s, NOW.wall_s))
        assert count(connection, "note") == left


def test_a_clock_that_was_wrong_for_a_moment_costs_little(connection: sqlite3.Connection) -> None:
    for table, (sql, _) in ROWS.items():
        with connection:
            connection.executemany(sql, [(NOW_S, number) for number in range(20_000)])
        assert count(connection, table) == 20_000
    Ageing(Caps()).tend(connection, Instant(NOW.mono_s, NOW_S + 100 * 365 * DAY_S))
    left = {table: count(connection, table) for table in ROWS}
    assert left == {table: 15_000 if table == "minute" else 19_000 for table in ROWS}


def shrink(ageing: Ageing, connection: sqlite3.Connection) -> int:
    """Tend until there is nothing more to do at once; how often."""
    times = 1
    while ageing.tend(connection, NOW):
        times += 1
    return times


def test_minutes_give_way_first_to_a_full_file(connection: sqlite3.Connection) -> None:
    for sql in (ROWS["minute"][0], ROWS["applied"][0]):
        connection.executemany(sql, [(NOW_S + number, number) for number in range(20_000)])
    before, size = count(connection, "minute"), used_bytes(connection)
    times = shrink(Ageing(Caps(bytes=size - 200_000)), connection)
    assert times > 1, "in small pieces"
    assert used_bytes(connection) <= size - 200_000
    assert 0 < count(connection, "minute") < before
    assert count(connection, "applied") == 20_000
    (oldest,) = connection.execute("SELECT min(id) >> 16 FROM minute").fetchone()
    assert oldest > NOW_S // 60, "the oldest went"


def test_promises_never_give_way(connection: sqlite3.Connection) -> None:
    for sql, _ in ROWS.values():
        connection.executemany(sql, [(NOW_S, number) for number in range(3000)])
    connection.execute("INSERT INTO document VALUES ('promise', 'a', 'b')")
    shrink(Ageing(Caps(bytes=1)), connection)
    left = {table for table in (*ROWS, "document") if count(connection, table)}
    assert left == {"intent", "seen", "outbox", "document"}


def test_entries_are_bounded_by_their_number(connection: sqlite3.Connection) -> None:
    for table in ("applied", "cause", "note"):
        connection.executemany(ROWS[table][0], [(NOW_S, number) for number in range(5000)])
    shrink(Ageing(Caps(rows=1234)), connection)
    assert {count(connection, table) for table in ("applied", "cause", "note")} == {1234}
    (first,) = connection.execute("SELECT min(id) FROM applied").fetchone()
    assert first == 5000 - 1234 + 1


def test_a_look_costs_no_more_for_a_long_history(connection: sqlite3.Connection) -> None:
    def instructions() -> int:
        told: list[int] = []
        connection.set_progress_handler(lambda: told.append(1), 100)
        Ageing(Caps()).tend(connection, NOW)
        connection.set_progress_handler(None, 0)
        return len(told)

    for sql, _ in ROWS.values():
        connection.executemany(sql, [(NOW_S, number) for number in range(6000)])
    few = instructions()
    for sql, _ in ROWS.values():
        connection.executemany(sql, [(NOW_S, number) for number in range(6000, 30_000)])
    assert instructions() < 1.2 * few


def test_a_storm_does_not_outgrow_the_caps_while_it_lasts(
    open_journal: Open, path: Path, clock: HandClock
) -> None:
    journal = open_journal(caps=Caps(rows=500, bytes=400_000))
    for number in range(6000):
        do(journal, plan(number=number, now=clock.now))
        if number % 200 == 0:
            clock.advance(601)
            journal.settle().result(10)
    clock.advance(601)
    journal.settle().result(10)
    with closing(sqlite3.connect(path)) as other:
        wait_until(lambda: count(other, "applied") <= 500, what="the rest goes in small pieces")
        wait_until(lambda: used_bytes(other) <= 400_000)
    journal.close()
    assert path.stat().st_size <= 900_000, "what is freed is used again"


def test_an_interrupted_plan_is_told_even_when_its_entries_have_gone(
    open_journal: Open, path: Path
) -> None:
    journal = open_journal()
    wish = plan(ON, number=1)
    journal.begin(wish, wish.actions)
    do(journal, wish)
    journal.close()
    second = open_journal()
    assert second.interrupted() == ()
    second.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("DELETE FROM applied")
        other.commit()
    assert open_journal().interrupted() == (), "it was looked at once and is done with"
    assert look(path, "SELECT is_told FROM intent") == [(1,)]


def test_readings_grow_old_in_a_running_journal(
    open_journal: Open, clock: HandClock, path: Path
) -> None:
    journal = open_journal(caps=Caps(readings_s=3600))
    for _ in range(100):
        journal.record_reading(reading(1.0, wall_s=clock.advance(63).wall_s))
        journal.settle().result(5)
    journal.close()
    (kept,) = look(path, "SELECT count(*) FROM minute")[0]
    assert 50 <= kept <= 75, "an hour, and what came since the last pass"
