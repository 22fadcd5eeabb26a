"""A box that keeps promises, on a virtual clock, with a disk that is behind, crashes and power cuts.

It knows the truth: when each thing was really due. What the book does is measured against that.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from agentd.agents.notice import NoticeKind
from agentd.agents.promise import PromiseError, Wish
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
START_S = 1_774_650_000.0
"""2026-03-27 22:20 UTC: two days before Berlin's clocks go forward."""


class _Written(Future):
    """Whoever waits for it has all written that was handed over before."""

    def __init__(self, paper: LatePaper) -> None:
        super().__init__()
        self._paper = paper

    def result(self, timeout: float | None = None) -> None:
        self._paper.settle()
        return super().result(timeout)


@dataclass
class LatePaper(Paper):
    """Written when somebody waits for it, or when told; what waits is lost with the process."""

    begun: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    queue: list[tuple[Future, str, str, str | None]] = field(default_factory=list)

    def _write(self, kind: str, name: str, body: str | None) -> Future:
        written = _Written(self)
        self.queue.append((written, kind, name, body))
        return written

    def settle(self) -> None:
        queue, self.queue = self.queue, []
        for written, kind, name, body in queue:
            if kind == "begin":
                written.is_new = name not in self.begun
                self.begun.add(name)
            elif kind == "done":
                self.done.add(name)
            else:
                self._put(kind, name, body)
            written.set_result(None)

    def lose(self) -> None:
        self.queue.clear()


@dataclass
class Truth:
    """What really should become of one promise."""

    kind: str
    due_s: float | None
    """True time at which it is due; None for a time of day."""
    is_paused: bool = False
    left_s: float = 0.0
    is_cancelled: bool = False
    is_exact: bool = True
    """False once a wrong clock had a say in it."""
    rung: int = 0
    acted: int = 0
    missed: int = 0
    crashes_after: int = 0
    """Crashes since it rang, before that was surely on disk."""


class Box:
    """All of it. Every method is one step of a day."""

    def __init__(self, zone: str = "Europe/Berlin") -> None:
        self.paper = LatePaper()
        self.zone = ZoneInfo(zone)
        self.true_s = START_S
        self.offset_s = 0.0
        self.is_set = True
        self.boots, self.booted_s, self.runs, self.count = 1, START_S - 100.0, 1, 0
        self.truth: dict[str, Truth] = {}
        self.pending: list[tuple[Any, Wish]] = []
        self.wrongs: list[str] = []
        self.is_known_right = True
        """Whether the clock was right, and known to be, at the last turn."""
        self.is_anchored = True
        """Whether it was so at a turn of this boot: all counts on the monotonic clock then."""
        self._open()

    @property
    def now(self) -> Instant:
        return Instant(self.true_s - self.booted_s, self.true_s + self.offset_s)

    def _open(self) -> None:
        self.book = PromiseBook(
            self.paper.shelf(), tell=TELL, boot=f"boot{self.boots}", zone=self.zone, now=self.now,
            is_clock_set=self.is_set,
        )  # fmt: skip
        cut = [_Cut(name) for name in sorted(self.paper.begun - self.paper.done)]
        self.book.recover(cut)
        for each in cut:
            self.paper._write("done", each.occasion, "")

    # steps ------------------------------------------------------------------------------------

    def wait(self, seconds: float, step_s: float = 30.0) -> None:
        """Let time pass, with a tick now and then."""
        end_s = self.true_s + seconds
        while self.true_s < end_s:
            self.true_s = min(end_s, self.true_s + step_s)
            self.tick()

    def tick(self) -> None:
        seen = Observation(HOME, {}, self.now, is_clock_set=self.is_set)
        self.is_known_right = self.is_set and self.offset_s == 0.0
        self.is_anchored = self.is_anchored or self.is_known_right
        self._come_back()
        for wish in self.book.turn(seen, (), {}, self.now):
            self._take(wish)
        self.paper.settle()

    def tick_and_crash(self) -> None:
        """The process dies right after a turn: what it wrote last is lost, or half of it."""
        seen = Observation(HOME, {}, self.now, is_clock_set=self.is_set)
        for wish in self.book.turn(seen, (), {}, self.now):
            self._take(wish)
        self.crash()

    def crash(self) -> None:
        self.paper.lose()
        self.pending.clear()
        self.runs += 1
        for each in self.truth.values():
            each.crashes_after += each.rung > 0
        self._open()

    def power_cut(self, off_s: float, *, is_set: bool) -> None:
        self.paper.lose()
        self.pending.clear()
        for each in self.truth.values():
            each.crashes_after += each.rung > 0
            each.is_exact = each.is_exact and self.is_known_right
        self.is_known_right = self.is_anchored = False
        guess_s = self.true_s + self.offset_s
        self.true_s += off_s
        self.boots, self.booted_s, self.is_set = self.boots + 1, self.true_s - 3.0, is_set
        self.offset_s = 0.0 if is_set else guess_s - self.true_s
        self._open()

    def jump(self, seconds: float) -> None:
        """Somebody puts the clock."""
        self.offset_s += seconds
        self.is_known_right = False
        for each in self.truth.values():
            each.is_exact = each.is_exact and self.is_anchored

    def set_clock(self) -> None:
        """A time server answers."""
        self.offset_s, self.is_set = 0.0, True

    def timer(self, op: str, seconds: int | None = None, name: str | None = None) -> None:
        wish = TimerRequest(op, seconds, name)
        before = {each.id: each for each in self.book.all()}
        self.count += 1
        answer = self.book.timer(wish, origin=ANNA, cause=self._cause(), now=self.now)
        after = {each.id: each for each in self.book.all()}
        for gone in before.keys() - after.keys():
            self.truth[gone].is_cancelled = True
        for new in after.keys() - before.keys():
            self.truth[new] = Truth("ring", self.true_s + seconds)
        if answer.problem is None and op in ("pause", "unpause", "increase", "decrease"):
            (changed,) = [name for name in after if after[name] != before[name]]
            self._alter(self.truth[changed], op, seconds or 0)

    def schedule(self, after_s: float | None, at: LocalTime | None) -> None:
        self._make("act", self.book.schedule, (OFF,), after_s, at, text="turn off the lamp")

    def remind(self, after_s: float | None, at: LocalTime | None) -> None:
        self._make("ring", self.book.remind, "take out the pizza", after_s, at)

    def cancel(self, which: int) -> None:
        if names := [each.id for each in self.book.all()]:
            name = names[which % len(names)]
            self.book.cancel(name)
            self.truth[name].is_cancelled = True

    # truth ------------------------------------------------------------------------------------

    def _make(self, kind, call, what, after_s, at, **more) -> None:
        self.count += 1
        try:
            made = call(
                what, after_s=after_s, at=at, origin=ANNA, cause=self._cause(), now=self.now, **more
            )
        except PromiseError:  # today at a time that is over
            return
        due_s = None if after_s is None else self.true_s + after_s
        self.truth[made.id] = Truth(kind, due_s, is_exact=at is None)

    def _cause(self) -> Cause:
        return Cause("box", f"{self.runs:08x}", self.count)

    def _alter(self, truth: Truth, op: str, seconds: int) -> None:
        truth.is_exact = truth.is_exact and self.is_anchored
        if op == "pause":
            truth.is_paused, truth.left_s = True, truth.due_s - self.true_s
        elif op == "unpause":
            truth.is_paused, truth.due_s = False, self.true_s + truth.left_s
        else:
            change_s = seconds if op == "increase" else -seconds
            if truth.is_paused:
                truth.left_s = max(0.0, truth.left_s + change_s)
            else:
                truth.due_s = max(self.true_s, truth.due_s + change_s)

    def _take(self, wish: Wish) -> None:
        if wish.notice:
            self._hear(wish)
        if wish.actions:
            begun = self.paper._write("begin", wish.occasion, "")
            self.pending.append((begun, wish))

    def _come_back(self) -> None:
        pending, self.pending = self.pending, []
        for begun, wish in pending:
            if not begun.is_new:
                self.book.told(wish.occasion, None)
                continue
            self._check(wish.who, "act")
            self.truth[wish.who].acted += 1
            plan = Plan(wish.actions, self._cause(), Origin(Rank.RULE, "rule", wish.who), self.now)
            applied = Applied(wish.actions[0], Stage.READ_BACK, plan.cause, self.now)
            self.paper._write("done", wish.occasion, "")
            self.book.told(wish.occasion, Decision(plan, (applied,)))

    def _hear(self, wish: Wish) -> None:
        notice = wish.notice
        assert wish.say
        truth = self.truth.get(notice.id)
        if notice.kind in (NoticeKind.TIMER, NoticeKind.REMINDER):
            self._check(notice.id, "ring")
            if truth.rung > truth.crashes_after:
                self.wrongs.append(f"{notice.id} rang {truth.rung + 1} times")
            truth.rung += 1
            if truth.is_exact and notice.is_late_known:
                late_s = self.true_s - truth.due_s
                if abs(late_s - notice.late_s) > 3.0:
                    self.wrongs.append(f"{notice.id}: said {notice.late_s}, was {late_s}")
        elif notice.kind in (NoticeKind.MISSED, NoticeKind.INTERRUPTED) and truth:
            truth.missed += 1

    def _check(self, name: str, kind: str) -> None:
        truth = self.truth[name]
        if truth.kind != kind:
            self.wrongs.append(f"{name} is no {kind}")
        if truth.is_cancelled or truth.is_paused:
            self.wrongs.append(f"{name} was called off")
        if truth.is_exact and truth.due_s is not None and self.true_s < truth.due_s - 3.0:
            self.wrongs.append(f"{name} came {truth.due_s - self.true_s} s early")

    def check_all(self) -> None:
        """What must hold at every moment."""
        for name, truth in self.truth.items():
            if truth.acted > 1:
                self.wrongs.append(f"{name} was done {truth.acted} times")
        assert not self.wrongs, self.wrongs

    def come_to_an_end(self) -> None:
        """With the clock set and what is paused called off, nothing that was promised is left."""
        self.set_clock()
        for each in self.book.all():
            if each.standing == "paused":
                self.book.cancel(each.id)
                self.truth[each.id].is_cancelled = True
        self.wait(10 * 86_400.0, step_s=3600.0)
        self.check_all()
        assert not self.book.all()
        assert not self.paper.documents
        for name, truth in self.truth.items():
            kept = truth.rung + truth.acted + truth.missed
            assert truth.is_cancelled or kept, f"{name} was forgotten"


@dataclass(frozen=True)
class _Cut:
    """As the journal tells of an interrupted plan."""

    occasion: str
    actions: tuple[Action, ...] = (OFF,)
