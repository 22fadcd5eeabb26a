"""Fixtures of the board's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.board.control import BoardControl
from hal.board.pin import BoardFactory
from tests.hal.board.process import BoardProcess


@pytest.fixture
def board(tmp_path: Path) -> Iterator[BoardProcess]:
    """A running board, the kind that keeps levels."""
    process = BoardProcess(tmp_path)
    yield process
    process.kill()


@pytest.fixture
def pins(board: BoardProcess) -> Iterator[BoardFactory]:
    """A client's pins on that board."""
    factory = BoardFactory(board.socket)
    yield factory
    factory.close()


@pytest.fixture
def hand(board: BoardProcess) -> Iterator[BoardControl]:
    """A hand on that board."""
    with board.control() as control:
        yield control
