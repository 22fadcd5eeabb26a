"""Rules and actions as they are written -> as they run, with errors that name the key.

LlmagentosError
 └─ Mistake     a table cannot be used; whoever read it knows its file and line
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any, Final

from agentd.agents.rule import (
    AtTime,
    Condition,
    Crosses,
    Deed,
    During,
    Every,
    Hours,
    InRange,
    Is,
    Rule,
    Takes,
    Trigger,
)
from agentd.agents.schedule import WEEKDAYS
from agentd.rule_schema import ConditionTable, DeedTable, RuleTable, TriggerTable
from agentd.schema import ActionTable
from llmagentos.errors import LlmagentosError
from llmagentos.home import Device
from llmagentos.kind import ACTIONS
from llmagentos.plan import Action

_WHEN: Final = ("value", "above", "below", "at", "every_s")
"""What a trigger waits for: one of these."""

_BACK: Final = {
    "turn_on": "turn_off", "turn_off": "turn_on", "open": "close", "close": "open",
    "unlock": "lock", "set_brightness": "turn_off", "set_speed": "turn_off",
    "set_position": "close",
}  # fmt: skip
"""What ends an action that was done for a while. A door that was locked is never unlocked by it."""

Known = Mapping[str, Device]
"""The devices by id."""


class Mistake(LlmagentosError):
    """A table cannot be used as it is written."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key}: {text}")
        self.key = key
        """Dotted key within its table."""


def read_rule(table: RuleTable, *, known: Known, written: Mapping[str, Any]) -> Rule:
    """One `[[rule]]`, or a rule given at run time.

    Args:
        table: as it was checked against its types.
        known: the devices that it may speak of.
        written: the same as it came, JSON-able.

    Raises:
        Mistake: it speaks of what is not there, or of what that cannot do.
    """
    if not table.do and not table.say:
        raise Mistake("do", "a rule needs do or say: what is done, or what is said")
    return Rule(
        id=table.id,
        when=_trigger(table.when, known),
        do=tuple(_deed(row, table.lease_s, known) for row in table.do),
        say=table.say,
        only_if=tuple(_condition(row, known) for row in table.only_if),
        quiet=_hours(table.quiet_hours, "quiet_hours"),
        cooldown_s=table.cooldown_s,
        lease_s=table.lease_s,
        is_enabled=table.enabled,
        written=written,
    )


def read_actions(
    rows: Sequence[ActionTable], *, known: Known, key: str = "do"
) -> tuple[Action, ...]:
    """What a rule or a scene does.

    Raises:
        Mistake: there is no such device, action or argument.
    """
    return tuple(_action(row, known, key) for row in rows)


def _action(row: ActionTable, known: Known, key: str) -> Action:
    _check_known(row.device, known, f"{key}.device")
    allowed = ACTIONS[known[row.device].kind]
    if row.action not in allowed:
        words = ", ".join(allowed) or "none"
        text = f"{row.device!r} cannot {row.action!r}; allowed are {words}"
        raise Mistake(f"{key}.action", text)
    wanted = {argument.name for argument in allowed[row.action]}
    if set(row.args) != wanted:
        words = ", ".join(sorted(wanted)) or "none"
        raise Mistake(f"{key}.args", f"{row.action!r} takes exactly these arguments: {words}")
    return Action(row.device, row.action, dict(row.args))


def _deed(row: DeedTable, lease_s: float | None, known: Known) -> Deed:
    action = _action(row, known, "do")
    if row.for_s is None and lease_s is None:
        return Deed(action)
    if action.name not in _BACK:
        key = "lease_s" if row.for_s is None else "do.for_s"
        raise Mistake(key, f"{action.name!r} has no end; it can be done for {', '.join(_BACK)}")
    return Deed(action, row.for_s or lease_s, Action(row.device, _BACK[action.name]))


def _trigger(table: TriggerTable, known: Known) -> Trigger:
    given = [key for key in _WHEN if getattr(table, key) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise Mistake("when", f"when takes exactly one of {', '.join(_WHEN)}; found {found}")
    key = given[0]
    _refuse_unfit(table, key)
    if table.every_s is not None:
        return Every(table.every_s)
    if table.at is not None:
        return AtTime(_time(table.at), _weekdays(table.days), table.late_s)
    if table.device is None:
        raise Mistake("when.device", f"when with {key} needs device")
    _check_known(table.device, known, "when.device")
    bound = table.above if table.above is not None else table.below
    if bound is None:
        return Takes(table.device, table.value, table.quantity, table.for_s)
    return Crosses(
        table.device, bound, key == "above", table.quantity, table.hysteresis, table.for_s
    )


_FITS: Final = {
    "value": {"device", "quantity", "for_s"},
    "above": {"device", "quantity", "for_s", "hysteresis"},
    "below": {"device", "quantity", "for_s", "hysteresis"},
    "at": {"days", "late_s"},
    "every_s": set[str](),
}
"""What may stand beside each way of waiting."""


def _refuse_unfit(table: TriggerTable, key: str) -> None:
    plain = TriggerTable()
    for each in ("device", "quantity", "for_s", "hysteresis", "days", "late_s"):
        if each not in _FITS[key] and getattr(table, each) != getattr(plain, each):
            words = ", ".join(sorted(_FITS[key])) or "nothing"
            raise Mistake(f"when.{each}", f"when with {key} takes {words} beside it, not {each}")


def _condition(table: ConditionTable, known: Known) -> Condition:
    if table.device is None:
        if table.between is None and not table.days:
            raise Mistake("only_if", "a condition needs device, between or days")
        if (
            table.quantity
            or table.value is not None
            or table.min is not None
            or table.max is not None
        ):
            raise Mistake("only_if", "a condition with value, min or max needs device")
        return During(_hours(table.between, "only_if.between"), _weekdays(table.days))
    if table.between or table.days:
        raise Mistake("only_if", "write between and days as a condition of its own")
    _check_known(table.device, known, "only_if.device")
    has_range = table.min is not None or table.max is not None
    if (table.value is not None) == has_range:
        raise Mistake("only_if", f"{table.device!r} needs either value, or min and max")
    if not has_range:
        return Is(table.device, table.value, table.quantity)
    return InRange(table.device, table.min, table.max, table.quantity)


def _hours(text: str | None, key: str) -> Hours | None:
    if text is None:
        return None
    start, _, end = text.partition("-")
    if start == end:
        raise Mistake(key, f"{text} begins and ends at the same time")
    return Hours(_time(start), _time(end))


def _time(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))


def _weekdays(days: Sequence[str]) -> tuple[int, ...]:
    return tuple(sorted({WEEKDAYS.index(day) for day in days}))


def _check_known(device: str, known: Known, key: str) -> None:
    if device not in known:
        raise Mistake(key, f"no [[device]] {device!r}")
