"""Proof of progress: every loop shows that it moves, and one place looks at all of them.

A thread that stands still while the tick goes on is as dead as a dead process, and nobody would
restart it. So each loop counts its rounds here, and `late` names those that work on something for
longer than they may. The tick asks before it tells systemd that all is well; its own proof is
that it asks. A loop that waits for work is not late, however long it waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock, Thread, current_thread
from typing import Final

from llmagentos.clock import Instant

WRITE_S: Final = 30.0
"""Longest single write of the journal: a worn SD card stalls for ten seconds and is still worth
waiting for; beyond that nothing that was promised can be kept."""

SERVE_S: Final = 60.0
"""Longest single request: the language model and the tick are waited for within it, each for a
bounded time of seconds."""

MOVE_S: Final = 15.0
"""Longest round of a loop that only passes things on."""


class Beat:
    """What one loop shows of itself. Written by that loop's thread alone."""

    def __init__(self, name: str, *, deadline_s: float) -> None:
        """At rest; see `Progress.loop`."""
        self.name = name
        self.deadline_s = deadline_s
        # One word, replaced as a whole, so that a reader on another thread sees no half of it.
        self._word = (0, False)
        self._thread: Thread | None = None

    def busy(self) -> None:
        """The loop has found something to do."""
        self._show(is_busy=True)

    def beat(self) -> None:
        """The loop has done one step of it, and goes on."""
        self.busy()

    def idle(self) -> None:
        """The loop waits: for work, or for the world outside, which may take any time."""
        self._show(is_busy=False)

    def __enter__(self) -> Beat:
        self.busy()
        return self

    def __exit__(self, *_: object) -> None:
        self.idle()

    @property
    def word(self) -> tuple[int, bool]:
        """How often it moved, and whether it is at work."""
        return self._word

    @property
    def is_dead(self) -> bool:
        """Whether its thread has ended without anybody's saying so."""
        return self._thread is not None and not self._thread.is_alive()

    def _show(self, *, is_busy: bool) -> None:
        self._thread = self._thread or current_thread()
        self._word = (self._word[0] + 1, is_busy)


@dataclass(slots=True)
class _Watched:
    beat: Beat
    word: tuple[int, bool] = (-1, False)
    """What it showed when it was last seen to have moved."""
    since_s: float = 0.0
    """Monotonic second of that look."""


class Progress:
    """All loops of a process, and who of them stands still."""

    def __init__(self) -> None:
        """Nobody is watched yet."""
        self._lock = Lock()
        self._watched: list[_Watched] = []

    def loop(self, name: str, *, deadline_s: float) -> Beat:
        """Watch one more loop.

        Args:
            name: of its thread, for people who read the log.
            deadline_s: longest time between two signs of it while it is at work.
        """
        beat = Beat(name, deadline_s=deadline_s)
        with self._lock:
            self._watched.append(_Watched(beat))
        return beat

    def forget(self, beat: Beat) -> None:
        """Watch it no more: its thread has ended as it should."""
        with self._lock:
            self._watched = [each for each in self._watched if each.beat is not beat]

    def late(self, now: Instant) -> tuple[str, ...]:
        """Names of the loops that have not moved in time, or died. Called by one thread alone.

        A loop's time counts from the first look that found it standing there, so that a whole
        machine that was held up for a while takes nobody for dead.
        """
        with self._lock:
            watched = tuple(self._watched)
        return tuple(each.beat.name for each in watched if _is_late(each, now.mono_s))


def _is_late(watched: _Watched, now_s: float) -> bool:
    word = watched.beat.word
    if word != watched.word:
        watched.word, watched.since_s = word, now_s
    overdue = word[1] and now_s - watched.since_s > watched.beat.deadline_s
    return overdue or watched.beat.is_dead
