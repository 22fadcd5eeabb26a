"""A journal in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentd.journal import Journal
from tests.agentd.clock import HandClock

Open = Callable[..., Journal]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def open_journal(path: Path, clock: HandClock) -> Iterator[Open]:
    """Opens it, as often as wanted; each is closed at the end."""
    opened: list[Journal] = []

    def open_it(**options: Any) -> Journal:
        opened.append(Journal(path, clock=clock, **options))
        return opened[-1]

    yield open_it
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal: Open) -> Journal:
    return open_journal()
