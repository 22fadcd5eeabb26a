"""A house that lives through anything, for the property tests of the gate.

The real loop runs over outputs in memory on a clock turned by hand. Commands of every source,
readings, hands on buttons, broken wires, crashes, restarts and power cuts come as steps; a
`Witness` sees what the outputs did.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

from agentd import safety
from agentd.inbox import Inbox
from agentd.ledger import Unwritten
from agentd.loop import Loop, Turn
from agentd.safety import Row
from agentd.schema import Limits
from agentd.world import House
from hal.contract import HalError
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Device, Home
from llmagentos.kind import Scalar
from llmagentos.plan import Action, Plan, Stage
from llmagentos.reading import Quality, Reading
from tests.agentd.house import Output
from tests.agentd.safety import witness
from tests.agentd.safety.witness import STALE_S, Witness

SWITCHES = ("heater", "pump", "lamp")
DIAL = "dial"
TANK = Device("tank", "tank level", "sensor", device_class="moisture", unit="%")
DEVICES = (
    Device("heater", "heater", "switch"),
    Device("pump", "pump", "switch"),
    Device("lamp", "lamp", "light"),
    Device(DIAL, "dial", "number", minimum=0, maximum=100),
)
QUIET = (22 * 60, 7 * 60)
NOON_S, EVENING_S, MORNING_S = 12 * 3600.0, 22 * 3600.0 - 20, 7 * 3600.0 - 20
CAUSE = Cause("box", "00000000", 1)


class Contact(Output):
    """An output that keeps a record of every command that reached it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        if kind == "number":
            self.values = {"state": 0.0}
        self.record: list[tuple[Action, float | None]] = []

    def apply(self, action: Action, now: Instant) -> None:
        self.record.append((action, None))
        super().apply(action, now)
        self.record[-1] = (action, number(self.values))


class Street:
    """The house, its power and its people."""

    def __init__(self, limits: Mapping[str, Limits], *, wall_s: float = NOON_S) -> None:
        self.true_s, self.booted_s, self.behind_s = 0.0, -1000.0, 0.0
        self.wall_s = 20_000 * 86_400.0 + wall_s
        self.contacts = {each.id: Contact(each.kind) for each in DEVICES}
        self.rows = {
            each.id: Row(each, limits[each.id], "keep" if each.kind == "light" else "off", UTC)
            for each in DEVICES
        }
        outputs = [witness.Output(n, limits[n], keeps=n == "lamp") for n in self.contacts]
        self.witness = Witness(outputs, quiet=QUIET)
        self.level: float | None = 50.0
        self.is_silent = False
        self.read_at = -10.0
        self.boot = 1
        self.turns: list[Turn] = []
        self.ledger = Unwritten()
        self.written: dict[tuple[str, str], str] = {}
        """What was on disk before the last turn."""
        self.touched: set[str] = set()
        """Outputs that the last turn commanded."""
        self.turned_at = 0.0
        self._start()

    @property
    def now(self) -> Instant:
        wall_s = self.wall_s + self.true_s - self.behind_s
        return Instant(self.true_s - self.booted_s, wall_s)

    # the box ----------------------------------------------------------------------------------

    def _start(self) -> None:
        """agentd starts, as its `app.py` starts it."""
        self.inbox = Inbox()
        documents = self.ledger.documents
        self.ledger = Unwritten()
        self.ledger.documents = dict(documents)
        self.loop = Loop(
            self.inbox,
            next_cause=lambda: CAUSE,
            publish=self.turns.append,
            now=self.now,
            ledger=self.ledger,
            boot_id=f"boot{self.boot}",
            remembered={name: text for (_, name), text in documents.items()},
            is_clock_set=lambda: self.witness.is_clock_set,
        )
        home = Home(devices=(*DEVICES, TANK))
        house = House(home, self.rows, self.contacts, period_s={TANK.id: STALE_S})
        self.witness.wall_s = self.now.wall_s
        self.loop.adopt(house, self.now)
        self.witness.up(self.true_s)
        self.loop.make_safe(self.now, rule="start", reason="The box has just started.")
        self.read_at = -10.0
        self._turn()

    def _turn(self) -> None:
        """Turn the loop until nothing comes back from the ledger, then judge."""
        self.witness.wall_s = self.now.wall_s
        if not self.is_silent and self.true_s - self.read_at >= 1.0:
            self._read()
        self.written, self.touched = dict(self.ledger.documents), set()
        self.turned_at = self.true_s
        batch = self.inbox.take(wait_s=0)
        while True:
            self.loop.tick(batch, self.now)
            self._judge()
            batch = self.inbox.take(wait_s=0)
            if not batch.begun:
                break
        self.witness.looked(self.true_s)

    def _read(self) -> None:
        self.read_at = self.true_s
        reading = Reading(TANK.id, "moisture", self.level, "%", self.now)
        if self.level is None:
            reading = replace(reading, quality=Quality.UNAVAILABLE, reason="unplugged")
        self.inbox.post(reading)
        self.witness.read(self.true_s, self.level)

    def _judge(self) -> None:
        """Match what the outputs recorded to what the loop says it did, and let it be judged."""
        for turn in self.turns:
            for decision in turn.decisions:
                for applied in decision.applied:
                    if applied.stage is not Stage.REFUSED:
                        rule = applied.verdict.rule if applied.verdict else ""
                        self._tell(applied.action, decision.plan, rule)
            for applied in turn.failed:
                self.touched.add(applied.action.device)
                self.witness.outputs[applied.action.device].fault_at = self.true_s
        self.turns.clear()
        for name in self.contacts:
            self._overhear(name, until=None)

    def _tell(self, action: Action, plan: Plan, rule: str) -> None:
        self._overhear(action.device, until=action)
        told, after = self.contacts[action.device].record.pop(0)
        self.touched.add(told.device)
        if after is None:
            self.witness.missed(self.true_s, plan, told)
        else:
            self.witness.told(self.true_s, plan, told, after, rule=rule)

    def _overhear(self, name: str, *, until: Action | None) -> None:
        """Pass over orders that the loop repeats in silence: they may change nothing."""
        record = self.contacts[name].record
        while record and record[0][0] != until:
            assert record.pop(0)[1] in (None, self.witness.outputs[name].value)

    def _commit(self) -> None:
        """What a person is told of is on disk before."""
        self.written, self.touched = dict(self.ledger.documents), set()

    # steps ------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Time passes; the loop turns at least once a second."""
        while seconds > 0:
            self.true_s += min(seconds, 1.0)
            seconds -= 1.0
            self._turn()

    def sleep(self, hours: float) -> None:
        """Hours in which nothing is on and nothing happens."""
        if not any(each.is_on for each in self.witness.outputs.values()):
            self.true_s += hours * 3600
            self.wait(1.0)

    def command(self, *actions: Action, rank: Rank, who: str = "", **more: Any) -> None:
        """Somebody wants something."""
        channel = {Rank.PERSON: "cli", Rank.RULE: "rule"}.get(rank, "agent")
        plan = Plan(actions, CAUSE, Origin(rank, channel, who), self.now, **more)
        self.inbox.propose(plan)

    def turn(self) -> None:
        """A turn without any time passing."""
        self._turn()

    def promise(self, name: str) -> None:
        """A person makes promise p1 about an output."""
        self.loop.exempt([name], "p1")
        self._turn()
        self._commit()
        self.witness.outputs[name].exempt |= {"p1"}

    def stop(self) -> None:
        origin = Origin(Rank.PERSON, "cli")
        self.inbox.latch(is_stop=True, cause=CAUSE, origin=origin)
        self._turn()
        self._commit()
        self.witness.stopped(self.true_s)

    def reset(self) -> None:
        self.inbox.latch(is_stop=False, cause=CAUSE, origin=Origin(Rank.PERSON, "cli"))
        self.witness.stopped_at = float("inf")
        for output in self.witness.outputs.values():
            output.fault_at = float("inf")
        self._turn()
        self._commit()

    def mend(self, name: str) -> None:
        """A person resets one output."""
        origin = Origin(Rank.PERSON, "cli")
        self.inbox.latch(is_stop=False, cause=CAUSE, origin=origin, device=name)
        self.witness.outputs[name].fault_at = float("inf")
        self._turn()
        self._commit()

    def hand(self, name: str) -> None:
        """Somebody presses the button on the output itself, just before the loop looks."""
        self.true_s += 1.0
        contact = self.contacts[name]
        if not (contact.is_unplugged or contact.is_stuck):
            contact.values["state"] = "off" if contact.values["state"] == "on" else "on"
            self.witness.hand(self.true_s, name)
        self._turn()
        self.touched.add(name)

    def tank(self, level: float | None) -> None:
        self.level = level

    def silence(self, is_silent: bool) -> None:
        self.is_silent = is_silent

    def stick(self, name: str, is_stuck: bool) -> None:
        self.contacts[name].is_stuck = is_stuck
        self._reach(name)

    def unplug(self, name: str, is_unplugged: bool) -> None:
        self.contacts[name].is_unplugged = is_unplugged
        self._reach(name)

    def _reach(self, name: str) -> None:
        contact, output = self.contacts[name], self.witness.outputs[name]
        away = contact.is_unplugged
        output.away_at = min(output.away_at, self.true_s) if away else float("inf")
        if away or contact.is_stuck:
            output.able_at = float("inf")
        elif output.able_at == float("inf"):
            output.able_at = self.true_s

    def crash(self, down_s: float, *, is_swept: bool, is_torn: bool) -> None:
        """agentd dies and is started again; torn: its last turn was not written down."""
        if is_torn:
            self.ledger.documents = self.written
            for name in self.touched:
                self.witness.forget(name, since=self.turned_at)
        self.witness.down()
        if is_swept:
            self._sweep()
        self.true_s += down_s
        self._start()
        for name in self.contacts:
            self._reach(name)

    def _sweep(self) -> None:
        """What agentd-safe does."""
        orders = safety.safe_orders(
            self.loop.observe(self.now), self.rows, rule="death", reason="agentd has died."
        )
        for order in orders:
            plan = Plan((order.action,), CAUSE, Origin(Rank.SAFETY, "safety"), self.now)
            contact = self.contacts[order.action.device]
            with contextlib.suppress(HalError):
                contact.apply(order.action, self.now)
            self._tell(order.action, plan, "death")

    def power_cut(self, down_s: float, *, has_clock: bool) -> None:
        """Everything goes dark; without a clock of its own the box goes on from the last time."""
        self.witness.power_cut(self.true_s)
        for contact in self.contacts.values():
            off: Scalar = 0.0 if contact.kind == "number" else "off"
            contact.values["state"] = off
        self.true_s += down_s
        self.booted_s, self.boot = self.true_s - 10.0, self.boot + 1
        self.witness.is_clock_set = has_clock
        self.behind_s = 0.0 if has_clock else self.behind_s + down_s
        self.witness.power_on(self.true_s)
        self._start()
        for name in self.contacts:
            self._reach(name)

    def set_clock(self) -> None:
        """The network tells the time."""
        if not self.witness.is_clock_set:
            self.behind_s = 0.0
            self.witness.is_clock_set, self.witness.clock_set_at = True, self.true_s
        self._turn()


def number(values: Mapping[str, Scalar]) -> float:
    """An output's state as the witness counts it: 1.0 for on, 0.0 for off, else its number."""
    state = values["state"]
    if isinstance(state, int | float):
        return float(state)
    return 1.0 if state == "on" else 0.0
