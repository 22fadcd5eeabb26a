"""Outputs are safe after every death of agentd, as the simulated board saw it: its lines keep the
level of an owner that died, as a Raspberry Pi's do, and its log of edges is the witness.

Here agentd is not started again (`Restart=no`), so that nothing but `ExecStopPost` can have done
it; `test_units.py` has the deaths that it comes back from. A death counts from the signal; one by
watchdog from the moment systemd sends it, for a box that stands still is a box that nobody has
asked anything of; one by its own defect from the command that it dies of.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from agentd.progress import MOVE_S, WRITE_S
from tests.broker import wait_until
from tests.image.machine import Machine

ROUNDS: Final = 20 if os.environ.get("LONG") else 2
"""How often each death is died."""

SAFE_S: Final = 0.5
"""Longest time from a death to the last output at its safe state."""

BUSY_S: Final = 3.0
"""The same on a machine that has twice as much to do as it can."""

WATCHDOG_S: Final = 2
"""Shorter than as installed: what counts here comes after it."""

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
[[device]]
id = "heater"
kind = "switch"
driver = "gpio.relay"
pin = 22
[device.limits]
safe_state = "off"
[[device]]
id = "fan"
kind = "fan"
driver = "gpio.relay"
pin = 23
[[device]]
id = "vent"
kind = "valve"
driver = "gpio.relay"
pin = 25
[device.limits]
safe_state = "on"
[[device]]
id = "night_light"
kind = "light"
driver = "gpio.pwm"
pin = 18
[device.limits]
safe_state = 20
"""

SAFE: Final = {"pump": (24, 0.0), "heater": (22, 0.0), "fan": (23, 0.0), "vent": (25, 1.0),
               "night_light": (18, 0.2)}  # fmt: skip
"""Pin and declared safe level of every output that declares one."""

KEPT: Final = 17

WISHES: Final = (
    {"device": "lamp", "value": "on"}, {"device": "pump", "value": "on"},
    {"device": "heater", "value": "on"}, {"device": "fan", "value": "on"},
    {"device": "vent", "action": "close"}, {"device": "night_light", "value": 90},
)  # fmt: skip
"""What brings every output as far from its safe state as it goes."""

DROPIN: Final = f"""
[Service]
Restart=no
WatchdogSec={WATCHDOG_S}
ExecStart=
ExecStart=/usr/lib/llmagentos/bin/python -P /run/mortal.py \
    --config /etc/agentd/agentd.toml --run /run/agentd --data /var/lib/agentd
"""

MORTAL: Final = '''
"""agentd as it is installed, with one defect: a command for the lamp, once there is a certain
file, raises in the tick what nobody expects."""
import sys
from pathlib import Path
from agentd import app, loop

act = loop.Loop.tick

def tick(self, batch, now):
    if batch.proposals and Path("/run/agentd/defect").exists():
        raise ZeroDivisionError("a defect in the tick")
    return act(self, batch, now)

loop.Loop.tick = tick
sys.exit(app.main())
'''


class Mortal:
    """A machine whose agentd can be killed in every way, and stays dead."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def live(self) -> None:
        """Start agentd, with a clean record, and bring every output far from its safe state."""
        for name in ("defect", "crashes.json"):
            self.machine.path(f"/run/agentd/{name}").unlink(missing_ok=True)
        self.machine.run("systemctl", "reset-failed", "agentd.service", check=False)
        self.machine.systemctl("start", "agentd.service")
        for wish in WISHES:
            answer = self.machine.request("set", **wish)
            assert answer["applied"][0]["stage"] == "read_back", answer

    def die(self, way: str) -> float:
        """Die in one way; the monotonic instant from which it counts."""
        at: float = WAYS[way](self.machine)
        wait_until(
            lambda: self.machine.show("agentd", "ActiveState") in ("failed", "inactive"),
            timeout_s=WATCHDOG_S + 10.0,
            what="the end",
        )
        return at if at else self.watchdog_at()

    def safe_after_s(self, at: float) -> dict[str, float]:
        """How long each output took to its safe state, by the board; infinite: it never came."""
        return {name: self._took(pin, level, at) for name, (pin, level) in SAFE.items()}

    def _took(self, pin: int, level: float, at: float) -> float:
        last = float("inf")
        for edge in self.machine.edges(pin, since=at):
            is_there = abs(edge["level"] - level) < 0.02
            if not is_there:
                last = float("inf")
            elif last == float("inf"):
                last = edge["t_mono"] - at
        return last

    def watchdog_at(self) -> float:
        """When systemd sent the signal for want of a sign of life: it leaves `active` then."""
        return int(self.machine.show("agentd", "ActiveExitTimestampMonotonic")) / 1e6


@contextmanager
def load(machine: Machine) -> Iterator[None]:
    """Twice as many busy processes as there are processors, none of them nice."""
    loops = f"for _ in $(seq {2 * (os.cpu_count() or 1)}); do (while :; do :; done) & done; wait"
    machine.run("systemd-run", "--quiet", "--unit=busy", "sh", "-c", loops)
    try:
        yield
    finally:
        machine.systemctl("stop", "busy.service")


def stop(machine: Machine) -> float:
    at = time.monotonic()
    machine.systemctl("stop", "agentd.service")
    return at


def freeze(machine: Machine) -> float:
    """Every thread stands still, deaf to all signals but the last one."""
    machine.signal("STOP")
    return 0.0


def break_down(machine: Machine) -> float:
    machine.path("/run/agentd/defect").touch()
    at = time.monotonic()
    try:
        machine.request("set", device="lamp", value="on")
    except Exception:  # noqa: BLE001 - it dies of the question
        return at
    raise AssertionError("it outlived its defect")


WAYS: Final[dict[str, Callable[[Machine], float]]] = {
    "SIGKILL": lambda machine: machine.signal("KILL"),
    "SIGSEGV": lambda machine: machine.signal("SEGV"),
    "SIGABRT": lambda machine: machine.signal("ABRT"),
    "watchdog": freeze,
    "stop": stop,
    "exception": break_down,
}
ORDERLY: Final = ("stop", "exception")
"""Ways of which agentd knows: it makes the outputs safe itself, before it ends."""


@pytest.fixture(scope="module")
def mortal(installed: Path) -> Iterator[Mortal]:
    with Machine(installed, home=HOME) as machine:
        machine.write("/run/mortal.py", MORTAL)
        machine.write("/run/systemd/system/agentd.service.d/mortal.conf", DROPIN)
        machine.systemctl("daemon-reload")
        machine.systemctl("restart", "agentd.service")
        yield Mortal(machine)


@pytest.mark.units
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS)
def test_outputs_are_safe_after(way: str, mortal: Mortal, tell: Callable[[str], None]) -> None:
    die_often(way, mortal, tell)


@pytest.mark.units
@pytest.mark.timeout(600)
def test_outputs_are_safe_after_a_death_on_a_busy_machine(
    mortal: Mortal, tell: Callable[[str], None]
) -> None:
    """Later than on one that is not, for here nothing but the order of the kernel's queue puts
    agentd-safe first: these namespaces have no controller for the weight of its group."""
    with load(mortal.machine):
        die_often("SIGKILL", mortal, tell, limit_s=BUSY_S)


def die_often(
    way: str, mortal: Mortal, tell: Callable[[str], None], *, limit_s: float = SAFE_S
) -> None:
    slowest_s: list[float] = []
    for number in range(ROUNDS):
        mortal.live()
        time.sleep(random.Random(number).uniform(0.0, 0.3))  # anywhere between two ticks
        at = mortal.die(way)
        took_s = mortal.safe_after_s(at)
        slowest_s.append(max(took_s.values()))
        levels = {name: mortal.machine.level(pin) for name, (pin, _) in SAFE.items()}
        assert levels == pytest.approx({name: level for name, (_, level) in SAFE.items()}, abs=0.02)
        assert {edge["level"] for edge in mortal.machine.edges(KEPT, since=at)} <= {1}, "the lamp"
        assert max(took_s.values()) <= limit_s, (number, took_s)
    tell(
        f"{way}: {ROUNDS} of {ROUNDS} safe, slowest output after {statistics.median(slowest_s):.3f} "
        f"s in the median, {max(slowest_s):.3f} s at most"
    )


@pytest.mark.units
@pytest.mark.parametrize("way", WAYS)
def test_without_the_line_that_makes_them_safe(way: str, mortal: Mortal) -> None:
    """The test above would fail: what it finds is ExecStopPost's doing, and agentd's own where it
    still can."""
    place = "/run/systemd/system/agentd.service.d/without.conf"
    mortal.machine.write(place, "[Service]\nExecStopPost=\n")
    mortal.machine.systemctl("daemon-reload")
    try:
        mortal.live()
        at = mortal.die(way)
        time.sleep(SAFE_S)
        is_safe = max(mortal.safe_after_s(at).values()) <= SAFE_S
        assert is_safe == (way in ORDERLY)
    finally:
        mortal.machine.path(place).unlink()
        mortal.machine.systemctl("daemon-reload")


# loops that stand still ---------------------------------------------------------------------------

STANDS: Final = {
    "tick": ((), "all", 0.0),
    "journal": (("-f",), "fdatasync", WRITE_S),
    "mqtt": (("-f",), "epoll_wait", MOVE_S),
}
"""What strace holds up, of which threads, and how long a loop may stand there. The door's own
epoll_wait is held up too, but while it waits for work, which may take any time."""


@pytest.mark.units
@pytest.mark.skipif(not os.environ.get("LONG"), reason="takes a minute: LONG=1")
@pytest.mark.parametrize("name", STANDS)
def test_one_loop_that_stands_still_is_a_death(
    name: str, mortal: Mortal, tell: Callable[[str], None]
) -> None:
    threads, call, deadline_s = STANDS[name]
    mortal.live()
    pid, began_at = mortal.machine.host_pid(), time.monotonic()
    hold_up = ["-e", f"inject={call}:delay_enter=300000000", "-e", f"trace={call}"]
    tracer = subprocess.Popen(
        ["strace", "-qq", "-o", "/dev/null", *threads, *hold_up, "-p", str(pid)]
    )
    asking = threading.Thread(target=ask_for_something, args=(mortal.machine,))
    asking.start()
    try:
        wait_until(lambda: mortal.machine.show("agentd", "ActiveState") != "active",
                   timeout_s=deadline_s + WATCHDOG_S + 15.0, what="the watchdog")  # fmt: skip
    finally:
        tracer.kill()  # it would hold on to the dead threads
        tracer.wait()
        asking.join()
    wait_until(lambda: mortal.machine.show("agentd", "ActiveState") == "failed", what="the end")
    at = mortal.watchdog_at()
    tell(f"{name} stands: killed after {at - began_at:.1f} s")
    assert max(mortal.safe_after_s(at).values()) <= BUSY_S  # the tracer was in the way
    assert (f"{name}: no progress" in mortal.machine.log("agentd")) == (name != "tick")


def ask_for_something(machine: Machine) -> None:
    """A command that has to be written down; it gets no answer."""
    with suppress(Exception):
        machine.request("set", device="fan", value="off")
