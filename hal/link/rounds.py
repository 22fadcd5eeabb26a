"""Two threads for a slow bus: one looks at its parts in turn, one carries out orders.

Whoever asks for something is never waited for and never waits: a bus that hangs stops these two
threads and nothing else. One lock, held for one look or one order, keeps them off each other; what
was ordered goes first.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hal.contract import HalError, Unplugged

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 4.0
"""Pause before a part that failed is looked at again; it doubles from the first to the longest, so
that a part that is put back is seen within 5 s. A longer period of its own does not delay this."""

CLOSE_S: Final = 0.4
"""Longest wait for each of the two threads to end."""

YIELD_S: Final = 1.0
"""Longest that a look lets orders go first, so that many of them leave no part unseen."""

ORDERS: Final = 64
"""Orders that may wait; a bus that hangs must not fill the memory."""

Look = Callable[[], None]
"""Looks at one part and hands on what it saw; may take as long as the bus does."""

OnLost = Callable[[str], None]
"""Told why a look or an order failed, each time; must not block."""


@dataclass(slots=True)
class _Turn:
    """One part's place in the rounds."""

    look: Look
    on_lost: OnLost
    period_s: float
    pause_s: float
    """Pause after the next failure."""
    due_s: float = 0.0
    """Seconds from now until the next look."""
    is_over: bool = False


class Rounds:
    """Everything that is done on one bus, one thing at a time."""

    def __init__(self, name: str, *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        """Nothing is done and no thread runs before it is needed.

        Args:
            name: of the threads.
            first_pause_s: pause after the first failure of a part; doubles up to 4 s.
        """
        self._name = name
        self._first_pause_s = first_pause_s
        self._lock = threading.Lock()
        self._bus = threading.Lock()
        self._waiting = 0
        self._all_obeyed = threading.Condition()
        self._turns: list[_Turn] = []
        self._orders: queue.Queue[tuple[Look, OnLost] | None] = queue.Queue(ORDERS)
        self._threads: dict[str, threading.Thread] = {}
        self._closing = threading.Event()
        self._hurry = threading.Event()

    def every(self, period_s: float, look: Look, on_lost: OnLost) -> Callable[[], None]:
        """Have a part looked at now, then with this pause between two looks.

        Args:
            period_s: pause; the looks at other parts come on top of it.
            look: raises Unplugged when the part gives no answer.
            on_lost: told why.

        Returns:
            What to call to end it; a look under way is not waited for.
        """
        turn = _Turn(look, on_lost, period_s, self._first_pause_s)
        with self._lock:
            self._turns.append(turn)
        self._start("looks", self._look_round)
        self._hurry.set()
        return lambda: self._forget(turn)

    def order(self, carry_out: Look, on_lost: OnLost) -> None:
        """Have something done soon, in the order of the asking.

        Raises:
            Unplugged: too much waits already, the bus hangs.
        """
        try:
            self._orders.put_nowait((carry_out, on_lost))
        except queue.Full as exc:
            raise Unplugged(f"{self._name} hangs: {ORDERS} orders wait for it") from exc
        with self._all_obeyed:
            self._waiting += 1
        self._start("orders", self._obey)

    def close(self, release: Callable[[], None]) -> None:
        """Do nothing more; waits up to 0.8 s.

        Args:
            release: lets go of what the bus runs on; of a bus that hangs, once it comes back.
        """
        self._closing.set()
        self._hurry.set()
        if "orders" in self._threads and not self._orders.full():
            self._orders.put_nowait(None)
        threads = tuple(self._threads.values())
        for thread in threads:
            thread.join(CLOSE_S)
        if any(thread.is_alive() for thread in threads):
            name = f"{self._name} last"
            threading.Thread(
                target=_outlive, args=(threads, release), name=name, daemon=True
            ).start()
        else:
            release()

    def _start(self, what: str, run: Look) -> None:
        with self._lock:
            if what not in self._threads and not self._closing.is_set():
                thread = threading.Thread(target=run, name=f"{self._name} {what}", daemon=True)
                self._threads[what] = thread
                thread.start()

    def _forget(self, turn: _Turn) -> None:
        turn.is_over = True
        with self._lock:
            self._turns = [each for each in self._turns if each is not turn]

    def _look_round(self) -> None:
        while not self._closing.is_set():
            with self._lock:
                turns = tuple(self._turns)
            for turn in turns:
                if turn.due_s <= 0 and not self._closing.is_set():
                    self._take(turn)
            self._wait(turns)

    def _wait(self, turns: tuple[_Turn, ...]) -> None:
        """Let time pass until the next look. Cut short, it counts as none: a newcomer is rare."""
        rest_s = min((turn.due_s for turn in turns if not turn.is_over), default=None)
        if not self._hurry.wait(rest_s):
            for turn in turns:
                turn.due_s -= rest_s or 0.0
        self._hurry.clear()

    def _take(self, turn: _Turn) -> None:
        with self._all_obeyed:
            self._all_obeyed.wait_for(lambda: self._waiting <= 0, YIELD_S)
        if turn.is_over:
            return
        if self._do(turn.look, turn.on_lost):
            turn.due_s, turn.pause_s = turn.period_s, self._first_pause_s
        else:
            turn.due_s = turn.pause_s
            turn.pause_s = min(2 * turn.pause_s, LONGEST_PAUSE_S)

    def _obey(self) -> None:
        while (order := self._orders.get()) and not self._closing.is_set():
            self._do(*order)
            with self._all_obeyed:
                self._waiting -= 1
                self._all_obeyed.notify()

    def _do(self, act: Look, on_lost: OnLost) -> bool:
        try:
            with self._bus:
                act()
        except HalError as exc:
            on_lost(str(exc))
            return False
        except Exception:
            # One broken part must not make every other one on this bus blind.
            log.exception("%s: a part failed in a way that nobody foresaw", self._name)
            on_lost("its driver failed; the log says how")
            return False
        return True


def _outlive(threads: tuple[threading.Thread, ...], release: Callable[[], None]) -> None:
    for thread in threads:
        thread.join()
    release()
