from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.transcribe import Vocabulary
from tests.agentd.voice.house import House


@pytest.fixture
def make_house() -> Iterator[Callable[..., House]]:
    """Makes started houses: `make_house(both("stop"), is_deaf=False)`."""
    folder = Path(tempfile.mkdtemp(prefix="voice-", dir="/tmp"))  # a socket's path is short
    houses: list[House] = []

    def make(*script: dict[Vocabulary, str], **options: Any) -> House:
        houses.append(House(folder, *script))
        return houses[-1].start(**options)

    yield make
    for house in houses:
        house.close()
    shutil.rmtree(folder, ignore_errors=True)
