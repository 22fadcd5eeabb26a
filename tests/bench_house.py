"""A large house at work: 100 sensors at 1 Hz, 20 outputs and 50 rules, as one part of `make bench`.

A pty stands for one microcontroller with a hundred keys; agentd runs as it does in a house, over
pins in memory. The journal's folder lies on the disk, so that what it writes is counted. What
readings write in a day is measured by `tests.bench_journal`, in virtual time.
"""

from __future__ import annotations

import json
import math
import os
import random
import tempfile
import threading
import time
import tty
from contextlib import suppress
from pathlib import Path
from typing import Final

from llmagentos.client import Door
from tests.bench_measure import cpu_s, program, wait_for, written_bytes

SENSORS: Final = 100
OUTPUTS: Final = 20
RULES: Final = 50
WARM_S: Final = 5.0
"""The start is another row of the bench."""

ACTS: Final = 100
"""Acts of which the cost is taken."""


def main(*, seconds: float = 60.0) -> None:
    """Print the tick's percentile, the share of a core and what an act writes."""
    with tempfile.TemporaryDirectory(prefix="bench", dir=".") as name:
        folder = Path(name)
        outside, inside = os.openpty()
        tty.setraw(inside)
        config = folder / "agentd.toml"
        config.write_text(house_toml(os.ttyname(inside)), encoding="utf-8")
        ended = threading.Event()
        board = threading.Thread(target=speak, args=(outside, ended))
        board.start()
        try:
            with tempfile.TemporaryDirectory(prefix="b") as run:
                arguments = ("--config", str(config), "--run", run, "--data", f"{folder}/data")
                with program(Path(run), "agentd", *arguments) as agentd:
                    measure(agentd.pid, Path(run) / "agentd.sock", seconds)
        finally:
            ended.set()
            board.join()
            os.close(outside)
            os.close(inside)


def measure(pid: int, door: Path, seconds: float) -> None:
    """Let it run and look what it took; then have it act, and see what an act costs."""
    wait_for(door)
    time.sleep(WARM_S)
    spent_s = cpu_s(pid)
    time.sleep(seconds)
    share = (cpu_s(pid) - spent_s) / seconds * 100.0
    with Door(door) as asked:
        health = asked.request("health")
        written = written_bytes(pid)
        for number in range(ACTS):
            value = "off" if number % 2 else "on"
            asked.request("set", device=f"o{OUTPUTS - 1}", value=value)
        act_kb = (written_bytes(pid) - written) / ACTS / 1e3
    name = f"{SENSORS} sensors at 1 Hz, {OUTPUTS} outputs, {RULES} rules"
    away = len(health["devices"]["unavailable"])
    print(f"{name:<46} tick p99 {health['tick']['p99_ms']:.2f} ms of {health['tick']['count']}")
    print(f"{'':<46} {share:.1f} % of a core, {away} devices away, {act_kb:.1f} kB to disk an act")


def house_toml(port: str) -> str:
    """Its configuration."""
    parts = [
        '[node]\nname = "bench"\n[mqtt]\nbroker = "off"\n[llm]\nenabled = false\n'
        '[voice]\nenabled = false\n[board]\npins = "mock"\n'
        f'[[link]]\nid = "mcu"\ndriver = "serial.jsonl"\nport = "{port}"\n'
    ]
    parts += [
        f'[[device]]\nid = "s{n}"\nkind = "sensor"\ndevice_class = "temperature"\nunit = "°C"\n'
        f'driver = "serial.jsonl"\nlink = "mcu"\n[device.options]\nkey = "s{n}"\nperiod_s = 5\n'
        for n in range(SENSORS)
    ]
    parts += [
        f'[[device]]\nid = "o{n}"\nkind = "switch"\ndriver = "gpio.relay"\npin = {n + 2}\n'
        '[device.limits]\nsafe_state = "off"\nmax_on_s = 30\n'
        for n in range(OUTPUTS)
    ]
    parts += [
        f'[[rule]]\nid = "r{n}"\nwhen = {{ device = "s{n}", above = {22.5 + n % 7 / 10}, '
        f'hysteresis = 0.3 }}\ndo = [{{ device = "o{n % OUTPUTS}", action = "turn_on" }}]\n'
        "cooldown_s = 60\n"
        for n in range(RULES)
    ]
    return "\n".join(parts)


def speak(line: int, ended: threading.Event) -> None:
    """A microcontroller with slow waves and some noise, one line in ten keys, once a second."""
    noise = random.Random(1)
    while not ended.wait(1.0):
        now_s = time.monotonic()
        for first in range(0, SENSORS, 10):
            told = {
                f"s{n}": round(20 + 2 * math.sin(now_s / 60 + n) + noise.gauss(0, 0.05), 2)
                for n in range(first, first + 10)
            }
            with suppress(BlockingIOError):
                os.write(line, json.dumps(told).encode() + b"\n")
