"""First boot's units under a real systemd: closed in as they are, they still do their work."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import wait_until
from tests.image.box import FIRST_BOOT
from tests.image.card_files import IMAGER_USER, WIFI
from tests.image.machine import Machine

MAX_EXPOSURE = 2.0
CLOSED_IN = (
    "llmagentos-first-boot.service",
    "llmagentos-ready.service",
    "llmagentos-wifi@.service",
)

CARD = '[node]\nname = "kitchen"\n[mqtt]\nshare = true\n[board]\npins = "board"\n'
ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
@pytest.mark.parametrize("unit", CLOSED_IN)
def test_a_unit_is_exposed_to_little(unit: str) -> None:
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", FIRST_BOOT / unit],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    score = re.search(r"Overall exposure level .*: ([\d.]+)", told.stdout)
    assert score, told.stdout + told.stderr
    assert float(score[1]) <= MAX_EXPOSURE


@pytest.fixture(scope="module")
def machine(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with first boot installed and a card in it, which is mounted read-only."""
    root = tmp_path_factory.mktemp("first-boot") / "root"
    subprocess.run(["cp", "-a", "--reflink=auto", installed, root], check=True, timeout=120)
    shutil.copytree(FIRST_BOOT, root / "usr/lib/llmagentos/first-boot")
    for unit in FIRST_BOOT.glob("*.service"):
        shutil.copy(unit, root / "usr/lib/systemd/system")
    with Machine(root) as machine:
        machine.run("mkdir", "-p", "/boot/config")
        machine.run("mount", "-t", "tmpfs", "card", "/boot/config")
        for name, text in {
            "agentd.toml": CARD,
            "wifi.toml": WIFI,
            "user-data": IMAGER_USER,
        }.items():
            machine.write(f"/boot/config/{name}", text)
        machine.run("mount", "-o", "remount,ro", "/boot/config")
        machine.write("/run/machine-id", f"{ID}\n")
        machine.systemctl("start", "llmagentos-first-boot.service")
        yield machine


@pytest.mark.units
def test_identity_card_and_files_are_settled_from_inside_the_sandbox(machine: Machine) -> None:
    assert machine.run("hostname") == "raspi"
    assert machine.path("/var/lib/llmagentos/machine-id").read_text() == f"{ID}\n"
    assert "was moved into the box" in machine.path("/boot/config/wifi.toml").read_text()
    assert " ro," in machine.run("grep", " /boot/config ", "/proc/self/mountinfo")
    owner = machine.run("stat", "-c", "%a %U %G", "/etc/agentd/agentd.toml")
    assert owner == "640 root agentd"
    assert machine.run("stat", "-c", "%a", "/var/lib/llmagentos/ssh_host_ed25519_key") == "600"


@pytest.mark.units
def test_broker_opens_to_the_network_with_the_generated_files(machine: Machine) -> None:
    assert "127.0.0.1:1883" in machine.run("ss", "-Htln")
    machine.systemctl("restart", "agentd-broker.service", "agentd.service")
    wait_until(lambda: "0.0.0.0:1883" in machine.run("ss", "-Htln"), what="the broker listens")


@pytest.mark.units
def test_ready_writes_the_report_onto_a_card_that_is_read_only(machine: Machine) -> None:
    machine.wait_health()
    machine.systemctl("start", "llmagentos-ready.service")
    report = machine.path("/boot/config/agentd-report.txt")
    wait_until(report.exists, timeout_s=60, what="the report")  # it waits for what may still come
    assert "- user: home" in report.read_text()
    assert " ro," in machine.run("grep", " /boot/config ", "/proc/self/mountinfo")
