"""What the journal costs: time of a promise, bytes of a day, and what the tick pays for a reading."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from agentd.journal import Journal
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.plan import Action, Applied, Plan, Ruling, Stage, Verdict
from llmagentos.reading import Reading

SENSORS = 100
DEEDS_A_DAY = 500
DAY_S = 86_400
SAMPLE_S = 10
"""Pause between two readings of a sensor here; what is written is the same at 1 Hz."""

PROMISES = 1000


class Wheel:
    """A clock that is turned forward as fast as the work is done."""

    def __init__(self) -> None:
        self.now = Instant(1000.0, 1_790_000_000.0)

    def __call__(self) -> Instant:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now = Instant(self.now.mono_s + seconds, self.now.wall_s + seconds)


def written_bytes() -> int:
    """What this process has sent towards a disk; 0 where the kernel does not count."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def write_back(folder: Path) -> None:
    """Send what the kernel holds on its way, as it would by itself within half a minute."""
    for path in folder.iterdir():
        number = os.open(path, os.O_RDONLY)
        os.fsync(number)
        os.close(number)


def do_one(journal: Journal, number: int, now: Instant) -> None:
    """One actuation as the loop does it: intent, deed, its counters, and all of it on disk."""
    device = f"output_{number % 20}"
    action = Action(device, "turn_on" if number % 2 else "turn_off")
    origin = Origin(Rank.RULE, "rule", f"rule_{number % 50}")
    plan = Plan((action,), Cause("kitchen", "0a1b2c3d", number), origin, now)
    journal.begin(plan, plan.actions).result(60)
    journal.record_trigger(plan.cause, Reading("sensor_7", "moisture", 28.4, "%", now))
    journal.record_plan(plan)
    verdict = Verdict(Ruling.ALLOW, action, action)
    journal.record_applied(
        Applied(
            action, Stage.READ_BACK, plan.cause, now, {"state": "on"}, {"state": "off"}, verdict
        )
    )
    counters = {"on_at_s": now.wall_s, "duty_s": 1234.5, "boot_id": "0a1b2c3d"}
    journal.record_document("gate", device, json.dumps(counters))
    journal.settle().result(60)


def live(folder: Path, *, seconds: int) -> tuple[int, int, list[float]]:
    """A stretch of a busy house's life.

    Returns:
        Bytes written, bytes of the files at its end, and microseconds of each reading's record.
    """
    clock = Wheel()
    journal = Journal(folder / "journal.db", clock=clock)
    before, number, deeds = written_bytes(), 0, DEEDS_A_DAY * seconds // DAY_S
    costs = []
    for second in range(0, seconds, SAMPLE_S):
        for sensor in range(SENSORS):
            value = 20.0 + (sensor * second) % 17 / 3
            reading = Reading(f"sensor_{sensor}", "temperature", value, "°C", clock.now)
            began_s = time.perf_counter()
            journal.record_reading(reading)
            costs.append((time.perf_counter() - began_s) * 1e6)
        if second % 60 == 0:  # what is due in one minute must not share a commit with the next
            journal.settle().result(60)
            write_back(folder)
        while number < deeds * second // seconds:
            number += 1
            do_one(journal, number, clock.now)
        clock.turn(SAMPLE_S)
    written = written_bytes() - before
    size = sum(each.stat().st_size for each in folder.iterdir())
    journal.close()
    return written, size, costs


def promise_ms(folder: Path) -> list[float]:
    """Milliseconds from begin() to its being on disk, one after the other."""
    journal, taken = Journal(folder / "promises.db", clock=Wheel()), []
    for number in range(PROMISES):
        action = Action("pump", "turn_on")
        plan = Plan(
            (action,), Cause("kitchen", "0a1b2c3d", number), Origin(Rank.PERSON, "cli"), Wheel().now
        )
        began_s = time.perf_counter()
        journal.begin(plan, plan.actions).result(60)
        taken.append((time.perf_counter() - began_s) * 1000.0)
    journal.close()
    return taken


def share(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def main(folder: Path | None = None) -> None:
    """Print one row for each."""
    with tempfile.TemporaryDirectory(prefix="llmagentos-", dir=folder) as name:
        taken = promise_ms(Path(name))
        print(
            f"{'journal: a promise on disk':<46} p50 {statistics.median(taken):8.2f}"
            f"  p95 {share(taken, 0.95):8.2f}  p99 {share(taken, 0.99):8.2f} ms"
        )
    with tempfile.TemporaryDirectory(prefix="llmagentos-", dir=folder) as name:
        written, size, costs = live(Path(name), seconds=DAY_S)
        print(
            f"{'journal: a reading recorded, in the tick':<46} p50 {statistics.median(costs):8.2f}"
            f"  p95 {share(costs, 0.95):8.2f}  p99 {share(costs, 0.99):8.2f} µs"
        )
        what = f"{SENSORS} sensors at 1 Hz, {DEEDS_A_DAY} actuations"
        print(
            f"{'journal: written in a day':<46} {written / 1e6:.1f} MB ({what}), files {size / 1e6:.1f} MB"
        )


if __name__ == "__main__":
    main()
