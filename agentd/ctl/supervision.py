"""Starts programs again when they end: a private supervisord, over its Unix socket.

Its processes hang on a chain of death signals, so that a killed runner leaves nobody behind:
the runner's death ends supervisord, supervisord's death ends each program.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentd.ctl.failure import Failure
from llmagentos.clock import Clock

LOG_BYTES: Final = 2_000_000
"""Size at which a log file is rotated."""

LOG_FILES: Final = 3
"""Rotated logs kept for each program."""

START_TRIES: Final = 1000
"""A program that keeps dying is tried again with a pause that grows by 1 s each time."""


POLL_S: Final = 0.05
"""Pause between two looks while something starts or stops, in seconds."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep alive."""

    name: str
    """Also the name of its log file."""

    command: tuple[str, ...]

    order: int
    """Low ones are started first and stopped last."""

    stop_wait_s: int = 4
    """Seconds between SIGTERM and SIGKILL."""

    is_started: bool = True
    """False leaves the first start to `Supervision.start`."""


@dataclass(frozen=True, slots=True)
class Process:
    """What became of a program."""

    name: str
    state: str
    """STARTING RUNNING BACKOFF STOPPING STOPPED EXITED FATAL"""

    pid: int
    """0 when there is none."""

    word: str
    """Supervisord's own description."""

    @property
    def is_failing(self) -> bool:
        """Whether it ends as soon as it is started."""
        return self.state in ("BACKOFF", "FATAL")


class Supervision:
    """One supervisord and its programs."""

    def __init__(self, run: Path, *, logs: Path, clock: Clock) -> None:
        """Nothing is started yet.

        Args:
            run: folder for its socket and its generated configuration.
            logs: folder for one log per program.
            clock: bounds the waits.
        """
        self._clock = clock
        self._run = run
        self._logs = logs
        self._socket = run / "supervisor.sock"
        self._written = run / "supervisord.conf"
        self._daemon: subprocess.Popen[bytes] | None = None

    def launch(self, programs: Sequence[Program], *, environ: Mapping[str, str]) -> None:
        """Start supervisord with these programs; returns before they are up.

        Raises:
            Failure: supervisord is not installed.
        """
        launcher = Path(sys.prefix) / "bin" / "supervisord"
        if not launcher.is_file():
            raise Failure("supervisor is not installed here", hint="pip install llmagentos[dev]")
        self._written.write_text(self._configuration(programs), encoding="utf-8")
        # A session of its own: Ctrl-C reaches the runner alone, which stops the rest in order.
        command = [str(launcher), "--nodaemon", "--silent", "--configuration", str(self._written)]
        with (self._logs / "supervisord.out").open("ab") as out:
            self._daemon = subprocess.Popen(
                [*tether(), *command],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end_earlier(self, *, timeout_s: float) -> None:
        """Wait for a supervisord whose runner was killed to end its programs.

        Raises:
            Failure: it does not end.
        """
        deadline = self._clock().mono_s + timeout_s
        while pid := self._pid_of_earlier():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            if self._clock().mono_s > deadline:
                raise Failure(f"an earlier run does not end (process {pid})", hint=f"kill -9 {pid}")
            time.sleep(POLL_S)

    def _pid_of_earlier(self) -> int | None:
        """The live process that still runs with our configuration; a number alone may be reused."""
        try:
            pid = int((self._run / "supervisord.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self._written).encode() in command else None

    @property
    def is_alive(self) -> bool:
        """Whether supervisord itself runs."""
        return self._daemon is not None and self._daemon.poll() is None

    def processes(self) -> dict[str, Process]:
        """Every program by name; empty while supervisord is not up.

        [1] supervisord looks at its programs once a second, or when somebody talks to it. To
        look often makes it start, restart and stop within milliseconds.
        """
        try:
            rows: Any = self._call("getAllProcessInfo")
        except Failure:
            return {}
        return {
            row["name"]: Process(row["name"], row["statename"], row["pid"], row["description"])
            for row in rows
        }

    def start(self, name: str) -> None:
        """Start a program that was left out at first; `processes` tells what became of it."""
        with suppress(Failure):  # it ended already, or runs already
            self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop one program and keep it stopped; waits until it ended."""
        self._call("stopProcess", name)

    def end(self, *, timeout_s: float) -> bool:
        """Stop every program in reverse order, then supervisord.

        Returns:
            False when it took too long and was killed.
        """
        if self._daemon is None:
            return True
        self._daemon.terminate()
        deadline = self._clock().mono_s + timeout_s
        while self.is_alive and self._clock().mono_s < deadline:
            self.processes()  # [1]
            time.sleep(POLL_S)
        if not self.is_alive:
            return True
        self._daemon.kill()  # each program hears of it by its death signal
        self._daemon.wait()
        return False

    def tail(self, name: str, *, lines: int) -> list[str]:
        """The last lines that a program wrote."""
        try:
            with (self._logs / f"{name}.log").open("rb") as log:
                log.seek(max(0, log.seek(0, 2) - 16_384))
                text = log.read().decode(errors="replace")
        except OSError:
            return []
        return text.splitlines()[-lines:]

    def _call(self, method: str, *args: object) -> Any:
        """One call; raises Failure when supervisord is away or refuses."""
        from agentd.ctl.rpc import call  # 15 ms of imports that only the runner needs

        return call(self._socket, f"supervisor.{method}", *args)

    def _configuration(self, programs: Sequence[Program]) -> str:
        text = _DAEMON.format(
            socket=_escaped(self._socket), run=_escaped(self._run), logs=_escaped(self._logs),
            bytes=LOG_BYTES, files=LOG_FILES,
        )  # fmt: skip
        return text + "".join(self._section(program) for program in programs)

    def _section(self, program: Program) -> str:
        return _PROGRAM.format(
            name=program.name,
            command=_escaped(shlex.join([*tether(), *program.command])),
            order=program.order,
            is_started=str(program.is_started).lower(),
            stop_wait_s=program.stop_wait_s,
            log=_escaped(self._logs / f"{program.name}.log"),
            bytes=LOG_BYTES,
            files=LOG_FILES,
            tries=START_TRIES,
        )


def tether() -> tuple[str, ...]:
    """What makes a command end with the process that starts it; empty where util-linux is old."""
    return ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


def _escaped(text: Path | str) -> str:
    """Supervisord expands `%(name)s` in every value."""
    return str(text).replace("%", "%%")


_DAEMON: Final = """\
[supervisord]
pidfile={run}/supervisord.pid
logfile={logs}/supervisord.log
logfile_maxbytes={bytes}
logfile_backups={files}

[unix_http_server]
file={socket}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM: Final = """
[program:{name}]
command={command}
priority={order}
autostart={is_started}
autorestart=true
startsecs=2
startretries={tries}
stopsignal=TERM
stopwaitsecs={stop_wait_s}
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes={bytes}
stdout_logfile_backups={files}
"""
