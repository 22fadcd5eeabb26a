"""An agentd-llm of one's own, for a run without a daemon."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from agentd.ctl.failure import Failure
from agentd.ctl.supervision import tether
from llmagentos.client import Door, DoorError
from llmagentos.clock import Clock

READY_WAIT_S: Final = 60.0
"""Longest wait for a model to be loaded: 500 MB from a slow card, and its hash."""

END_WAIT_S: Final = 5.0
"""Time between SIGTERM and SIGKILL."""

POLL_S: Final = 0.05
PROGRAM: Final = Path(sys.prefix) / "bin" / "agentd-llm"


@contextmanager
def private_llm(model: str, *, clock: Clock, program: Path = PROGRAM) -> Iterator[Path]:
    """Run a language model; its socket is given once it can be asked.

    Raises:
        Failure: it did not come up; the text is its own last line.
    """
    with tempfile.TemporaryDirectory(prefix="agentctl-") as folder:
        run = Path(folder)
        with (run / "llm.log").open("wb") as log:
            process = subprocess.Popen(
                [*tether(), str(program), "--run", str(run), "--model", model],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C ends us, and we end it
            )
        try:
            _wait_ready(process, run, clock)
            yield run / "llm.sock"
        finally:
            _end(process)


def _wait_ready(process: subprocess.Popen[bytes], run: Path, clock: Clock) -> None:
    deadline = clock().mono_s + READY_WAIT_S
    while (told := _health(run / "llm.sock")).get("state") != "ready":
        if told.get("state") == "missing":
            raise Failure(f"the language model cannot be used: {told.get('detail')}")
        if process.poll() is not None:
            raise Failure(f"the language model did not start: {_last_line(run / 'llm.log')}")
        if clock().mono_s > deadline:
            raise Failure(f"the language model is not ready after {READY_WAIT_S:.0f} s")
        time.sleep(POLL_S)


def _health(path: Path) -> dict[str, Any]:
    """Its own word; nothing while it does not answer."""
    try:
        with Door(path, timeout_s=2.0) as door:
            told: dict[str, Any] = door.request("health")
    except DoorError:
        return {}
    return told


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("agentd-llm: ") if lines else "it said nothing"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
