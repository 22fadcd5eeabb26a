"""Which way is the risky one."""

from __future__ import annotations

from agentd.safety.memory import Track
from agentd.safety.row import Row
from llmagentos.plan import Action


def is_risky(action: Action, row: Row, track: Track) -> bool:
    """Whether an action must be on disk as an intent before it is done.

    True for a press and a toggle, which done twice do harm, and for what switches on, opens or
    sets a number, on outputs that do not keep their state or need a yes.
    """
    if action.name in ("press", "toggle"):
        return True
    if row.safe_state == "keep" and not row.limits.confirm and not row.device.is_risky:
        return False
    if action.args:
        return not row.leads_off(action)
    return row.leads_on(action) and not track.is_active
