"""A few workers and a short queue: work of one key in its order, work of others beside it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Final

from agentd.progress import SERVE_S, Beat, Progress

_LOG: Final = logging.getLogger(__name__)

Job = Callable[[], None]


class Lanes:
    """Takes jobs without ever blocking and does them on its own threads."""

    def __init__(
        self, *, workers: int, waiting: int, name: str, progress: Progress | None = None
    ) -> None:
        """Prepare.

        Args:
            workers: jobs done at a time.
            waiting: jobs that may wait; more are not taken.
            name: of the threads, for people who look at them.
            progress: watches each of them.
        """
        progress = progress or Progress()
        self._waiting = waiting
        self._changed = Condition()
        self._jobs: deque[tuple[str, Job]] = deque()
        self._busy: set[str] = set()
        self._is_closed = False
        self._threads = [
            Thread(
                target=self._work,
                args=(progress.loop(f"{name}-{n}", deadline_s=SERVE_S),),
                name=f"{name}-{n}",
                daemon=True,
            )
            for n in range(workers)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def offer(self, key: str, job: Job) -> bool:
        """Take a job, unless too many wait already; False when it was not taken.

        Two jobs with one key are never done at the same time, nor out of their order.
        """
        with self._changed:
            if self._is_closed or len(self._jobs) >= self._waiting:
                return False
            self._jobs.append((key, job))
            self._changed.notify()
            return True

    def close(self) -> None:
        """Drop what waits and end the threads; waits up to 1 s for each job under way."""
        with self._changed:
            self._is_closed = True
            self._jobs.clear()
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(1.0)

    def _work(self, beat: Beat) -> None:
        beat.idle()
        while (found := self._take()) is not None:
            key, job = found
            with beat:
                try:
                    job()
                except Exception:  # noqa: BLE001 - one defective job must not end the lane
                    _LOG.exception("a job of %s failed", key)
            with self._changed:
                self._busy.discard(key)
                self._changed.notify()

    def _take(self) -> tuple[str, Job] | None:
        with self._changed:
            while not self._is_closed:
                for place, (key, job) in enumerate(self._jobs):
                    if key not in self._busy:
                        del self._jobs[place]
                        self._busy.add(key)
                        return key, job
                self._changed.wait()
            return None
