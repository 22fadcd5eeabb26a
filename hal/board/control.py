"""Fingers, weather and mishaps for tests and demos: what a hand could do to a real board."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from hal.board.line import LineView
from hal.board.onewire import BusFault
from hal.board.uart import SerialFault
from hal.board.world import RoomView
from llmagentos.client import Door


class BoardControl:
    """One connection to a running `agentd-board`. It holds no line.

    Each method blocks until the board has done it, and raises `DoorRefused` when the board says
    no, `DoorClosed` or `DoorTimeout` when none answers.
    """

    def __init__(self, path: Path | str, *, timeout_s: float = 5.0) -> None:
        """Connect to the board's socket.

        Raises:
            DoorClosed: no board answers there.
        """
        self._door = Door(path, timeout_s=timeout_s)

    def levels(self) -> dict[int, LineView]:
        """Every line by its BCM number."""
        lines = self._door.request("levels")["lines"]
        return {line["pin"]: LineView(**line) for line in lines}

    def press(self, pin: int, *, held_s: float = 0.2) -> None:
        """Press the button on a line, or pass the motion sensor; let go after `held_s`."""
        self._door.request("press", pin=pin, held_s=held_s)

    def drive(self, pin: int, level: float | None) -> None:
        """Drive an input from outside; None lets it rest at its pull."""
        self._door.request("drive", pin=pin, level=level)

    def room(self) -> RoomView:
        """The room as it truly is."""
        return RoomView(**self._door.request("room"))

    def set_room(
        self,
        *,
        hour: float | None = None,
        temperature: float | None = None,
        moisture: float | None = None,
        position: float | None = None,
        motion: bool | None = None,
        speed: float | None = None,
    ) -> RoomView:
        """Change what is given, in the units of `RoomView`; the sensors tell of it at once."""
        asked: dict[str, Any] = {
            "hour": hour, "temperature": temperature, "moisture": moisture,
            "position": position, "motion": motion, "speed": speed,
        }  # fmt: skip
        given = {key: value for key, value in asked.items() if value is not None}
        return RoomView(**self._door.request("room", **given))

    def break_serial(self, fault: SerialFault) -> None:
        """Have the serial end misbehave; `SerialFault.NONE` repairs it and plugs it in."""
        self._door.request("fault", part="serial", mode=fault.value)

    def break_onewire(self, fault: BusFault) -> None:
        """Have the 1-wire bus misbehave; `BusFault.NONE` repairs it."""
        self._door.request("fault", part="onewire", mode=fault.value)

    def stick_pin(self, pin: int, level: float | None) -> None:
        """Have a line stuck at a level whatever is written to it; None repairs it."""
        self._door.request("fault", part="pin", pin=pin, level=level)

    def stick_sensor(self, quantity: str, value: float | None) -> None:
        """Have temperature, illuminance or moisture stuck at a value; None repairs it."""
        self._door.request("fault", part="sensor", quantity=quantity, value=value)

    def throw_kill_switch(self, thrown: bool) -> None:
        """Cut the supply of all loads, or restore it; the lines keep their levels."""
        self._door.request("kill_switch", thrown=thrown)

    def close(self) -> None:
        """Hang up."""
        self._door.close()

    def __enter__(self) -> BoardControl:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
