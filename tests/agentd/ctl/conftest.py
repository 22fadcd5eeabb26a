from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from agentd.ctl.app import app
from tests.agentd.ctl.scripted_door import ScriptedDoor

DEVICES = {
    "devices": [
        {"id": "desk_lamp", "name": "desk lamp", "aliases": [], "area": "study", "kind": "light",
         "unit": None, "state": {"state": "on", "brightness": 40}, "quality": "good", "reason": "",
         "cause": "demo/1/7"},
        {"id": "room_temperature", "name": "room temperature", "aliases": [], "area": "study",
         "kind": "sensor", "unit": "°C", "state": {"state": 0.0, "temperature": 0.0},
         "quality": "stale", "reason": "nothing for 2 min", "cause": None},
        {"id": "pump", "name": "pump", "aliases": [], "area": "garden", "kind": "switch",
         "unit": None, "state": {}, "quality": "unavailable", "reason": "pin 24 is busy",
         "cause": None},
    ],
    "areas": [{"id": "study", "name": "the study"}, {"id": "garden", "name": "garden"}],
}  # fmt: skip


@pytest.fixture
def run() -> Iterator[Path]:
    """A short folder: a socket's path has 107 bytes, pytest's tmp_path may be longer."""
    with tempfile.TemporaryDirectory(prefix="ctl-") as folder:
        yield Path(folder)


@pytest.fixture
def door(run: Path) -> Iterator[ScriptedDoor]:
    scripted = ScriptedDoor(run, {"devices": DEVICES})
    yield scripted
    scripted.close()


@pytest.fixture
def agentctl(run: Path) -> Callable[..., Result]:
    """Runs one command line against the instance in `run`."""

    def call(*words: str) -> Result:
        return CliRunner(env={"LLMAGENTOS_RUN": str(run)}).invoke(app, list(words))

    return call


def answer_of(result: Result) -> Any:
    """The one JSON line of a --json run."""
    assert result.stdout.count("\n") == 1, result.stdout
    return json.loads(result.stdout)
