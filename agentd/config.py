"""agentd.toml -> frozen values, with errors that name file, line, key and what is allowed.

A mistake inside one `[[device]]` spoils that device alone: it comes back as a `Fault`. One in a
`[[rule]]` or `[[scene]]` drops that one. Anything else makes the whole file unusable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentd.agents.rule import Rule
from agentd.agents.rule_source import Mistake, read_actions, read_rule
from agentd.limit_check import Around, find_mistake, read_neighbours, safe_state
from agentd.rule_schema import RuleTable
from agentd.schema import (
    AreaTable,
    BoardTable,
    DeviceTable,
    FloorTable,
    HomeTable,
    JournalTable,
    Limits,
    LlmTable,
    MqttTable,
    NodeTable,
    SceneTable,
    VoiceTable,
)
from agentd.toml_source import ConfigError, Source
from llmagentos.home import Area, Device, Floor, Scene
from llmagentos.kind import ACTIONS

RESERVED_IDS: Final = frozenset({"status", "info", "event", "request", "response"})
"""Topic levels of the public MQTT contract; no device may be called so."""

_TABLES: Final[Mapping[str, type[Any]]] = {
    "home": HomeTable, "node": NodeTable, "mqtt": MqttTable, "board": BoardTable,
    "voice": VoiceTable, "journal": JournalTable, "llm": LlmTable,
}  # fmt: skip
_PASSWORD: Final = re.compile(
    r"""(\bpassword["']?\s*=\s*)("{3}[\s\S]*?"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
)
_LISTS: Final = ("floor", "area", "link", "device", "rule", "scene")
_RISKY_KINDS: Final = frozenset({"lock", "valve", "cover"})


@dataclass(frozen=True, slots=True)
class Fault:
    """A device that cannot be used as it is written."""

    device: Device
    """What is known of it."""

    reason: str
    """What is wrong, with file and line."""


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One usable `[[device]]`."""

    device: Device
    driver: str
    """Name in the driver registry."""
    pin: int | None
    link: str | None
    """Id of a `[[link]]`."""
    options: Mapping[str, Any]
    limits: Limits
    safe_state: str | float
    """off, on, keep or a value; settled from limits and kind."""
    where: str = field(compare=False)
    """File and line of its table, for later errors."""


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One `[[link]]`."""

    id: str
    driver: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Config:
    """A whole agentd.toml, checked."""

    path: Path
    text: str
    """The file as it was read."""
    home: HomeTable
    node: NodeTable
    mqtt: MqttTable
    board: BoardTable
    voice: VoiceTable
    journal: JournalTable
    llm: LlmTable
    floors: tuple[Floor, ...] = ()
    areas: tuple[Area, ...] = ()
    links: tuple[LinkRow, ...] = ()
    devices: tuple[DeviceRow, ...] = ()
    faults: tuple[Fault, ...] = ()
    rules: tuple[Rule, ...] = ()
    scenes: tuple[Scene, ...] = ()
    errors: tuple[str, ...] = field(default=())
    """Every mistake that was survived, one line each."""

    @property
    def temperature_unit(self) -> str:
        """°C or °F."""
        return "°F" if self.home.units == "us" else "°C"


def read(path: Path) -> Config:
    """Read and check one file.

    Raises:
        ConfigError: it cannot be read, is not TOML, or a table other than a device, rule or scene
            is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: cannot be read: {exc}") from exc
    return parse(text, path=path)


def parse(text: str, *, path: Path) -> Config:
    """Check one file's text; `path` is only named in errors.

    Raises:
        ConfigError: as `read`.
    """
    source = Source(text, path=path)
    _refuse_unknown_tables(source)
    tables: dict[str, Any] = {
        name: source.convert(name, 0, source.document.get(name, {}), kind)
        for name, kind in _TABLES.items()
    }
    areas = tuple(
        Area(each.id, each.name or _spoken(each.id), each.aliases, each.floor)
        for each in _unique(source, "area", AreaTable)
    )
    floors = tuple(
        Floor(each.id, each.name or _spoken(each.id), each.aliases)
        for each in _unique(source, "floor", FloorTable)
    )
    links = tuple(_links(source))
    around = Around(
        read_neighbours(source.rows("device")),
        has_second_channel=tables["mqtt"].broker != "off" or tables["voice"].enabled,
    )
    reader = _Reader(source, {area.id for area in areas}, {link.id for link in links}, around)
    rows = [reader.device(index, raw) for index, raw in enumerate(source.rows("device"))]
    known = {row.device.id: row.device for row in rows if row}
    return Config(
        path=path,
        text=text,
        **tables,
        areas=areas,
        floors=floors,
        links=links,
        devices=tuple(row for row in rows if isinstance(row, DeviceRow)),
        faults=tuple(row for row in rows if isinstance(row, Fault)),
        rules=tuple(reader.rules(known)),
        scenes=tuple(reader.scenes(known)),
        errors=tuple(reader.errors),
    )


def masked(config: Config) -> str:
    """The file's text with every password replaced by stars, wherever on a line it stands."""
    return _PASSWORD.sub(r'\1"********"', config.text)


def _refuse_unknown_tables(source: Source) -> None:
    for name in source.document:
        if name not in _TABLES and name not in _LISTS:
            allowed = ", ".join((*_TABLES, *(f"[{each}]" for each in _LISTS)))
            raise source.error(name, 0, "", f"unknown table [{name}]; allowed are {allowed}")


def _unique(source: Source, table: str, kind: type[Any]) -> list[Any]:
    found: dict[str, Any] = {}
    for index, raw in enumerate(source.rows(table)):
        row = source.convert(table, index, raw, kind)
        if row.id in found:
            raise source.error(table, index, "id", f"{table} {row.id!r} stands twice")
        found[row.id] = row
    return list(found.values())


def _links(source: Source) -> list[LinkRow]:
    found: list[LinkRow] = []
    for index, raw in enumerate(source.rows("link")):
        name, driver = raw.get("id"), raw.get("driver")
        if not isinstance(name, str) or not isinstance(driver, str):
            raise source.error("link", index, "", "a [[link]] needs id and driver, both texts")
        if name in {link.id for link in found}:
            raise source.error("link", index, "id", f"link {name!r} stands twice")
        options = {key: value for key, value in raw.items() if key not in ("id", "driver")}
        found.append(LinkRow(name, driver, options | options.pop("options", {})))
    return found


class _Reader:
    """Checks devices, rules and scenes; collects the mistakes that are survived."""

    def __init__(self, source: Source, areas: set[str], links: set[str], around: Around) -> None:
        self._source = source
        self._around = around
        self._areas = areas
        self._links = links
        self._owner_of_pin: dict[int, str] = {}
        self._ids: set[str] = set()
        self.errors: list[str] = []

    def device(self, index: int, raw: dict[str, Any]) -> DeviceRow | Fault | None:
        """A usable row, a device with its fault, or None for one that cannot even be named."""
        is_twin = raw.get("id") in self._ids
        try:
            table = self._source.convert("device", index, raw, DeviceTable)
            self._check(index, table)
            return DeviceRow(
                device=_device_of(table),
                driver=table.driver,
                pin=table.pin,
                link=table.link,
                options=table.options,
                limits=table.limits,
                safe_state=safe_state(table),
                where=self._source.where("device", index),
            )
        except ConfigError as exc:
            self.errors.append(str(exc))
            known = None if is_twin else _device_despite_fault(raw)
            return Fault(known, str(exc)) if known else None

    def _check(self, index: int, table: DeviceTable) -> None:
        if table.id in RESERVED_IDS:
            raise self._error(index, "id", f"device id {table.id!r} is reserved for MQTT topics")
        if table.id in self._ids:
            raise self._error(index, "id", f"device {table.id!r} stands twice")
        self._ids.add(table.id)
        self._check_named(index, "area", table.area, self._areas)
        self._check_named(index, "link", table.link, self._links)
        if mistake := find_mistake(table, self._around):
            raise self._error(index, *mistake)
        self._claim_pins(index, table)

    def _check_named(self, index: int, key: str, name: str | None, known: set[str]) -> None:
        if name is not None and name not in known:
            there_are = ", ".join(sorted(known)) or "none yet"
            raise self._error(index, key, f"no [[{key}]] {name!r}; there are {there_are}")

    def _claim_pins(self, index: int, table: DeviceTable) -> None:
        pins: dict[str, Any] = {"pin": table.pin}
        pins |= {f"options.{key}": pin for key, pin in table.options.items() if "pin" in key}
        for key, pin in pins.items():
            if not isinstance(pin, int) or isinstance(pin, bool):
                continue
            if owner := self._owner_of_pin.get(pin):
                raise self._error(index, key, f"pin {pin} already belongs to device {owner!r}")
            self._owner_of_pin[pin] = table.id

    def _error(self, index: int, key: str, text: str) -> ConfigError:
        return self._source.error("device", index, key, text)

    def rules(self, known: Mapping[str, Device]) -> list[Rule]:
        """The rules that hold; the others are noted as errors."""
        found: list[Rule] = []
        for index, raw in enumerate(self._source.rows("rule")):
            try:
                row = self._source.convert("rule", index, raw, RuleTable)
                if any(row.id == rule.id for rule in found):
                    raise Mistake("id", f"rule {row.id!r} stands twice")
                found.append(read_rule(row, known=known, written=raw))
            except Mistake as exc:
                self.errors.append(str(self._source.error("rule", index, exc.key, str(exc))))
            except ConfigError as exc:
                self.errors.append(str(exc))
        return found

    def scenes(self, known: Mapping[str, Device]) -> list[Scene]:
        """The scenes that hold; the others are noted as errors."""
        found: list[Scene] = []
        for index, raw in enumerate(self._source.rows("scene")):
            try:
                row = self._source.convert("scene", index, raw, SceneTable)
                actions = read_actions(row.actions, known=known, key="actions")
            except Mistake as exc:
                self.errors.append(str(self._source.error("scene", index, exc.key, str(exc))))
            except ConfigError as exc:
                self.errors.append(str(exc))
            else:
                name = row.name or _spoken(row.id)
                found.append(Scene(row.id, name, row.aliases, actions))
        return found


def _spoken(identifier: str) -> str:
    """`desk_lamp` as a person says it."""
    return identifier.replace("_", " ").replace("-", " ").strip() or identifier


def _device_of(table: DeviceTable) -> Device:
    return Device(
        id=table.id,
        name=table.name or _spoken(table.id),
        kind=table.kind,
        aliases=table.aliases,
        area=table.area,
        device_class=table.device_class,
        unit=table.unit,
        minimum=table.min,
        maximum=table.max,
        modes=table.modes,
        is_risky=bool(table.limits.confirm) or table.kind in _RISKY_KINDS,
    )


def _device_despite_fault(raw: Mapping[str, Any]) -> Device | None:
    """What can be shown of a device whose table is wrong; None when not even its id holds."""
    name, kind = raw.get("id"), raw.get("kind")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9_-]{1,64}", name):
        return None
    if kind not in ACTIONS or name in RESERVED_IDS:
        return None
    return Device(id=name, name=str(raw.get("name") or _spoken(name))[:40], kind=str(kind))
