"""What becomes of a promise at an instant. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agentd.agents import due as dues
from agentd.agents.due import Left, Now
from agentd.agents.notice import LATE_S, Notice, NoticeKind
from agentd.agents.promise import Intent, Kind, Promise, Standing, WhenLate, Wish
from llmagentos.cause import Origin, Rank
from llmagentos.plan import Decision, Stage


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise that is due."""

    is_done: bool
    """True when its actions are to be done, False when there is only something to tell."""
    notice: Notice | None = None
    """What there is to tell; of what is to be done, once it was done. None for nothing."""


def keep(promise: Promise, now: Now) -> Kept | None:
    """What a promise comes to; None while it is not due."""
    if promise.standing is Standing.PAUSED:
        return None
    if promise.standing is Standing.CUT:
        return Kept(False, _notice(NoticeKind.INTERRUPTED, promise, Left(0.0)))
    left = dues.left(promise.due, now)
    if left is None or left.seconds > 0:
        return None
    if not promise.actions:
        kind = NoticeKind.TIMER if promise.kind is Kind.TIMER else NoticeKind.REMINDER
        return Kept(False, _notice(kind, promise, left))
    if _is_too_late(promise, left):
        return Kept(False, _notice(NoticeKind.MISSED, promise, left))
    late = _notice(NoticeKind.LATE, promise, left)
    return Kept(True, late if late.is_late else None)


def wish(promise: Promise) -> Wish:
    """What it wants done, once. The end of what a rule began is that rule's own wish."""
    is_rules = promise.origin.channel == "rule"
    return Wish(
        promise.origin.who if is_rules else promise.id,
        promise.actions,
        promise.occasion,
        made_by=promise.made_by,
        text=promise.text,
    )


def refusal(promise: Promise, decision: Decision) -> Notice | None:
    """What there is to tell of a promise that could not be kept; None when it was."""
    for applied in decision.applied:
        if applied.stage in (Stage.REFUSED, Stage.FAILED):
            notice = _notice(NoticeKind.REFUSED, promise, Left(0.0))
            return replace(notice, reason=applied.reason)
    return None


def cut_short(intent: Intent, promise: Promise | None, now: Now) -> Promise:
    """Something that a crash may have cut short, as a promise to tell it."""
    if promise:
        return replace(promise, standing=Standing.CUT)
    words = ", ".join(f"{each.name.replace('_', ' ')} {each.device}" for each in intent.actions)
    name = f"cut:{intent.occasion or now.at.mono_s}:{words}"[:200]
    origin = Origin(Rank.SAFETY, "safety")
    due = dues.after(0.0, now)
    return Promise(name, Kind.DELAYED, None, origin, due, name, words, standing=Standing.CUT)


def _is_too_late(promise: Promise, left: Left) -> bool:
    late_s = -left.seconds
    if promise.when_late is WhenLate.DROP:
        return late_s >= LATE_S or not left.is_exact
    bound_s = promise.bound_s
    return bound_s is not None and (late_s > bound_s or not left.is_exact)


def _notice(kind: NoticeKind, promise: Promise, left: Left) -> Notice:
    return Notice(
        kind,
        promise.id,
        promise.text,
        name=promise.name,
        area=promise.area or promise.origin.area,
        start_s=promise.start_s,
        late_s=max(0.0, -left.seconds),
        is_late_known=left.is_exact,
    )
