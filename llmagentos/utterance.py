"""What was said, and what it was understood to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmagentos.cause import Cause, Origin
from llmagentos.clock import Instant
from llmagentos.home import Home
from llmagentos.plan import Action
from llmagentos.reading import State


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence from one person."""

    text: str
    """As typed or transcribed; at most 500 characters."""

    origin: Origin
    at: Instant
    cause: Cause | None = None
    """Given by the door; None in offline runs."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A running timer, as understanding needs to see it."""

    name: str | None
    area: str | None
    start_s: int
    """Seconds it was set for."""
    left_s: int
    """Seconds still to run."""
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """All that a decision may look at, at one instant."""

    home: Home
    states: Mapping[str, State]
    """By device id; a device without an entry has never been seen."""

    now: Instant
    timers: tuple[Timer, ...] = ()

    is_clock_set: bool = True
    """False while the wall clock has not been set since the power came on: `now.wall_s` is then
    only a guess."""


@dataclass(frozen=True, slots=True)
class Act:
    """Do these things now."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Say this; it changes nothing."""

    text: str
    about: tuple[str, ...] = ()
    """Ids of the devices it speaks of."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask back; a yes does the first option."""

    text: str
    options: tuple[Action, ...] = ()
    """What is offered, done together on a yes."""


@dataclass(frozen=True, slots=True)
class TimerRequest:
    """Start or change a timer."""

    op: str
    """start cancel cancel_all increase decrease pause unpause status"""
    seconds: int | None = None
    """Length (start) or change (increase, decrease)."""
    name: str | None = None
    area: str | None = None
    start_seconds: int | None = None
    """The timer meant, by the length it was set for."""


@dataclass(frozen=True, slots=True)
class Delayed:
    """Do what this text says, later."""

    seconds: int
    text: str
    actions: tuple[Action, ...] = ()
    """What that is, as understood now."""


@dataclass(frozen=True, slots=True)
class AtTime:
    """Do what this text says, at a time of day."""

    at: LocalTime
    text: str
    actions: tuple[Action, ...] = ()
    """What that is, as understood now."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """Say this text later; it changes nothing. Exactly one of the two times is given."""

    text: str
    """What to be reminded of: "water the plants"."""
    after_s: int | None = None
    at: LocalTime | None = None


@dataclass(frozen=True, slots=True)
class NewRule:
    """Do something whenever something is so. Nothing is armed before a yes."""

    table: Mapping[str, Any]
    """As a `[[rule]]` of agentd.toml, without its id; JSON-able."""
    text: str
    """What was said."""


@dataclass(frozen=True, slots=True)
class PromiseRequest:
    """List or cancel what was promised."""

    op: str
    """list, cancel or cancel_all"""
    kind: str = ""
    """timer, command, reminder or rule; empty for any."""
    text: str = ""
    """Words that tell which one is meant; empty where none were said."""


@dataclass(frozen=True, slots=True)
class History:
    """Tell what happened. At most one of the two times is given; without, since the last talk."""

    ago_s: int | None = None
    """From this many seconds ago until now."""
    since: LocalTime | None = None
    """From that time of day on, the last one that has been."""
    device: str | None = None
    """Id of the device it asks about; None for all."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last thing back that this person had done."""

    device: str | None = None
    """Id of the device to put back; None for the last thing, whatever it was."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """Make it as it was some time ago."""

    ago_s: int
    device: str | None = None
    """Id of the device to put back; None for what was spoken of, or for all that changed."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time of day as people say it, in the home's time zone."""

    hour: int
    """0 to 23"""
    minute: int = 0
    """0 to 59"""
    in_days: int | None = None
    """0 for today, 1 for tomorrow; None when no such day was named."""
    weekday: int | None = None
    """0 for Monday to 6 for Sunday, the next one; None when none was named. Where neither is named
    it is the next time that the clock shows it."""
    may_be_later: bool = False
    """True when neither morning nor evening was said: twelve hours later is meant as well."""


@dataclass(frozen=True, slots=True)
class ClockQuestion:
    """Tell the time or the date."""

    what: str
    """time or date"""


@dataclass(frozen=True, slots=True)
class Converse:
    """A word about the conversation itself."""

    what: str
    """never_mind, yes, no, why, undo, repeat, stop"""
    device: str | None = None
    """Id of the device that `why` asks about; None for the last thing done."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Not understood, or out of what this home can do. Never a guess that acts."""

    reason: str
    """rejected, out_of_scope, ambiguous, never_mind ..."""
    text: str = ""
    """What to say; empty for the usual apology."""


Outcome = (
    Act
    | Answer
    | Ask
    | TimerRequest
    | Delayed
    | AtTime
    | Reminder
    | NewRule
    | PromiseRequest
    | History
    | Undo
    | PutBack
    | ClockQuestion
    | Converse
    | Nothing
)


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What an utterance was understood to be, and by which stage."""

    outcome: Outcome
    stage: str
    """conversation, recall, later, hassil, gazetteer, status, model or none"""
    elapsed_ms: float = 0.0
    margin: float | None = None
    """Of the model's choice, in nats; None where no model was asked."""
    explain: Mapping[str, object] = field(default_factory=dict)
    """What each stage saw, for `--explain`; JSON-able."""
