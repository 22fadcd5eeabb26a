"""A box whose agentd is killed again and again.

with Mortal() as box:
    box.wait_ready(since=box.kill())

The broker and the board live on. A parent does what systemd does: when agentd has ended, it runs
`agentd-safe`, then starts agentd anew.
"""

from __future__ import annotations

import subprocess
import threading
import time
from types import TracebackType
from typing import Any, Final, Self

from llmagentos.client import Door, DoorError
from tests.system.box import COME_UP_S, Box, wait_until

CRASH_LIMIT: Final = "1000000"
"""Crashes in a row that would bring safe mode: here they are what is tested."""

HOME: Final = """
[node]
name = "demo"
area = "study"
[board]
pins = "board"
[llm]
enabled = false
[voice]
enabled = false
[[area]]
id = "study"
name = "study"
[[device]]
id = "desk_lamp"
name = "desk lamp"
area = "study"
kind = "light"
driver = "gpio.pwm"
pin = 18
[[device]]
id = "ceiling_light"
name = "ceiling light"
area = "study"
kind = "light"
driver = "gpio.relay"
pin = 17
[[device]]
id = "porch_light"
name = "porch light"
area = "study"
kind = "light"
driver = "gpio.relay"
pin = 27
[[device]]
id = "hall_light"
name = "hall light"
area = "study"
kind = "light"
driver = "gpio.relay"
pin = 4
[[device]]
id = "pump"
name = "pump"
area = "study"
kind = "switch"
driver = "gpio.relay"
pin = 24
[device.limits]
safe_state = "off"
[[device]]
id = "heater"
name = "heater"
area = "study"
kind = "switch"
driver = "gpio.relay"
pin = 22
[device.limits]
safe_state = "off"
[[device]]
id = "door_button"
name = "door button"
area = "study"
kind = "button"
driver = "gpio.button"
pin = 16
[[rule]]
id = "door_button_porch"
when = { device = "door_button", value = "pressed" }
do = [{ device = "porch_light", action = "toggle" }]
"""
"""Lights are left as they are by a death, so that each edge of theirs is somebody's doing."""

LAMP, CEILING, PORCH, HALL, PUMP, HEATER, BUTTON = 18, 17, 27, 4, 24, 22, 16


class Mortal:
    """Board, broker and a parent that starts agentd again whenever it has ended."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self.box = Box(config=HOME)
        self.ready_s: list[float] = []
        """How long each kill that hit a box that was ready kept it from answering."""
        self._ending = threading.Event()
        self._parent = threading.Thread(target=self._raise, name="parent")
        self._agentd: subprocess.Popen[bytes] | None = None
        self._log = (self.box.folder / "agentd.log").open("ab")

    def __enter__(self) -> Self:
        try:
            self.box.appliance.start()
            for name in ("mqtt.sock", "board.sock"):
                wait_until((self.box.place.run / name).exists, timeout_s=COME_UP_S, what=name)
            self._parent.start()
            self.wait_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
        self._log.close()
        self.box.close()

    def kill(self) -> float:
        """Kill agentd as it stands; the monotonic instant of it."""
        process = wait_until(lambda: self._agentd, what="agentd to run")
        assert process is not None
        at = time.monotonic()
        process.kill()
        process.wait()
        return at

    def end(self) -> None:
        """Let agentd end in order, and stay so; board and broker live on."""
        self._ending.set()
        while self._parent.is_alive():
            if process := self._agentd:
                process.terminate()
            self._parent.join(1.0)  # it may have been about to start another

    def wait_ready(self, *, since: float | None = None) -> float:
        """Wait until agentd answers; seconds since an instant."""
        wait_until(self._answers, timeout_s=20.0, what="agentd to answer")
        took_s = time.monotonic() - (since or time.monotonic())
        if since is not None:
            self.ready_s.append(took_s)
        return took_s

    def log(self) -> str:
        """All that agentd ever said."""
        return (self.box.folder / "agentd.log").read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            with Door(self.box.place.run / "agentd.sock", timeout_s=5.0) as door:
                return door.request("health")["status"] in ("ready", "degraded")
        except DoorError:
            return False

    def _raise(self) -> None:
        """The parent's life."""
        place = self.box.place
        folders = [
            *("--config", str(place.config)), *("--run", str(place.run)),
            *("--data", str(place.data)),
        ]  # fmt: skip
        streams: dict[str, Any] = {"stdout": self._log, "stderr": self._log}
        while not self._ending.is_set():
            command = [str(place.programs / "agentd"), *folders, "--crash-limit", CRASH_LIMIT]
            process: subprocess.Popen[bytes] = subprocess.Popen(command, **streams)
            self._agentd = process
            process.wait()
            self._agentd = None
            safe = [str(place.programs / "agentd-safe"), *folders]
            subprocess.run(safe, **streams, check=False)
