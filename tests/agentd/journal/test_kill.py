"""A journal whose process is killed again and again loses nothing that it told."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from multiprocessing.reduction import DupFd
from pathlib import Path

import pytest

from agentd.journal import Journal
from tests.agentd.journal import victim
from tests.agentd.journal.rows import is_sound, look

KILLS = int(os.environ.get("JOURNAL_KILLS", "50"))


def kill_one(path: Path, first: int, *, after_s: float) -> tuple[list[str], float]:
    """What it told before it was killed, and seconds until it was ready."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.agentd.journal.victim"])
    end, out = os.pipe()
    process = context.Process(target=_start, args=(path, first, DupFd(out)))
    began_s = time.monotonic()
    process.start()
    os.close(out)
    with os.fdopen(end, "rb") as told:
        assert told.readline() == b"ready\n"
        ready_s = time.monotonic() - began_s
        os.set_blocking(end, False)
        lines, dies_at_s = b"", time.monotonic() + after_s
        while time.monotonic() < dies_at_s:  # a full pipe would make it stand still
            lines += told.read() or b""
            time.sleep(0.001)
        process.kill()
        process.join()
        os.set_blocking(end, True)
        lines += told.read()
    return lines.decode().splitlines(), ready_s


def _start(path: Path, first: int, out: DupFd) -> None:
    victim.live(path, first, out.detach())


def test_kills_at_any_moment_lose_nothing_told_and_do_nothing_twice(tmp_path: Path) -> None:
    path, dice = tmp_path / "journal.db", random.Random(7)
    begun: set[int] = set()
    done: set[int] = set()
    saved: dict[str, int] = {}
    slowest_s, first = 0.0, 1
    for _ in range(KILLS):
        lines, ready_s = kill_one(path, first, after_s=dice.uniform(0, 0.25))
        slowest_s = max(slowest_s, ready_s)
        for line in lines:
            what, *rest = line.split()
            number = int(rest[-1])
            if what == "saved":
                saved[rest[0]] = max(number, saved.get(rest[0], 0))
            else:
                (begun if what == "begun" else done).add(number)
        assert is_sound(path)
        causes = [
            int(cause.rsplit("/", 1)[1]) for (cause,) in look(path, "SELECT cause FROM applied")
        ]
        assert len(set(causes)) == len(causes), "nothing twice"
        assert done <= set(causes), "nothing told is lost"
        intents = {int(name[1:]) for (name,) in look(path, "SELECT occasion FROM intent")}
        assert begun <= intents
        assert set(causes) <= intents, "nothing is done that was not begun"
        bodies = dict(look(path, "SELECT name, body FROM document"))
        assert all(int(bodies[name]) >= number for name, number in saved.items())
        first = max(intents, default=first) + 1000
    assert len(done) > 10 * KILLS, "they had time to do something"
    assert slowest_s < 2.0, "ready again"
    assert_interrupted(path, intents - set(causes))


def assert_interrupted(path: Path, expected: set[int]) -> None:
    journal = Journal(path, clock=victim.clock)
    assert journal.set_aside is None
    told = {int(each.occasion[1:]) for each in journal.interrupted()}
    journal.close()
    assert told == expected, "all that was begun and is not known to be done, and nothing else"


def test_the_victim_was_at_work_in_every_state(tmp_path: Path) -> None:
    """Otherwise the kills above prove little: some of them must cut a plan in two."""
    lines, _ = kill_one(tmp_path / "journal.db", 1, after_s=0.3)
    kinds = {line.split()[0] for line in lines}
    assert kinds == {"begun", "saved", "done"}
    if len(lines) < 50:
        pytest.skip("the machine is too slow to tell")
