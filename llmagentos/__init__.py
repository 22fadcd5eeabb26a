"""LLMAgentOS: the values every part shares, and the client of the daemon's door."""

from llmagentos.cause import Cause, Origin, Rank
from llmagentos.client import Door, DoorClosed, DoorError, DoorRefused, DoorTimeout
from llmagentos.clock import Clock, Instant
from llmagentos.errors import LlmagentosError
from llmagentos.home import Area, Device, Floor, Home
from llmagentos.plan import Action, Applied, Decision, Plan, Ruling, Stage, Verdict
from llmagentos.reading import Quality, Reading, State

__all__ = [
    "Action", "Applied", "Area", "Cause", "Clock", "Decision", "Device", "Door", "DoorClosed",
    "DoorError", "DoorRefused", "DoorTimeout", "Floor", "Home", "Instant", "LlmagentosError",
    "Origin", "Plan", "Quality", "Rank", "Reading", "Ruling", "Stage", "State", "Verdict",
]  # fmt: skip
