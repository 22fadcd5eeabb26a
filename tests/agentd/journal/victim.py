"""A process that uses its journal as fast as it can, tells what it was told, and is killed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from agentd.journal import Journal
from llmagentos.clock import Instant
from tests.agentd.journal.rows import ON, do, plan, reading


def clock() -> Instant:
    return Instant(time.monotonic(), time.time())


def live(path: Path, first: int, out: int) -> None:
    """Use the journal until killed.

    Writes a line for each thing that was told to be on disk: `begun N`, `done N`, `saved NAME N`.
    """
    journal, dice = Journal(path, clock=clock), random.Random(first)
    tell(out, "ready")
    for number in range(first, first + 100_000):
        wish = plan(number=number, now=clock(), occasion=f"o{number}")
        journal.begin(wish, (ON,)).add_done_callback(say(out, f"begun {number}"))
        name = f"p{dice.randrange(5)}"
        journal.save("promise", name, str(number)).add_done_callback(
            say(out, f"saved {name} {number}")
        )
        journal.record_reading(reading(dice.random(), wall_s=60.0 * number))
        do(journal, wish)
        settled = journal.settle()
        settled.add_done_callback(say(out, f"done {number}"))
        if dice.random() < 0.3:
            settled.result()
        while len(journal._writer._waiting) > 50:
            time.sleep(0.0005)


def say(out: int, line: str) -> Callable[[Future[Any]], None]:
    def told(future: Future[Any]) -> None:
        if not future.exception() and future.result() is not False:
            tell(out, line)

    return told


def tell(out: int, line: str) -> None:
    os.write(out, f"{line}\n".encode())
