"""The gate: every action of every source passes here, and it may act on its own.

Pure: no clock, no I/O. `review` judges a plan, `watch` finds what must be done by itself, `note`
and the others return the next `GateState`. Every rule is one entry of `table.RULES`; its reasons
are whole sentences, the same words by voice, over MQTT and in the log.
"""

from agentd.safety.memory import GateState, Track, exempt, fault, note, reset, stop
from agentd.safety.review import review, safe_orders, watch
from agentd.safety.risk import is_risky
from agentd.safety.row import Row
from agentd.safety.rule import Order
from agentd.safety.saved import freeze, thaw

__all__ = [
    "GateState",
    "Order",
    "Row",
    "Track",
    "exempt",
    "fault",
    "freeze",
    "is_risky",
    "note",
    "reset",
    "review",
    "safe_orders",
    "stop",
    "thaw",
    "watch",
]
