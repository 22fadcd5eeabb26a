"""A promise: something the box said it would do later. What is written down of it, and its answers.

LlmagentosError
 └─ PromiseError     a promise cannot be made, changed or read back
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from agentd.agents.due import Due
from agentd.agents.notice import Notice
from llmagentos.cause import Cause, Origin
from llmagentos.errors import LlmagentosError
from llmagentos.plan import Action
from llmagentos.reading import Reading
from llmagentos.utterance import Timer

MAX_LENGTH_S: Final = 366 * 86_400.0
"""Longest time ahead, in seconds: beyond a year it is a slip of the tongue."""

MAX_PROMISES: Final = 500
"""Most promises at a time: somebody's script has gone wild beyond it."""

LATE_BOUND_S: Final = 600.0
"""How late a command may be carried out, in seconds. Heating the sauna ten minutes late is what
was meant, three hours later nobody expects it any more."""


class PromiseError(LlmagentosError):
    """A promise cannot be made, changed or read back; the text says why, for a person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        """too_long, too_many, past, unknown, gone, not_written, unreadable"""


class Kind(StrEnum):
    """What is promised."""

    TIMER = "timer"
    """To ring after a length of time."""
    REMINDER = "reminder"
    """To say something, later."""
    DELAYED = "delayed"
    """To do something after a length of time."""
    CLOCK = "clock"
    """To do something at a time of day."""


class WhenLate(StrEnum):
    """What becomes of a promise whose time passed while the box could not keep it."""

    RING = "ring_late"
    """Tell it now, and how late it is."""
    DROP = "drop"
    """Do not do it; tell that it was missed."""
    IF_SAFE = "if_safe"
    """Do it if the gate lets it pass and it is late by no more than `bound_s`; else as drop."""


class Standing(StrEnum):
    """Whether its time runs."""

    RUNNING = "running"
    PAUSED = "paused"
    """A timer that was halted: `due.length_s` is what is left of it."""
    CUT = "cut"
    """It was begun when the box died: that is told, and it is not repeated."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, as it stands in the journal."""

    id: str
    """Short and unique among all promises of this box, such as `t12`."""
    kind: Kind
    made_by: Cause | None
    """The utterance or message that asked for it; None for the end of what a rule began."""
    origin: Origin
    """Who asked, where they stood, and by which way in."""
    due: Due
    occasion: str
    """Names the one time that it is kept, for ever; see `Plan.occasion`."""
    text: str = ""
    """What was asked for, in the person's own words; empty for a timer."""
    actions: tuple[Action, ...] = ()
    """What is done when it is due; empty for what only rings."""
    when_late: WhenLate = WhenLate.RING
    bound_s: float | None = LATE_BOUND_S
    """Of `if_safe`: the most lateness, in seconds; None for any."""
    standing: Standing = Standing.RUNNING
    name: str | None = None
    """A timer's name."""
    area: str | None = None
    """Id of the area that a timer was set for; None when none was named."""
    start_s: float | None = None
    """The length a timer was set for, in seconds."""


class Problem(StrEnum):
    """Why a wish about timers was not granted."""

    NONE_RUNNING = "none_running"
    """There is no timer at all."""
    NO_SUCH = "no_such"
    """There are timers, but none of that name, area or length."""
    SEVERAL = "several"
    """It could be any of `timers`; ask back."""
    NO_LENGTH = "no_length"
    """A length of more than nothing is needed."""
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    ALREADY_PAUSED = "already_paused"
    NOT_PAUSED = "not_paused"
    NOT_WRITTEN = "not_written"
    """It could not be written down, so it is not promised."""


@dataclass(frozen=True, slots=True)
class TimerAnswer:
    """What became of a wish about timers; whoever asked words it."""

    op: str
    """As in `TimerRequest`."""
    timers: tuple[Timer, ...] = ()
    """Those it is about, as they are now; of a cancel, as they were. With SEVERAL the candidates,
    with NO_SUCH all that run."""
    problem: Problem | None = None
    """None when it was done."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a promise or a rule wants at one turn: things done, things said, or both."""

    who: str
    """Id of the promise or rule."""
    actions: tuple[Action, ...] = ()
    occasion: str = ""
    """Names this one time; actions of an occasion that was begun before are not done again."""
    say: str = ""
    """A sentence for people; empty for none."""
    notice: Notice | None = None
    """What `say` says, as a value; None when nothing is said."""
    made_by: Cause | None = None
    """What asked for the promise; None for a rule."""
    text: str = ""
    """What the person wanted, in their own words, for `why`."""
    reading: Reading | None = None
    """What set the rule off; None for a promise, and for a rule that goes by the clock."""


class Intent(Protocol):
    """A plan of an earlier run of which nobody knows how far it got; the journal has them."""

    @property
    def occasion(self) -> str:
        """As in the `Wish` that it came from; empty for none."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Those that nothing is known of."""
