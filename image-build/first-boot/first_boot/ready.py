"""How the box is once agentd runs: as lines for the report, and as a sentence to be spoken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmagentos.clock import Clock

PATIENCE_S: Final = 120.0
"""Longest wait for everything to be there: a cold start on a Pi 4 reads 200 MB of models."""

STEADY_S: Final = 20.0
"""How long the same things must be missing before they count as missing."""

POLL_S: Final = 1.0

FINE: Final = frozenset({"ok", "off", "idle", "listening"})

_PARTS: Final = {
    "voice": "I cannot hear or speak",
    "llm": "My language model is away",
    "mqtt": "I cannot reach the MQTT broker",
    "journal": "I cannot keep my journal",
}
"""What it means for people when a part is not fine."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How the box is."""

    status: str
    """ready, degraded, stopped, safe_mode, or away when agentd does not answer."""

    lacks: tuple[tuple[str, str], ...] = ()
    """What is missing: in a few words, and its own explanation."""

    address: str = ""
    """IP address on the network; empty without a network."""

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.status == "ready" and not self.lacks and bool(self.address)


def judge(health: Mapping[str, Any] | None, *, address: str = "") -> Condition:
    """What agentd's answer to `health` means; None when it gave none."""
    if health is None:
        return Condition("away", (("My main program does not run", ""),), address)
    parts: Mapping[str, Mapping[str, str]] = health.get("parts") or {}
    lacks = [
        (_meaning(name, part["status"]), part.get("detail", ""))
        for name, part in parts.items()
        if part["status"] not in FINE
    ]
    away: Sequence[Mapping[str, str]] = (health.get("devices") or {}).get("unavailable") or ()
    lacks += [(f"The {_spoken(row['id'])} does not work", row.get("reason", "")) for row in away]
    return Condition(str(health.get("status", "away")), tuple(lacks), address)


def wait(
    look: Callable[[], Condition], *, clock: Clock, sleep: Callable[[float], None]
) -> Condition:
    """Look until all is there, or the same things have been missing for a while.

    Blocks: up to PATIENCE_S.
    """
    began_at = since = clock()
    condition = look()
    while not condition.is_complete:
        now = clock()
        is_steady = condition.status != "away" and since.age_s(now) >= STEADY_S
        if is_steady or began_at.age_s(now) >= PATIENCE_S:
            break
        sleep(POLL_S)
        if (found := look()) != condition:
            condition, since = found, clock()
    return condition


def sentence(condition: Condition, *, node: str, has_problems: bool) -> str:
    """What the box says of itself when it has started."""
    name = f"This is {_spoken(node)}." if node else ""
    lacks = [f"{words}." for words, _ in condition.lacks]
    if condition.status == "safe_mode":
        lacks.insert(0, "I am in safe mode: my configuration cannot be used.")
    if condition.status == "stopped":
        lacks.insert(0, "Everything is stopped.")
    if has_problems:
        lacks.append("Please read the report on my card.")
    return " ".join(filter(None, [name, *(lacks[:_MOST] or ["I am ready."])]))


def lines(condition: Condition) -> list[str]:
    """What the report says of it."""
    where = f"Its address is {condition.address}." if condition.address else (
        "It has no address: no network, or nobody there gives addresses."
    )  # fmt: skip
    lacks = [f"{words}{f': {why}' if why else ''}." for words, why in condition.lacks]
    return [where, f"It is {_STATUS.get(condition.status, condition.status)}.", *lacks]


_MOST: Final = 5
"""Longest list that is spoken; the report has all of it."""

_STATUS: Final = {
    "ready": "ready",
    "degraded": "running, but something is missing",
    "stopped": "stopped until somebody resets it",
    "safe_mode": "in safe mode: outputs are safe, nothing is switched",
    "away": "not running as it should",
}


def _meaning(name: str, status: str) -> str:
    if status == "no_microphone":
        return "I hear nothing, since there is no microphone"
    return _PARTS.get(name, f"My part {_spoken(name)} does not work")


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")
