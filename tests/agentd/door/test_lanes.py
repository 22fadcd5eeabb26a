"""Lanes: order within a key, company between keys, an end to patience."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from agentd.door.lanes import Lanes


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    lanes = Lanes(workers=2, waiting=3, name="test")
    lanes.start()
    yield lanes
    lanes.close()


def test_jobs_of_one_key_keep_their_order(lanes: Lanes) -> None:
    done: list[int] = []
    begun, gate, other, last = (threading.Event() for _ in range(4))

    def first() -> None:
        begun.set()
        gate.wait(5)
        done.append(0)

    lanes.offer("a", first)
    assert begun.wait(5)
    lanes.offer("a", lambda: done.append(1))
    lanes.offer("a", last.set)
    lanes.offer("b", other.set)
    assert other.wait(5)  # the idle worker went past both jobs of the busy key
    assert not done
    gate.set()
    assert last.wait(5)
    assert done == [0, 1]


def test_slow_key_does_not_hold_up_another(lanes: Lanes) -> None:
    gate, other = threading.Event(), threading.Event()
    lanes.offer("slow", lambda: gate.wait(5))
    lanes.offer("slow", lambda: None)
    lanes.offer("other", other.set)
    assert other.wait(5)
    gate.set()


def test_full_lane_takes_no_more(lanes: Lanes) -> None:
    gate, begun = threading.Event(), threading.Barrier(3)

    def block() -> None:
        begun.wait(5)
        gate.wait(5)

    assert lanes.offer("a", block)
    assert lanes.offer("b", block)
    begun.wait(5)
    assert [lanes.offer("a", lambda: None) for _ in range(4)] == [True, True, True, False]
    gate.set()


def test_defective_job_does_not_end_its_lane(lanes: Lanes) -> None:
    done = threading.Event()
    lanes.offer("a", lambda: 1 / 0)
    lanes.offer("a", lambda: 1 / 0)
    lanes.offer("b", lambda: 1 / 0)
    while not lanes.offer("a", done.set):
        pass
    assert done.wait(5)


def test_closed_lane_takes_nothing(lanes: Lanes) -> None:
    lanes.close()
    assert not lanes.offer("a", lambda: None)
