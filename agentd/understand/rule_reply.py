"""A rule in words: what was understood, and what is armed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentd.understand.reply import ReplyMaker
from agentd.understand.span import Spans
from agentd.understand.words import Words
from llmagentos.home import Device, Home
from llmagentos.plan import Action


class RuleReply:
    """Puts the table of a rule into the words of one language."""

    def __init__(self, words: Words) -> None:
        self._words, self._replies, self._spans = words, ReplyMaker(words), Spans(words)

    def of(self, table: Mapping[str, Any], home: Home) -> str:
        """`When the soil falls below 30 %, I turn on the pump for 20 seconds`."""
        say = self._words.say
        parts = [
            say("rule_text", when=self._when(table["when"], home), what=self._what(table, home))
        ]
        if quiet := table.get("quiet_hours"):
            start, _, end = str(quiet).partition("-")
            parts.append(say("rule_not_between", start=start, end=end))
        for condition in table.get("only_if", ()):
            start, _, end = str(condition.get("between", "")).partition("-")
            parts.append(say("rule_between" if end else "rule_only_if", start=start, end=end))
        return "".join(parts)

    def devices(self, table: Mapping[str, Any], home: Home) -> str:
        """The names of all devices in it, for finding it by them."""
        ids = [table["when"].get("device"), *(row.get("device") for row in table.get("do", ()))]
        return " ".join(
            name for id in ids if id in home.by_id
            for name in (home.by_id[id].name, *home.by_id[id].aliases)
        )  # fmt: skip

    def _when(self, when: Mapping[str, Any], home: Home) -> str:
        say = self._words.say
        if "at" in when:
            days = (self._day(day) for day in when.get("days", ()))
            shown = self._words.join(days, most=5) or say("rule_day")
            return say("rule_at", days=shown, time=when["at"])
        if "every_s" in when:
            return say("rule_every", span=self._spans.say(when["every_s"]))
        device = home.by_id.get(str(when.get("device")))
        name = self._words.definite(device.name if device else str(when.get("device")))
        for side in ("below", "above"):
            if side in when:
                return say(f"rule_{side}", name=name, value=_value(when[side], device))
        value = self._words.states.get(str(when.get("value")), str(when.get("value")))
        return say("rule_becomes", name=name, value=value)

    def _day(self, day: str) -> str:
        return next((d.capitalize() for d in self._words.weekdays if d.startswith(day)), day)

    def _what(self, table: Mapping[str, Any], home: Home) -> str:
        rows = table.get("do", ())
        actions = (Action(r["device"], r["action"], r.get("args", {})) for r in rows)
        told = [self._replies.wish(actions, home)] if rows else []
        if rows and (for_s := rows[0].get("for_s")):
            told[0] += self._words.say("rule_for", span=self._spans.say(for_s))
        if text := table.get("say"):
            told.append(self._words.say("rule_say", text=text))
        return self._words.join(told)


def _value(bound: float, device: Device | None) -> str:
    unit = f" {device.unit}" if device and device.unit else ""
    return f"{bound:g}{unit}"
