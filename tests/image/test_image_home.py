"""A box with a home on its card, in an emulator: what its owner wrote is in force, and a line of its
header follows. The lines belong to the kernel's gpio-sim, which tells their level to whoever asks.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.broker import free_port
from tests.image.guest import HEADER, Guest, built_image

pytestmark = pytest.mark.timeout(1800)

START_S = 900.0
"""Longest wait for all of it; how fast the box is, is measured elsewhere."""

LAMP, PUMP = 17, 24

HOME = f"""\
[node]
name = "kitchen"
area = "study"
[mqtt]
share = true
[[area]]
id = "study"
[[device]]
id = "lamp"
name = "desk lamp"
area = "study"
kind = "light"
driver = "gpio.relay"
pin = {LAMP}
[[device]]
id = "pump"
area = "study"
kind = "switch"
driver = "gpio.relay"
pin = {PUMP}
[device.limits]
safe_state = "off"
"""

OWNER = """\
#cloud-config
users:
- name: owner
  ssh_authorized_keys:
  - {key}
"""

IDENTITY = ("/etc/machine-id", "/var/lib/llmagentos/ssh_host_ed25519_key")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private half of the owner's SSH key."""
    path = tmp_path_factory.mktemp("owner") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Iterator[Guest]:
    """A box whose owner wrote a home and a public key on the card, started for the first time."""
    ports = {free_port(): 1883, free_port(): 22}
    folder = tmp_path_factory.mktemp("home")
    guest = Guest(folder, image=built_image(), before=HEADER, ports=ports)
    guest.write("agentd.toml", HOME)
    guest.write("user-data", OWNER.format(key=key.with_suffix(".pub").read_text()))
    with guest:
        yield guest


@pytest.fixture(scope="module")
def home(guest: Guest) -> Guest:
    """The box when all its parts are there."""
    guest.wait_for(ALL_THERE, limit_s=START_S, pause_s=8.0)
    return guest


ALL_THERE = 'agentctl health --json | grep -q \'"status": *"ready"\''


def port(guest: Guest, inside: int) -> int:
    """The port on this machine that leads to one of the guest's."""
    return next(host for host, port in guest.ports.items() if port == inside)


def main_pid(guest: Guest, unit: str) -> str:
    return guest.run(f"systemctl show --value -p MainPID {unit}").output.strip()


# the card ---------------------------------------------------------------------------------------


def test_card_names_the_box_and_its_devices(home: Guest) -> None:
    health = json.loads(home.run("agentctl health --json").output)
    assert health["node"] == "kitchen"
    assert not health["devices"]["unavailable"]


@pytest.fixture(scope="module")
def report(home: Guest) -> str:
    """The report as the box wrote it onto the card."""
    home.wait_for("grep -q 'MQTT BROKER' /boot/config/agentd-report.txt", limit_s=START_S)
    return home.run("cat /boot/config/agentd-report.txt").output


@pytest.fixture(scope="module")
def password(report: str) -> str:
    """Of the shared broker."""
    return next(line.split()[-1] for line in report.splitlines() if "password: " in line)


def test_report_finds_nothing_wrong(report: str) -> None:
    assert "report of kitchen" in report
    assert "Nothing that this box knows of." in report


def test_owner_logs_in_with_the_key_and_nobody_without(home: Guest, key: Path) -> None:
    home.wait_for("systemctl is-active --quiet ssh", limit_s=START_S)
    ssh = [
        *("ssh", "-F", "none", "-p", str(port(home, 22)), "-o", "StrictHostKeyChecking=no"),
        *("-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=60", "-o", "BatchMode=yes"),
        *("-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"),
    ]
    with_key, without = (
        subprocess.run(
            [*ssh, *more, "root@127.0.0.1", "id -u"], capture_output=True, text=True, timeout=120
        )
        for more in (["-i", key], [])
    )
    assert with_key.stdout == "0\n", with_key.stderr
    assert "Permission denied (publickey)" in without.stderr


# outputs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "level"), [("on", 1), ("off", 0)])
def test_mqtt_from_another_machine_sets_a_line(
    home: Guest, password: str, value: str, level: int
) -> None:
    with subprocess.Popen(
        [*mosquitto(home, "sub", password), "-t", "agentd/kitchen/lamp/state", "-C", "1", "-W", "60", "-R"],
        stdout=subprocess.PIPE,
    ) as heard:  # fmt: skip
        time.sleep(3.0)  # mosquitto_sub does not say when it has subscribed
        say = ["-t", "agentd/kitchen/lamp/set", "-m", value]
        subprocess.run([*mosquitto(home, "pub", password), *say], check=True, timeout=60)
        assert heard.stdout
        assert json.loads(heard.stdout.readline())["state"] == value
    assert home.level(LAMP) == level


def mosquitto(guest: Guest, what: str, password: str = "") -> list[str]:
    """The start of a command line of mosquitto's tools."""
    start = [f"mosquitto_{what}", "-h", "127.0.0.1", "-p", str(port(guest, 1883)), "-q", "1"]
    return [*start, "-u", "home", "-P", password] if password else start


@pytest.mark.parametrize("password", ["", "wrong"])
def test_network_does_not_get_in_without_the_password(home: Guest, password: str) -> None:
    say = ["-t", "agentd/kitchen/lamp/set", "-m", "on"]
    done = subprocess.run(
        [*mosquitto(home, "pub", password), *say], capture_output=True, text=True, timeout=60
    )
    assert "not authori" in done.stderr.lower()
    assert home.level(LAMP) == 0


# deaths -----------------------------------------------------------------------------------------

KILL = """
value=$(echo /sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio%d/value)
systemctl kill --signal KILL --kill-whom main agentd
for i in $(seq 100); do
    [ "$(cat $value)" = 1 ] || { cut -d' ' -f1 /proc/uptime; exit; }
    sleep 0.05
done
exit 1
"""


def test_killed_agentd_leaves_the_pump_off_and_comes_back(
    home: Guest, tell: Callable[[str], None]
) -> None:
    home.run("agentctl set pump on")
    assert home.level(PUMP) == 1
    old = main_pid(home, "agentd")
    begun = float(home.run("cut -d' ' -f1 /proc/uptime").output)
    done = home.run(KILL % PUMP)
    assert done.code == 0, "the pump still runs"
    tell(f"killed agentd: the line was off after {float(done.output) - begun:.1f} s, emulated")
    home.wait_for(
        f"systemctl is-active --quiet agentd && {ALL_THERE}", limit_s=START_S, pause_s=2.0
    )
    assert main_pid(home, "agentd") not in (old, "0")
    assert home.level(PUMP) == 0


@pytest.mark.parametrize("unit", ["agentd-voice", "agentd-llm", "agentd-broker"])
def test_killed_sister_comes_back_and_no_line_moves(home: Guest, unit: str) -> None:
    home.run("agentctl set pump on")
    assert home.level(PUMP) == 1
    old = main_pid(home, unit)
    assert home.run(f"systemctl kill --signal KILL --kill-whom main {unit}").code == 0
    came_back = f"systemctl is-active --quiet {unit} && [ $(systemctl show --value -p MainPID {unit}) != {old} ]"
    home.wait_for(came_back, limit_s=START_S, pause_s=1.0)
    assert home.level(PUMP) == 1
    home.wait_for(ALL_THERE, limit_s=START_S, pause_s=2.0)


# mistakes ---------------------------------------------------------------------------------------

BROKEN = HOME.replace("pin = 17", 'pin = 17\nname "reading lamp"')


@pytest.fixture(scope="module")
def identity(home: Guest) -> list[str]:
    """What must be this box's alone."""
    return read_identity(home)


def read_identity(guest: Guest) -> list[str]:
    """Its machine id and its SSH key."""
    return [guest.run(f"cat {path}").output for path in IDENTITY]


def read_report(guest: Guest) -> str:
    """The report of this start, taken off the card after the power was switched off."""
    guest.wait_for("grep -q 'Its address' /boot/config/agentd-report.txt", limit_s=START_S)
    guest.power_off()
    return guest.read("agentd-report.txt").replace("\r", "")


def test_broken_file_is_told_in_plain_words_and_the_last_good_one_stays(
    home: Guest, identity: list[str]
) -> None:
    home.power_off()
    home.write("agentd.toml", BROKEN)
    home.power_on()
    home.wait_for(ALL_THERE, limit_s=START_S, pause_s=8.0)
    health = json.loads(home.run("agentctl health --json").output)
    assert (health["node"], health["devices"]["unavailable"]) == ("kitchen", [])
    assert read_identity(home) == identity
    assert f"at line {LINE}," in read_report(home)


LINE = BROKEN[: BROKEN.index("reading lamp")].count("\n") + 1


def test_box_that_starts_for_the_first_time_with_a_broken_file_is_safe_and_another_one(
    home: Guest, identity: list[str], tmp_path: Path, key: Path
) -> None:
    home.power_off()
    owner = OWNER.format(key=key.with_suffix(".pub").read_text())
    other = Guest(tmp_path, image=home.image, before=HEADER)
    other.write("agentd.toml", BROKEN)
    other.write("user-data", owner)
    with other:
        other.wait_for("systemctl is-active --quiet agentd", limit_s=START_S)
        assert other.run("systemctl list-units --failed --no-legend --plain").output == ""
        mine = read_identity(other)
        assert all(mine)
        assert not set(mine) & set(identity)
        assert (other.level(LAMP), other.level(PUMP)) == (0, 0)
        assert f"at line {LINE}," in read_report(other)
