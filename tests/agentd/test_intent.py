"""What is risky is on disk before it is done, and what was done before it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from agentd.ledger import Unwritten
from llmagentos.cause import Origin, Rank
from llmagentos.plan import Action, Decision, Plan, Stage
from tests.agentd.house import PERSON, RULE, house, plan
from tests.agentd.stand import Stand

ON, OFF = Action("pump", "turn_on"), Action("pump", "turn_off")
LAMP = Action("lamp", "turn_on")


class SlowLedger(Unwritten):
    """A disk that takes its time: nothing is written until `write` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[Plan, Sequence[Action], Future[bool]]] = []
        self.settling: list[Future[None]] = []

    def begin(self, plan: Plan, actions: Sequence[Action], /) -> Future[bool]:
        future: Future[bool] = Future()
        self.waiting.append((plan, actions, future))
        return future

    def settle(self) -> Future[None]:
        future: Future[None] = Future()
        self.settling.append(future)
        return future

    def write(self) -> None:
        """Write all that waits."""
        for wish, actions, future in self.waiting:
            future.set_result(super().begin(wish, actions).result())
        for settled in self.settling:
            settled.set_result(None)
        self.waiting, self.settling = [], []

    def fail(self) -> None:
        """Have the disk refuse all that waits."""
        for _, _, future in self.waiting:
            future.set_exception(OSError("no space left on device"))
        self.waiting = []


@pytest.fixture
def disk() -> SlowLedger:
    return SlowLedger()


@pytest.fixture
def stand(disk: SlowLedger) -> Stand:
    return Stand(house(), ledger=disk)


def propose(stand: Stand, *actions: Action, **more: Any) -> Future[Decision]:
    """Hand a plan in and let a turn pass."""
    decision = stand.inbox.propose(plan(*actions, now=stand.clock.now, **more))
    stand.turn()
    return decision


def test_a_pump_waits_for_the_disk_and_its_answer_waits_again(
    stand: Stand, disk: SlowLedger
) -> None:
    decision = propose(stand, ON)
    assert stand.outputs["pump"].told == []
    assert [list(actions) for _, actions, _ in disk.waiting] == [[ON]]
    disk.write()
    stand.turn()
    assert stand.outputs["pump"].told == [ON]
    assert not decision.done()
    disk.write()
    assert decision.result(0).applied[0].stage is Stage.READ_BACK


def test_the_safe_direction_does_not_wait_for_the_disk(stand: Stand) -> None:
    decision = propose(stand, OFF)
    assert stand.outputs["pump"].told == [OFF]
    assert not decision.done(), "it is answered once it is written down"


def test_a_light_does_not_wait_for_the_disk(stand: Stand) -> None:
    propose(stand, LAMP)
    assert stand.outputs["lamp"].told == [LAMP]


def test_what_cannot_be_written_down_is_not_done(stand: Stand, disk: SlowLedger) -> None:
    decision = propose(stand, ON)
    disk.fail()
    stand.turn()
    disk.write()
    applied = decision.result(0).applied[0]
    assert applied.stage is Stage.REFUSED
    assert applied.verdict is not None
    assert applied.verdict.rule == "journal"
    assert "no space left" in applied.reason
    assert stand.outputs["pump"].told == []


def test_a_newer_off_wins_over_an_on_that_waits(stand: Stand, disk: SlowLedger) -> None:
    earlier = propose(stand, ON)
    propose(stand, OFF)
    disk.write()
    stand.turn()
    disk.write()
    assert stand.outputs["pump"].told == [OFF]
    assert "newer command" in earlier.result(0).applied[0].reason


def test_a_newer_command_takes_only_its_own_device(stand: Stand, disk: SlowLedger) -> None:
    earlier = propose(stand, ON, LAMP)
    propose(stand, OFF)
    disk.write()
    stand.turn()
    disk.write()
    stages = [each.stage for each in earlier.result(0).applied]
    assert stages == [Stage.REFUSED, Stage.READ_BACK]


def test_a_rule_does_not_overtake_a_person_who_waits(stand: Stand, disk: SlowLedger) -> None:
    propose(stand, ON)
    propose(stand, OFF, origin=RULE)
    disk.write()
    stand.turn()
    assert stand.outputs["pump"].values["state"] == "on"


def test_a_stop_wins_over_what_waits(stand: Stand, disk: SlowLedger) -> None:
    decision = propose(stand, ON)
    stand.stop()
    disk.write()
    stand.turn()
    disk.write()
    assert ON not in stand.outputs["pump"].told
    assert "stopped" in decision.result(0).applied[0].reason


def test_a_stop_is_carried_out_at_once_and_told_once_it_is_written_down(
    stand: Stand, disk: SlowLedger
) -> None:
    stopped = stand.inbox.latch(is_stop=True, cause=stand.next_cause(), origin=PERSON)
    stand.turn()
    assert stand.loop.is_stopped
    assert ("gate", "") in disk.documents
    assert not stopped.done()
    disk.write()
    assert stopped.done()


def test_an_occasion_is_carried_out_once(stand: Stand, disk: SlowLedger) -> None:
    by_promise = Origin(Rank.RULE, "rule", "timer-1")
    first = propose(stand, LAMP, origin=by_promise, occasion="timer-1@12:00")
    assert stand.outputs["lamp"].told == [], "a promise is written down before it is kept"
    disk.write()
    stand.turn()
    second = propose(stand, LAMP, origin=by_promise, occasion="timer-1@12:00")
    disk.write()
    stand.turn()
    disk.write()
    assert stand.outputs["lamp"].told == [LAMP]
    assert first.result(0).applied[0].stage is Stage.READ_BACK
    assert "begun before" in second.result(0).applied[0].reason


def test_a_toggle_with_an_occasion_waits_since_twice_is_not_once(
    stand: Stand, disk: SlowLedger
) -> None:
    propose(stand, Action("lamp", "toggle"), occasion="mqtt:7")
    assert stand.outputs["lamp"].told == []
    disk.write()
    stand.turn()
    assert stand.outputs["lamp"].told == [LAMP]
