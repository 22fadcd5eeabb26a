"""Entries of a journal, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from agentd.journal import Entry
from agentd.wording import Wording
from llmagentos.cause import Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Area, Device, Home
from llmagentos.kind import Scalar
from llmagentos.reading import Quality, State
from llmagentos.utterance import Observation

NOON_S: Final = datetime(2026, 3, 4, 12, 0, tzinfo=UTC).timestamp()

HOME: Final = Home(
    devices=(
        Device("lamp", "desk lamp", "light"),
        Device("pump", "pump", "switch"),
        Device("heater", "heater", "switch"),
        Device("blind", "blind", "cover"),
        Device("bell", "bell", "button"),
        Device("stat", "thermostat", "climate"),
        Device("soil", "soil moisture", "sensor", unit="%"),
    ),
    areas=(Area("study", "study"),),
)

WORDING: Final = Wording(HOME, NOON_S, UTC)

ANNA: Final = Origin(Rank.PERSON, "voice")


def entry(number: int, device: str = "lamp", action: str = "turn_on", **more: Any) -> Entry:
    """One that was done by voice, one minute after the one before, unless told otherwise."""
    known: dict[str, Any] = {
        "cause": f"box/0/{number}", "at_s": NOON_S - 3600 + 60 * number, "stage": "read_back",
        "rule": "", "reason": "", "channel": "voice", "who": "", "chosen_by": "rule",
        "text": None, "rank": Rank.PERSON, "id": number,
    }  # fmt: skip
    if action in ("turn_on", "turn_off"):
        now, before = ("on", "off") if action == "turn_on" else ("off", "on")
        known |= {"state": {"state": now}, "before": {"state": before}}
    return Entry(device=device, action=action, **{**known, **more})


def ruled(number: int, device: str = "lamp", action: str = "turn_on", **more: Any) -> Entry:
    """One of a rule."""
    known = {"channel": "rule", "who": "dusk", "rank": Rank.RULE}
    return entry(number, device, action, **{**known, **more})


def guarded(number: int, device: str = "lamp", action: str = "turn_off", **more: Any) -> Entry:
    """One of the gate's own."""
    known = {"channel": "safety", "rank": Rank.SAFETY, "rule": "max_on_s",
             "reason": "It was on too long."}  # fmt: skip
    return entry(number, device, action, **{**known, **more})


def refused(number: int, device: str = "lamp", action: str = "turn_on", **more: Any) -> Entry:
    """A wish that the gate did not let pass."""
    known = {"stage": "refused", "ruling": "deny", "rule": "requires", "before": {}, "state": {},
             "reason": "The tank is empty."}  # fmt: skip
    return entry(number, device, action, **{**known, **more})


def seen(**states: Scalar | dict[str, Scalar]) -> Observation:
    """The present; a plain value is the state alone, None a device that is away."""
    now = Instant(0.0, NOON_S)
    found = {}
    for name, value in states.items():
        values = value if isinstance(value, dict) else {"state": value}
        away = value is None
        found[name] = (
            State(name, {}, now, Quality.UNAVAILABLE, "it is unplugged") if away
            else State(name, values, now)
        )  # fmt: skip
    return Observation(HOME, found, now)
