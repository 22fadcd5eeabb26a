"""agentd is killed over and over while people command it: nothing acknowledged is lost, nothing is
done twice, the journal stays whole, and the box is back soon. `make soak-kills` does it 1,000 times.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator

import pytest

from tests.system.mortal import CEILING, HALL, LAMP, PORCH, Mortal
from tests.system.people import Clicker, Listener, Person, Presser, Promiser, Talker, Wish

KILLS = int(os.environ.get("KILLS", "0"))
"""How often it is killed."""

READY_S = 2.0
"""Longest time from a kill to the first answer of the next agentd."""

LAST_S = 3.0
"""Time for the last promises to be kept, and to be told."""

AT_START = 0.2
"""Share of the kills that hit an agentd that has not come up yet."""


@pytest.fixture(scope="module")
def tell_line(request: pytest.FixtureRequest) -> Callable[[str], None]:
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    return lambda text: reporter.write_line(f"\n{text}")


class Soak:
    """A box after many kills, and all that people wanted of it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.box = Mortal()
        levels = itertools.cycle(range(1, 101))
        self.dimmer = Clicker(self.box, device="desk_lamp", values=levels)
        self.toggler = Clicker(
            self.box, device="ceiling_light", values=itertools.repeat(None), action="toggle"
        )
        self.talker, self.presser = Talker(self.box), Presser(self.box)
        self.promiser, self.listener = Promiser(self.box), Listener(self.box)

    @property
    def people(self) -> tuple[Person, ...]:
        return self.dimmer, self.toggler, self.talker, self.presser, self.promiser

    def run(self, kills: int) -> None:
        for _ in range(kills):
            time.sleep(self.chance.uniform(0.0, 1.0))
            at = self.box.kill()
            while self.chance.random() < AT_START:
                time.sleep(self.chance.uniform(0.0, 0.6))
                at = self.box.kill()
            self._wait_ready(at)

    def _wait_ready(self, at: float) -> None:
        try:
            self.box.wait_ready(since=at)
        except AssertionError as exc:
            raise AssertionError(f"{exc}; its log ends so:\n{self.box.log()[-5000:]}") from exc

    def read(self) -> None:
        """Keep what the checks need, for the box is gone then."""
        self.edges = {pin: self.box.box.edges(pin=pin) for pin in (LAMP, CEILING, PORCH, HALL)}
        self.log = self.box.log()
        path = self.box.box.place.data / "journal.db"
        self.is_set_aside = bool(list(path.parent.glob("*.corrupt-*")))
        self.journal = sqlite3.connect(":memory:")
        with contextlib.closing(sqlite3.connect(path)) as file:
            file.backup(self.journal)


@pytest.fixture(scope="module")
def soak(tell_line: Callable[[str], None]) -> Iterator[Soak]:
    soak = Soak(seed=int(os.environ.get("SEED", "1")))
    with contextlib.ExitStack() as stack:
        stack.enter_context(soak.box)
        stack.enter_context(soak.listener)
        with contextlib.ExitStack() as crowd:
            for person in soak.people:
                crowd.enter_context(person)
            soak.run(KILLS)
        time.sleep(Promiser.DELAY_S + LAST_S)  # what is still promised comes due
        soak.box.end()
        soak.read()
    told = sum(len(each.wishes) for each in soak.people)
    took_s = soak.box.ready_s
    tell_line(
        f"{KILLS} kills, {told} wishes; ready again after {statistics.median(took_s):.2f} s in "
        f"the median, {max(took_s):.2f} s at most"
    )
    yield soak
    soak.journal.close()


pytestmark = [
    pytest.mark.timeout(120 + KILLS * 6),
    pytest.mark.skipif(not KILLS, reason="takes minutes: make soak-kills"),
]


def moves(soak: Soak, pin: int) -> list[tuple[float, float]]:
    """(instant, level) of every change of a line's level."""
    found: list[tuple[float, float]] = []
    for edge in soak.edges[pin]:
        if not found or abs(found[-1][1] - edge["level"]) > 0.001:
            found.append((edge["t_mono"], edge["level"]))
    return found[1:]


def count(soak: Soak, pin: int, wish: Wish) -> int:
    """How often a line changed while a wish was under way."""
    return sum(wish.began_at <= at <= wish.ended_at for at, _ in moves(soak, pin))


def test_the_box_is_ready_again_soon(soak: Soak) -> None:
    assert len(soak.box.ready_s) == KILLS
    assert max(soak.box.ready_s) <= READY_S


def test_nobody_was_left_without_an_answer_for_ever(soak: Soak) -> None:
    for person in (soak.dimmer, soak.toggler):
        assert all(wish.answer is not None for wish in person.wishes)
        odd = {wish.code for wish in person.wishes} - {"", "duplicate"}
        assert not odd


def test_what_was_acknowledged_stands_in_the_journal(soak: Soak) -> None:
    query = "SELECT stage FROM applied WHERE cause = ? AND device = ?"
    for wish in itertools.chain(soak.dimmer.wishes, soak.toggler.wishes, soak.talker.wishes):
        if wish.answer is None or not wish.stage:
            continue
        rows = soak.journal.execute(query, (wish.answer["data"]["cause"], wish.device)).fetchall()
        assert rows == [(wish.stage,)], wish


def test_a_toggle_is_done_once_or_not_at_all(soak: Soak) -> None:
    for wish in soak.toggler.wishes:
        if wish.is_done:
            assert count(soak, CEILING, wish) == 1, wish
        else:
            assert count(soak, CEILING, wish) <= 1, wish
    assert len(moves(soak, CEILING)) <= len(soak.toggler.wishes)


def test_no_older_brightness_comes_back(soak: Soak) -> None:
    """Each is one percent above the last, so a command done again would step back."""
    levels = [round(level * 100) for _, level in moves(soak, LAMP)]
    steps = [(after - before) % 100 for before, after in itertools.pairwise(levels)]
    assert steps
    assert max(steps) <= 50, "a step back"


def test_a_press_runs_its_rule_once_at_most(soak: Soak) -> None:
    assert 0 < len(moves(soak, PORCH)) <= len(soak.presser.wishes)


def later(soak: Soak, *, is_deed: bool) -> list[Wish]:
    """The promises that were acknowledged."""
    wishes = [wish for wish in soak.promiser.wishes if wish.answer is not None]
    return [wish for wish in wishes if bool(wish.device) == is_deed]


def test_what_was_promised_is_done_once_or_told_to_be_cut_short(soak: Soak) -> None:
    intents = soak.journal.execute("SELECT occasion, cause FROM intent").fetchall()
    begun = {occasion.rpartition("@")[2]: (occasion, cause) for occasion, cause in intents}
    told = {event["id"] for kind, event in soak.listener.events if kind == "interrupted"}
    for wish in later(soak, is_deed=True):
        assert wish.answer is not None
        occasion, cause = begun.get(wish.answer["data"]["cause"], ("", ""))
        assert occasion, f"forgotten: {wish}"
        rows = soak.journal.execute("SELECT count(*) FROM applied WHERE cause = ?", (cause,))
        (done,) = rows.fetchone()
        promise = occasion.removeprefix("promise:").partition("@")[0]
        assert done == 1 or (done == 0 and promise in told), wish
    assert len(moves(soak, HALL)) <= len(begun)


def test_every_reminder_came(soak: Soak) -> None:
    came = {event["text"] for kind, event in soak.listener.events if kind == "reminder"}
    missed = {wish.value for wish in later(soak, is_deed=False)} - came
    assert not missed


def test_the_journal_is_whole(soak: Soak) -> None:
    assert not soak.is_set_aside
    assert soak.journal.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert soak.journal.execute("PRAGMA foreign_key_check").fetchall() == []
    orphans = "SELECT count(*) FROM applied WHERE cause NOT IN (SELECT cause FROM cause)"
    assert soak.journal.execute(orphans).fetchone() == (0,)


def test_agentd_met_nothing_that_it_did_not_expect(soak: Soak) -> None:
    assert "Traceback" not in soak.log
