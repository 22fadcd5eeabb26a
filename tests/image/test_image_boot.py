"""The image, booted from cold in an emulator: ready in time, whole, quiet on the network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from tests.image.guest import Guest, built_image

pytestmark = pytest.mark.timeout(1800)

READY_S = 90.0
"""From power on, under software emulation."""

AGENTD_READY_S = 10.0
"""From its own start."""

PSS_MB = 450.0
"""Of all our processes together, idle, with both small models loaded."""

LOOPBACK = ("127.", "[::1]", "[::ffff:127.")
DHCP_CLIENT_PORTS = ("68", "546")


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """The image, switched on for the first time."""
    with Guest(tmp_path_factory.mktemp("guest"), image=built_image()) as guest:
        yield guest


@pytest.fixture(scope="module")
def ready_s(guest: Guest) -> float:
    """Seconds from power on to READY of agentd."""
    return guest.wait_for("systemctl is-active --quiet agentd", limit_s=2 * READY_S)


@pytest.fixture(scope="module")
def booted(guest: Guest, ready_s: float) -> Guest:
    """The guest, when everything that starts with it has started."""
    guest.run("systemctl is-system-running --wait", limit_s=180)
    return guest


def show(guest: Guest, unit: str, name: str) -> str:
    """One property of a unit."""
    return guest.run(f"systemctl show --value -p {name} {unit}").output.strip()


def test_power_on_to_ready_is_below_its_bar(ready_s: float, tell: Callable[[str], None]) -> None:
    tell(f"READY {ready_s:.0f} s after power on")
    assert ready_s < READY_S


def test_agentd_is_ready_soon_after_its_start(booted: Guest, tell: Callable[[str], None]) -> None:
    started = int(show(booted, "agentd", "ExecMainStartTimestampMonotonic"))
    ready = int(show(booted, "agentd", "ActiveEnterTimestampMonotonic"))
    tell(f"agentd: READY {(ready - started) / 1e6:.1f} s after its start")
    assert (ready - started) / 1e6 < AGENTD_READY_S


def test_no_unit_has_failed(booted: Guest) -> None:
    assert booted.run("systemctl list-units --failed --no-legend --plain").output == ""


@pytest.mark.parametrize("unit", ["agentd-broker", "agentd-llm", "agentd-voice"])
def test_sister_runs(booted: Guest, unit: str) -> None:
    booted.wait_for(f"systemctl is-active --quiet {unit}", limit_s=240)


def test_box_says_how_it_is(booted: Guest) -> None:
    booted.wait_for("agentctl health", limit_s=300)  # the models come when they are loaded
    health = json.loads(booted.run("agentctl health --json").output)
    assert health["status"] == "ready"
    assert health["parts"]["llm"]["status"] == "ok"


PSS = """
for unit in agentd agentd-voice agentd-llm agentd-broker; do
    for process in $(cat /sys/fs/cgroup/system.slice/$unit.service/cgroup.procs); do
        echo $unit $(awk '/^Pss:/ { print $2 }' /proc/$process/smaps_rollup)
    done
done
"""


def test_all_of_it_fits_into_memory(booted: Guest, tell: Callable[[str], None]) -> None:
    booted.wait_for("agentctl health --json | grep -qE 'listening|no_microphone'", limit_s=300)
    rows = [line.split() for line in booted.run(PSS).output.splitlines()]
    found = {unit: int(kib) * 1024 / 1e6 for unit, kib in rows}
    tell("PSS in MB: " + ", ".join(f"{unit} {mb:.0f}" for unit, mb in found.items()))
    assert set(found) == {"agentd", "agentd-voice", "agentd-llm", "agentd-broker"}
    assert sum(found.values()) < PSS_MB


def test_nothing_listens_to_the_network(booted: Guest) -> None:
    lines = booted.run("ss -H -lntu").output.splitlines()
    assert lines, "the broker listens on loopback"
    for line in lines:
        address, _, port = re.split(r"\s+", line)[4].rpartition(":")
        local = address.partition("%")[0].startswith(LOOPBACK)
        assert local or port in DHCP_CLIENT_PORTS, line


def test_root_cannot_be_written(booted: Guest) -> None:
    assert "erofs" in booted.run("findmnt -n -o FSTYPE /").output
    assert booted.run("touch /etc/x /usr/x").code != 0


def test_log_is_kept_in_memory(booted: Guest) -> None:
    assert booted.run("test -d /run/log/journal && ! test -d /var/log/journal").code == 0


def test_card_has_a_second_slot_and_data_has_grown(booted: Guest) -> None:
    labels = booted.run("lsblk -n -o PARTLABEL /dev/vda").output.split()
    assert labels == ["bootcfg", "boot_a", "root_a", "data", "boot_b", "root_b"]
    free_kib = int(booted.run("df --output=avail /var | tail -1").output)
    assert free_kib > 1 << 20


def test_nobody_can_log_in(booted: Guest) -> None:
    assert booted.run("pgrep -x 'agetty|login|sshd'").code == 1
