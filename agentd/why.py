"""Why is it so? Walks from what a device is like now to what started it. Pure, by template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from agentd import deed
from agentd.journal import Entry
from agentd.wording import Wording, number
from llmagentos.home import Home
from llmagentos.plan import Stage
from llmagentos.reading import State

Look = Callable[[str], Sequence[Entry]]
"""The entries of a device, newest first."""

_NEVER: Final = "switched by anybody since I keep a journal."


@dataclass(frozen=True, slots=True)
class Account:
    """The answer to a why."""

    text: str
    """Whole sentences."""

    chain: tuple[Entry, ...] = ()
    """From the entry that it speaks of back to what started that."""


@dataclass(frozen=True, slots=True)
class _Past:
    """What can be told of one device, or of all."""

    refused: Entry | None = None
    """The newest wish that came to nothing, if nothing was changed after it."""
    made: Entry | None = None
    """What made it as it is."""
    roots: tuple[Entry, ...] = ()
    """What made that, one behind the other."""


def explain(
    entries: Sequence[Entry],
    wording: Wording,
    *,
    device: str | None,
    state: State | None = None,
    look: Look = lambda _: (),
) -> Account:
    """Why a device is as it is, or why the last thing was done.

    Args:
        entries: of the device, or of all, newest first.
        wording: for people.
        device: its id; None for the last thing that was done or refused, whatever it was about.
        state: what the device is like now; None when that is not known.
        look: finds the entries of a thermostat, to walk on.
    """
    past = _walk(entries, wording.home, device, look)
    said = []
    if device and _is_moved(entries, state, wording.home):
        said.append(f"The {wording.name(device)} was changed since, by hand or by itself.")
    if past.refused:
        said.append(_refusal(past.refused, wording, state if device else None))
    if past.made and (device or not past.refused):
        said.append(_made(past.made, past.roots, wording))
    if not (past.made or past.refused):
        nobody = f"The {wording.name(device)} was not" if device else "Nothing here was"
        said.append(f"{nobody} {_NEVER}")
    chain = tuple(each for each in (past.refused, past.made, *past.roots) if each)
    return Account(" ".join(said), chain)


def _walk(entries: Sequence[Entry], home: Home, device: str | None, look: Look) -> _Past:
    told = [each for each in entries if not deed.is_step(each)]
    if device is None:
        told = [each for each in told if not deed.is_sweep(each)]
    changes = [each for each in told if deed.has_changed(each, home.by_id.get(each.device))]
    made = next(iter(changes), None) or next(
        (each for each in told if not deed.is_refused(each) and not deed.is_sweep(each)), None
    )
    newer = takewhile(lambda each: made is None or each.id > made.id, told)
    refused = next((each for each in newer if deed.is_refused(each)), None)
    return _Past(refused, made, _roots(made, home, look))


def _roots(made: Entry | None, home: Home, look: Look) -> tuple[Entry, ...]:
    """Who set the thermostat that asked for it."""
    if made is None or made.channel != "rule" or made.who not in home.by_id:
        return ()
    owner = home.by_id[made.who]
    set_up = [
        each for each in look(owner.id) if each.id < made.id and deed.has_changed(each, owner)
    ]
    return tuple(set_up[:1])


def _made(made: Entry, roots: tuple[Entry, ...], wording: Wording) -> str:
    return " ".join(
        f"The {wording.name(each.device)} was {wording.done(each)} {wording.time(each.at_s)}, "
        f"because {wording.because(each)}"
        for each in (made, *roots)
    )


def _refusal(refused: Entry, wording: Wording, state: State | None) -> str:
    """What was wanted last, and why it came to nothing."""
    name, seen = wording.name(refused.device), state.values.get("state") if state else None
    is_so = f"is {number(seen)}" if seen is not None else "is as it was"
    became = "failed" if refused.stage == Stage.FAILED else "was refused"
    became = "waits for a yes" if deed.is_question(refused) else became
    asked = f"{wording.time(refused.at_s)}, asked for {wording.asker(refused)}"
    reason = refused.reason or "I cannot say why."
    return f"The {name} {is_so} because {wording.wish(refused)} {became} {asked}: {reason}"


def _is_moved(entries: Sequence[Entry], state: State | None, home: Home) -> bool:
    device = home.by_id.get(state.device) if state else None
    if state is None or device is None or not state.is_available:
        return False
    return deed.has_moved(entries, device, state.values)
