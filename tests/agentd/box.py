"""agentd in this process, over pins in memory: its doors, verbs and reload without a board."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentd.app import Agentd
from llmagentos.client import Door
from tests.broker import wait_until

ROOM = """
[node]
name = "box"
area = "study"
[mqtt]
broker = "off"
[llm]
enabled = false
[voice]
enabled = false
[board]
pins = "mock"
[[area]]
id = "study"
[[device]]
id = "lamp"
name = "desk lamp"
kind = "light"
driver = "gpio.pwm"
area = "study"
pin = 18
[[device]]
id = "heater"
kind = "switch"
driver = "gpio.relay"
pin = 22
[device.limits]
safe_state = "off"
interlock = "climate"
[[device]]
id = "fan"
kind = "fan"
driver = "gpio.relay"
pin = 23
[device.limits]
interlock = "climate"
[[device]]
id = "gate"
kind = "valve"
driver = "gpio.relay"
pin = 24
[device.limits]
safe_state = "off"
confirm = true
[[scene]]
id = "evening"
name = "good evening"
aliases = ["cosy time"]
actions = [
  { device = "lamp", action = "set_brightness", args = { brightness = 30 } },
  { device = "fan", action = "turn_off" },
]
"""


@contextmanager
def running(folder: Path, text: str = ROOM, *, is_held: bool = False) -> Iterator[Path]:
    """Path of the configuration of a box that serves `folder/agentd.sock`."""
    config = folder / "agentd.toml"
    config.write_text(text, encoding="utf-8")
    box = Agentd(config, run=folder, data=folder / "data", is_held=is_held)
    thread = threading.Thread(target=box.serve)
    thread.start()
    try:
        wait_until((folder / "agentd.sock").exists, what="the door opens")
        yield config
    finally:
        box.end()
        thread.join(10)
    assert not thread.is_alive()


def ask(folder: Path, verb: str, /, **data: object) -> dict[str, object]:
    """One request on a connection of its own."""
    with Door(folder / "agentd.sock") as door:
        answer: dict[str, object] = door.request(verb, **data)
        return answer
