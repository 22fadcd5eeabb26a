"""Who stands still is named; who waits, or is slow but moves, is not."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentd.door.feed import Feed
from agentd.door.lanes import Lanes
from agentd.door.sock import SocketDoor
from agentd.journal import Journal
from agentd.progress import SERVE_S, WRITE_S, Beat, Progress
from llmagentos.client import Door
from llmagentos.clock import Instant
from tests.broker import wait_until


def at(second: float) -> Instant:
    return Instant(second, 1e9 + second)


Story = Callable[[Beat], None]


def wait_for_work(beat: Beat) -> None:
    beat.busy()
    beat.idle()


@pytest.mark.parametrize(
    ("first", "then", "late"),
    [
        (Beat.busy,     lambda _: None, ("writer",)),
        (Beat.busy,     Beat.beat,      ()),
        (Beat.busy,     Beat.idle,      ()),
        (Beat.idle,     lambda _: None, ()),
        (wait_for_work, Beat.busy,      ()),
        (wait_for_work, wait_for_work,  ()),
        (lambda _: None, lambda _: None, ()),
    ],
    ids=["stuck at work", "slow but moving", "done", "waiting for work", "new work after a wait",
         "a round between two looks", "not begun"],
)  # fmt: skip
def test_a_loop_is_late_when_it_works_and_does_not_move(
    first: Story, then: Story, late: tuple[str, ...]
) -> None:
    progress = Progress()
    beat = progress.loop("writer", deadline_s=10.0)
    first(beat)
    assert progress.late(at(100.0)) == ()
    assert progress.late(at(109.0)) == ()
    then(beat)
    assert progress.late(at(111.0)) == late


def test_what_moves_again_is_late_no_more() -> None:
    progress = Progress()
    beat = progress.loop("writer", deadline_s=10.0)
    beat.busy()
    assert progress.late(at(0.0)) == ()
    assert progress.late(at(11.0)) == ("writer",)
    beat.beat()
    assert progress.late(at(12.0)) == ()


def test_each_loop_has_a_deadline_of_its_own() -> None:
    progress = Progress()
    for name, deadline_s in (("quick", 1.0), ("slow", 60.0)):
        progress.loop(name, deadline_s=deadline_s).busy()
    looks = [progress.late(at(second)) for second in (0.0, 2.0, 61.0)]
    assert looks == [(), ("quick",), ("quick", "slow")]


def test_a_thread_that_died_is_late_until_it_is_forgotten() -> None:
    progress = Progress()
    beat = progress.loop("gone", deadline_s=10.0)
    thread = threading.Thread(target=beat.idle)
    thread.start()
    thread.join()
    assert progress.late(at(0.0)) == ("gone",)
    progress.forget(beat)
    assert progress.late(at(1.0)) == ()


# the loops of the daemon ------------------------------------------------------------------------


class Watch:
    """What the tick sees of a process: looks at any second it likes."""

    def __init__(self) -> None:
        self.progress = Progress()

    def after(self, seconds: float) -> tuple[str, ...]:
        """Who is late when nothing moves for so long from now on."""
        self.progress.late(at(0.0))
        return self.progress.late(at(seconds))


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Whoever waits for it is stuck until the test ends."""
    event = threading.Event()
    yield event
    event.set()


def test_a_journal_whose_disk_does_not_answer_is_late(tmp_path: Path, watch: Watch) -> None:
    path = tmp_path / "journal.db"
    beat = watch.progress.loop("journal", deadline_s=WRITE_S)
    journal = Journal(path, clock=lambda: at(0.0), beat=beat)
    journal.record_note("start", "")
    assert journal.flush()
    wait_until(lambda: not beat.word[1], what="the writer at rest")
    assert watch.after(WRITE_S * 10) == ()
    # Somebody holds the file: the writer waits for it inside SQLite, as it would for a dead disk.
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        journal.record_note("end", "")
        wait_until(lambda: beat.word[1], what="the writer at work")
        assert watch.after(WRITE_S - 1.0) == ()
        assert watch.after(WRITE_S + 1.0) == ("journal",)
        other.execute("ROLLBACK")
    journal.close()


def test_a_job_that_hangs_makes_its_worker_late(watch: Watch, gate: threading.Event) -> None:
    lanes = Lanes(workers=2, waiting=2, name="mqtt-serve", progress=watch.progress)
    lanes.start()
    begun = threading.Event()

    def job() -> None:
        begun.set()
        gate.wait(5)

    lanes.offer("lamp", job)
    assert begun.wait(5)
    assert watch.after(SERVE_S - 1.0) == ()
    late = watch.after(SERVE_S + 1.0)
    assert len(late) == 1
    assert late[0] in ("mqtt-serve-0", "mqtt-serve-1")
    gate.set()
    wait_until(lambda: watch.after(SERVE_S + 1.0) == (), what="the worker at rest")
    lanes.close()


def test_a_request_that_hangs_makes_the_socket_late_and_a_silent_client_does_not(
    tmp_path_factory: pytest.TempPathFactory, watch: Watch, gate: threading.Event
) -> None:
    path = tmp_path_factory.mktemp("d") / "door.sock"
    begun = threading.Event()

    def serve(_: object) -> dict[str, object]:
        begun.set()
        gate.wait(5)
        return {}

    door = SocketDoor(path, serve, Feed(), clock=lambda: at(0.0), progress=watch.progress)
    door.start()
    with Door(path, timeout_s=5.0) as silent, Door(path, timeout_s=5.0) as caller:
        assert silent is not caller
        asking = threading.Thread(target=caller.request, args=("health",))
        asking.start()
        assert begun.wait(5)
        wait_until(lambda: watch.after(SERVE_S - 1.0) == (), what="the door back at its wait")
        assert watch.after(SERVE_S + 1.0) == ("door-serve",)
        gate.set()
        asking.join(5)
    wait_until(lambda: watch.after(1e6) == (), what="everybody at rest or gone")
    door.close()
