"""Rules and actions as they are written -> as they run, with errors that name the key.

LlmagentosError
 └─ Mistake     a table cannot be used; whoever read it knows its file and line
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentd.agents.rule import Rule
from agentd.schema import ActionTable, RuleTable
from llmagentos.errors import LlmagentosError
from llmagentos.home import Device
from llmagentos.kind import ACTIONS
from llmagentos.plan import Action


class Mistake(LlmagentosError):
    """A table cannot be used as it is written."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key
        """Dotted key within its table; empty for the table as a whole."""


def read_rule(row: RuleTable, *, known: Mapping[str, Device]) -> Rule:
    """One `[[rule]]`, or a rule given at run time.

    Raises:
        Mistake: it speaks of what is not there, or of what that cannot do.
    """
    _check_known(row.when.device, known)
    return Rule(row.id, row.when.device, row.when.value, read_actions(row.do, known=known))


def read_actions(rows: Sequence[ActionTable], *, known: Mapping[str, Device]) -> tuple[Action, ...]:
    """What a rule or a scene does.

    Raises:
        Mistake: there is no such device, action or argument.
    """
    for row in rows:
        _check_known(row.device, known)
        allowed = ACTIONS[known[row.device].kind]
        if row.action not in allowed:
            words = ", ".join(allowed) or "none"
            raise Mistake("", f"{row.device!r} cannot {row.action!r}; allowed are {words}")
        wanted = {argument.name for argument in allowed[row.action]}
        if set(row.args) != wanted:
            words = ", ".join(sorted(wanted)) or "none"
            raise Mistake("", f"{row.action!r} takes exactly these arguments: {words}")
    return tuple(Action(row.device, row.action, dict(row.args)) for row in rows)


def _check_known(device: str, known: Mapping[str, Device]) -> None:
    if device not in known:
        raise Mistake("", f"no [[device]] {device!r}")
