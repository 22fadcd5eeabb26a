"""Drives the tick: takes what came in, lets the loop turn, and shows that all loops move."""

from __future__ import annotations

import logging
import threading
from typing import Final

from agentd.health import Health
from agentd.household import Household
from agentd.inbox import Inbox
from agentd.loop import Loop
from agentd.progress import Progress
from llmagentos import notify
from llmagentos.clock import Clock, Instant

_log = logging.getLogger(__name__)

RETRY_S: Final = 5.0
"""Pause between two tries to open what was unplugged."""


class Pulse:
    """The main thread's work between start and end."""

    def __init__(
        self,
        loop: Loop,
        inbox: Inbox,
        household: Household,
        *,
        health: Health,
        progress: Progress,
        clock: Clock,
    ) -> None:
        """Nothing beats yet."""
        self._loop, self._inbox, self._household = loop, inbox, household
        self._health, self._progress, self._clock = health, progress, clock
        self._late: tuple[str, ...] = ()

    def beat_until(self, ending: threading.Event) -> None:
        """Turn the loop until told to end; whoever sets the event wakes the inbox too."""
        wait_s, retried_at = 0.0, self._clock()
        while not ending.is_set():
            batch = self._inbox.take(wait_s=wait_s)
            began = self._clock()
            for work in batch.calls:
                work()
            wait_s = self._loop.tick(batch, began)
            self._health.note_turn(began.age_s(self._clock()) * 1000.0)
            self._tell_watchdog(began)
            if retried_at.age_s(began) >= RETRY_S:
                retried_at = began
                self._household.retry(self._loop)

    def _tell_watchdog(self, now: Instant) -> None:
        """Say that the box makes progress, unless one of its loops makes none: systemd hears
        nothing then, and starts it anew."""
        late = self._progress.late(now)
        if late and late != self._late:
            _log.error("%s: no progress, so the watchdog is told of none", ", ".join(late))
        self._late = late
        if not late:
            notify.watchdog()
