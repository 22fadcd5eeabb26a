"""What an idle box writes to its card: a card dies of writing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.image.guest import HEADER, Guest, built_image
from tests.image.test_image_home import ALL_THERE, HOME, START_S

MINUTES = float(os.environ.get("IMAGE_IDLE") or 0)
MOST_A_DAY = 50_000_000
"""Bytes."""

SETTLE_S = 120.0
"""What the start itself writes is over by then."""

WRITTEN = "cat /sys/class/block/vda*/stat | awk '{ sum += $7 } END { print sum * 512 }'"
"""Bytes written to the card; the sum counts each one for the disk and for its partition."""

BY_WHOM = """
for io in /proc/[0-9]*/io; do
    bytes=$(awk '/^write_bytes/ { print $2 }' $io)
    [ "${bytes:-0}" = 0 ] || echo "$bytes $(tr '\\0' ' ' <${io%io}cmdline | cut -c1-60)"
done | sort -rn | head -8
"""


@pytest.mark.timeout(7200)
def test_idle_box_spares_its_card(tmp_path: Path, tell: Callable[[str], None]) -> None:
    if not MINUTES:
        pytest.skip("waits for 20 minutes: make image-idle")
    guest = Guest(tmp_path, image=built_image(), before=HEADER)
    guest.write("agentd.toml", HOME)
    with guest:
        guest.wait_for(ALL_THERE, limit_s=START_S, pause_s=3.0)
        time.sleep(SETTLE_S)
        before = written(guest)
        tell(f"written by the start: {before / 1e6:.1f} MB, by\n{guest.run(BY_WHOM).output}")
        time.sleep(MINUTES * 60)
        a_day = (written(guest) - before) * 24 * 60 / MINUTES
        tell(f"idle: {a_day / 1e6:.1f} MB a day, by now\n{guest.run(BY_WHOM).output}")
    assert a_day < MOST_A_DAY


def written(guest: Guest) -> int:
    """Bytes written to the card since power on."""
    return int(guest.run(WRITTEN).output) // 2
