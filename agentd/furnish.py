"""From a configuration to a house that works: pins, links, sensors and outputs opened.

What did not change between two configurations stays open, so that a reload drops nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentd.config import Config, DeviceRow, LinkRow
from agentd.machine import time_zone
from agentd.safety import Row
from agentd.schema import BoardTable
from agentd.world import House
from hal import registry
from hal.contract import Actuator, HalError, Post, Sensor, Unplugged, Wiring
from hal.link.gpio import open_pins
from llmagentos.clock import Clock
from llmagentos.home import Device, Home

_log = logging.getLogger(__name__)

BOARD_SOCKET: Final = "board.sock"
"""The simulated board's socket in the run folder."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """One working device and what it was made from."""

    row: DeviceRow
    part: Sensor | Actuator


class Furniture:
    """Everything that is open: the one owner of pins, links, sensors and outputs."""

    def __init__(self, run: Path, *, post: Post, clock: Clock) -> None:
        """Nothing is open yet.

        Args:
            run: folder of the sockets, where a simulated board listens.
            post: takes the sensors' readings.
            clock: stamps them.
        """
        self._run = run
        self._post = post
        self._clock = clock
        self._board: BoardTable | None = None
        self._pins: Any = None
        self._no_pins = ""
        self._links: dict[str, tuple[LinkRow, Any]] = {}
        self._no_link: dict[str, str] = {}
        self._parts: dict[str, _Opened] = {}
        self._started: set[str] = set()
        self._away: list[DeviceRow] = []

    def furnish(self, config: Config) -> tuple[House, list[str]]:
        """Close what is gone, open what is new.

        Returns:
            The house, and the ids of the devices that are new, changed or gone.
        """
        wanted = {row.device.id: row for row in config.devices}
        stale_links = self._stale_links(config)
        gone = [
            name
            for name, opened in self._parts.items()
            if opened.row != wanted.get(name)
            or opened.row.link in stale_links
            or config.board != self._board
        ]
        for name in gone:
            self._close_part(name)
        self._open_pins(config.board)
        self._open_links(config, stale_links)
        self._away = []
        new = [row for row in config.devices if row.device.id not in self._parts]
        faults = {fault.device.id: fault.reason for fault in config.faults}
        faults |= {row.device.id: reason for row in new if (reason := self._open_part(row))}
        for reason in faults.values():
            _log.warning("%s", reason)
        changed = dict.fromkeys([*gone, *(row.device.id for row in new)])
        return self._house(config, faults), list(changed)

    def retry(self) -> list[str]:
        """Try again what was away when it was opened: unplugged, or pins that come up late, since
        the kernel shows a GPIO chip to root alone until udev has seen it.

        Returns:
            Ids of the devices that came back; when there are any, `furnish` gives another house.
        """
        if self._no_pins and self._board:
            board, self._board = self._board, None
            self._open_pins(board)
        away, self._away = self._away, []
        return [row.device.id for row in away if not self._open_part(row)]

    def start_sensors(self) -> None:
        """Let every sensor post that does not yet."""
        for name, opened in self._parts.items():
            if isinstance(opened.part, Sensor) and name not in self._started:
                self._started.add(name)
                opened.part.start(self._post, self._clock)

    def close(self) -> None:
        """Let go of everything; levels stay as they are."""
        for name in list(self._parts):
            self._close_part(name)
        for link in list(self._links):
            self._close_link(link)
        self._close_pins()

    def _open_pins(self, board: BoardTable) -> None:
        if board == self._board:
            return
        self._close_pins()
        before, self._board, self._no_pins = self._no_pins, board, ""
        options: dict[str, Any] = {}
        if board.pins == "board":
            options["socket"] = self._run / BOARD_SOCKET
        elif board.chip:
            options["chip"] = board.chip
        try:
            self._pins = open_pins(board.pins, **options)
        except HalError as exc:
            self._no_pins = str(exc)
            if self._no_pins != before:
                _log.error("no pins: %s", exc)

    def _close_pins(self) -> None:
        if self._pins is not None:
            self._pins.close()
            self._pins = None

    def _stale_links(self, config: Config) -> set[str]:
        """Links that are open but changed, gone, or were never opened."""
        wanted = {link.id: link for link in config.links}
        return {name for name, (row, _) in self._links.items() if row != wanted.get(name)}

    def _open_links(self, config: Config, stale: set[str]) -> None:
        for name in stale:
            self._close_link(name)
        self._no_link = {}
        for row in config.links:
            if row.id in self._links:
                continue
            try:
                self._links[row.id] = (row, registry.open_link(row.driver, **row.options))
            except HalError as exc:
                self._no_link[row.id] = f"link {row.id}: {exc}"
                _log.error("link %s: %s", row.id, exc)

    def _open_part(self, row: DeviceRow) -> str:
        """Why the device cannot be used, or nothing."""
        if row.link in self._no_link:
            return self._no_link[row.link]
        link = self._links[row.link][1] if row.link else None
        wiring = Wiring(row.device, row.pin, link, row.options, self._pins)
        try:
            part = registry.build(row.driver, wiring)
        except HalError as exc:
            lacks_pins = bool(self._no_pins) and row.driver.startswith("gpio.")
            if isinstance(exc, Unplugged) or lacks_pins:
                self._away.append(row)
            return f"{row.where}: {self._no_pins if lacks_pins else exc}"
        self._parts[row.device.id] = _Opened(row, part)
        return ""

    def _close_part(self, name: str) -> None:
        opened = self._parts.pop(name)
        self._started.discard(name)
        try:
            opened.part.close()
        except HalError as exc:
            _log.warning("%s did not close: %s", name, exc)

    def _close_link(self, name: str) -> None:
        _, link = self._links.pop(name)
        link.close()

    def _house(self, config: Config, faults: Mapping[str, str]) -> House:
        parts = {name: opened.part for name, opened in self._parts.items()}
        actuators = {name: part for name, part in parts.items() if isinstance(part, Actuator)}
        devices = {row.device.id: _complete(row) for row in config.devices}
        zone = time_zone(config.home.time_zone)
        rows = {
            row.device.id: Row(devices[row.device.id], row.limits, row.safe_state, zone)
            for row in config.devices
            if row.device.id in actuators
        }
        periods = {name: part.period_s for name, part in parts.items() if isinstance(part, Sensor)}
        home = Home(
            devices=(*devices.values(), *(fault.device for fault in config.faults)),
            areas=config.areas,
            floors=config.floors,
            language=config.home.language,
            temperature_unit=config.temperature_unit,
            scenes=config.scenes,
        )
        return House(
            home=home,
            rows=rows,
            actuators=actuators,
            period_s={name: period for name, period in periods.items() if period is not None},
            rules=config.rules,
            faults=faults,
            zone=zone,
        )


def _complete(row: DeviceRow) -> Device:
    """The device with what its driver knows of it; as written where the driver is unknown."""
    try:
        return registry.complete(row.device, driver=row.driver)
    except HalError:
        return row.device
