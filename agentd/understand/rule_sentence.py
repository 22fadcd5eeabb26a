"""Rules by sentence: `when the soil is below thirty percent run the pump, but not at night`.

Every word has to be accounted for: a trigger that is one number of one sensor, one state, or a
time of day; a command that would be understood by itself; how long; and when not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from agentd.understand.chain import Chain
from agentd.understand.moment import Moments
from agentd.understand.naming import Directory
from agentd.understand.recogniser import Context
from agentd.understand.said import Said
from agentd.understand.words import Words
from llmagentos.home import Device, Home
from llmagentos.utterance import Act, LocalTime, NewRule, Nothing, Observation

_SENSORS: Final = frozenset({"sensor", "number"})

_STATEFUL: Final = frozenset({"binary_sensor", "button"})
"""Kinds whose readings are states. An output's state is no reading, so no rule waits for it."""

_STATES: Final = ("on", "off", "open", "closed", "pressed")

_OPENING: Final = {"open": "on", "closed": "off"}
"""State as it is said -> value of a binary sensor that watches a door or a window."""

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class RuleParser:
    """Not for several threads at once, as the recognisers that it asks."""

    def __init__(self, chain: Chain, words: Words) -> None:
        self._chain, self._words, self._table = chain, words, words.rule
        self._moments = Moments(words)
        self._home, self._directory = Home(), Directory(Home(), words=words)

    def refresh(self, home: Home) -> None:
        """Take over a new home."""
        self._home, self._directory = home, Directory(home, words=self._words)

    def parse(
        self, said: Said, observation: Observation, context: Context
    ) -> NewRule | Nothing | None:
        """The rule that a sentence asks for.

        Returns:
            None when it asks for none, or a word stays unexplained; `Nothing` with a question back
            where only one thing is missing.
        """
        body, limits = self._without_limits(said)
        if isinstance(limits, Nothing):
            return limits
        for trigger, command in self._splits(body):
            when = self._trigger(trigger, context)
            if when is None:
                continue
            if isinstance(when, Nothing):
                return when
            if do := self._deeds(command, observation, context):
                return NewRule({"when": when, "do": do, **limits}, said.plain())
        return None

    def _splits(self, said: Said) -> Iterator[tuple[Said, Said]]:
        """Every way to part a sentence into its trigger and its command."""
        words, size = said.words, len(said.words)
        if (length := self._table["openers"].match_at(words, 0)) or self._each(words, 0):
            for at in range(size - 1, length, -1):
                begin = at + self._table["then"].match_at(words, at)
                yield said.part(length, at), said.part(begin, size)
        for at in range(1, size - 1):
            length = self._table["openers"].match_at(words, at)
            if length or self._each(words, at):
                yield said.part(at + length, size), said.part(0, at)

    def _each(self, words: tuple[str, ...], at: int) -> int:
        return self._table["each"].match_at(words, at)

    def _without_limits(self, said: Said) -> tuple[Said, dict[str, Any] | Nothing]:
        """The sentence without its `but not at night`, and what that adds to the rule."""
        for at in range(1, len(said.words)):
            for name in ("but_not", "but_only"):
                if length := self._table[name].match_at(said.words, at):
                    hours = self._hours(said.words[at + length :])
                    if isinstance(hours, Nothing):
                        return said, hours
                    if hours and name == "but_not":
                        return said.part(0, at), {"quiet_hours": hours}
                    if hours:
                        return said.part(0, at), {"only_if": [{"between": hours}]}
        return said, {}

    def _hours(self, words: tuple[str, ...]) -> str | Nothing | None:
        """`22:00-06:00` from `at night` or `between ten and seven`; None for anything else."""
        if self._table["night"].equals(words):
            return self._words.say("night_hours")
        if not (length := self._table["between"].match_at(words, 0)):
            return None
        for at in range(length + 1, len(words) - 1):
            if joined := self._table["and"].match_at(words, at):
                first = self._moments.read_time(words[length:at], needs_at=False)
                last = self._moments.read_time(words[at + joined :], needs_at=False)
                if first and last and first.at and last.at:
                    return self._window(first.at, last.at)
        return None

    def _window(self, first: LocalTime, last: LocalTime) -> str | Nothing:
        """Ten to seven is the night; where both halves of the day fit, it has to be asked."""
        start, end = first.hour, last.hour
        if first.may_be_later and last.may_be_later and start > end:
            start += 12
        elif first.may_be_later or last.may_be_later:
            return Nothing("incomplete", self._words.say("which_half"))
        return f"{start:02d}:{first.minute:02d}-{end:02d}:{last.minute:02d}"

    def _deeds(
        self, said: Said, observation: Observation, context: Context
    ) -> list[dict[str, Any]] | None:
        """What is done, from a command that would be understood by itself."""
        command, for_s = said, None
        for at in range(1, len(said.words)):
            length = self._table["for"].match_at(said.words, at)
            seconds = self._moments.spans.read(said.words[at + length :]) if length else None
            if seconds:
                command, for_s = said.part(0, at), seconds
                break
        found = self._chain.recognise(command.plain(), observation, context).found
        if found is None or not isinstance(found.outcome, Act):
            return None
        lasting = {} if for_s is None else {"for_s": float(for_s)}
        return [
            {"device": a.device, "action": a.name, "args": dict(a.args), **lasting}
            for a in found.outcome.actions
        ]

    def _trigger(self, said: Said, context: Context) -> dict[str, Any] | Nothing | None:
        return (
            self._daily(said.words)
            or self._crossing(said, context)
            or self._becoming(said, context)
        )  # fmt: skip

    def _daily(self, words: tuple[str, ...]) -> dict[str, Any] | Nothing | None:
        """`every day at 7 am`, `every monday at noon`."""
        length = self._each(words, 0)
        if not length:
            return None
        days, rest = self._days(words[length:])
        when = self._moments.read_time(rest) if days is not None else None
        if when is None or when.at is None or when.at.in_days or when.at.weekday is not None:
            return None
        if when.at.may_be_later:
            return Nothing("incomplete", self._words.say("which_half"))
        trigger: dict[str, Any] = {"at": f"{when.at.hour:02d}:{when.at.minute:02d}"}
        return trigger | ({"days": days} if days else {})

    def _days(self, words: tuple[str, ...]) -> tuple[list[str] | None, tuple[str, ...]]:
        """The days of the week that words begin with, none for every day, and the rest of them."""
        for name, days in (("day", []), ("weekday", _DAYS[:5]), ("weekend", _DAYS[5:])):
            if length := self._table[name].match_at(words, 0):
                return list(days), words[length:]
        if words and words[0] in self._words.weekdays:
            return [_DAYS[self._words.weekdays.index(words[0])]], words[1:]
        return None, words

    def _crossing(self, said: Said, context: Context) -> dict[str, Any] | None:
        """`the soil is below thirty percent`."""
        words = said.words
        for at in range(1, len(words) - 1):
            for side in ("below", "above"):
                if length := self._table[side].match_at(words, at):
                    device = self._sensor(said.part(0, at), context, _SENSORS)
                    bound = self._number(words[at + length :], device) if device else None
                    if device and bound is not None:
                        return {"device": device.id, side: bound}
        return None

    def _becoming(self, said: Said, context: Context) -> dict[str, Any] | None:
        """`the button is pressed`, `the back door opens`."""
        size = len(said.words)
        for at in range(1, size):
            for state in _STATES:
                if self._table[state].match_at(said.words, at) != size - at:
                    continue
                if device := self._sensor(said.part(0, at), context, _STATEFUL):
                    is_watch = device.kind == "binary_sensor"
                    value = _OPENING.get(state, state) if is_watch else state
                    return {"device": device.id, "value": value}
        return None

    def _sensor(self, said: Said, context: Context, kinds: frozenset[str]) -> Device | None:
        """The one device that stands before a verb such as "goes"."""
        size = len(said.words)
        for at in range(1, size + 1):
            if at < size and self._table["verbs"].match_at(said.words, at) != size - at:
                continue
            found = self._directory.find(said.part(0, at).plain(), kinds=kinds, area=context.area)
            if found and len(found.devices) == 1:
                return self._home.by_id[found.devices[0]]
        return None

    def _number(self, words: tuple[str, ...], device: Device) -> float | None:
        """A number with the device's own unit, or with none."""
        minus = self._table["minus"].match_at(words, 0)
        read = self._moments.spans.number(tuple(w.lstrip("-") for w in words), minus)
        if read is None:
            return None
        sign = -1.0 if minus or words[0].startswith("-") else 1.0
        units = self._words.units.get(device.unit or "")
        rest = words[read.end :]
        if rest and not (units and units.equals(rest)):
            return None
        return sign * read.value
