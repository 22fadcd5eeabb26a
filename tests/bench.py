"""`make bench`: how fast and how small, as figures of one run on one machine.

Starts a simulated board, agentd and agentd-llm in a folder of its own. Everything compared is
measured in the same run; absolute times are this machine's.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from agentd.ctl.appliance import example
from hal.board.edges import read_edges
from llmagentos.client import Door, DoorError
from models import store
from models.errors import ModelError
from tests import bench_house, bench_journal
from tests.bench_measure import cpu_s, kib, program, show, wait_for

COMMANDS = 500
LAMP_PIN, LIGHT_PIN = 18, 17


def bench_commands(run: Path, name: str) -> list[float]:
    """Milliseconds from sending a sentence to the edge that the board logged, 500 times."""
    sent: list[float] = []
    with Door(run / "agentd.sock") as door:
        door.request("ask", text="turn off the ceiling light")
        before = len(list(read_edges(run / "edges.jsonl")))
        for number in range(COMMANDS):
            sent.append(time.monotonic())
            word = "off" if number % 2 else "on"
            door.request("ask", text=f"turn {word} the ceiling light")
    edges = [e for e in list(read_edges(run / "edges.jsonl"))[before:] if e.pin == LIGHT_PIN]
    assert len(edges) == COMMANDS, f"{len(edges)} edges for {COMMANDS} commands"
    taken = [(edge.at.mono_s - at) * 1000.0 for edge, at in zip(edges, sent, strict=True)]
    show(name, taken)
    return taken


class Load:
    """Keeps the language model busy on every core."""

    def __init__(self, run: Path) -> None:
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(run,), daemon=True)
        self.choices = 0

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(30)

    def _run(self, run: Path) -> None:
        text = "It is rather dark in this room and I would like to read my book. " * 4
        with suppress(DoorError), Door(run / "llm.sock", timeout_s=60) as door:
            door.request("prefix", text="A home with many lamps.\n")
            while not self._ending.is_set():
                choices = [f"turn on lamp number {n}" for n in range(40)]
                door.request(
                    "choose", prompt=text + str(self.choices), choices=choices, deadline_ms=60000
                )
                self.choices += 1


def bench_start(run: Path, command: Sequence[str]) -> None:
    """Seconds from exec to a ready door, five times; then size and idle cost."""
    taken = []
    for _ in range(5):
        began = time.monotonic()
        with program(run, "agentd", *command):
            wait_for(run / "agentd.sock")
            with Door(run / "agentd.sock") as door:
                door.request("health")
            taken.append((time.monotonic() - began) * 1000.0)
    show("exec of agentd to an answer of health", taken)


def bench_idle(pid: int, *, seconds: float = 20.0) -> None:
    before = cpu_s(pid)
    time.sleep(seconds)
    share = 100.0 * (cpu_s(pid) - before) / seconds
    size = (
        f"RSS {kib(pid, 'VmRSS') / 1024:.1f} MiB, PSS {kib(pid, 'Pss', 'smaps_rollup') / 1024:.1f}"
    )
    print(f"{'agentd idle':<46} {share:.2f} % of a core, {size} MiB")


def bench_box() -> None:
    with tempfile.TemporaryDirectory(prefix="llmagentos-") as folder:
        run = Path(folder)
        config = run / "agentd.toml"
        config.write_text(example("room").replace("@RUN@", str(run)))
        command = ("--config", str(config), "--run", str(run), "--data", str(run / "data"))
        with program(run, "agentd-board", "--run", str(run)):
            wait_for(run / "board.sock")
            bench_start(run, command)
            with program(run, "agentd", *command) as agentd:
                wait_for(run / "agentd.sock")
                time.sleep(3.0)  # let it finish what it does after it is ready
                bench_idle(agentd.pid)
                bench_commands(run, "sentence to pin, machine idle")
                bench_under_load(run)


def bench_under_load(run: Path) -> None:
    try:
        store.find("smollm2-135m")
    except ModelError as exc:
        print(f"sentence to pin, model at work: skipped, {exc}")
        return
    cores = str(os.cpu_count())
    with program(run, "agentd-llm", "--run", str(run), "--model", "smollm2-135m",
                 "--threads", cores):  # fmt: skip
        wait_for(run / "llm.sock")
        with Load(run) as load:
            while not load.choices:
                time.sleep(0.05)
            bench_commands(run, f"sentence to pin, model at work on {cores} cores")
        print(f"{'':<46} ({load.choices} sets of 40 choices scored meanwhile)")


def main() -> None:
    bench_box()
    bench_house.main()
    bench_journal.main()
    with suppress(ImportError):
        from tests import bench_llm

        bench_llm.main()


if __name__ == "__main__":
    main()
