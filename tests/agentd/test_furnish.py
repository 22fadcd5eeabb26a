"""What is opened when, and what is tried again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentd import furnish
from agentd.config import parse
from hal.contract import HalError
from hal.link.gpio import open_pins
from tests.agentd.box import ROOM
from tests.agentd.clock import HandClock


def test_pins_are_tried_again_until_they_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """At boot the chip belongs to root until udev has seen it."""
    tries: list[str] = []

    def open_late(kind: str, **options: Any) -> object:
        tries.append(kind)
        if len(tries) < 3:
            raise HalError("/dev/gpiochip0: permission denied")
        return open_pins(kind, **options)

    monkeypatch.setattr(furnish, "open_pins", open_late)
    furniture = furnish.Furniture(Path("/nowhere"), post=lambda _: None, clock=HandClock())
    config = parse(ROOM, path=Path("agentd.toml"))
    house, _ = furniture.furnish(config)
    assert "permission denied" in house.faults["lamp"]
    assert furniture.retry() == []
    assert furniture.retry() == ["lamp", "heater", "fan", "gate"]
    house, changed = furniture.furnish(config)
    assert (house.faults, changed) == ({}, [])
    assert set(house.actuators) == {"lamp", "heater", "fan", "gate"}
    assert furniture.retry() == []
    assert len(tries) == 3, "what is open is left alone"
    furniture.close()
