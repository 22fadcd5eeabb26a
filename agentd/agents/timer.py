"""Which timer is meant, and what a change makes of it. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agentd.agents import due as dues
from agentd.agents.due import Due, Now
from agentd.agents.promise import MAX_LENGTH_S, Problem, Promise, PromiseError, Standing
from llmagentos.utterance import Timer, TimerRequest


@dataclass(frozen=True, slots=True)
class Found:
    """The timers that are meant, or the problem with it."""

    promises: tuple[Promise, ...]
    problem: Problem | None = None


def find(wish: TimerRequest, running: Sequence[Promise], *, area: str | None) -> Found:
    """The timers that a wish is about.

    Args:
        wish: its name, area and start length each narrow the choice.
        running: every timer, paused ones too.
        area: where the person stands; decides where the wish itself leaves several.
    """
    if not running:
        return Found((), None if wish.op in ("status", "cancel_all") else Problem.NONE_RUNNING)
    meant = tuple(each for each in running if _fits(each, wish))
    if not meant:
        return Found(tuple(running), Problem.NO_SUCH)
    if len(meant) == 1 or wish.op in ("status", "cancel_all"):
        return Found(meant)
    near = tuple(each for each in meant if area and (each.area or each.origin.area) == area)
    if len(near) == 1:
        return Found(near)
    return Found(meant, Problem.SEVERAL)


def change(promise: Promise, wish: TimerRequest, now: Now) -> Promise | Problem:
    """The timer after increase, decrease, pause or unpause."""
    is_paused = promise.standing is Standing.PAUSED
    left_s = _left_s(promise, now)
    if wish.op == "pause":
        return Problem.ALREADY_PAUSED if is_paused else _paused(promise, left_s, now)
    if wish.op == "unpause":
        return _running(promise, left_s, now) if is_paused else Problem.NOT_PAUSED
    if not wish.seconds or wish.seconds <= 0:
        return Problem.NO_LENGTH
    left_s = max(0.0, left_s + (wish.seconds if wish.op == "increase" else -wish.seconds))
    if left_s > MAX_LENGTH_S:
        return Problem.TOO_LONG
    return _paused(promise, left_s, now) if is_paused else _running(promise, left_s, now)


def shown(promise: Promise, now: Now) -> Timer:
    """The timer as understanding needs to see it."""
    return Timer(
        name=promise.name,
        area=promise.area,
        start_s=round(promise.start_s or 0.0),
        left_s=max(0, math.floor(_left_s(promise, now) + 0.5)),
        is_paused=promise.standing is Standing.PAUSED,
    )


def length(seconds: float, now: Now) -> Due:
    """When a timer that starts now rings.

    Raises:
        PromiseError: it is too long.
    """
    if seconds > MAX_LENGTH_S:
        raise PromiseError("too_long", "I look ahead for a year at most.")
    return dues.after(seconds, now)


def number(name: str) -> int:
    """The number in a promise's id, 0 where there is none."""
    found = re.fullmatch(r"[a-z](\d{1,9})", name)
    return int(found[1]) if found else 0


def _fits(promise: Promise, wish: TimerRequest) -> bool:
    name, area = promise.name, promise.area or promise.origin.area
    return (
        (wish.name is None or (name or "").casefold() == wish.name.casefold())
        and (wish.area is None or area == wish.area)
        and (wish.start_seconds is None or promise.start_s == wish.start_seconds)
    )


def _left_s(promise: Promise, now: Now) -> float:
    """Seconds still to run; while nobody knows, the most that it can be."""
    written_s = promise.due.length_s or 0.0
    if promise.standing is Standing.PAUSED:
        return written_s
    left = dues.left(promise.due, now)
    return left.seconds if left else written_s - now.up_since.age_s(now.at)


def _paused(promise: Promise, left_s: float, now: Now) -> Promise:
    return replace(promise, due=dues.after(left_s, now), standing=Standing.PAUSED)


def _running(promise: Promise, left_s: float, now: Now) -> Promise:
    return replace(promise, due=dues.after(left_s, now), standing=Standing.RUNNING)
