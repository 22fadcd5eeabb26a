"""A holder that streams and falls silent, through the whole daemon: its output goes safe by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmagentos.client import Door
from tests.agentd.box import ask, running
from tests.hal.board.process import BoardProcess

PUMP, LEASE_S = 17, 2.0
TICK_S = 1.2
"""The tick looks once a second when nothing comes in."""

HOME = f"""
[mqtt]
broker = "off"
[llm]
enabled = false
[voice]
enabled = false
[board]
pins = "board"
[[device]]
id = "pump"
kind = "switch"
driver = "gpio.relay"
pin = {PUMP}
[device.limits]
safe_state = "off"
lease_s = {LEASE_S}
"""


@pytest.fixture
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, BoardProcess]]:
    folder = tmp_path_factory.mktemp("l")
    board = BoardProcess(folder)
    with running(folder, HOME):
        yield folder, board
    board.kill()


def changes(board: BoardProcess) -> list[tuple[float, float]]:
    """(instant, level) of the pump's line, without repeats."""
    found: list[tuple[float, float]] = []
    for edge in board.edges():
        if edge.pin == PUMP and (not found or found[-1][1] != edge.level):
            found.append((edge.at.mono_s, edge.level))
    return found


def test_an_output_is_held_for_as_long_as_it_is_said_again(
    box: tuple[Path, BoardProcess],
) -> None:
    folder, board = box
    with Door(folder / "agentd.sock") as door:
        for _ in range(5):
            assert door.request("set", device="pump", value="on")["applied"][0]["stage"]
            time.sleep(LEASE_S * 0.5)
        silent_at = time.monotonic() - LEASE_S * 0.5
        time.sleep(LEASE_S + TICK_S)
    (_, first), (on_at, on), (off_at, off) = changes(board)
    assert (first, on, off) == (0, 1, 0)
    assert silent_at - on_at > 1.5 * LEASE_S
    assert LEASE_S - 0.1 <= off_at - silent_at <= LEASE_S + TICK_S
    told = str(ask(folder, "why", device="pump")["text"])
    assert "again" in told or "lease" in told


def test_a_holder_that_hangs_up_is_not_waited_for_longer(
    box: tuple[Path, BoardProcess],
) -> None:
    folder, board = box
    with Door(folder / "agentd.sock") as door:
        door.request("set", device="pump", value="on")
    gone_at = time.monotonic()
    time.sleep(LEASE_S + TICK_S)
    assert changes(board)[-1][1] == 0
    assert changes(board)[-1][0] - gone_at <= LEASE_S + TICK_S
