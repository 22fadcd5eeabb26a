"""Real processes for the tests: a board, and a program that uses it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hal.board.control import BoardControl
from hal.board.edges import read_edges
from hal.board.line import Edge

OWNER = """
import sys, time
from gpiozero import DigitalOutputDevice, PWMOutputDevice
from hal.board.pin import BoardFactory
pins = BoardFactory(sys.argv[1])
relay = DigitalOutputDevice(17, pin_factory=pins)
relay.on()
lamp = PWMOutputDevice(18, pin_factory=pins, initial_value=0.4)
print("held", flush=True)
time.sleep(60)
"""


class BoardProcess:
    """One `agentd-board`, ready when made."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.socket = folder, folder / "board.sock"
        command = [sys.executable, "-P", "-m", "hal.board.app", "--run", str(folder), *options]
        self.said = ""
        """What it wrote to standard error after it was ready; filled when it has ended."""
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr
        assert "ready" in self.process.stderr.readline()

    def control(self) -> BoardControl:
        return BoardControl(self.socket)

    def edges(self) -> list[Edge]:
        return list(read_edges(self.folder / "edges.jsonl"))

    def start_owner(self) -> subprocess.Popen[str]:
        """A program that holds the relay on pin 17 (on) and the lamp on 18 (40 %)."""
        command = [sys.executable, "-P", "-c", OWNER, str(self.socket)]
        owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert owner.stdout
        assert owner.stdout.readline() == "held\n"
        return owner

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """The exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def _reap(self) -> int:
        status = self.process.wait(timeout=5)
        if self.process.stderr and not self.process.stderr.closed:
            self.said = self.process.stderr.read()
            self.process.stderr.close()
        return status


def eventually(is_so: Callable[[], bool], *, within_s: float = 3.0) -> bool:
    """Whether something becomes so; asks every 10 ms, since another process has to act."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.01)
    return is_so()
