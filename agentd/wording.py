"""Entries of the journal in words: what was done, when, by whom and why. By template.

What was said is quoted only where the journal still knows it: for a day, from memory. From disk
come the way in, the area and the action alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from agentd import deed
from agentd.journal import Entry, Note
from llmagentos.cause import Rank
from llmagentos.home import Home
from llmagentos.kind import Scalar

_DONE: Final = {
    "turn_on": "switched on", "turn_off": "switched off", "open": "opened", "close": "closed",
    "stop": "stopped", "lock": "locked", "unlock": "unlocked", "press": "pressed",
    "toggle": "switched over", "set_brightness": "set to {} %", "set_speed": "set to {} %",
    "set_position": "moved to {} %", "set_color": "made {}", "set_color_temp": "set to {} kelvin",
    "set_temperature": "set to {} degrees", "set_hvac_mode": "set to {}", "set_value": "set to {}",
}  # fmt: skip

_WISH: Final = {
    "turn_on": "switching it on", "turn_off": "switching it off", "open": "opening it",
    "close": "closing it", "stop": "stopping it", "lock": "locking it", "unlock": "unlocking it",
    "press": "pressing it",
}  # fmt: skip

_GERUNDS: Final = {"set": "setting", "moved": "moving", "made": "making", "told": "telling"}

_CHANNELS: Final = {
    "voice": "by voice", "cli": "on the command line", "mqtt": "over MQTT", "button": "by button",
    "socket": "through the door", "agent": "through an agent", "": "in a way I no longer know",
}  # fmt: skip

_MADE_SAFE: Final = {
    "start": "the box was starting and makes its outputs safe first",
    "end": "the box was switching off and leaves its outputs safe",
    "death": "agentd had died and its outputs are made safe then",
}

_PROTECTS: Final = {
    "max_on_s": "That limit keeps something forgotten from overheating or flooding.",
    "duty_per_day_s": "That limit keeps it from being worn out, or running dry, within one day.",
    "interlock": "That keeps two outputs from running against each other.",
    "requires": "That keeps it from running blind.",
    "quiet_hours": "That keeps the nights quiet.",
    "lease_s": "That keeps it from staying on when whoever drives it is gone.",
    "stop": "It stays so until somebody resets it.",
    "fault": "It stays so until somebody resets it.",
}
"""Rule of the gate that acts by itself -> what it protects from."""

_SAME_MOMENT_S: Final = 5.0
"""How far the note of a stop may lie from what it did, in seconds: both are of one turn."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Words for one home at one instant."""

    home: Home
    now_s: float
    """Wall clock."""
    zone: tzinfo | None = None
    """The home's; None for the system's."""
    stops: Sequence[Note] = ()
    """The stops that are known, to tell by which way in somebody stopped everything."""

    def name(self, device: str) -> str:
        """What people call a device."""
        known = self.home.by_id.get(device)
        return known.name if known else device

    def time(self, at_s: float) -> str:
        """A time, as near as people need it: "at 10:05", "yesterday at 10:05"."""
        at, now = (datetime.fromtimestamp(each, self.zone) for each in (at_s, self.now_s))
        clock, days = f"at {at:%H:%M}", (now.date() - at.date()).days
        if days == 0:
            return clock
        if days == 1:
            return f"yesterday {clock}"
        if 1 < days < 7:
            return f"on {at:%A} {clock}"
        return f"on {at.day} {at:%B} {clock}"

    def done(self, entry: Entry) -> str:
        """What was done, as it follows "was"."""
        words = _DONE.get(entry.action, f"told to {entry.action.replace('_', ' ')}")
        value = next(iter(entry.args.values()), None)
        return words.format(number(value))

    def wish(self, entry: Entry) -> str:
        """What was wanted, as the subject of a sentence."""
        words = _WISH.get(entry.action)
        if words:
            return words
        done = self.done(entry)
        for participle, gerund in _GERUNDS.items():
            if done.startswith(participle):
                return f"{gerund} it{done.removeprefix(participle)}"
        return "it"

    def by(self, entry: Entry) -> str:
        """Whose doing it was, in three words."""
        if entry.rank == Rank.SAFETY:
            return "by the box itself" if deed.is_sweep(entry) else "by a safety rule"
        if entry.because:
            return "as promised"
        if entry.channel == "rule":
            owner = self.home.by_id.get(entry.who)
            return f"by the {owner.name}" if owner else f"by rule “{entry.who}”"
        if entry.rank < Rank.RULE and entry.who:
            return f"by agent “{entry.who}”"
        return self.way(entry.channel, entry.area)

    def asker(self, entry: Entry) -> str:
        """Whose wish it was, as it follows "asked for"."""
        return "by a promise" if entry.because else self.by(entry)

    def because(self, entry: Entry) -> str:
        """What started it, as a clause that follows "because", with its full stop."""
        if entry.rank == Rank.SAFETY or entry.channel == "safety":
            return self._protection(entry)
        if entry.because:
            return self._promise(entry)
        if entry.channel == "rule":
            return self._rule(entry)
        if entry.rank < Rank.RULE and entry.who:
            return f"agent “{entry.who}” wanted it."
        return self._request(entry)

    def _request(self, entry: Entry) -> str:
        way = self.way(entry.channel, entry.area)
        is_name = entry.channel in ("cli", "mqtt", "socket") and ":" not in entry.who
        who = (is_name and entry.who) or "somebody"
        if not entry.text:
            return f"{who} asked for it {way}."
        chosen = ", as the language model proposed" if entry.chosen_by == "model" else ""
        return f"{who} said “{entry.text}” {way}{chosen}."

    def _promise(self, entry: Entry) -> str:
        """Who had it promised, as far as that is still known."""
        way = f" {self.way(entry.made_channel, entry.made_area)}" if entry.made_channel else ""
        at = f" {self.time(entry.made_at_s)}" if entry.made_at_s is not None else ""
        said = f": “{entry.text}”" if entry.text else ""
        return f"I had promised it{at}, asked{way}{said}." if way else f"I had promised it{said}."

    def _rule(self, entry: Entry) -> str:
        owner = self.home.by_id.get(entry.who)
        said = f"the {owner.name} asked for it" if owner else f"rule “{entry.who}” said so"
        return f"{said}: {self.reading(entry.reading)}." if entry.reading else f"{said}."

    def reading(self, reading: Mapping[str, Scalar]) -> str:
        """A reading as a clause: "the soil moisture was 28.5 %"."""
        unit = f" {reading['unit']}" if reading.get("unit") else ""
        return f"the {self.name(str(reading['device']))} was {number(reading['value'])}{unit}"

    def _protection(self, entry: Entry) -> str:
        if entry.rule in _MADE_SAFE:
            return f"{_MADE_SAFE[entry.rule]}."
        if entry.rule == "stop" and (way := self._stopped(entry)):
            return f"everything was stopped {way}. {_PROTECTS['stop']}"
        reason = entry.reason or "It had to be made safe."
        return f"of a safety rule: {reason} {_PROTECTS.get(entry.rule, '')}".rstrip()

    def _stopped(self, entry: Entry) -> str:
        near = (each for each in self.stops if abs(each.at_s - entry.at_s) < _SAME_MOMENT_S)
        note = next(near, None)
        return self.way(note.text) if note else ""

    def way(self, channel: str, area: str | None = None) -> str:
        """By which way in somebody asked."""
        way = _CHANNELS.get(channel, f"by {channel}")
        known = self.home.area_by_id.get(area or "")
        return f"{way} in the {known.name}" if known and channel == "voice" else way


def number(value: Scalar) -> str:
    """A value as people write it: at most two decimals, words as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))
