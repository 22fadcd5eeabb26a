"""The boards that every pin driver is tried on: pins in memory, a chip, the simulated board."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from hal.link.gpio import open_pins
from hal.link.gpiod import GpiodFactory
from tests.hal.board.process import BoardProcess
from tests.hal.chip import FakeChip


class Board(ABC):
    """Pins, seen from the program's side and from the wires'."""

    pins: Any

    @abstractmethod
    def level(self, pin: int) -> float:
        """What a meter on the line shows: 0, 1 or a duty."""

    @abstractmethod
    def drive(self, pin: int, level: int) -> None:
        """Have the world drive an input."""

    def reopen(self) -> None:
        """Let go of every line, as a process that ends, and open the pins anew."""
        raise NotImplementedError

    @abstractmethod
    def close(self) -> None: ...


class MockBoard(Board):
    """gpiozero's mock pins."""

    def __init__(self, folder: Path) -> None:
        self.pins = open_pins("mock")

    def level(self, pin: int) -> float:
        return float(self.pins.pin(pin).state)

    def drive(self, pin: int, level: int) -> None:
        (self.pins.pin(pin).drive_high if level else self.pins.pin(pin).drive_low)()

    def close(self) -> None:
        self.pins.close()


class ChipBoard(Board):
    """The real pin factory over a chip in memory."""

    def __init__(self, folder: Path) -> None:
        self.chip = FakeChip()
        self.pins = GpiodFactory("/dev/gpiochip0", open_chip=self.chip.open)

    def reopen(self) -> None:
        self.pins.close()
        self.pins = GpiodFactory("/dev/gpiochip0", open_chip=self.chip.open)

    def level(self, pin: int) -> float:
        return float(self.pins.pin(pin).state)

    def drive(self, pin: int, level: int) -> None:
        self.chip.drive(pin, level)

    def close(self) -> None:
        self.pins.close()


class SimulatedBoard(Board):
    """A live `agentd-board`."""

    def __init__(self, folder: Path) -> None:
        self.process = BoardProcess(folder)
        self.pins = open_pins("board", socket=self.process.socket)
        self.hand = self.process.control()

    def reopen(self) -> None:
        self.pins.close()
        self.pins = open_pins("board", socket=self.process.socket)

    def level(self, pin: int) -> float:
        return float(self.pins.ask("read", pin=pin)["level"])

    def drive(self, pin: int, level: int) -> None:
        self.hand.drive(pin, level)

    def close(self) -> None:
        self.hand.close()
        self.pins.close()
        self.process.kill()


BOARDS = {"mock": MockBoard, "chip": ChipBoard, "simulated": SimulatedBoard}
