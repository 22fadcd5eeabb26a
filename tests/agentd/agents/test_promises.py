"""The book of promises: what doors ask for, what the tick gets, what a crash leaves."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from agentd.agents.promises import PromiseBook
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Device, Home
from llmagentos.plan import Action
from llmagentos.utterance import Observation, TimerRequest
from tests.agentd.agents.paper import Paper

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
            self.paper.shelf(), boot=boot, zone=ZoneInfo("Europe/Berlin"), now=self.now,
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
