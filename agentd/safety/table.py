"""The one table of the gate's rules. Its order is the order in which an action is judged."""

from __future__ import annotations

from typing import Final

from agentd.safety import form, latch, quiet, slope, surrounding, timing, word
from agentd.safety.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    Rule("allowed", refuse=form.unknown_action, binds_safety=True),
    Rule("range", refuse=form.bad_argument, bound=form.out_of_range, binds_safety=True),
    Rule("unavailable", refuse=form.away, binds_safety=True),
    Rule("stop", refuse=latch.stopped, fire=latch.stays_stopped),
    Rule("fault", refuse=latch.faulty, fire=latch.stays_faulty),
    Rule("manual_hold", refuse=word.held),
    Rule("precedence", refuse=word.outranked),
    Rule("max_on_s", refuse=timing.on_again_too_soon, fire=timing.on_too_long),
    Rule("min_on_s", refuse=timing.off_too_early),
    Rule("min_off_s", refuse=timing.on_too_early),
    Rule("duty_per_day_s", refuse=timing.used_up, fire=timing.uses_up),
    Rule("rate_per_min", refuse=timing.on_too_often),
    Rule("interlock", refuse=surrounding.interlocked, fire=surrounding.both_on),
    Rule("requires", refuse=surrounding.lacking, fire=surrounding.lost),
    Rule("quiet_hours", refuse=quiet.is_quiet, fire=quiet.turns_quiet),
    Rule("lease_s", fire=word.run_out),
    Rule("confirm", ask=word.needs_yes),
    Rule("slope_per_s", refuse=slope.no_step, bound=slope.one_step, fire=slope.next_step),
)
