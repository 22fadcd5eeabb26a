"""Whether a rule's conditions hold. What cannot be known does not hold, and says why."""

from __future__ import annotations

from agentd.agents.rule import Condition, During, Hours, InRange, Is
from agentd.agents.schedule import WEEKDAYS, is_within
from agentd.agents.sight import Sight, Unknown


def find_obstacle(condition: Condition, sight: Sight) -> str:
    """Why a condition does not hold, in words for people; empty when it does."""
    match condition:
        case Is(device, wanted, quantity):
            value = sight.value(device, quantity)
            if isinstance(value, Unknown):
                return value
            is_so = value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
            return "" if is_so else f"the {sight.name(device)} is {value}, not {wanted}"
        case InRange():
            return _out_of_range(condition, sight)
        case During(hours, weekdays):
            shown = sight.local()
            if isinstance(shown, Unknown):
                return shown
            if weekdays and shown.weekday() not in weekdays:
                return f"it is {WEEKDAYS[shown.weekday()]}"
            return "" if hours is None or _is_in(hours, sight) else f"it is {shown:%H:%M}"


def find_quiet(hours: Hours, sight: Sight) -> str:
    """Why a rule must be quiet now; empty when it need not."""
    shown = sight.local()
    if isinstance(shown, Unknown):
        return f"it has quiet hours, and {shown}"
    return f"it is quiet until {hours.end:%H:%M}" if _is_in(hours, sight) else ""


def _is_in(hours: Hours, sight: Sight) -> bool:
    shown = sight.local()
    return not isinstance(shown, Unknown) and is_within(
        shown.time(), start=hours.start, end=hours.end
    )


def _out_of_range(condition: InRange, sight: Sight) -> str:
    value = sight.number(condition.device, condition.quantity)
    if isinstance(value, Unknown):
        return value
    name, unit = sight.name(condition.device), sight.unit(condition.device)
    if condition.low is not None and value < condition.low:
        return f"the {name} is at {value:g}{unit}, below {condition.low:g}{unit}"
    if condition.high is not None and value > condition.high:
        return f"the {name} is at {value:g}{unit}, above {condition.high:g}{unit}"
    return ""
