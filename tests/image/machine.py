"""A machine for a test: real systemd as PID 1 in namespaces, with what was installed, and a
simulated board where the header's pins would be. Needs root; no VM.

with Machine(installed) as machine:
    machine.systemctl("stop", "agentd.service")
    machine.wait_level(24, 0)
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pytest

from llmagentos.client import Door
from tests.broker import wait_until

BOOT: Final = Path(__file__).with_name("boot.sh")
OURS: Final = ("agentd-broker", "agentd", "agentd-voice", "agentd-llm")
COME_UP_S: Final = 60.0

HOME: Final = """
[node]
name = "box"
[board]
pins = "board"
[[device]]
id = "lamp"
kind = "light"
driver = "gpio.relay"
pin = 17
[[device]]
id = "pump"
kind = "switch"
driver = "gpio.relay"
pin = 24
[device.limits]
safe_state = "off"
"""

_BOARD: Final = """
[Unit]
Before=agentd.service
[Service]
ExecStart=/usr/lib/llmagentos/bin/agentd-board --run /run/agentd
ExecStartPost=/bin/sh -c 'until [ -S /run/agentd/board.sock ]; do sleep 0.05; done'
User=agentd
"""


class Machine:
    """One machine; close it, or leave it open in a `with`."""

    def __init__(
        self, installed: Path, *, home: str = HOME, dropins: Mapping[str, str] | None = None
    ) -> None:
        """Nothing runs yet.

        Args:
            installed: the folder that `make install DESTDIR=` filled.
            home: text of agentd.toml.
            dropins: text of a drop-in by unit name, on top of our units.
        """
        self.installed = installed
        self._home, self._dropins = home, dict(dropins or {})
        self._folder = tempfile.TemporaryDirectory(prefix="machine-")
        # A group of its own: two machines must not find each other's processes in theirs.
        self._cgroup = _unified() / Path(self._folder.name).name
        self._process: subprocess.Popen[bytes] | None = None
        self._pid_1 = 0

    # life -------------------------------------------------------------------------------------

    def __enter__(self) -> Machine:
        try:
            return self._start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> Machine:
        layer = Path(self._folder.name, "layer")
        layer.mkdir()
        self._cgroup.mkdir()
        command = [
            *("sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self._cgroup / "cgroup.procs")),
            *("unshare", "--fork", "--pid", "--mount", "--mount-proc", "--cgroup", "--ipc"),
            *("--uts", "--net", "--kill-child", str(BOOT), str(layer), str(self.installed)),
        ]
        with (Path(self._folder.name) / "console").open("wb") as console:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        self._pid_1 = int(wait_until(children.read_text, what="the first process").split()[0])
        wait_until(
            lambda: self.run("systemctl", "is-system-running", check=False) == "running",
            timeout_s=COME_UP_S,
            what="systemd to run",
        )
        self._settle()
        return self

    def _settle(self) -> None:
        """Put the board in place of the header, then start ours anew with the test's home."""
        self.systemctl("stop", "llmagentos.target", *(f"{name}.service" for name in OURS))
        self.write("/etc/agentd/agentd.toml", self._home)
        self.write("/run/systemd/system/agentd-board.service", _BOARD)
        for unit, text in self._dropins.items():
            self.write(f"/run/systemd/system/{unit}.d/test.conf", text)
        self.systemctl("daemon-reload")
        self.systemctl("start", "agentd-board.service", "llmagentos.target")
        self.wait_health()

    def close(self) -> None:
        """End it; nothing of it is left."""
        if self._process is not None:
            self._process.kill()  # takes PID 1 along, and with it all others
            self._process.wait()
        for group in sorted(self._cgroup.rglob("*/"), reverse=True):
            wait_until(lambda group=group: _remove(group), what=f"{group} to be empty")
        _remove(self._cgroup)
        self._folder.cleanup()

    def console(self) -> str:
        """What was said on the console, for a failed test."""
        return Path(self._folder.name, "console").read_text(errors="replace")

    # inside -----------------------------------------------------------------------------------

    def path(self, inside: str) -> Path:
        """A path of the machine as seen from here."""
        return Path(f"/proc/{self._pid_1}/root") / inside.lstrip("/")

    def write(self, inside: str, text: str) -> None:
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command in the machine as root; what it printed."""
        done = subprocess.run(
            ["nsenter", "--all", "--target", str(self._pid_1), *command],
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def systemctl(self, *arguments: str) -> str:
        return self.run("systemctl", *arguments)

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.systemctl("show", "--value", "--property", name, f"{unit}.service")

    def pid(self, unit: str = "agentd") -> str:
        """Number of a unit's main process inside; "0" while there is none."""
        return self.show(unit, "MainPID")

    def started_at(self, unit: str = "agentd") -> float:
        """Monotonic instant at which a unit's main process was started."""
        return int(self.show(unit, "ExecMainStartTimestampMonotonic")) / 1e6

    @property
    def pid_1(self) -> str:
        """Number of its first process, as it is called out here."""
        return str(self._pid_1)

    def host_pid(self, unit: str = "agentd") -> int:
        """Number of a unit's main process, as it is called out here."""
        listed = self.path(f"/sys/fs/cgroup/system.slice/{unit}.service/cgroup.procs")
        return int(listed.read_text().split()[0])

    def signal(self, name: str, unit: str = "agentd") -> float:
        """Send a signal to a unit's main process; the monotonic instant just before."""
        pid = self.host_pid(unit)
        at = time.monotonic()
        os.kill(pid, getattr(signal, f"SIG{name}"))
        return at

    def log(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}.service")

    # the box ----------------------------------------------------------------------------------

    def request(self, verb: str, /, **data: Any) -> Any:
        """One request at agentd's door."""
        with Door(self.path("/run/agentd/agentd.sock"), timeout_s=10.0) as door:
            return door.request(verb, **data)

    def health(self) -> dict[str, Any] | None:
        """The daemon's report; None while its door is closed."""
        try:
            found: dict[str, Any] = self.request("health")
        except Exception:  # noqa: BLE001 - whatever keeps it from answering, it is not there
            return None
        return found

    def wait_health(self, *, timeout_s: float = COME_UP_S) -> dict[str, Any]:
        """Wait until agentd answers."""
        return wait_until(self.health, timeout_s=timeout_s, what="agentd to answer")

    def wait_again(self, old_pid: str, *, timeout_s: float = 20.0) -> None:
        """Wait until systemd has another agentd that says it is ready."""
        wait_until(
            lambda: (
                self.pid() not in ("0", old_pid) and self.show("agentd", "SubState") == "running"
            ),
            timeout_s=timeout_s,
            what="agentd to be ready again",
        )

    # the board --------------------------------------------------------------------------------

    def level(self, pin: int) -> float:
        with Door(self.path("/run/agentd/board.sock")) as door:
            return float(door.request("read", pin=pin)["level"])

    def wait_level(self, pin: int, level: float, *, timeout_s: float = 3.0) -> None:
        wait_until(
            lambda: self.level(pin) == level, timeout_s=timeout_s, what=f"pin {pin} to be {level}"
        )

    def edges(self, pin: int, *, since: float) -> list[dict[str, Any]]:
        """The board's log of one pin from a monotonic instant on."""
        lines = self.path("/run/agentd/edges.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines if line.endswith("}")]
        return [row for row in rows if row["t_mono"] >= since and row["pin"] == pin]


def _unified() -> Path:
    """Where this system shows its tree of processes (cgroup 2)."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    pytest.skip("this system shows no cgroup 2")


def _remove(group: Path) -> bool:
    """Whether a group of processes is gone; it stays while one of them still ends."""
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
