"""Outputs on a slow bus: told at once, done later, believed when read back, given up when too late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from hal.contract import Unplugged, Unsupported
from hal.link.rounds import Rounds
from hal.slow_output import GIVEN_UP_S, SlowOutput
from llmagentos.kind import Scalar
from llmagentos.plan import Action
from tests.hal.bench import NOW, act, at, eventually

BLOCKS_S = 0.02


class Valve:
    """The part itself, far away."""

    def __init__(self) -> None:
        self.level = 0
        self.is_stuck = False
        self.is_gone = False
        self.written: list[int] = []
        self.free = threading.Event()
        self.free.set()

    def touch(self) -> None:
        self.free.wait()
        if self.is_gone:
            raise Unplugged("it is gone")


class Output(SlowOutput[int]):
    """What drives it."""

    def __init__(self, part: Valve, rounds: Rounds) -> None:
        self._part = part
        super().__init__("thing", rounds, period_s=0.05)

    def goal(self, action: Action) -> int:
        if action.name not in ("turn_on", "turn_off"):
            raise Unsupported("thing cannot")
        return int(action.name == "turn_on")

    def write(self, goal: int) -> None:
        self._part.touch()
        self._part.written.append(goal)
        if not self._part.is_stuck:
            self._part.level = goal

    def fetch(self) -> Mapping[str, Scalar]:
        self._part.touch()
        return {"state": "on" if self._part.level else "off"}


@pytest.fixture
def part() -> Valve:
    return Valve()


@pytest.fixture
def rounds(part: Valve) -> Iterator[Rounds]:
    made = Rounds("bus", first_pause_s=0.02)
    yield made
    part.free.set()
    made.close(lambda: None)


@pytest.fixture
def output(part: Valve, rounds: Rounds) -> Output:
    made = Output(part, rounds)
    assert eventually(lambda: state(made))
    return made


def state(output: Output) -> Scalar:
    try:
        return output.read_back(NOW)["state"]
    except Unplugged:
        return None


def took_s(call: Callable[[], object]) -> float:
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def test_output_that_was_not_read_yet_says_so(part: Valve, rounds: Rounds) -> None:
    part.free.clear()
    output = Output(part, rounds)
    with pytest.raises(Unplugged, match="not read yet"):
        output.read_back(NOW)


def test_what_was_told_is_done_and_read(part: Valve, output: Output) -> None:
    output.apply(act("turn_on"), NOW)
    assert eventually(lambda: not output.advance(NOW))
    assert (output.read_back(NOW), part.written) == ({"state": "on"}, [1])


def test_stuck_part_is_never_said_to_have_obeyed(part: Valve, output: Output) -> None:
    part.is_stuck = True
    for _ in range(1000):
        output.apply(act("turn_on"), NOW)
        while output.advance(NOW):
            assert state(output) == "off"
            time.sleep(0.0002)  # the bus has to act
        assert state(output) == "off"
    assert len(part.written) == 1000


def test_hung_bus_does_not_delay_the_tick(part: Valve, output: Output) -> None:
    part.free.clear()
    time.sleep(0.06)  # a look hangs by now
    took = [took_s(lambda: (output.advance(NOW), state(output))) for _ in range(1000)]
    took.append(took_s(lambda: output.apply(act("turn_on"), NOW)))
    assert max(took) < BLOCKS_S


def test_state_that_was_not_read_for_long_is_no_state(part: Valve, output: Output) -> None:
    part.free.clear()
    time.sleep(0.06)  # a look hangs by now
    assert output.read_back(at(0)) == output.read_back(at(2.0)) == {"state": "off"}
    with pytest.raises(Unplugged, match="nothing was read for 3 s"):
        output.read_back(at(3.0))
    part.free.set()
    assert eventually(lambda: output._looks > output._fresh[0])  # type: ignore[index]
    assert output.read_back(at(3.1)) == {"state": "off"}


def test_hung_bus_is_told_once_an_order_is_too_old(part: Valve, output: Output) -> None:
    part.free.clear()
    time.sleep(0.06)  # a look hangs by now
    output.apply(act("turn_on"), NOW)
    assert output.advance(at(GIVEN_UP_S))
    assert output.read_back(at(GIVEN_UP_S)) == {"state": "off"}
    with pytest.raises(Unplugged, match="hangs"):
        output.read_back(at(GIVEN_UP_S + 0.1))


def test_order_too_old_is_never_carried_out(part: Valve, output: Output) -> None:
    part.free.clear()
    time.sleep(0.06)  # a look hangs by now
    output.apply(act("turn_on"), NOW)
    assert not output.advance(at(GIVEN_UP_S + 0.1))
    part.free.set()
    assert eventually(lambda: state(output) == "off")
    assert part.written == []


def test_only_the_newest_of_many_orders_is_carried_out(part: Valve, output: Output) -> None:
    part.free.clear()
    time.sleep(0.06)  # a look hangs by now
    for name in ["turn_on", "turn_off", "turn_on", "turn_off", "turn_on"]:
        output.apply(act(name), NOW)
    part.free.set()
    assert eventually(lambda: state(output) == "on")
    assert part.written == [1]


def test_part_that_is_away_takes_no_order_and_is_back_later(part: Valve, output: Output) -> None:
    part.is_gone = True
    assert eventually(lambda: state(output) is None)
    with pytest.raises(Unplugged, match="thing: it is gone"):
        output.apply(act("turn_on"), NOW)
    part.is_gone = False
    assert eventually(lambda: state(output) == "off")
    assert part.written == []


def test_one_bad_answer_is_no_news_two_are(part: Valve, rounds: Rounds) -> None:
    output = Output(part, rounds)
    assert eventually(lambda: state(output))
    output._miss("garbled")
    assert state(output) == "off"
    output._miss("garbled")
    assert state(output) is None


def test_order_that_fails_is_no_success(part: Valve, rounds: Rounds) -> None:
    part.is_gone = True
    output = Output(part, rounds)
    output._is_known = False  # asked before the first look came back
    output.apply(act("turn_on"), NOW)
    assert eventually(lambda: not output.advance(NOW))
    with pytest.raises(Unplugged, match="it is gone"):
        output.read_back(NOW)


def test_unsupported_action_reaches_no_bus(part: Valve, output: Output) -> None:
    with pytest.raises(Unsupported):
        output.apply(act("explode"), NOW)
    assert not output.advance(NOW)


def test_closed_output_carries_out_nothing_that_still_waits(part: Valve, output: Output) -> None:
    part.free.clear()
    time.sleep(0.06)  # a look hangs by now
    output.apply(act("turn_on"), NOW)
    output.close()
    part.free.set()
    time.sleep(0.05)  # the order would come now
    assert part.written == []
