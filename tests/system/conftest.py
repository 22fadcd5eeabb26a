"""Boxes for the system tests. Every test in this folder is marked `system`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentd.ctl.appliance import Choice
from tests.system.box import Box

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="module")
def shared_box() -> Iterator[Box]:
    """One box for all tests of a module that leave it as they found it: agentd, board, broker."""
    with Box() as box:
        yield box


@pytest.fixture
def make_box() -> Iterator[Callable[..., Box]]:
    """Makes boxes that belong to one test: `make_box(Choice(...), config=...)`, started."""
    boxes: list[Box] = []

    def make(choice: Choice | None = None, **options: Any) -> Box:
        box = Box(choice or Choice(has_voice=False, has_llm=False), **options)
        boxes.append(box)
        return box.start()

    yield make
    for box in boxes:
        box.close()
