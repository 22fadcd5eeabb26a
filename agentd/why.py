"""Why is it so? Answers from the journal, by template."""

from __future__ import annotations

import time
from typing import Final

from agentd.journal import Entry
from llmagentos.home import Home

_DONE: Final = {
    "turn_on": "was switched on", "turn_off": "was switched off", "open": "was opened",
    "close": "was closed", "stop": "was stopped", "lock": "was locked", "unlock": "was unlocked",
    "press": "was pressed",
}  # fmt: skip
_CHANNELS: Final = {
    "voice": "by voice", "cli": "on the command line", "mqtt": "over MQTT", "button": "by button",
    "socket": "through the door",
}  # fmt: skip


def explain(entries: tuple[Entry, ...], home: Home, device: str | None) -> str:
    """One sentence about the newest entry, or about there being none."""
    known = home.by_id.get(device) if device else None
    if not entries:
        what = f"The {known.name}" if known else "Nothing here"
        return f"{what} was not switched by anybody since I keep a journal."
    entry = entries[0]
    changed = home.by_id.get(entry.device)
    name = changed.name if changed else entry.device
    done = _DONE.get(entry.action, f"got {entry.action.replace('_', ' ')}")
    at = time.strftime("%H:%M:%S", time.localtime(entry.at_s))
    return f"The {name} {done} at {at}, because {_because(entry, home)}"


def _because(entry: Entry, home: Home) -> str:
    if entry.channel == "safety":
        return f"of a safety rule: {entry.reason}"
    if entry.channel == "rule":
        owner = home.by_id.get(entry.who)
        return f"the {owner.name} asked for it." if owner else f"rule “{entry.who}” said so."
    way = _CHANNELS.get(entry.channel, f"by {entry.channel}")
    if entry.text:
        chosen = ", as the language model proposed" if entry.chosen_by == "model" else ""
        return f"somebody said “{entry.text}” {way}{chosen}."
    return f"somebody asked for it {way}."
