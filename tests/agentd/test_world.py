"""What readings make of a device's state."""

from __future__ import annotations

from agentd.world import House, World
from llmagentos.clock import Instant
from llmagentos.home import Device, Home
from llmagentos.kind import Scalar
from llmagentos.reading import Reading

NOW = Instant(1.0, 1.0)


def take_in(device_class: str | None, *told: tuple[str, Scalar]) -> dict[str, Scalar]:
    """The state of a sensor that told these quantities, one after the other."""
    world = World(note=lambda *_: None)
    device = Device("air", "air", "sensor", device_class=device_class)
    world.adopt(House(home=Home(devices=(device,))), NOW)
    world.take_in([Reading("air", quantity, value, "", NOW) for quantity, value in told])
    return dict(world.states["air"].values)


def test_sensor_without_a_class_shows_its_newest_value() -> None:
    state = take_in(None, ("level", 5), ("level", 6), ("level", 7))
    assert state == {"level": 7, "state": 7}


def test_sensor_of_several_quantities_shows_its_main_one() -> None:
    state = take_in("humidity", ("humidity", 40), ("temperature", 20), ("humidity", 41),
                    ("temperature", 21))  # fmt: skip
    assert state == {"humidity": 41, "temperature": 21, "state": 41}
