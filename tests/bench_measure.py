"""What the benches share: programs, waiting, percentiles, and what a process has used."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from llmagentos.client import Door, DoorError

BIN = Path(sys.prefix) / "bin"


@contextmanager
def program(run: Path, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of our programs, ended when the block ends."""
    log = (run / f"{name}.log").open("wb")
    process = subprocess.Popen([BIN / name, *arguments], stderr=log, stdout=log)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


def wait_for(path: Path, *, within_s: float = 20.0) -> None:
    """Until something serves the socket."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(DoorError), Door(path, timeout_s=5.0):
            return
        time.sleep(0.005)
    raise SystemExit(f"nobody serves {path}")


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(name: str, values: Sequence[float], unit: str = "ms") -> None:
    print(
        f"{name:<46} p50 {statistics.median(values):8.2f}  p95 {percentile(values, 0.95):8.2f}"
        f"  p99 {percentile(values, 0.99):8.2f} {unit}"
    )


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kib(pid: int, field: str, file: str = "status") -> int:
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def written_bytes(pid: int) -> int:
    """Bytes that a process has caused to be written to a disk."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise SystemExit(f"/proc/{pid}/io tells no write_bytes")
