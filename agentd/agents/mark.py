"""What of a rule's memory outlives a restart, so that it does nothing twice: one small document."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Final

from agentd.agents.fields import Unreadable, read_json
from agentd.agents.promise_json import read_due
from agentd.agents.rule import Every, Rule
from agentd.agents.trigger import Memory

FORMAT: Final = 1

_WORTH_S: Final = 300.0
"""What comes again sooner simply starts anew: it is not worth a write each time."""


def fingerprint(rule: Rule) -> str:
    """Changes when the rule is written differently: then it starts with an empty memory."""
    text = json.dumps(rule.written, sort_keys=True, default=str) or rule.id
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def encode(rule: Rule, memory: Memory) -> str:
    """One line of JSON."""
    lasting = lasting_part(rule, memory)
    return json.dumps(
        {
            "v": FORMAT, "rule": fingerprint(rule), "is_armed": lasting.is_armed,
            "next": asdict(lasting.next) if lasting.next else None,
            "kept_s": lasting.kept_s, "kept_days": list(lasting.kept_days),
            "rest": asdict(lasting.rest) if lasting.rest else None,
        }
    )  # fmt: skip


def decode(text: str, rule: Rule) -> Memory:
    """Read it back.

    Raises:
        Unreadable: it is not what `encode` wrote, or of a rule that was written differently.
    """
    fields = read_json(text, where="mark", version=FORMAT)
    if fields.text("rule") != fingerprint(rule):
        raise Unreadable("the rule was written differently then")
    due, rest = fields.maybe_inner("next"), fields.maybe_inner("rest")
    return Memory(
        is_armed=fields.flag("is_armed"),
        next=read_due(due) if due else None,
        kept_s=fields.maybe_number("kept_s"),
        kept_days=fields.texts("kept_days"),
        rest=read_due(rest) if rest else None,
    )


def lasting_part(rule: Rule, memory: Memory) -> Memory:
    """What is written down; when it changes it is written again."""
    is_slow = isinstance(rule.when, Every) and rule.when.seconds >= _WORTH_S
    memory = memory if is_slow else replace(memory, next=None)
    return replace(memory, value=None, beyond_since=None, coming_s=0.0)
