"""The configuration in force, and the house that was furnished from it.

A broken file never takes a running box down: at the start the last good copy steps in, on reload
nothing changes.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Final

from agentd import good_copy
from agentd.config import Config, read
from agentd.furnish import Furniture
from agentd.inbox import Inbox
from agentd.loop import Loop
from agentd.world import House
from llmagentos.clock import Clock

_log = logging.getLogger(__name__)

RELOAD_S: Final = 5.0
"""Longest wait for the tick to take over a new configuration."""


class Household:
    """Reads agentd.toml, furnishes the house and hands it to the loop."""

    def __init__(
        self,
        path: Path,
        *,
        run: Path,
        data: Path,
        inbox: Inbox,
        clock: Clock,
        is_held: bool = False,
        is_bare: bool = False,
    ) -> None:
        """Read the configuration; nothing is opened yet.

        Args:
            path: agentd.toml.
            run: folder of the sockets.
            data: folder of the last good copy.
            inbox: takes the sensors' readings.
            clock: stamps them.
            is_held: leave out rules and sensors: outputs are held safe.
            is_bare: leave out the devices too, since they may be what kills the box.
        """
        self._path, self._data = path, data
        self._inbox, self._clock = inbox, clock
        self._is_held, self._is_bare = is_held, is_bare
        self.config, self.is_lost = good_copy.load(path, data=data)
        """`is_lost`: there was neither a usable file nor a good copy."""
        self._furniture = Furniture(run, post=inbox.post, clock=clock)

    def furnish(self) -> House:
        """Open what the configuration names; in the tick's thread, or before it runs."""
        return self._open(self.config)[0]

    def start_sensors(self) -> None:
        """Let every sensor post that does not yet; none while the box is held."""
        if not self._is_held:
            self._furniture.start_sensors()

    def reload(self, loop: Loop) -> list[str]:
        """Read the file again, from a door's thread; a broken one changes nothing.

        Returns:
            Ids of the devices that changed.

        Raises:
            ConfigError: the file cannot be used.
        """
        config = read(self._path)
        done: Future[list[str]] = Future()
        self._inbox.call(lambda: done.set_result(self._adopt(config, loop)))
        changed = done.result(RELOAD_S)
        self.is_lost = False
        self.keep_good_copy()
        self.start_sensors()
        return changed

    def retry(self, loop: Loop) -> None:
        """Take in what was unplugged at the start and is there now; in the tick's thread."""
        if back := self._furniture.retry():
            self._adopt(self.config, loop)
            reason = "It has just been found."
            loop.make_safe(self._clock(), rule="start", reason=reason, only=back)
            self.start_sensors()

    def keep_good_copy(self) -> None:
        """Remember the configuration that works; a disk that cannot is told about, not fatal."""
        try:
            good_copy.keep(self.config, data=self._data)
        except OSError as exc:
            _log.warning("no good copy of %s is kept: %s", self._path, exc)

    def close(self) -> None:
        """Let go of everything; levels stay as they are."""
        self._furniture.close()

    def _adopt(self, config: Config, loop: Loop) -> list[str]:
        house, changed = self._open(config)
        loop.adopt(house, self._clock())
        self.config = config
        return changed

    def _open(self, config: Config) -> tuple[House, list[str]]:
        if self._is_held:
            config = replace(config, rules=())
        if self._is_bare:
            config = replace(config, devices=(), faults=())
        return self._furniture.furnish(config)
