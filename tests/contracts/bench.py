"""Every device under contract, with the world around it: what to pull, what to measure."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hal import registry
from hal.contract import Actuator, Sensor, Unplugged
from hal.link.i2c import I2cBus
from hal.link.modbus import ModbusLine
from hal.link.serial import SerialLink
from tests.contracts.pins import BOARDS, Board, ChipBoard, SimulatedBoard
from tests.hal.bench import Cable, W1Tree, act, at, eventually, wiring
from tests.hal.board.process import BoardProcess
from tests.hal.chip import Sonar
from tests.hal.driver.test_pi_health import TEMPERATURE, THROTTLED, SysTree
from tests.hal.i2c import FakeI2c
from tests.hal.modbus import Stations


class Bench(ABC):
    """One device and its world."""

    made: Any

    def __init__(self, row: Row, folder: Path) -> None:
        self.row, self.folder = row, folder
        self.seconds = 0.0

    @property
    def actuator(self) -> Actuator:
        assert isinstance(self.made, Actuator)
        return self.made

    @property
    def sensor(self) -> Sensor:
        assert isinstance(self.made, Sensor)
        return self.made

    def build(self, **fields: Any) -> Any:
        """The device, by its registry name."""
        given: dict[str, Any] = {"options": self.row.options, **self.fields(), **fields}
        return registry.build(self.row.driver, wiring(self.row.kind, **given))

    def tell(self, name: str, **args: Any) -> None:
        """Have the actuator do something."""
        self.actuator.apply(act(name, **args), at(self.seconds))

    def settle(self) -> dict[str, Any]:
        """Let time pass until nothing is under way; the state then."""
        while self.actuator.advance(at(self.seconds)):
            self.seconds += 0.05
        self.wait_for_report()
        return dict(self.actuator.read_back(at(self.seconds)))

    def wait_for_report(self) -> None:  # noqa: B027  # most parts are asked, not waited for
        """Give a part that reports on its own the time to."""

    def fields(self) -> dict[str, Any]:
        return {}

    def measure(self) -> Any:
        """What a meter shows, apart from the driver's own word."""
        return None

    @abstractmethod
    def close(self) -> None: ...


class PinBench(Bench):
    """A device on pins."""

    def __init__(self, row: Row, folder: Path, *, board: Board) -> None:
        super().__init__(row, folder)
        self.board = board
        self.made = self.build()

    def fields(self) -> dict[str, Any]:
        return {"gpio": self.board.pins, "pin": self.row.pin}

    def measure(self) -> Any:
        return [self.board.level(pin) for pin in self.row.pins]

    def act_on(self, value: Any) -> None:
        """Have the world change what the sensor sees."""
        assert self.row.pin is not None
        self.board.drive(self.row.pin, self.row.levels[value])

    def unplug(self) -> None:
        """Take the board away."""
        if isinstance(self.board, ChipBoard):
            self.board.chip.is_gone = True
        elif isinstance(self.board, SimulatedBoard):
            self.board.process.kill()

    def restart(self) -> None:
        """Another process takes over, as after an update."""
        self.made.close()
        self.board.reopen()
        self.made = self.build()

    def replug(self) -> None:
        if isinstance(self.board, ChipBoard):
            self.board.chip.is_gone = False
        elif isinstance(self.board, SimulatedBoard):
            self.board.process = BoardProcess(self.folder)
            self.board.hand = self.board.process.control()

    def close(self) -> None:
        if isinstance(self.board, ChipBoard):
            self.board.chip.is_gone = False
        self.made.close()
        self.board.close()


class SonarBench(Bench):
    """A part that is pinged on a chip's lines."""

    def __init__(self, row: Row, folder: Path) -> None:
        super().__init__(row, folder)
        self.board = ChipBoard(folder)
        self.sonar = Sonar(self.board.chip, trigger=23, echo=24)
        self.made = self.build()

    def fields(self) -> dict[str, Any]:
        return {"gpio": self.board.pins}

    def act_on(self, value: Any) -> None:
        self.sonar.echoes_s = [self.row.levels[value]]

    def unplug(self) -> None:
        self.sonar.echoes_s = [None]

    def replug(self) -> None:
        """It is there again with the next echo."""

    def close(self) -> None:
        self.made.close()
        self.board.close()


class Microcontroller:
    """A sketch at the far end of a cable: obeys `set`, prints all it knows after each line."""

    def __init__(self, folder: Path, **known: Any) -> None:
        self.cable = Cable(folder)
        self.known = known
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def report(self) -> None:
        self.cable.say(json.dumps(self.known).encode() + b"\n")

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self.cable.close()

    def _loop(self) -> None:
        while not self._closing.wait(0.005):
            # Nobody at the near end, or no cable, is no error to a microcontroller.
            with suppress(OSError, ValueError):
                for line in self.cable.heard(within_s=0).splitlines():
                    self.known |= json.loads(line)["set"]
                    self.report()


class SerialBench(Bench):
    """A device behind a microcontroller."""

    def __init__(self, row: Row, folder: Path) -> None:
        super().__init__(row, folder)
        self.far = Microcontroller(folder, thing=0)
        self.link = SerialLink(str(self.far.cable.path), first_pause_s=0.02)
        self.made = self.build()
        self.link.subscribe(lambda line: None, lambda why: None)
        assert eventually(lambda: self.link.is_open)
        if isinstance(self.made, Actuator):
            self.far.report()
            assert eventually(lambda: self.reported() is not None)

    def fields(self) -> dict[str, Any]:
        return {"link": self.link}

    def reported(self) -> Any:
        """The state as the microcontroller told it; None when it did not yet."""
        try:
            return self.actuator.read_back(at(self.seconds))["state"]
        except Unplugged:
            return None

    def wait_for_report(self) -> None:
        told = self.far.known["thing"]
        wanted = told if self.row.kind == "number" else {0: "off", 1: "on"}[told]
        assert eventually(lambda: self.reported() == wanted)

    def tell(self, name: str, **args: Any) -> None:
        before = dict(self.far.known)
        super().tell(name, **args)
        eventually(lambda: self.far.known != before, within_s=0.1)

    def act_on(self, value: Any) -> None:
        self.far.known["thing"] = self.row.levels.get(value, value)
        self.far.report()

    def measure(self) -> Any:
        return self.far.known["thing"]

    def unplug(self) -> None:
        losses: list[str] = []
        forget = self.link.subscribe(lambda line: None, losses.append)
        self.far.cable.pull()
        assert eventually(lambda: losses)  # told last to the youngest subscriber
        forget()

    def replug(self) -> None:
        self.far.cable.plug()
        assert eventually(lambda: self.link.is_open, within_s=5)
        self.far.report()

    def close(self) -> None:
        self.made.close()
        self.link.close()
        self.far.close()


class Talker:
    """A part at the far end of a cable that sends frames, on its own or when it is asked."""

    def __init__(self, folder: Path, *, is_asked: bool) -> None:
        self.cable = Cable(folder)
        self.frame = b""
        self._is_asked = is_asked
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self.cable.close()

    def _loop(self) -> None:
        while not self._closing.wait(0.02):
            with suppress(OSError, ValueError):
                if not self._is_asked or self.cable.heard(within_s=0.02):
                    self.cable.say(self.frame)


class FrameBench(Bench):
    """A part with a serial port for itself."""

    def __init__(self, row: Row, folder: Path) -> None:
        super().__init__(row, folder)
        self.far = Talker(folder, is_asked=row.is_asked)
        self.made = self.build()

    def build(self, **fields: Any) -> Any:
        options = {"port": str(self.far.cable.path), **fields.pop("options", self.row.options)}
        return super().build(options=options, **fields)

    def act_on(self, value: Any) -> None:
        self.far.frame = self.row.levels[value]

    def unplug(self) -> None:
        self.far.cable.say(self.far.frame[: len(self.far.frame) // 2])  # in the middle of a frame
        self.far.cable.pull()

    def replug(self) -> None:
        self.far.cable.plug()

    def close(self) -> None:
        self.made.close()
        self.far.close()


class BusBench(Bench):
    """A thermometer on a 1-wire bus."""

    def __init__(self, row: Row, folder: Path) -> None:
        super().__init__(row, folder)
        self.tree = W1Tree(folder)
        self.tree.put()
        self.bus = registry.open_link("onewire", path=str(folder), period_s=0.1)
        self.made = self.build()

    def fields(self) -> dict[str, Any]:
        return {"link": self.bus}

    def act_on(self, value: Any) -> None:
        self.tree.put(raw=self.row.levels[value])

    def unplug(self) -> None:
        self.tree.pull()

    def replug(self) -> None:
        self.tree.put()

    def close(self) -> None:
        self.made.close()
        self.bus.close()


class SlowBench(Bench):
    """A device on a bus that is read and written by threads of its own."""

    def settle(self) -> dict[str, Any]:
        """Let the bus do what it was told; the state then."""
        if isinstance(self.made, Actuator):
            assert eventually(self.is_read)
            assert eventually(lambda: not self.actuator.advance(at(self.seconds)))
            return dict(self.actuator.read_back(at(self.seconds)))
        return {}

    def wait_until_gone(self) -> None:
        """An output is known to be away; a sensor says so itself."""
        if isinstance(self.made, Actuator):
            assert eventually(lambda: not self.is_read())

    def wait_until_back(self) -> None:
        """As above, the other way round."""
        if isinstance(self.made, Actuator):
            assert eventually(self.is_read)

    def is_read(self) -> bool:
        """Whether the state is known."""
        try:
            return bool(self.actuator.read_back(at(self.seconds)))
        except Unplugged:
            return False


class I2cBench(SlowBench):
    """A chip on an I2C bus."""

    def __init__(self, row: Row, folder: Path) -> None:
        super().__init__(row, folder)
        assert row.chip is not None
        self.wire = FakeI2c()
        self.chip: Any = row.chip()
        self.wire.chips[row.address] = self.chip
        self.bus = I2cBus(open_bus=self.wire.open, first_pause_s=0.02)
        self.made = self.build()
        self.settle()

    def fields(self) -> dict[str, Any]:
        return {"link": self.bus}

    def act_on(self, value: Any) -> None:
        self.chip.show(self.row.levels[value])

    def unplug(self) -> None:
        self.wire.chips.clear()
        self.wait_until_gone()

    def replug(self) -> None:
        self.wire.chips[self.row.address] = self.chip
        self.wait_until_back()

    def measure(self) -> Any:
        return self.chip.measure()

    def close(self) -> None:
        self.made.close()
        self.bus.close()
        assert self.wire.opened == 0, "the bus was not given back"


class ModbusBench(SlowBench):
    """A station on a Modbus line."""

    def __init__(self, row: Row, folder: Path) -> None:
        super().__init__(row, folder)
        self.far = Stations(folder)
        self.line = ModbusLine(str(self.far.cable.path), timeout_s=0.3, first_pause_s=0.02)
        self.made = self.build()
        self.settle()

    def fields(self) -> dict[str, Any]:
        return {"link": self.line}

    def act_on(self, value: Any) -> None:
        told = self.row.levels[value]
        if isinstance(told, bool):
            self.far.set_coil(5, told)
        else:
            self.far.put(7, [told])

    def measure(self) -> Any:
        return self.far.coil(5)

    def unplug(self) -> None:
        self.far.cable.pull()
        self.wait_until_gone()

    def replug(self) -> None:
        self.far.cable.plug()
        self.wait_until_back()

    def close(self) -> None:
        self.made.close()
        self.line.close()
        self.far.close()


class HealthBench(Bench):
    """The files of a board's kernel."""

    def __init__(self, row: Row, folder: Path) -> None:
        super().__init__(row, folder)
        self.tree = SysTree(folder)
        self.made = self.build()

    def build(self, **fields: Any) -> Any:
        options = {"path": str(self.folder), **fields.pop("options", self.row.options)}
        return super().build(options=options, **fields)

    @property
    def file(self) -> str:
        return TEMPERATURE if self.row.kind == "sensor" else THROTTLED

    def act_on(self, value: Any) -> None:
        self.tree.put(self.file, f"{self.row.levels[value]}\n")

    def unplug(self) -> None:
        (self.folder / self.file).unlink()

    def replug(self) -> None:
        """The file is there again with the next value."""

    def close(self) -> None:
        self.made.close()


class BareBench(Bench):
    """A device made of other devices."""

    def __init__(self, row: Row, folder: Path) -> None:
        super().__init__(row, folder)
        self.made = self.build()

    def close(self) -> None:
        self.made.close()


@dataclass(frozen=True)
class Row:
    """One driver under contract."""

    driver: str
    kind: str
    pin: int | None = None
    pins: tuple[int, ...] = ()
    """All it drives."""
    options: dict[str, Any] = field(default_factory=dict)
    levels: dict[Any, Any] = field(default_factory=dict)
    """What the world does -> the value that a sensor then tells, the other way round."""
    bench: str = "pins"
    chip: Callable[[], Any] | None = None
    """What stands at the far end of an I2C bus."""
    address: int = 0
    stops: bool = False
    """Whether it is stopped when it is closed: nobody would be left to."""
    is_asked: bool = False
    """Whether a part on a serial line speaks only when it is asked."""

    @property
    def name(self) -> str:
        inverted = "-low" if self.options.get("active_high") is False else ""
        return f"{self.driver}-{self.kind}{inverted}"


_BENCHES: dict[str, Callable[[Row, Path], Bench]] = {
    "serial": SerialBench,
    "frame": FrameBench,
    "sonar": SonarBench,
    "bus": BusBench,
    "health": HealthBench,
    "i2c": I2cBench,
    "modbus": ModbusBench,
    "bare": BareBench,
}


def cases(rows: tuple[Row, ...]) -> list[tuple[Row, str]]:
    """Each row on each board it can stand on."""
    return [
        (row, board)
        for row in rows
        for board in (tuple(BOARDS) if row.bench == "pins" else (row.bench,))
    ]


def set_up(row: Row, board: str, folder: Path) -> Any:
    """The bench of one case."""
    if row.bench == "pins":
        return PinBench(row, folder, board=BOARDS[board](folder))
    return _BENCHES[row.bench](row, folder)
