"""From a wish to what really happened: action, plan, verdict, applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from llmagentos.cause import Cause, Origin
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.reading import Reading


@dataclass(frozen=True, slots=True)
class Action:
    """One thing one device is to do."""

    device: str
    """Id of the device."""

    name: str
    """A key of `llmagentos.kind.ACTIONS[kind]`."""

    args: Mapping[str, Scalar] = field(default_factory=dict)
    """Exactly the arguments that the table names."""

    def __hash__(self) -> int:
        return hash((self.device, self.name, tuple(sorted(self.args.items()))))


@dataclass(frozen=True, slots=True)
class Plan:
    """What somebody wants done. It has no power of its own: the gate disposes."""

    actions: tuple[Action, ...]
    cause: Cause
    origin: Origin
    at: Instant
    text: str = ""
    """What was said or sent, for `why`; never written to disk unless the owner asked for it."""

    chosen_by: str = "rule"
    """Who turned the words into actions: `rule` for recognisers and direct commands, `model`."""

    is_confirmed: bool = False
    """True when a person said yes to exactly this plan."""

    confirmed_on: str = ""
    """Channel on which that yes was said; empty when none was."""

    because: Cause | None = None
    """What asked for the promise or rule that made it; None for what was asked for now."""

    reading: Reading | None = None
    """What set the rule off; None where no reading did."""

    occasion: str = ""
    """Names the one event that made it (a transaction, a promise's due time); two plans with the
    same name are the same wish, and only the first is carried out. Empty for none."""


class Ruling(StrEnum):
    """What the gate decides about one action."""

    ALLOW = "allow"
    CLAMP = "clamp"
    """Allowed with another value than asked."""
    DENY = "deny"
    CONFIRM = "confirm"
    """Allowed once a person has said yes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's word on one action."""

    ruling: Ruling
    asked: Action
    granted: Action | None
    """What may be done; None when denied or waiting for a yes."""

    rule: str = ""
    """Name of the row that decided (max_on_s, interlock, stop ...); empty for a plain allow."""

    reason: str = ""
    """One sentence for people, the same words by voice, MQTT and log; empty for a plain allow."""


class Stage(StrEnum):
    """How far an action got."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    SENT = "sent"
    READ_BACK = "read_back"
    """The device says so itself."""
    WITNESSED = "witnessed"
    """Another sensor saw it too."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Applied:
    """What a device really did."""

    action: Action
    """What was sent to it, after the gate."""

    stage: Stage
    cause: Cause
    at: Instant
    state: Mapping[str, Scalar] = field(default_factory=dict)
    """Its state as read back; empty when nothing was."""

    before: Mapping[str, Scalar] = field(default_factory=dict)
    """Its state just before; empty when that was unknown. `undo` goes back to it."""

    verdict: Verdict | None = None
    """The gate's word; None for what the gate itself ordered."""

    reason: str = ""
    """Why it failed or was refused, in words for a person."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The tick's answer to one plan: one `Applied` for each action, in the plan's order."""

    plan: Plan
    applied: tuple[Applied, ...]

    @property
    def needs_yes(self) -> bool:
        """Whether the gate wants a person's yes before it lets this plan pass."""
        return any(a.verdict and a.verdict.ruling is Ruling.CONFIRM for a in self.applied)
