"""Undo: the actions that put things back, or the reason why they must not be. Pure.

Undo takes the newest thing back that a person had done, all of it at once. It is a wish of that
person like any other and passes the gate; so undoing an undo does the thing again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentd import deed, setting
from agentd.journal import Entry
from agentd.understand.port import WayBack
from llmagentos.cause import Origin, Rank
from llmagentos.home import Device, Home
from llmagentos.kind import Scalar, effect, is_active
from llmagentos.plan import Action, Stage
from llmagentos.utterance import Observation

Values = Mapping[str, Scalar]

Name = Callable[[Entry], str]
"""Who did an entry and when, as the end of a sentence: "by voice at 10:05"."""

OWN_S: Final = 3600.0
"""How long a person's own act comes before a newer one of somebody else, in seconds."""

FORGOTTEN_S: Final = 86_400.0
"""From this age on, in seconds, nobody means an act when they just say undo."""

_NOTHING: Final = "There is nothing that I could take back."


@dataclass(frozen=True, slots=True)
class _Goal:
    """What one device is to be like again."""

    device: Device
    values: Values
    """Empty where nobody knows."""
    newer: Sequence[Entry]
    """What became of it since, newest first."""


class Blocked(Exception):
    """It cannot be put back; the text is a sentence for people."""


def find_act(
    entries: Iterable[Entry], origin: Origin, *, now_s: float, device: str | None = None
) -> str | None:
    """The cause that an undo is about; None when no person had anything done.

    The newest of this person's own within an hour, else the newest of any person's within a day:
    who stands before another microphone may be the same.

    Args:
        entries: of all devices, or of `device` alone, newest first.
        origin: who wants it undone.
        now_s: the present, wall clock.
        device: its id, where one was named: the newest act of any person on it is meant.
    """
    by_people = [
        each for each in entries if deed.is_by_person(each) and now_s - each.at_s < FORGOTTEN_S
    ]
    own = [each for each in by_people if deed.is_by(each, origin) and now_s - each.at_s < OWN_S]
    newest = next(iter(by_people if device else own or by_people), None)
    return newest.cause if newest else None


def undo(
    act: Sequence[Entry],
    since: Sequence[Entry],
    observation: Observation,
    *,
    tell: Name,
    device: str | None = None,
) -> WayBack:
    """What takes one act back.

    Args:
        act: all entries of its cause.
        since: everything from that time on, newest first; may hold the act itself.
        observation: the present.
        tell: words who did an entry.
        device: its id, to put back nothing else; None for all that the act touched.
    """
    done = [entry for entry in deed.oldest_first(act) if device in (None, entry.device)]
    if not done:
        return WayBack(refusal=_NOTHING)
    if all(entry.stage == Stage.REFUSED for entry in done):
        reason = "" if deed.is_question(done[-1]) else done[-1].reason
        return WayBack(refusal=f"That was not done, so there is nothing to undo. {reason}".strip())
    home = observation.home.by_id
    changed = [
        entry for entry in done if deed.has_changed(entry, home.get(entry.device))
        or (entry.stage == Stage.FAILED and not entry.state)
    ]  # fmt: skip
    if not changed:
        return WayBack(refusal="That changed nothing, so there is nothing to undo.")
    return _back(changed, since, observation, tell=tell)


def put_back(
    since: Sequence[Entry],
    before: Entry | None,
    observation: Observation,
    *,
    tell: Name,
    device: str | None = None,
) -> WayBack:
    """What makes it as it was at a time.

    Args:
        since: what was done from that time on, newest first.
        before: what was done to `device` last before that time; None for nothing.
        observation: the present.
        tell: words who did an entry.
        device: its id; None for all that persons have set since.
    """
    home = observation.home.by_id
    changed = [
        entry for entry in deed.oldest_first(since)
        if device in (None, entry.device) and deed.has_changed(entry, home.get(entry.device))
    ]  # fmt: skip
    if device is None:
        theirs = {entry.device for entry in changed if deed.is_by_person(entry)}
        changed = [entry for entry in changed if entry.device in theirs]
    if not changed:
        return _to_earlier(before, observation)
    return _back(changed, since, observation, tell=tell, is_any_person=True)


def _to_earlier(entry: Entry | None, observation: Observation) -> WayBack:
    """Nothing was done since: at most somebody has moved it by hand."""
    if entry is None or not entry.state or entry.stage == Stage.SENT:
        return WayBack(refusal="I have changed nothing since then.")
    try:
        actions = _actions(_Goal(_known(entry.device, observation.home), entry.state, ()),
                           observation)  # fmt: skip
    except Blocked as exc:
        return WayBack(refusal=str(exc))
    return WayBack(actions) if actions else WayBack(refusal="It is as it was then.")


def _back(
    changed: Sequence[Entry],
    since: Sequence[Entry],
    observation: Observation,
    *,
    tell: Name,
    is_any_person: bool = False,
) -> WayBack:
    """All devices of these entries to what they were before, or none of them."""
    first = {entry.device: entry for entry in reversed(changed)}
    causes = {entry.cause for entry in changed}
    found: list[tuple[Action, ...]] = []
    try:
        for entry in sorted(first.values(), key=lambda each: -each.id):
            newer = [each for each in since if each.device == entry.device and each.id >= entry.id]
            device = _known(entry.device, observation.home)
            actions = _actions(_Goal(device, entry.before, newer), observation)
            if actions:
                _refuse_if_between(device, newer, causes, tell=tell, passes_people=is_any_person)
                if deed.has_moved(newer, device, observation.states[device.id].values):
                    raise Blocked(f"The {device.name} was changed by hand since then.")
                found.append(actions)
    except Blocked as exc:
        return WayBack(refusal=str(exc))
    if not found:
        return WayBack(refusal="It is already as it was before.")
    return WayBack(_off_first(found, observation.home))


def _known(name: str, home: Home) -> Device:
    device = home.by_id.get(name)
    if device is None:
        raise Blocked(f"There is no {name} any more.")
    return device


def _actions(goal: _Goal, observation: Observation) -> tuple[Action, ...]:
    """What brings a device back; none when it is so already."""
    device, state = goal.device, observation.states.get(goal.device.id)
    if device.kind == "button":
        raise Blocked(f"A press of the {device.name} cannot be taken back.")
    if not goal.values:
        raise Blocked(f"I do not know what the {device.name} was like before.")
    if state is None or not state.is_available:
        reason = f": {state.reason}" if state and state.reason else ""
        raise Blocked(f"The {device.name} cannot be reached now{reason}.")
    actions = setting.way_back(device, state.values, goal.values)
    if actions is None:
        raise Blocked(f"I cannot set the {device.name} to what it was before.")
    return actions


def _refuse_if_between(
    device: Device,
    newer: Sequence[Entry],
    causes: Iterable[str],
    *,
    tell: Name,
    passes_people: bool,
) -> None:
    """Let nothing undo what a safety rule did, nor what a person wanted since."""
    for entry in newer:
        if entry.cause in causes and entry.rank != Rank.SAFETY:
            continue
        if deed.is_step(entry) or not deed.has_changed(entry, device):
            continue
        if entry.rank == Rank.SAFETY:
            reason = entry.reason or "it was made safe."
            raise Blocked(f"A safety rule has set the {device.name} since then: {reason}")
        is_persons = deed.is_by_person(entry) or bool(entry.because)
        if is_persons and not passes_people:
            raise Blocked(f"The {device.name} was set again since then, {tell(entry)}.")


def _off_first(found: Sequence[tuple[Action, ...]], home: Home) -> tuple[Action, ...]:
    """What switches off goes first, so that an interlock lets the others on."""
    return tuple(action for actions in sorted(found, key=lambda each: _is_on(each, home))
                 for action in actions)  # fmt: skip


def _is_on(actions: Sequence[Action], home: Home) -> bool:
    return any(
        is_active(kind, effect(kind, each.name, each.args))
        for each in actions
        if (kind := home.by_id[each.device].kind)
    )
