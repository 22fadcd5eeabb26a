"""`agentctl dev`: the appliance in the foreground of a terminal, until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

from agentd.ctl.appliance import Appliance, Lack, Place
from agentd.ctl.command import say, warn
from agentd.ctl.failure import Failure
from agentd.ctl.supervision import Process
from llmagentos.clock import Clock

READY_WAIT_S: Final = 90.0
"""Longest wait for ready, in seconds: a cold start reads 200 MB of models from the disk."""

COME_UP_S: Final = 15.0
"""Longest wait for board and broker, in seconds."""

WATCH_S: Final = 0.5
"""Pause between two looks at the processes, in seconds: how soon one that died is back."""

LOG_LINES: Final = 15
"""Lines shown of a program that keeps ending."""

_AGENTCTL: Final = str(Path(sys.prefix) / "bin" / "agentctl")

FIRST_SENTENCE: Final = "turn on the desk lamp"
LOCK: Final = "dev.lock"
KEPT: Final = ("agentd.toml*", "journal.db*", "log")
"""What an instance writes into its data folder."""


class _Stopped(Exception):
    """Somebody asked the runner to end."""


def serve(appliance: Appliance, *, clock: Clock, is_fresh: bool = False) -> None:
    """Run an instance until SIGINT, SIGTERM or SIGHUP.

    Raises:
        Failure: it runs already, or cannot be started; nothing of it is left.
    """
    with _alone(appliance.place):
        _on_signals(_raise_stopped)
        if is_fresh:
            forget(appliance.place.data)
        _run(appliance, clock)


def _run(appliance: Appliance, clock: Clock) -> None:
    """Start, wait, watch, and stop whatever happens."""
    began = clock()
    try:
        try:
            appliance.start()
            appliance.start_agentd(timeout_s=COME_UP_S)
            missing = appliance.wait_ready(timeout_s=READY_WAIT_S, tell=warn)
            _announce(appliance, missing, took_s=began.age_s(clock()))
            _watch(appliance)
        except _Stopped:
            warn("stopping")
    finally:
        _on_signals(signal.SIG_IGN)  # a second Ctrl-C must not leave half of it behind
        if not appliance.stop():
            warn(f"something did not stop in time and was killed; see {appliance.place.logs}")


def _announce(appliance: Appliance, missing: list[Lack], *, took_s: float) -> None:
    """The one line that a newcomer pastes from.

    Raises:
        Failure: agentd itself did not come up.
    """
    if Lack("agentd") in missing:
        tail = appliance.supervision.tail("agentd", lines=LOG_LINES)
        raise Failure("\n".join(["agentd does not come up; its last lines:", *tail]))
    command = shlex.join([_short(_AGENTCTL)])
    if missing:
        say(f"Running, but not ready: {', '.join(map(str, missing))}. See:  {command} health")
        return
    say(f'Ready in {took_s:.1f} s. Try in another terminal:  {command} ask "{FIRST_SENTENCE}"')


def _short(path: str) -> str:
    """The path as seen from here, when that can be pasted."""
    with suppress(ValueError):
        return str(Path(path).relative_to(Path.cwd()))
    return path


def _watch(appliance: Appliance) -> None:
    """Tell of programs that end, until a signal comes.

    Raises:
        Failure: supervisord itself ended.
    """
    seen: dict[str, Process] = {}
    while appliance.supervision.is_alive:
        for name, now in appliance.supervision.processes().items():
            for line in news(seen.get(name), now):
                warn(line)
            if now.is_failing and not (name in seen and seen[name].is_failing):
                _show_tail(appliance, name)
            if now.state in ("RUNNING", "BACKOFF", "FATAL"):
                seen[name] = now
        time.sleep(WATCH_S)
    raise Failure(f"supervisord ended; see {appliance.place.logs}")


def news(before: Process | None, now: Process) -> Iterator[str]:
    """What is worth a line when a program was seen as `before` and is seen as `now`."""
    if now.is_failing and not (before and before.is_failing):
        yield f"{now.name} does not stay up: {now.word}"
    elif before and now.state == "RUNNING" and now.pid != before.pid:
        yield f"{now.name} ended and was started again"


def _show_tail(appliance: Appliance, name: str) -> None:
    for line in appliance.supervision.tail(name, lines=LOG_LINES):
        warn(f"  {name} | {line}")


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """Hold the instance's lock, which the kernel lets go of when we die.

    Raises:
        Failure: it runs already.
    """
    place.data.mkdir(parents=True, exist_ok=True)
    with (place.data / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            lock.seek(0)
            raise _already_running(lock.read().strip(), place) from exc
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _already_running(pid: str, place: Place) -> Failure:
    return Failure(
        f"it runs already (process {pid}, sockets in {place.run})",
        hint=f"talk to it with {_short(_AGENTCTL)}, stop it with: kill {pid}",
    )


def _on_signals(action: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, action)


def _raise_stopped(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise _Stopped


def forget(data: Path) -> None:
    """Remove what an instance keeps, and nothing else that may lie there."""
    for each in (found for pattern in KEPT for found in data.glob(pattern)):
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()
