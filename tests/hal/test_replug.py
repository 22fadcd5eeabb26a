"""Parts that are pulled and put back, fifty times: back within 5 s, nothing lost, no core burnt."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.bench import set_up
from tests.contracts.test_sensor import ROWS
from tests.hal.bench import Inbox, clock, eventually

TIMES = 50
BACK_S = 5.0
"""Longest time until a part that was put back tells a value again."""

PLUGS = {"serial.pms5003", "serial.mh_z19", "serial.nmea", "serial.jsonl", "i2c.bme280",
         "i2c.sht31", "modbus.register"}  # fmt: skip


class Part:
    """One part of a house, and what it tells."""

    def __init__(self, row: Any, folder: Path) -> None:
        folder.mkdir()
        self.bench = set_up(row, row.bench, folder)
        self.inbox = Inbox()
        self.value = next(iter(row.levels))
        self.bench.act_on(self.value)
        self.bench.sensor.start(self.inbox.post, clock)
        self.longest_s = 0.0

    def is_told(self) -> bool:
        if not self.inbox.has(self.value):
            self.bench.act_on(self.value)  # a microcontroller prints it again and again
        return self.inbox.has(self.value)

    def cycle(self) -> None:
        self.bench.unplug()
        assert eventually(lambda: self.inbox.has(None, "unavailable"), within_s=5)
        self.bench.replug()
        before = time.monotonic()
        assert eventually(self.is_told, within_s=BACK_S), f"{self.bench.row.driver} stays away"
        self.longest_s = max(self.longest_s, time.monotonic() - before)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[list[Part]]:
    rows = [row for row in ROWS if row.driver in PLUGS and row.kind == "sensor"]
    parts = [Part(row, tmp_path / row.driver) for row in rows]
    yield parts
    for part in parts:
        part.bench.close()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_fifty_replugs_of_each_part(house: list[Part]) -> None:
    assert all(eventually(part.is_told) for part in house)
    files, threads = descriptors(), threading.active_count()
    failed: list[BaseException] = []

    def cycle(part: Part) -> None:
        try:
            for _ in range(TIMES):
                part.cycle()
        except BaseException as exc:  # noqa: BLE001  # told by the thread that waits
            failed.append(exc)

    pullers = [threading.Thread(target=cycle, args=(part,)) for part in house]
    for puller in pullers:
        puller.start()
    for puller in pullers:
        puller.join()
    assert failed == []
    assert eventually(lambda: descriptors() == files), f"{files} became {descriptors()}"
    assert threading.active_count() == threads
    assert max(part.longest_s for part in house) < BACK_S


def test_parts_that_are_away_cost_little(house: list[Part]) -> None:
    assert all(eventually(part.is_told) for part in house)
    for part in house:
        part.bench.unplug()
    assert all(eventually(lambda p=p: p.inbox.has(None, "unavailable"), within_s=5) for p in house)
    used_s = time.process_time()
    time.sleep(5)  # long enough for several tries
    share = (time.process_time() - used_s) / 5
    for part in house:
        part.bench.replug()
    assert all(eventually(part.is_told, within_s=BACK_S) for part in house)
    assert share < 0.2, f"{share:.0%} of a core for nothing"
