"""What happened: what was done in a time, told as shortly as people can listen to. Pure.

Told is what changed something, what was asked for and refused, what latched, and the stops and
starts of the box; not told are orders that changed nothing and the steps of a slow change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from agentd import deed
from agentd.journal import Entry, Fault, Note
from agentd.wording import Wording
from llmagentos.cause import Rank
from llmagentos.home import Home
from llmagentos.plan import Stage

MAX_SENTENCES: Final = 5
"""Sentences of one answer: more of them nobody remembers."""

_MAX_NAMES: Final = 3
"""Devices named one by one; of more only the number is told."""

_NOTES: Final = {
    "stop": "Everything was stopped {way} {at}.",
    "reset": "The stop was lifted {way} {at}.",
    "start": "The box was started {at}.",
}
"""Kind of a note -> its sentence; other kinds are not told."""


@dataclass(frozen=True, slots=True)
class _Event:
    """One sentence, and how much it matters."""

    at_s: float
    weight: int
    text: str
    count: int = 1
    """How many doings it stands for."""


def is_worth_telling(entry: Entry, home: Home) -> bool:
    """Whether people care that it was done, or was not."""
    if deed.is_step(entry) or deed.is_question(entry):
        return False
    if deed.is_refused(entry):
        return entry.rank > Rank.LEARNER
    return deed.has_changed(entry, home.by_id.get(entry.device))


def happened(
    entries: Iterable[Entry],
    wording: Wording,
    *,
    since_s: float,
    notes: Iterable[Note] = (),
    faults: Iterable[Fault] = (),
    device: str | None = None,
) -> str:
    """Tell what happened.

    Args:
        entries: of the time it is about, in any order.
        wording: for people.
        since_s: where that time begins, wall clock.
        notes: of that time.
        faults: of that time.
        device: its id, where only one is asked about; notes are not told then.
    """
    told = [each for each in deed.oldest_first(entries) if is_worth_telling(each, wording.home)]
    events = [*_done(told, wording), *_refused(told, wording)]
    events += [
        _Event(each.at_s, 9, f"The {wording.name(each.device)} has had a fault "
               f"{_since(each.at_s, wording)}: {each.reason.rstrip('.')}.")
        for each in faults if device in (None, each.device)
    ]  # fmt: skip
    events += [each for note in notes if not device and (each := _noted(note, wording))]
    begin = f"Since {wording.time(since_s).removeprefix('at ')}"
    if not events:
        what = f"the {wording.name(device)} was not changed" if device else "nothing was changed"
        return f"{begin} {what}."
    return f"{begin}: {' '.join(_shortest(events))}"


def _done(told: Sequence[Entry], wording: Wording) -> list[_Event]:
    """One sentence for each cause, or for all that one source did to the same devices."""
    done = [each for each in told if not deed.is_refused(each)]
    acts = [list(act) for _, act in groupby(done, key=lambda each: each.cause)]
    alike: dict[tuple[frozenset[str], str], list[list[Entry]]] = {}
    for act in acts:
        devices = frozenset(each.device for each in act)
        alike.setdefault((devices, wording.by(act[0])), []).append(act)
    return [_event(group, wording) for group in alike.values()]


def _event(acts: Sequence[Sequence[Entry]], wording: Wording) -> _Event:
    last = acts[-1]
    entry, names = last[-1], _names([each.device for each in last], wording)
    was = "was" if len({each.device for each in last}) == 1 else "were"
    words = {wording.done(each) for each in last}
    done = words.pop() if len(words) == 1 else "set"
    by, at = wording.by(entry), wording.time(entry.at_s)
    weight = _weight(entry)
    if len(acts) == 1:
        reason = f": {entry.reason}" if weight > _PERSON and entry.reason else "."
        return _Event(entry.at_s, weight, f"{names} {was} {done} {by} {at}{reason}")
    text = f"{names} {was} set {_times(len(acts))} {by}, last {done} {at}."
    return _Event(entry.at_s, weight, text, len(acts))


_PERSON: Final = 5


def _weight(entry: Entry) -> int:
    if entry.rank == Rank.SAFETY:
        return 3 if deed.is_sweep(entry) else 7
    return _PERSON if deed.is_by_person(entry) or entry.because else int(entry.rank)


def _refused(told: Sequence[Entry], wording: Wording) -> list[_Event]:
    """One sentence for each device, reason and way of asking."""
    alike: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in told:
        if deed.is_refused(entry):
            key = (entry.device, entry.action, wording.by(entry))
            alike.setdefault(key, []).append(entry)
    events = []
    for group in alike.values():
        entry, became = group[-1], "was refused"
        became = "failed" if entry.stage == Stage.FAILED else became
        often = f" {_times(len(group))}, last" if len(group) > 1 else ""
        wish = wording.wish(entry).replace(" it", f" the {wording.name(entry.device)}", 1)
        text = f"{wish[:1].upper()}{wish[1:]} {became}{often} {wording.time(entry.at_s)}, "
        text += f"asked for {wording.asker(entry)}: {entry.reason or 'I cannot say why.'}"
        weight = 6 if deed.is_by_person(entry) or entry.stage == Stage.FAILED else 1
        events.append(_Event(entry.at_s, weight, text, len(group)))
    return events


def _noted(note: Note, wording: Wording) -> _Event | None:
    sentence = _NOTES.get(note.kind)
    if sentence is None:
        return None
    text = sentence.format(way=wording.way(note.text), at=wording.time(note.at_s))
    return _Event(note.at_s, 4 if note.kind == "start" else 8, text)


def _shortest(events: Sequence[_Event]) -> list[str]:
    """The sentences that matter most, in the order of time, and how much is left out."""
    by_weight = sorted(events, key=lambda each: (-each.weight, -each.at_s))
    fits = len(events) <= MAX_SENTENCES
    picked = by_weight if fits else by_weight[: MAX_SENTENCES - 1]
    left = sum(each.count for each in by_weight[len(picked) :])
    said = [each.text for each in sorted(picked, key=lambda each: each.at_s)]
    return said if fits else [*said, f"And {left} more thing{'s' if left > 1 else ''}."]


def _names(devices: Iterable[str], wording: Wording) -> str:
    names = [f"the {wording.name(each)}" for each in dict.fromkeys(devices)]
    if len(names) > _MAX_NAMES:
        return f"{len(names)} devices"
    *others, last = names
    text = f"{', '.join(others)} and {last}" if others else last
    return f"{text[:1].upper()}{text[1:]}"


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _since(at_s: float, wording: Wording) -> str:
    return f"since {wording.time(at_s).removeprefix('at ')}"
