"""Rules from the configuration: when a reading takes a value, do something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmagentos.kind import Scalar
from llmagentos.plan import Action
from llmagentos.reading import Quality, Reading, State


@dataclass(frozen=True, slots=True)
class Rule:
    """When a reading takes a value, do something."""

    id: str
    device: str
    value: Scalar
    actions: tuple[Action, ...]


def fire(
    rules: Iterable[Rule], readings: Iterable[Reading], before: Mapping[str, State]
) -> list[tuple[Rule, tuple[Action, ...]]]:
    """The rules that these readings set off, in the order of the readings.

    A rule fires when its device's value becomes the one it waits for: a sensor that repeats
    itself does not fire it again.

    Args:
        before: the states before the readings came in.
    """
    fired: list[tuple[Rule, tuple[Action, ...]]] = []
    last: dict[tuple[str, str], object] = {}
    for reading in readings:
        if reading.quality is not Quality.GOOD:
            continue
        key = (reading.device, reading.quantity)
        known = before[reading.device].values if reading.device in before else {}
        if reading.value != last.get(key, known.get(reading.quantity)):
            fired += [
                (rule, rule.actions)
                for rule in rules
                if rule.device == reading.device and rule.value == reading.value
            ]
        last[key] = reading.value
    return fired
