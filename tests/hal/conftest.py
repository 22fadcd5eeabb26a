"""Fixtures of the hardware layer's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.hal.bench import Cable, Inbox, W1Tree

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    made = Cable(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bus(tmp_path: Path) -> W1Tree:
    return W1Tree(tmp_path)
