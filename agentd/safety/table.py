"""The one table of the gate's rules. Their order is the order of the reasons given."""

from __future__ import annotations

from typing import Final

from agentd.safety import consent, form, surrounding, timing
from agentd.safety.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    Rule("allowed", reject=form.unknown_action),
    Rule("range", reject=form.bad_argument, bound=form.out_of_range),
    Rule("unavailable", reject=form.away),
    Rule("stop", refuse=consent.stopped),
    Rule("manual_hold", refuse=consent.held),
    Rule("interlock", refuse=surrounding.interlocked, fire=surrounding.both_on),
    Rule("min_off_s", refuse=timing.too_early),
    Rule("rate_per_min", refuse=timing.too_often),
    Rule("max_on_s", fire=timing.on_too_long),
    Rule("requires", refuse=surrounding.lacking, fire=surrounding.lost),
    Rule("confirm", ask=consent.needs_yes),
)
