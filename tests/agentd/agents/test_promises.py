"""The book of promises: what doors ask for, what the tick gets, what a crash leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Thread
from time import sleep
from zoneinfo import ZoneInfo

import pytest

from agentd.agents import pages, shelf
from agentd.agents.notice import NoticeKind
from agentd.agents.promise import Problem, PromiseError, WhenLate
from agentd.agents.promises import PromiseBook
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Device, Home
from llmagentos.plan import Action, Applied, Decision, Plan, Stage
from llmagentos.utterance import LocalTime, Observation, TimerRequest
from tests.agentd.agents.paper import TELL, Paper

ANNA = Origin(Rank.PERSON, "voice", "anna", "kitchen")
HOME = Home(devices=(Device("lamp", "lamp", "light"), Device("pump", "pump", "switch")))
OFF = Action("lamp", "turn_off")
MONDAY = 1_772_409_600.0
"""2026-03-02 00:00 UTC."""


class Stand:
    """A book on paper, and both clocks turned by hand."""

    def __init__(self, paper: Paper | None = None, *, boot: str = "b1", **more) -> None:
        self.paper = paper or Paper()
        self.now = more.pop("now", Instant(100.0, MONDAY))
        self.is_set = more.pop("is_set", True)
        self.count = 0
        self.open(boot, **more)

    def open(self, boot: str, **more) -> None:
        self.book = PromiseBook(
            self.paper.shelf(), tell=TELL, boot=boot, zone=ZoneInfo("Europe/Berlin"), now=self.now,
            is_clock_set=self.is_set, **more,
        )  # fmt: skip

    def cut(self, off_s: float = 0.0, *, is_set: bool = True, boot: str = "b2") -> None:
        """Power off, and on again after so long."""
        self.now = Instant(5.0, self.now.wall_s + off_s)
        self.is_set = is_set
        self.open(boot)

    def after(self, seconds: float):
        """What is due once so much time has passed."""
        self.now = Instant(self.now.mono_s + seconds, self.now.wall_s + seconds)
        return self.turn()

    def turn(self):
        seen = Observation(HOME, {}, self.now, is_clock_set=self.is_set)
        return self.book.turn(seen, (), {}, self.now)

    def timer(self, op: str, seconds: int | None = None, origin: Origin = ANNA, **more):
        wish = TimerRequest(op, seconds, **more)
        return self.book.timer(wish, origin=origin, cause=self.cause(), now=self.now)

    def cause(self) -> Cause:
        self.count += 1
        return Cause("box", "00000000", self.count)

    def schedule(self, after_s=None, at=None, actions=(OFF,), **more):
        return self.book.schedule(
            actions, after_s=after_s, at=at, text="turn off the lamp", origin=ANNA,
            cause=self.cause(), now=self.now, **more,
        )  # fmt: skip


def test_a_timer_rings_once_when_its_time_is_over() -> None:
    stand = Stand()
    stand.timer("start", 300, name="pizza")
    assert stand.after(299) == ()
    (wish,) = stand.after(1)
    assert wish.say == "Your pizza timer is done."
    assert stand.after(1) == ()
    assert not stand.paper.documents


def test_it_tells_when_the_next_is_due() -> None:
    stand = Stand()
    stand.timer("start", 300)
    stand.schedule(7.5)
    stand.turn()
    assert stand.book.due_in_s == 7.5
    stand.after(10)
    assert stand.book.due_in_s == 290
    stand.timer("pause")
    stand.after(1)
    assert stand.book.due_in_s == float("inf")


def test_a_delayed_command_is_wished_once_with_its_occasion() -> None:
    stand = Stand()
    promise = stand.schedule(60)
    (wish,) = stand.after(60)
    assert (wish.actions, wish.occasion, wish.made_by) == (
        (OFF,),
        promise.occasion,
        promise.made_by,
    )
    assert stand.after(60) == ()


# timers ---------------------------------------------------------------------------------------


def test_a_paused_timer_does_not_run_on() -> None:
    stand = Stand()
    stand.timer("start", 60)
    stand.after(20)
    stand.timer("pause")
    assert stand.after(1000) == ()
    assert stand.timer("status").timers[0].left_s == 40
    stand.timer("unpause")
    assert stand.after(39) == ()
    assert len(stand.after(1)) == 1


@pytest.mark.parametrize(
    ("op", "seconds", "left"),
    [("increase", 30, 70), ("decrease", 30, 10), ("decrease", 300, 0)],
)
def test_a_timer_is_made_longer_or_shorter(op, seconds, left) -> None:
    stand = Stand()
    stand.timer("start", 60)
    stand.after(20)
    (timer,) = stand.timer(op, seconds).timers
    assert (timer.left_s, timer.start_s) == (left, 60)


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        pytest.param({"op": "start"}, Problem.NO_LENGTH, id="no length"),
        pytest.param({"op": "start", "seconds": 10**9}, Problem.TOO_LONG, id="too long"),
        pytest.param({"op": "pause", "name": "eggs"}, Problem.NO_SUCH, id="no such name"),
        pytest.param({"op": "pause"}, Problem.SEVERAL, id="which one"),
        pytest.param({"op": "pause", "start_seconds": 300}, None, id="by its length"),
        pytest.param({"op": "pause", "name": "PIZZA"}, None, id="by its name"),
        pytest.param({"op": "unpause", "name": "pizza"}, Problem.NOT_PAUSED, id="not paused"),
        pytest.param({"op": "increase", "name": "pizza"}, Problem.NO_LENGTH, id="by how much"),
        pytest.param({"op": "increase", "name": "pizza", "seconds": 10**9}, Problem.TOO_LONG, id="made too long"),
        pytest.param({"op": "cancel", "area": "cellar"}, Problem.NO_SUCH, id="no timer in that area"),
        pytest.param({"op": "status"}, None, id="all of them"),
    ],
)  # fmt: skip
def test_which_timer_is_meant(wish, problem) -> None:
    stand = Stand()
    stand.timer("start", 300, name="pizza")
    stand.timer("start", 600, name="tea")
    assert stand.timer(**wish).problem is problem


def test_the_timer_near_the_speaker_is_meant() -> None:
    stand = Stand()
    stand.timer("start", 300, name="a")
    stand.timer("start", 300, name="b", origin=replace(ANNA, area="study"))
    (timer,) = stand.timer("pause", origin=replace(ANNA, area="study")).timers
    assert timer.name == "b"


def test_without_timers_nothing_is_paused_and_all_are_cancelled() -> None:
    stand = Stand()
    assert stand.timer("pause").problem is Problem.NONE_RUNNING
    assert stand.timer("cancel_all").problem is None


def test_cancelled_timers_never_ring() -> None:
    stand = Stand()
    for _ in range(3):
        stand.timer("start", 60)
    assert len(stand.timer("cancel_all").timers) == 3
    assert stand.after(100) == ()
    assert not stand.paper.documents


# on disk --------------------------------------------------------------------------------------


def test_what_cannot_be_written_is_not_promised() -> None:
    stand = Stand()
    stand.paper.is_broken = True
    assert stand.timer("start", 60).problem is Problem.NOT_WRITTEN
    with pytest.raises(PromiseError, match="I do not promise it: disk full"):
        stand.schedule(60)
    assert stand.book.all() == ()
    assert stand.after(100) == ()


def test_a_change_that_cannot_be_written_changes_nothing() -> None:
    stand = Stand()
    stand.timer("start", 60)
    stand.paper.is_broken = True
    assert stand.timer("pause").problem is Problem.NOT_WRITTEN
    assert stand.timer("cancel").problem is Problem.NOT_WRITTEN
    assert len(stand.after(60)) == 1


def test_a_disk_that_does_not_answer_costs_two_seconds_and_no_promise(monkeypatch) -> None:
    monkeypatch.setattr(shelf, "COMMIT_S", 0.01)
    stand = Stand()
    stand.paper.is_slow = True
    with pytest.raises(PromiseError, match="the disk does not answer"):
        stand.schedule(60)
    stand.paper.settle()  # it was still on its way, and must not come to life
    assert not stand.paper.documents


def test_the_tick_leaves_alone_what_a_door_is_changing() -> None:
    stand = Stand()
    stand.timer("start", 60)
    stand.paper.is_slow = True
    door = Thread(target=stand.timer, args=("pause",))
    door.start()
    while not stand.paper.waiting:
        sleep(0.001)  # until the door waits for the disk
    assert stand.after(100) == ()
    stand.paper.settle()
    door.join()
    assert stand.timer("status").timers[0].is_paused


def test_a_ring_whose_turn_was_not_published_rings_again() -> None:
    stand = Stand()
    stand.timer("start", 60)
    stand.after(60)
    stand.open("b1")  # agentd died in that very turn
    (wish,) = stand.turn()
    assert wish.notice.kind is NoticeKind.TIMER


def test_a_promise_that_cannot_be_read_does_not_harm_the_others() -> None:
    paper = Paper()
    paper.documents["promise", "t1"] = '{"v": 1'
    paper.documents["promise", "t2"] = '{"v": 99}'
    stand = Stand(paper)
    stand.timer("start", 60)
    assert len(stand.after(60)) == 1


def test_there_is_an_end_to_what_is_promised(monkeypatch) -> None:
    monkeypatch.setattr(pages, "MAX_PROMISES", 3)
    stand = Stand()
    for _ in range(3):
        stand.timer("start", 60)
    assert stand.timer("start", 60).problem is Problem.TOO_MANY


# late -----------------------------------------------------------------------------------------


def test_a_timer_that_ran_out_while_the_power_was_off_rings_at_once_and_says_how_late() -> None:
    stand = Stand()
    stand.timer("start", 60, name="tea")
    stand.cut(off_s=360)
    (wish,) = stand.turn()
    assert wish.say == "Your tea timer is done, 5 minutes late."


def test_a_timer_of_before_the_power_cut_rings_on_time_after_it() -> None:
    stand = Stand()
    stand.timer("start", 600)
    stand.after(100)
    stand.cut(off_s=300)
    assert stand.after(199) == ()
    (wish,) = stand.after(1)
    assert not wish.notice.is_late


@pytest.mark.parametrize(
    ("when_late", "off_s", "is_done", "told"),
    [
        pytest.param(WhenLate.IF_SAFE, 60 + 599, True,  None,              id="a little late"),
        pytest.param(WhenLate.IF_SAFE, 60 + 601, False, NoticeKind.MISSED, id="too late"),
        pytest.param(WhenLate.DROP,    60 + 5,   True,  None,              id="hardly late"),
        pytest.param(WhenLate.DROP,    60 + 60,  False, NoticeKind.MISSED, id="late"),
    ],
)  # fmt: skip
def test_a_late_command_follows_its_own_way(when_late, off_s, is_done, told) -> None:
    stand = Stand()
    stand.schedule(60, when_late=when_late)
    stand.cut(off_s=off_s)
    (wish,) = stand.turn()
    assert bool(wish.actions) is is_done
    assert (wish.notice.kind if wish.notice else None) is told


def test_a_command_that_was_done_late_says_so_once_it_was_done() -> None:
    stand = Stand()
    stand.schedule(60)
    stand.cut(off_s=360)
    (wish,) = stand.turn()
    stand.book.told(wish.occasion, decision(wish, Stage.READ_BACK))
    (said,) = stand.turn()
    assert said.say == "I did “turn off the lamp”, 5 minutes late."


def test_a_refused_promise_is_told_with_the_gates_reason() -> None:
    stand = Stand()
    stand.schedule(60)
    (wish,) = stand.after(60)
    stand.book.told(wish.occasion, decision(wish, Stage.REFUSED, "The lamp is interlocked."))
    (said,) = stand.turn()
    assert said.say == "I could not do “turn off the lamp”. The lamp is interlocked."
    assert not stand.paper.documents


def test_until_the_clock_is_set_what_was_promised_before_the_power_cut_waits() -> None:
    stand = Stand()
    stand.timer("start", 3600)
    stand.cut(off_s=7200, is_set=False)
    assert stand.after(60) == ()
    stand.is_set = True
    (wish,) = stand.turn()
    assert wish.notice.is_late_known
    assert wish.notice.late_s == pytest.approx(3660)


def test_without_a_clock_it_rings_once_it_is_surely_due() -> None:
    stand = Stand()
    stand.timer("start", 600)
    stand.cut(off_s=60, is_set=False)
    assert stand.after(590) == ()
    (wish,) = stand.after(15)
    assert wish.say == "Your timer of 10 minutes is done, and I do not know how late I am."


def test_without_a_clock_a_command_of_before_the_power_cut_is_not_done() -> None:
    stand = Stand()
    stand.schedule(600)
    stand.cut(off_s=60, is_set=False)
    stand.after(590)
    (wish,) = stand.after(15)
    assert (wish.actions, wish.notice.kind) == ((), NoticeKind.MISSED)


def test_a_time_of_day_that_was_asked_for_before_the_clock_was_set_is_reckoned_from_then() -> None:
    stand = Stand(is_set=False, now=Instant(100.0, 50_000.0))  # 1970
    stand.schedule(at=LocalTime(8))
    assert stand.after(3600) == ()
    stand.now = Instant(stand.now.mono_s, MONDAY + 6.5 * 3600)  # 07:30 in Berlin
    stand.is_set = True
    assert stand.turn() == ()
    assert stand.after(1799) == ()
    assert len(stand.after(1)) == 1


def test_a_time_of_day_that_went_by_before_the_clock_was_set_is_late_and_not_a_day_off() -> None:
    stand = Stand(is_set=False, now=Instant(100.0, 50_000.0))
    stand.book.remind(
        "the bus", at=LocalTime(8), origin=ANNA, cause=stand.cause(), now=stand.now
    )  # said at 07:30 in truth
    stand.now = Instant(stand.now.mono_s + 3600, MONDAY + 7.5 * 3600)  # 08:30 in Berlin
    stand.is_set = True
    (wish,) = stand.turn()
    assert wish.say == "Reminder: the bus, 30 minutes late."


def test_a_length_of_time_does_not_heed_a_clock_that_is_put() -> None:
    stand = Stand()
    stand.timer("start", 600)
    stand.now = Instant(stand.now.mono_s + 1, stand.now.wall_s + 86_400)
    assert stand.turn() == ()
    stand.now = Instant(stand.now.mono_s + 1, stand.now.wall_s - 3 * 86_400)
    assert stand.turn() == ()
    assert len(stand.after(598)) == 1


def test_a_time_that_is_over_today_is_no_promise() -> None:
    stand = Stand(now=Instant(100.0, MONDAY + 12 * 3600))
    with pytest.raises(PromiseError, match="That time is over"):
        stand.schedule(at=LocalTime(8, in_days=0))


def test_without_a_boot_id_every_start_counts_as_another_boot() -> None:
    stand = Stand(boot="")
    stand.timer("start", 600)
    stand.cut(off_s=300, boot="")
    assert stand.after(299) == ()
    assert len(stand.after(1)) == 1


# once -----------------------------------------------------------------------------------------


def test_an_occasion_that_was_begun_before_is_forgotten_without_a_word() -> None:
    stand = Stand()
    stand.schedule(60)
    (wish,) = stand.after(60)
    stand.book.told(wish.occasion, None)
    assert stand.turn() == ()
    assert not stand.paper.documents


def test_what_a_crash_cut_short_is_told_and_not_repeated() -> None:
    stand = Stand()
    promise = stand.schedule(60)
    stand.after(60)
    stand.open("b1")
    stand.book.recover([Intent(promise.occasion)])
    (wish,) = stand.turn()
    assert wish.actions == ()
    assert wish.say == (
        "I was interrupted at “turn off the lamp”; it may have been cut short, "
        "and I did not repeat it."
    )
    stand.turn()
    assert not stand.paper.documents


def test_what_nobody_promised_is_told_too_when_it_was_cut_short() -> None:
    stand = Stand()
    stand.book.recover([Intent("mqtt:7", (Action("pump", "turn_on"),))])
    (wish,) = stand.turn()
    assert "interrupted at “turn on pump”" in wish.say


def test_a_persons_newest_word_passes_the_hold_of_that_person() -> None:
    told = []
    stand = Stand(exempt=lambda devices, who: told.append((devices, who)))
    promise = stand.schedule(60)
    stand.book.schedule(
        (OFF,), after_s=5, text="", origin=replace(ANNA, rank=Rank.AGENT), cause=stand.cause(),
        now=stand.now,
    )  # fmt: skip
    assert told == [(frozenset({"lamp"}), promise.id)]


@dataclass
class Intent:
    occasion: str
    actions: tuple[Action, ...] = (OFF,)


def decision(wish, stage: Stage, reason: str = "") -> Decision:
    origin, now = Origin(Rank.RULE, "rule", wish.who), Instant(0.0, 0.0)
    plan = Plan(wish.actions, Cause("box", "00000000", 99), origin, now)
    return Decision(
        plan, tuple(Applied(each, stage, plan.cause, now, reason=reason) for each in wish.actions)
    )
