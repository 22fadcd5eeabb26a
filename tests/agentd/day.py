"""A day in a house, on a virtual clock: the real loop, gate, promises and journal; fake outputs.

The outputs keep a log of all that was done to them. Together with what the loop published it is
the truth: what really changed a device, and what that device really was before.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from itertools import count
from pathlib import Path

from agentd.agents.promises import PromiseBook
from agentd.agents.rule import Crosses, Deed, InRange, Rule, Takes
from agentd.agents.shelf import Shelf
from agentd.door.feed import Feed
from agentd.inbox import Inbox
from agentd.journal import Journal
from agentd.loop import Loop, Turn
from agentd.past import Past
from agentd.publisher import Publisher
from agentd.safety import Row
from agentd.schema import Limits, Requirement
from agentd.world import House
from hal.contract import Actuator
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Area, Device, Home
from llmagentos.kind import Scalar, effect
from llmagentos.plan import Action, Applied, Decision, Plan, Stage
from llmagentos.reading import Reading
from tests.agentd.clock import HandClock

Values = dict[str, Scalar]

PEOPLE = (
    Origin(Rank.PERSON, "voice", "", "study"),
    Origin(Rank.PERSON, "cli", "anna"),
    Origin(Rank.PERSON, "mqtt", "phone"),
)

_OUTPUTS = {
    "lamp": ("light", Limits(), "keep"),
    "strip": ("light", Limits(), "keep"),
    "fan": ("fan", Limits(max_on_s=7200), "off"),
    "heater": ("switch", Limits(max_on_s=1800, interlock="heat"), "off"),
    "boiler": ("switch", Limits(interlock="heat", min_off_s=30), "off"),
    "pump": ("switch", Limits(max_on_s=600, requires=(Requirement("tank", min=5.0),)), "off"),
    "blind": ("cover", Limits(), "keep"),
    "gate": ("lock", Limits(), "off"),
    "stat": ("climate", Limits(), "off"),
    "dimmer": ("number", Limits(slope_per_s=20.0), "keep"),
    "bell": ("button", Limits(), "off"),
}

_SENSORS = {"soil": ("moisture", "%"), "tank": ("moisture", "%"), "motion": ("motion", None)}

_FIRST: Mapping[str, Values] = {
    "light": {"state": "off", "brightness": 0, "color": "white"},
    "fan": {"state": "off", "speed": 0},
    "switch": {"state": "off"},
    "cover": {"state": "closed", "position": 0},
    "lock": {"state": "locked"},
    "climate": {"state": "off", "target_temperature": 20.0, "current_temperature": 19.0},
    "number": {"state": 0.0},
    "button": {},
}

RULES = (
    Rule("water", Crosses("soil", 30.0, is_above=False),
         (Deed(Action("pump", "turn_on"), 20.0, Action("pump", "turn_off")),)),
    Rule("hall", Takes("motion", "on"), (Deed(Action("lamp", "set_brightness", {"brightness": 30})),)),
    Rule("air", Crosses("soil", 60.0, is_above=True), (Deed(Action("fan", "turn_on")),),
         only_if=(InRange("tank", 1.0, None),)),
)  # fmt: skip


@dataclass(frozen=True)
class Done:
    """One thing done to an output."""

    action: Action
    before: Values
    after: Values


class Output(Actuator):
    """An output whose state says all about it."""

    def __init__(self, kind: str, log: list[Done]) -> None:
        self.kind, self._log = kind, log
        self.values: Values = dict(_FIRST[kind])
        self._level: Scalar = 100

    def apply(self, action: Action, now: Instant) -> None:
        before = dict(self.values)
        after = effect(self.kind, action.name, action.args)
        level = {"light": "brightness", "fan": "speed"}.get(self.kind, "")
        if level and after.get("state") == "off":
            self._level, after[level] = before[level] or self._level, 0
        elif level and before["state"] == "off":
            after = {level: self._level, **after}
        self.values |= after
        self._log.append(Done(action, before, dict(self.values)))

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:
        return dict(self.values)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True)
class Truth:
    """What really made a device what it is."""

    plan: Plan
    applied: Applied
    done: Done


@dataclass
class Day:
    """The house, its people, and what is true of it."""

    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    truth: dict[str, Truth] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    """Devices that somebody moved by hand, and nothing has touched since."""
    seen: set[str] = field(default_factory=set)
    """Those of them to which an order came that found them so."""
    fresh: list[str] = field(default_factory=list)
    """Devices that were told something since this was last looked at."""
    of_cause: dict[Cause, list[Done]] = field(default_factory=dict)
    actuations: int = 0

    def __post_init__(self) -> None:
        self.log: list[Done] = []
        self._numbers = count(1)
        self.inbox = Inbox()
        self.journal = Journal(self.folder / "journal.db", clock=self.clock)
        self._publisher = Publisher(self.journal, Feed())
        shelf = Shelf(self.journal.save, self.journal.drop, self.journal.saved)
        self.book = PromiseBook(
            shelf, boot="b", zone=UTC, now=self.clock.now, note=self.journal.record_plan
        )
        self.outputs = {name: Output(kind, self.log) for name, (kind, *_) in _OUTPUTS.items()}
        self.loop = Loop(
            self.inbox, next_cause=self.cause, publish=self._publish, now=self.clock.now,
            ledger=self.journal, keeper=self.book,
        )  # fmt: skip
        self.home = _home()
        rows = {
            name: Row(self.home.by_id[name], limits, safe, UTC)
            for name, (_, limits, safe) in _OUTPUTS.items()
        }
        self.loop.adopt(House(self.home, rows, self.outputs, rules=RULES), self.clock.now)
        self.past = Past(
            self.journal,
            observe=lambda: self.loop.observe(self.clock.now),
            preview=lambda plan: self.loop.preview(plan, self.clock.now),
            zone=lambda: UTC,
        )

    def cause(self) -> Cause:
        return Cause("box", "0000000a", next(self._numbers))

    def turn(self, seconds: float = 0.01) -> None:
        """Let time pass, then one turn."""
        self.loop.tick(self.inbox.take(wait_s=0), self.clock.advance(seconds))

    def pass_time(self, seconds: float) -> None:
        """Let time pass, looked at every now and then, until nothing more comes back at once."""
        for _ in range(4):
            self.turn(seconds / 4)
            self.journal.flush()
            self.turn()

    def ask(self, *actions: Action, origin: Origin, text: str) -> Decision:
        """Have something done, and wait until it is decided and written."""
        plan = Plan(actions, self.cause(), origin, self.clock.now, text=text)
        decision = self.inbox.propose(plan)
        for _ in range(2000):
            self.turn()
            if decision.done():
                break
            time.sleep(0.001)  # the journal's thread writes to a real disk
        return decision.result(timeout=0)

    def promise(self, *actions: Action, after_s: float, origin: Origin, text: str) -> None:
        """Have something promised."""
        self.book.schedule(
            actions, after_s=after_s, text=text, origin=origin, cause=self.cause(),
            now=self.clock.now,
        )  # fmt: skip

    def read(self, device: str, value: Scalar) -> None:
        """Hand in a reading."""
        quantity, unit = _SENSORS[device]
        self.inbox.post(Reading(device, quantity, value, unit or "", self.clock.now))

    def move(self, device: str, values: Values) -> None:
        """Somebody switches it by hand."""
        if any(self.outputs[device].values[name] != value for name, value in values.items()):
            self.outputs[device].values |= values
            made = self.truth.get(device)
            is_back = made is not None and made.done.after == self.outputs[device].values
            if is_back and device not in self.seen:
                self.moved.discard(device)  # nobody can know that it was otherwise meanwhile
            else:
                self.moved.add(device)

    def stop(self, *, is_stop: bool) -> None:
        self.inbox.latch(is_stop=is_stop, cause=self.cause(), origin=PEOPLE[0])
        self.turn()

    def close(self) -> None:
        self.journal.close()

    def _publish(self, turn: Turn) -> None:
        for decision in turn.decisions:
            for applied in decision.applied:
                if applied.stage is not Stage.REFUSED:
                    self._learn(decision.plan, applied)
        self._publisher.publish(turn)

    def _learn(self, plan: Plan, applied: Applied) -> None:
        """Match what was published with what the output itself saw."""
        done = self.log.pop(0)
        assert done.action == applied.action
        self.actuations += 1
        self.of_cause.setdefault(plan.cause, []).append(done)
        device, verdict = done.action.device, applied.verdict
        if plan.origin.rank is Rank.SAFETY and verdict and verdict.rule == "slope_per_s":
            return
        self.fresh.append(device)
        if done.before == done.after and device != "bell":
            self.seen |= {device} & self.moved
            return
        self.moved.discard(device)
        self.seen.discard(device)
        self.truth[device] = Truth(plan, applied, done)


def _home() -> Home:
    outputs = [Device(name, name, kind, area="study") for name, (kind, *_) in _OUTPUTS.items()]
    sensors = [
        Device(name, name, "binary_sensor" if name == "motion" else "sensor",
               device_class=quantity, unit=unit)
        for name, (quantity, unit) in _SENSORS.items()
    ]  # fmt: skip
    return Home(devices=(*outputs, *sensors), areas=(Area("study", "study"),))
