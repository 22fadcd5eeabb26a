"""What a day costs the card."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import bench_journal

BUDGET_BYTES = 50_000_000


def test_a_busy_house_writes_less_than_50_mb_a_day(tmp_path: Path) -> None:
    hours = 6
    written, size, _ = bench_journal.live(tmp_path, seconds=hours * 3600)
    if not written:
        pytest.skip("the kernel does not count what is written here")
    assert written > size / 4, "it was counted"
    assert written * 24 / hours < BUDGET_BYTES
