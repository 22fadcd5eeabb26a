"""The book of rules: those of agentd.toml and those added at run time, and what each remembers."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from agentd.agents import mark
from agentd.agents.fields import Unreadable
from agentd.agents.firing import Firing, find_blindness, find_reason_against, step
from agentd.agents.promise import PromiseError
from agentd.agents.rule import Rule
from agentd.agents.rule_source import Mistake, read_rule
from agentd.agents.shelf import Shelf
from agentd.agents.sight import Sight
from agentd.agents.trigger import Memory
from agentd.rule_schema import RuleTable
from agentd.toml_source import WrongTable, convert
from llmagentos.home import Device

_log = logging.getLogger(__name__)

KIND: Final = "rule"
"""What the documents are called on the shelf. A rule's own lies under its id; `off:<id>` says that
it is switched off, `mark:<id>` holds what it remembers."""

MAX_RULES: Final = 200
"""Most rules that may be added at run time."""


@dataclass(frozen=True, slots=True)
class Run:
    """A rule that runs now."""

    rule: Rule
    firing: Firing


@dataclass(frozen=True, slots=True)
class Missed:
    """A rule whose time of day was over for too long."""

    rule: Rule
    late_s: float


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule as people look at it."""

    id: str
    written: Mapping[str, Any]
    is_stored: bool
    """True when it was added at run time, False when it stands in agentd.toml."""
    is_enabled: bool
    waits: str = ""
    """Why it could not run now, as a phrase; empty when nothing stands in its way."""
    ran_s: float | None = None
    """Wall clock of its last run since the start; None for none."""
    kept_from: str = ""
    """Why it did not run when it was last set off; empty when it did."""
    kept_from_s: float | None = None
    """Wall clock of that; None when it did run."""
    problem: str = ""
    """Why it cannot run at all; empty when it can."""


@dataclass
class _Diary:
    """What one rule went through since the start."""

    memory: Memory = field(default_factory=Memory)
    ran_s: float | None = None
    kept_from: str = ""
    kept_from_s: float | None = None


class RuleBook:
    """All rules of the box. Doors add and remove, the tick runs them."""

    def __init__(self, shelf: Shelf) -> None:
        """Read what was added in earlier runs; `adopt` lets it work."""
        self._shelf = shelf
        self._door = threading.Lock()
        self._lock = threading.Lock()
        self._fixed: tuple[Rule, ...] = ()
        self._devices: Mapping[str, Device] = {}
        documents = shelf.saved(KIND)
        self._marks = {name[5:]: text for name, text in documents.items() if name[:5] == "mark:"}
        self._off = {name[4:] for name in documents if name[:4] == "off:"}
        self._tables = {name: text for name, text in documents.items() if ":" not in name}
        self._running: tuple[Rule, ...] = ()
        self._problems: dict[str, str] = {}
        self._diaries: dict[str, _Diary] = {}

    # what doors ask for; each change is on disk before it returns ------------------------------

    def read(self, table: Mapping[str, Any]) -> Rule:
        """Read a rule without taking it in.

        Raises:
            PromiseError: it cannot be used as it is written.
        """
        return read_table(table, known=self._devices)

    def add(self, table: Mapping[str, Any]) -> Rule:
        """Take in a rule, or another version of one that was added before. Blocks up to 2 s.

        Raises:
            PromiseError: it cannot be used as it is written, or it cannot be written down.
        """
        rule = self.read(table)
        with self._door:
            if any(rule.id == each.id for each in self._fixed):
                text = f"rule {rule.id!r} stands in agentd.toml; change it there"
                raise PromiseError("taken", text)
            if rule.id not in self._tables and len(self._tables) >= MAX_RULES:
                raise PromiseError("too_many", f"there are {MAX_RULES} added rules already")
            text = json.dumps(dict(rule.written), ensure_ascii=False)
            self._shelf.keep(KIND, rule.id, text)
            with self._lock:
                self._tables[rule.id] = text
                self._settle()
        return rule

    def remove(self, name: str) -> None:
        """Take out a rule that was added. Blocks up to 2 s.

        Raises:
            PromiseError: there is none of that id, or that cannot be written down.
        """
        with self._door:
            if name not in self._tables:
                raise self._unknown(name)
            self._shelf.forget(KIND, name)
            for prefix in ("mark:", "off:"):
                self._shelf.post_drop(KIND, prefix + name)
            with self._lock:
                del self._tables[name]
                self._off.discard(name)
                self._settle()

    def enable(self, name: str, *, is_enabled: bool) -> None:
        """Switch a rule on or off, wherever it stands. Blocks up to 2 s.

        Raises:
            PromiseError: there is none of that id, or that cannot be written down.
        """
        with self._door:
            if name not in self._tables and name not in {each.id for each in self._fixed}:
                raise self._unknown(name)
            if is_enabled:
                self._shelf.forget(KIND, f"off:{name}")
            else:
                self._shelf.keep(KIND, f"off:{name}", "{}")
            with self._lock:
                (self._off.discard if is_enabled else self._off.add)(name)
                self._settle()

    def listed(self, sight: Sight) -> tuple[Listed, ...]:
        """Every rule, and what stands in its way at this instant."""
        with self._lock:
            running, stored = self._running, set(self._tables)
            broken = [
                Listed(name, _written(self._tables[name]), True, name not in self._off,
                       problem=problem)
                for name, problem in self._problems.items()
            ]  # fmt: skip
            return (*(self._list(rule, sight, rule.id in stored) for rule in running), *broken)

    # what the tick asks for; nothing here blocks -----------------------------------------------

    def adopt(self, rules: Iterable[Rule], devices: Mapping[str, Device]) -> None:
        """Take over the rules of a configuration, and the devices that all rules may speak of."""
        with self._lock:
            self._fixed, self._devices = tuple(rules), devices
            self._settle()
            for diary in self._diaries.values():  # the time zone may be another
                diary.memory = replace(diary.memory, coming_s=0.0)

    def turn(self, sight: Sight) -> list[Run | Missed]:
        """Let every rule see an instant."""
        found: list[Run | Missed] = []
        with self._lock:
            for rule in self._running:
                found += self._step(rule, self._diaries[rule.id], sight)
        return found

    def refused(self, name: str, reason: str, *, wall_s: float) -> None:
        """Note that the gate did not let a rule's wish pass."""
        with self._lock:
            if diary := self._diaries.get(name):
                diary.kept_from, diary.kept_from_s = reason, wall_s

    # inside, under the lock --------------------------------------------------------------------

    def _step(self, rule: Rule, diary: _Diary, sight: Sight) -> Iterable[Run | Missed]:
        before = diary.memory
        seen = step(rule, before, sight)
        diary.memory = seen.memory
        if mark.lasting_part(rule, before) != mark.lasting_part(rule, seen.memory):
            self._shelf.post(KIND, f"mark:{rule.id}", mark.encode(rule, seen.memory))
        if seen.obstacle:
            diary.kept_from, diary.kept_from_s = seen.obstacle, sight.now.at.wall_s
        if seen.missed_s:
            yield Missed(rule, seen.missed_s)
        for firing in seen.firings:
            diary.ran_s, diary.kept_from, diary.kept_from_s = sight.now.at.wall_s, "", None
            yield Run(rule, firing)

    def _settle(self) -> None:
        """What runs now, and what each of them remembers."""
        fixed = {rule.id: rule for rule in self._fixed}
        stored: dict[str, Rule] = {}
        self._problems = {}
        for name, text in self._tables.items():
            if name in fixed:
                self._problems[name] = "a rule of this id stands in agentd.toml too; that one runs"
                continue
            try:
                stored[name] = read_table(json.loads(text), known=self._devices)
            except (PromiseError, ValueError) as exc:
                self._problems[name] = str(exc)
        old = {rule.id: rule for rule in self._running}
        self._running = tuple(
            replace(rule, is_enabled=rule.is_enabled and rule.id not in self._off)
            for rule in (*fixed.values(), *stored.values())
        )
        self._diaries = {
            rule.id: self._diary(rule, old.get(rule.id), self._diaries.get(rule.id))
            for rule in self._running
        }

    def _diary(self, rule: Rule, old: Rule | None, diary: _Diary | None) -> _Diary:
        if old and diary:
            is_same = mark.fingerprint(old) == mark.fingerprint(rule)
            return diary if is_same else _Diary()
        try:
            return _Diary(mark.decode(self._marks[rule.id], rule))
        except KeyError:
            return _Diary()
        except Unreadable as exc:
            _log.info("rule %s starts anew: %s", rule.id, exc)
            return _Diary()

    def _list(self, rule: Rule, sight: Sight, is_stored: bool) -> Listed:
        diary = self._diaries[rule.id]
        waits = find_reason_against(rule, diary.memory, sight) or find_blindness(rule, sight)
        return Listed(
            rule.id, rule.written, is_stored, rule.is_enabled, waits,
            diary.ran_s, diary.kept_from, diary.kept_from_s,
        )  # fmt: skip

    def _unknown(self, name: str) -> PromiseError:
        words = ", ".join([*(each.id for each in self._fixed), *self._tables]) or "none"
        if any(name == each.id for each in self._fixed):
            return PromiseError("taken", f"rule {name!r} stands in agentd.toml; change it there")
        return PromiseError("unknown", f"no rule {name[:64]!r}; there are {words}")


def _written(text: str) -> Mapping[str, Any]:
    """A stored table for the list; empty when it is none."""
    try:
        table = json.loads(text)
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}


def read_table(table: Mapping[str, Any], *, known: Mapping[str, Device]) -> Rule:
    """A rule that came as JSON.

    Raises:
        PromiseError: it cannot be used; the text names rule and key.
    """
    name = str(table.get("id", ""))[:64] if isinstance(table, Mapping) else ""
    try:
        return read_rule(convert(table, RuleTable), known=known, written=table)
    except (WrongTable, Mistake) as exc:
        raise PromiseError("unreadable", f"rule {name!r}: {exc}") from exc
