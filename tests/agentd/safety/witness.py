"""An independent judge of the gate, written from its specification.

It sees what the outputs themselves recorded (each command that reached one, each edge, each hand
on a button) and what happened around them, on a true clock that no restart and no power cut
stops. It never asks the gate. What is broken raises at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from agentd.schema import Limits
from llmagentos.cause import Rank
from llmagentos.plan import Action, Plan

DAY_S = 86_400.0
SLACK_S = 2.1
"""How late a limit may fire: the loop looks once a second and repeats an order after a second."""
STALE_S = 3.0
"""Period of the tank's sensor."""
SETTLE_S = 2.0
"""How long a command keeps lower ranks off."""
PAUSE_S = 2.0
"""A shorter pause does not end a stretch of max_on_s."""
LEASE_S = 10.0
"""Lease of agents and learners where the device names none."""


@dataclass
class Output:
    """What the witness knows of one output."""

    name: str
    limits: Limits
    keeps: bool = False
    value: float = 0.0
    """1.0 for on, 0.0 for off, else the number it stands at."""
    on_at: float = -math.inf
    off_at: float = 0.0
    began: float | None = None
    """When its stretch of being on began, short pauses included."""
    changed_at: float = -math.inf
    spans: list[tuple[float, float]] = field(default_factory=list)
    """Stretches of being on that have ended."""
    ons: list[float] = field(default_factory=list)
    """When it was switched on."""
    able_at: float = 0.0
    """Since when it can be reached; infinite while it cannot."""
    away_at: float = math.inf
    """Since when it is unplugged."""
    held_until: float = -math.inf
    is_held_unset: bool = False
    exempt: frozenset[str] = frozenset()
    rank: Rank | None = None
    commanded_at: float = -math.inf
    is_claim_lost: bool = False
    """A crash may have forgotten who commanded it last."""
    is_torn: bool = False
    """What a crash left of it was not written down: it counts from when it is found."""
    lease_until: float = math.inf
    fault_at: float = math.inf

    @property
    def is_on(self) -> bool:
        return self.value != 0.0

    def used(self, now: float) -> float:
        """Seconds on within the last day."""
        spans = [*self.spans, (self.on_at, now)] if self.is_on else self.spans
        return sum(max(0.0, end - max(begin, now - DAY_S)) for begin, end in spans)


class Broken(AssertionError):
    """A rule of the specification does not hold."""


class Witness:
    """Judges what happens to the outputs of one house."""

    def __init__(self, outputs: list[Output], *, quiet: tuple[int, int]) -> None:
        self.outputs = {each.name: each for each in outputs}
        self.quiet = quiet
        """The first quiet minute of a day, and the first one after them, over midnight."""
        self.stopped_at = math.inf
        self.up_at = 0.0
        self.is_clock_set = True
        self.clock_set_at = -math.inf
        self.wall_s = 0.0
        self.tank: float | None = None
        """What the sensor last said; None for nothing that counts."""
        self.tank_at = -math.inf
        self.low_at = 0.0
        """Since when the tank is not above its minimum, or unknown."""

    # what happens around ----------------------------------------------------------------------

    def read(self, now: float, level: float | None) -> None:
        """The sensor said something, or that it is away."""
        was_enough = self._enough(now)
        self.tank, self.tank_at = level, now
        if was_enough and not self._enough(now):
            self.low_at = now

    def power_cut(self, now: float) -> None:
        """The power went; every output fell off."""
        for each in self.outputs.values():
            self._set(each, 0.0, now)
            each.able_at = math.inf
            if each.is_held_unset:
                each.held_until = -math.inf

    def power_on(self, now: float) -> None:
        """The power came back; outputs count as switched off now."""
        for each in self.outputs.values():
            each.off_at, each.began = now, None
            each.rank, each.lease_until = None, math.inf

    def down(self) -> None:
        """agentd is dead."""
        for each in self.outputs.values():
            each.able_at = math.inf

    def up(self, now: float) -> None:
        """agentd runs again."""
        self.up_at = now
        for each in self.outputs.values():
            if each.away_at == math.inf:
                each.able_at = now
            if each.is_torn and each.is_on:
                each.on_at = now
            each.is_torn = False
        self.tank, self.low_at = None, now

    def forget(self, name: str, *, since: float) -> None:
        """What happened to an output in its last turn was not written before the crash."""
        output = self.outputs[name]
        output.is_claim_lost, output.lease_until = True, math.inf
        if output.on_at >= since:
            output.is_torn, output.began = True, None
        if output.fault_at >= since:
            output.fault_at = math.inf

    def hand(self, now: float, name: str) -> None:
        """Somebody pressed the button on the output itself."""
        output = self.outputs[name]
        self._set(output, 0.0 if output.is_on else 1.0, now)
        if output.is_on:
            output.ons.append(now)
            output.lease_until = math.inf

    # commands ---------------------------------------------------------------------------------

    def told(self, now: float, plan: Plan, action: Action, after: float, *, rule: str) -> None:
        """A command reached the output and left it at `after`."""
        output = self.outputs.get(action.device)
        if output is None:
            raise Broken(f"{action} reached no device")
        self._check_form(output, action)
        is_safety = plan.origin.rank is Rank.SAFETY
        if not is_safety:
            self._check_rank(output, plan, now)
        if after and not output.is_on:
            self._check_switching_on(output, plan, now)
        if not after and output.is_on and not is_safety:
            self._check_switching_off(output, now)
        if not is_safety or rule == "slope_per_s":
            self._check_slope(output, after, now)
        if after and not output.is_on:
            output.ons.append(now)
        self._set(output, after, now)
        self._claim(output, plan, now)

    def missed(self, now: float, plan: Plan, action: Action) -> None:
        """A command came to an output that is away; once that is known, only the gate tries."""
        output = self.outputs[action.device]
        is_known = now - max(output.away_at, self.up_at) > SLACK_S
        if is_known and plan.origin.rank is not Rank.SAFETY:
            raise Broken(f"{output.name} is away and was commanded")

    def _set(self, output: Output, value: float, now: float) -> None:
        was_on = output.is_on
        if value != output.value:
            output.changed_at = now
        output.value = value
        if output.is_on and not was_on:
            if output.began is None or now - output.off_at >= PAUSE_S:
                output.began = now
            output.on_at = now
        if was_on and not output.is_on:
            output.spans.append((output.on_at, now))
            output.off_at = now

    def _claim(self, output: Output, plan: Plan, now: float) -> None:
        rank, limits = plan.origin.rank, output.limits
        if rank is Rank.SAFETY:
            output.lease_until = math.inf
            return
        output.rank, output.commanded_at = rank, now
        lease_s = LEASE_S if limits.lease_s is None else limits.lease_s
        has_lease = limits.lease_s is not None or rank in (Rank.AGENT, Rank.LEARNER)
        output.lease_until = now + lease_s if has_lease else math.inf
        if rank is Rank.PERSON:
            output.held_until, output.exempt = now + limits.manual_hold_s, frozenset()
            output.is_held_unset, output.is_claim_lost = not self.is_clock_set, False

    def _check_form(self, output: Output, action: Action) -> None:
        if output.name == "dial":
            value = action.args.get("value")
            is_fit = action.name == "set_value" and isinstance(value, int | float)
            if not is_fit or not 0 <= float(value or 0) <= 100:
                raise Broken(f"{action} is not what a dial from 0 to 100 takes")
        elif action.name not in ("turn_on", "turn_off") or action.args:
            raise Broken(f"{action} is not what {output.name} takes")

    def _check_rank(self, output: Output, plan: Plan, now: float) -> None:
        rank = plan.origin.rank
        if rank is Rank.RULE and plan.origin.who in output.exempt:
            rank = Rank.PERSON
        if output.is_claim_lost:
            return
        if rank < Rank.PERSON and now < output.held_until:
            raise Broken(f"{rank.name} moved {output.name}, which a person holds")
        if output.rank is not None and rank < output.rank and now - output.commanded_at < SETTLE_S:
            raise Broken(f"{rank.name} moved {output.name} right after {output.rank.name}")

    def _check_switching_on(self, output: Output, plan: Plan, now: float) -> None:
        limits, name = output.limits, output.name
        if self.stopped_at < math.inf or output.fault_at < math.inf:
            raise Broken(f"{name} went on though stopped or faulty")
        for other in self._group(output):
            if other.is_on:
                raise Broken(f"{name} went on while {other.name} is on")
            if now - other.off_at < limits.interlock_wait_s:
                raise Broken(f"{name} went on too soon after {other.name}")
        if now - output.off_at < (limits.min_off_s or 0.0):
            raise Broken(f"{name} rested too short")
        recent = [at for at in output.ons if now - at < 60.0]
        if limits.rate_per_min is not None and len(recent) >= limits.rate_per_min:
            raise Broken(f"{name} went on too often")
        if limits.duty_per_day_s is not None and output.used(now) >= limits.duty_per_day_s:
            raise Broken(f"{name} has used up its day")
        goes_on = output.began is not None and now - output.off_at < PAUSE_S
        if limits.max_on_s is not None and goes_on and now - output.began >= limits.max_on_s:
            raise Broken(f"{name} went on again without a pause")
        if limits.requires and not self._enough(now):
            raise Broken(f"{name} went on without what it requires")
        self._check_quiet(output, plan)
        self._check_yes(output, plan)

    def _check_quiet(self, output: Output, plan: Plan) -> None:
        if output.limits.quiet_hours is None:
            return
        if self.is_clock_set:
            if self._is_quiet():
                raise Broken(f"{output.name} went on in its quiet hours")
            return
        is_persons = plan.origin.rank is Rank.RULE and plan.origin.who in output.exempt
        if plan.origin.rank < Rank.PERSON and not is_persons:
            raise Broken(f"{output.name} went on though nobody knows the time")

    def _check_yes(self, output: Output, plan: Plan) -> None:
        confirm = output.limits.confirm
        if not confirm or plan.origin.rank in (Rank.RULE, Rank.SAFETY):
            return
        if not plan.is_confirmed:
            raise Broken(f"{output.name} went on without a yes")
        if confirm == "second_channel" and plan.confirmed_on in ("", plan.origin.channel):
            raise Broken(f"{output.name} went on with a yes on the same channel")

    def _check_switching_off(self, output: Output, now: float) -> None:
        is_urgent = self.stopped_at < math.inf or output.fault_at < math.inf
        if not is_urgent and now - output.on_at < (output.limits.min_on_s or 0.0):
            raise Broken(f"{output.name} ran too short")

    def _check_slope(self, output: Output, after: float, now: float) -> None:
        slope = output.limits.slope_per_s
        if slope is None:
            return
        reach = slope * min(now - output.changed_at, 1.0)
        if abs(after - output.value) > reach + 1e-6:
            raise Broken(f"{output.name} jumped from {output.value} to {after}")

    # time -------------------------------------------------------------------------------------

    def looked(self, now: float) -> None:
        """A turn of the loop ended: what had to go off by now is off."""
        for output in self.outputs.values():
            if output.is_on and output.able_at < math.inf:
                self._check_deadlines(output, now)

    def _check_deadlines(self, output: Output, now: float) -> None:
        limits, late = output.limits, []
        if limits.max_on_s is not None:
            late.append(("max_on_s", output.on_at + limits.max_on_s))
        if limits.duty_per_day_s is not None:
            late.append(("duty", now - output.used(now) + limits.duty_per_day_s))
        if limits.requires:
            is_low = self.tank is None or not self.tank >= 5.0
            late.append(("requires", self.low_at if is_low else self.tank_at + STALE_S))
        if limits.quiet_hours and self.is_clock_set and self._is_quiet():
            begun = now - self._quiet_for_s()
            earliest = output.on_at + (limits.min_on_s or 0.0)
            late.append(("quiet_hours", max(begun, self.clock_set_at, earliest)))
        late += [("interlock", other.on_at) for other in self._group(output) if other.is_on]
        if not output.keeps:
            late += [
                ("stop", self.stopped_at),
                ("fault", output.fault_at),
                ("lease", output.lease_until),
            ]
        for what, due in late:
            others = [each.able_at for each in self._group(output)] if what == "interlock" else []
            since = max(due, output.on_at, output.able_at, *others)
            if since + SLACK_S < now:
                raise Broken(f"{output.name} is on, {now - since:.1f} s after {what}")

    def stopped(self, now: float) -> None:
        """Right after a stop: everything that can be reached is off."""
        self.stopped_at = min(self.stopped_at, now)
        for output in self.outputs.values():
            if output.is_on and not output.keeps and output.able_at < math.inf:
                raise Broken(f"{output.name} is on right after a stop")

    def _group(self, output: Output) -> list[Output]:
        group = output.limits.interlock
        others = self.outputs.values() if group else ()
        return [each for each in others if each is not output and each.limits.interlock == group]

    def _enough(self, now: float) -> bool:
        is_fresh = now - self.tank_at <= STALE_S + 1.1
        return self.tank is not None and is_fresh and self.tank >= 5.0

    def _minute(self) -> float:
        return self.wall_s % DAY_S / 60

    def _is_quiet(self) -> bool:
        begin, end = self.quiet
        return self._minute() >= begin or self._minute() < end

    def _quiet_for_s(self) -> float:
        return (self._minute() - self.quiet[0]) % 1440 * 60
