"""The whole appliance as processes of one machine: broker, board, agentd and its sisters."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from agentd.ctl import broker
from agentd.ctl.failure import Failure
from agentd.ctl.supervision import POLL_S, Program, Supervision
from llmagentos.client import Door, DoorError
from llmagentos.clock import Clock

STOP_WAIT_S: Final = 30.0
"""Longest stop: every program has its own few seconds before it is killed."""

GIVE_UP_S: Final = 2.5
"""Time in which a program that ended at once may still recover, in seconds: it is tried again."""

SMALL_MODEL: Final = "smollm2-135m"
"""The language model that set-up brings."""

_EXAMPLES: Final = Path(__file__).parents[1] / "example"

MARK: Final = ".llmagentos"
"""A file that tells an instance's run folder from a folder that was named by mistake."""

_RUN_IN_CONFIG: Final = re.compile(r"@RUN@|/tmp/llmagentos-\d+-[0-9a-f]{8}")
"""The run folder in a configuration: as shipped, or as another start of a copy wrote it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The two folders of an instance."""

    run: Path
    """Sockets and generated files; gone after the end. Short, since a socket's path is."""

    data: Path
    """Configuration, journal and logs; stays."""

    programs: Path = Path(sys.prefix) / "bin"
    """Where agentd and its sisters lie."""

    @property
    def config(self) -> Path:
        """The instance's agentd.toml."""
        return self.data / "agentd.toml"

    @property
    def logs(self) -> Path:
        """One log per program."""
        return self.data / "log"


@dataclass(frozen=True, slots=True)
class Choice:
    """What to run, and how."""

    has_llm: bool = True
    has_voice: bool = True
    has_microphone: bool = True
    model: str = SMALL_MODEL
    """Id of the language model."""
    board_speed: float = 1.0
    """How many seconds of the simulated room pass in one of ours."""
    releases_lines: bool = False
    """Whether the board drops the lines of an owner that died, as upstream kernels do."""
    broker_port: int | None = None
    """Loopback port of the broker; None takes a free one."""

    @property
    def left_out(self) -> frozenset[str]:
        """Names under which `health` may report what was left out."""
        names = {"llm": self.has_llm, "model": self.has_llm, "voice": self.has_voice}
        return frozenset(name for name, has in names.items() if not has)


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that keeps an instance from being ready."""

    name: str
    """A program, a part or a device."""

    why: str = ""
    """In its own words; empty when it says nothing yet."""

    def __str__(self) -> str:
        return f"{self.name} ({self.why})" if self.why else self.name


class Appliance:
    """Starts everything, watches it, stops it in order: agentd first, while its board lives."""

    def __init__(self, place: Place, choice: Choice, *, clock: Clock) -> None:
        self.place = place
        self.choice = choice
        self._clock = clock
        self.port: int | None = None
        """The broker's port on loopback; None until the start, and with a foreign broker."""
        self.supervision = Supervision(place.run, logs=place.logs, clock=clock)

    def start(self) -> None:
        """Make the folders and the generated files, start the processes; returns before they are
        ready.

        Raises:
            Failure: something is missing on this machine, or the configuration is not TOML.
        """
        self.supervision.end_earlier(timeout_s=STOP_WAIT_S)
        make_private(self.place.run)
        self.place.logs.mkdir(parents=True, exist_ok=True)
        self._settle_config()
        programs = list(self._programs())
        environ = {**os.environ, "LLMAGENTOS_RUN": str(self.place.run), "PYTHONUNBUFFERED": "1"}
        self.supervision.launch(programs, environ=environ)

    def start_agentd(self, *, timeout_s: float) -> None:
        """Start agentd as soon as board and broker are there.

        Raises:
            Failure: they are not there in time; the last lines of their logs are in the text.
        """
        deadline = self._clock().mono_s + timeout_s
        for name, socket in self._awaited():
            while not (self.supervision.processes() and (self.place.run / socket).exists()):
                if self._clock().mono_s > deadline or not self.supervision.is_alive:
                    tail = self.supervision.tail(name, lines=12)
                    raise Failure("\n".join([f"{name} does not come up; its last lines:", *tail]))
                time.sleep(POLL_S)
        self.supervision.start("agentd")

    def health(self) -> dict[str, Any] | None:
        """The daemon's own report; None while nobody answers."""
        try:
            with Door(self.place.run / "agentd.sock", timeout_s=2.0) as door:
                found: dict[str, Any] = door.request("health")
        except DoorError:
            return None
        return found

    def lacks(self) -> list[Lack]:
        """What still keeps it from being ready; empty when it is ready."""
        report = self.health()
        if report is None:
            return [Lack("agentd")]
        waiting = [
            Lack(name, part.get("detail") or part["status"])
            for name, part in (report.get("parts") or {}).items()
            if part["status"] not in FINE and name not in self.choice.left_out
        ]
        away = (report.get("devices") or {}).get("unavailable") or ()
        waiting += [Lack(row["id"], row["reason"]) for row in away]
        if self.choice.has_voice and not (self.place.run / "voice.sock").exists():
            waiting.append(Lack("agentd-voice"))  # unknown to the daemon until its first report
        if report["status"] not in ("ready", "degraded"):
            waiting.append(Lack(str(report["status"])))
        return waiting

    def wait_ready(self, *, timeout_s: float, tell: Callable[[str], None]) -> list[Lack]:
        """Wait until it is ready, telling what is waited for whenever that changes.

        Returns:
            What was still missing in the end; empty when it is ready. The end comes early when
            a program does not stay up.
        """
        deadline = self._clock().mono_s + timeout_s
        last_up = self._clock().mono_s
        told = ""
        while (waiting := self.lacks()) and self.supervision.is_alive:
            now = self._clock().mono_s
            processes = self.supervision.processes().values()
            last_up = last_up if any(each.is_failing for each in processes) else now
            if now > deadline or now - last_up > GIVE_UP_S:
                break
            if (names := ", ".join(lack.name for lack in waiting)) != told:
                tell(f"waiting for {names}")
                told = names
            time.sleep(POLL_S)
        return waiting

    def stop(self) -> bool:
        """End everything and remove the run folder.

        Returns:
            False when something had to be killed.
        """
        is_clean = self.supervision.end(timeout_s=STOP_WAIT_S)
        clear(self.place.run)
        return is_clean

    def _settle_config(self) -> None:
        """The demo room for a new instance; an older file follows when the run folder moved."""
        path = self.place.config
        known = path.read_text(encoding="utf-8") if path.exists() else example("room")
        settled = _RUN_IN_CONFIG.sub(str(self.place.run), known)
        if settled != known or not path.exists():
            path.write_text(settled, encoding="utf-8")

    def _programs(self) -> Iterator[Program]:
        place, choice = self.place, self.choice
        if broker.wants_own_broker(place.config):
            yield Program("mosquitto", self._broker_command(), 10)
        fast = () if choice.board_speed == 1.0 else ("--speed", str(choice.board_speed))
        loose = ("--release-on-death",) if choice.releases_lines else ()
        yield self._ours("agentd-board", 20, *fast, *loose)
        if choice.has_llm:
            yield self._ours("agentd-llm", 30, "--model", choice.model)
        if choice.has_voice:
            yield self._ours("agentd-voice", 40, *(() if choice.has_microphone else (_DEAF,)))
        rest = ("--config", str(place.config), "--data", str(place.data))
        agentd = self._ours("agentd", 50, *rest)
        yield replace(agentd, stop_wait_s=6, is_started=False)

    def _ours(self, name: str, order: int, *options: str) -> Program:
        command = (str(self.place.programs / name), "--run", str(self.place.run), *options)
        return Program(name, command, order)

    def _broker_command(self) -> tuple[str, ...]:
        program = broker.find_mosquitto()
        self.port = self.choice.broker_port or broker.free_port()
        written = self.place.run / "mosquitto.conf"
        written.write_text(broker.configuration(self.place.run, port=self.port), encoding="utf-8")
        return (program, "-c", str(written))

    def _awaited(self) -> Iterator[tuple[str, str]]:
        """Programs whose socket agentd needs at its start."""
        if self.port is not None:
            yield "mosquitto", broker.SOCKET
        yield "agentd-board", "board.sock"


_DEAF: Final = "--no-microphone"

FINE: Final = frozenset({"ok", "ready", "off", "idle", "listening", "silent", "no_microphone"})
"""States of a part that nobody needs to wait for."""


def example(name: str) -> str:
    """A configuration that is shipped as an example."""
    return (_EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")


def make_private(folder: Path) -> None:
    """Make a folder that only this user can enter, empty but for its mark.

    What an earlier instance left there is removed; it must have ended.

    Raises:
        Failure: somebody else made it, or it holds what is not ours to remove.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
        raise Failure(f"{folder} belongs to somebody else", hint="remove it, or choose --run DIR")
    if any(folder.iterdir()) and not (folder / MARK).exists():
        raise Failure(f"{folder} holds other things", hint="choose an empty folder with --run DIR")
    clear(folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    (folder / MARK).touch()


def clear(folder: Path) -> None:
    """Remove the run folder of an instance that ended."""
    if (folder / MARK).exists():
        shutil.rmtree(folder, ignore_errors=True)
