"""The units as systemd sees them: hardened, watched, safe after every death, and out of the way.

The marked ones install into a folder and boot a real systemd over it: `make unit-test`.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.broker import wait_until
from tests.image.machine import OURS, Machine

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
INSTALL = ROOT / "image-build" / "install.sh"
PUMP, LAMP = 24, 17

ROUNDS = 20 if os.environ.get("LONG") else 3
"""How often the loop is frozen."""

WATCHDOG_S = 10.0
MAX_EXPOSURE = 2.0
CRASHES = 5


def settings(unit: str) -> dict[str, str]:
    """A unit's settings; of one that stands several times, the last."""
    text = (SYSTEMD / unit).read_text()
    return dict(re.findall(r"(?m)^(\w+)=(.*)$", text))


# without a machine --------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", OURS)
def test_a_unit_is_exposed_to_little(unit: str, tell: Callable[[str], None]) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", SYSTEMD / f"{unit}.service"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    score = re.search(r"Overall exposure level .*: ([\d.]+)", told.stdout)
    assert score, told.stdout + told.stderr
    if os.environ.get("UNIT_TEST"):
        tell(f"{unit}: exposure {score[1]}")
    assert float(score[1]) <= MAX_EXPOSURE


def test_the_watchdogs_form_a_chain() -> None:
    hardware = ConfigParser()
    hardware.read(SYSTEMD / "appliance" / "watchdog.conf")
    service_s = float(settings("agentd.service")["WatchdogSec"])
    assert service_s == WATCHDOG_S
    assert service_s < float(hardware["Manager"]["RuntimeWatchdogSec"]) <= 15.0


def test_the_model_is_last_in_line_and_first_to_be_killed() -> None:
    loop, model, ears = (
        settings(f"{name}.service") for name in ("agentd", "agentd-llm", "agentd-voice")
    )
    assert int(model["CPUWeight"]) < int(ears["CPUWeight"]) < int(loop["CPUWeight"])
    assert int(model["Nice"]) == 19
    assert int(model["OOMScoreAdjust"]) > int(ears["OOMScoreAdjust"]) > int(loop["OOMScoreAdjust"])
    assert all("MemoryMax" in settings(f"{name}.service") for name in OURS)


@pytest.mark.parametrize("unit", OURS)
def test_no_unit_is_ever_given_up(unit: str) -> None:
    found = settings(f"{unit}.service")
    assert (found["Restart"], found["StartLimitIntervalSec"]) == ("always", "0")


def test_agentd_waits_for_no_model() -> None:
    found = settings("agentd.service")
    assert not re.search(
        r"voice|llm", " ".join(found.get(key, "") for key in ("After", "Wants", "Requires"))
    )


@pytest.mark.parametrize(
    ("prefix", "place"), [("/usr", "usr"), ("/usr/local", "usr/local"), ("/opt/box", "usr/local")]
)
def test_files_are_installed_twice_alike_and_taken_off(
    tmp_path: Path, prefix: str, place: str
) -> None:
    def call(what: str, **environ: str) -> None:
        subprocess.run(
            [INSTALL, what], check=True, timeout=60, capture_output=True,
            env=os.environ | {"DESTDIR": str(tmp_path), "PREFIX": prefix, **environ},
        )  # fmt: skip

    def files() -> dict[str, str]:
        return {
            str(path.relative_to(tmp_path)): path.read_text()
            for path in tmp_path.rglob("*") if path.is_file()
        }  # fmt: skip

    call("files", APPLIANCE="1")
    once = files()
    unit = once[f"{place}/lib/systemd/system/agentd.service"]
    assert f"\nExecStart={prefix}/lib/llmagentos/bin/agentd " in unit
    assert f"{place}/lib/systemd/journald.conf.d/50-llmagentos.conf" in once
    home = tmp_path / "etc/agentd/agentd.toml"
    home.write_text("# mine\n")
    call("files", APPLIANCE="1")
    assert files() == once | {"etc/agentd/agentd.toml": "# mine\n"}
    call("uninstall")
    assert files() == {"etc/agentd/agentd.toml": "# mine\n"}
    call("uninstall", PURGE="1")
    assert files() == {}


# on a machine -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machine(installed: Path) -> Iterator[Machine]:
    with Machine(installed) as machine:
        yield machine


@pytest.fixture
def box(machine: Machine) -> Machine:
    """The machine with its pump and its lamp on; an orderly start forgets an earlier test's deaths."""
    machine.systemctl("restart", "agentd.service")
    machine.wait_health()
    switch_on(machine)
    return machine


def switch_on(machine: Machine) -> None:
    for device in ("pump", "lamp"):
        answer = machine.request("set", device=device, value="on")
        assert answer["applied"][0]["stage"] == "read_back", answer


@pytest.mark.units
def test_everything_starts_as_it_is_installed(box: Machine) -> None:
    for unit in OURS:
        wait_until(
            lambda unit=unit: box.show(unit, "SubState") == "running", timeout_s=30, what=unit
        )
    assert box.run("systemctl", "--failed", "--quiet", check=False) == ""
    parts = wait_until(
        lambda: (p := box.request("health")["parts"])["llm"]["status"] == p["mqtt"]["status"] == "ok" and p,
        timeout_s=30, what="model and broker",
    )  # fmt: skip
    assert parts["journal"]["status"] == "ok"
    assert parts["voice"]["status"] in ("no_microphone", "away")  # it has no card, or reports later


def can_spare() -> bool:
    """Whether root may take a process off the out-of-memory killer's list here (CAP_SYS_RESOURCE)."""
    effective = re.search(r"CapEff:\s+(\w+)", Path("/proc/self/status").read_text())
    return bool(effective and int(effective[1], 16) >> 24 & 1)


@pytest.mark.units
def test_each_process_runs_as_somebody_small(box: Machine) -> None:
    for unit, user, spared in (
        ("agentd", "agentd", -500), ("agentd-voice", "agentd", 300),
        ("agentd-llm", "agentd", 900), ("agentd-broker", "agentd-broker", -100),
    ):  # fmt: skip
        process = f"/proc/{box.pid(unit)}"
        assert box.run("stat", "--format=%U", process) == user
        asked = spared if spared > 0 or can_spare() else 0
        assert box.run("cat", f"{process}/oom_score_adj") == str(asked)
        status = box.run("cat", f"{process}/status")
        assert re.search(r"CapEff:\s+0+\n", status)
        assert re.search(r"NoNewPrivs:\s+1\n", status)
        assert re.search(r"Seccomp:\s+2\n", status)


@pytest.mark.units
def test_only_members_of_the_group_reach_the_door(box: Machine) -> None:
    assert "version" in box.run("agentctl", "health", check=False)  # degraded: no microphone
    refused = "setpriv --reuid=nobody --clear-groups agentctl health"
    assert box.run(*refused.split(), check=False) == ""
    member = "setpriv --reuid=nobody --regid=nogroup --groups=agentd agentctl health"
    assert "version" in box.run(*member.split(), check=False)


@pytest.mark.units
def test_nothing_listens_beyond_this_machine(box: Machine) -> None:
    listeners = box.run(
        "ss", "--listening", "--tcp", "--udp", "--numeric", "--no-header"
    ).splitlines()
    assert [line.split()[4] for line in listeners] == ["127.0.0.1:1883"]


@pytest.mark.units
def test_a_password_comes_as_a_credential(box: Machine) -> None:
    box.write("/etc/agentd/credentials/mqtt-password", "s3cret\n")
    box.systemctl("restart", "agentd.service")
    where = "/run/credentials/agentd.service/mqtt-password"
    assert box.run("setpriv", "--reuid=agentd", "--clear-groups", "cat", where) == "s3cret"
    refused = ("setpriv", "--reuid=agentd-broker", "--clear-groups", "cat", where)
    assert box.run(*refused, check=False) == ""


@pytest.mark.units
def test_reload_takes_the_file_without_a_new_process(box: Machine) -> None:
    pid, home = box.pid(), box.path("/etc/agentd/agentd.toml")
    before = home.read_text()
    home.write_text(before.replace('id = "lamp"', 'id = "lamp"\nname = "floor lamp"'))
    box.systemctl("reload", "agentd.service")
    assert "floor lamp" in str(box.request("devices"))
    home.write_text("[[device]\n")
    box.run("systemctl", "reload", "agentd.service", check=False)
    assert "floor lamp" in str(box.request("devices"))
    home.write_text(before)
    box.systemctl("reload", "agentd.service")
    assert box.pid() == pid
    assert box.level(PUMP) == 1


@pytest.mark.units
def test_an_orderly_stop_leaves_outputs_safe(box: Machine) -> None:
    began = time.monotonic()
    box.systemctl("stop", "agentd.service")
    assert time.monotonic() - began < 5.0
    assert box.show("agentd", "Result") == "success"
    assert (box.level(PUMP), box.level(LAMP)) == (0, 1)


@pytest.mark.units
@pytest.mark.parametrize("unit", OURS)
def test_each_process_comes_back_alone(box: Machine, unit: str) -> None:
    """One that dies takes no other along."""
    before = {name: box.pid(name) for name in OURS}
    box.signal("KILL", unit)
    wait_until(lambda: box.pid(unit) not in ("0", before[unit]), timeout_s=20, what=unit)
    box.wait_health()
    after = {name: box.pid(name) for name in OURS}
    assert {name for name in OURS if after[name] != before[name]} == {unit}


@pytest.mark.units
@pytest.mark.parametrize(
    ("dropin", "level"),
    [("", 0), ("ExecStopPost=", 1)],
    ids=["as installed", "without ExecStopPost"],
)
def test_a_death_without_return_leaves_outputs_safe(
    machine: Machine, dropin: str, level: int
) -> None:
    """The second row shows that it is the line that does it: the lines keep their level."""
    place = "/run/systemd/system/agentd.service.d/death.conf"
    machine.write(place, f"[Service]\nRestart=no\n{dropin}\n")
    machine.systemctl("daemon-reload")
    try:
        machine.systemctl("restart", "agentd.service")
        machine.wait_health()
        switch_on(machine)
        machine.signal("KILL")
        wait_until(
            lambda: machine.show("agentd", "ActiveState") in ("failed", "inactive"), what="the end"
        )
        assert (machine.level(PUMP), machine.level(LAMP)) == (level, 1)
    finally:
        machine.path(place).unlink()
        machine.systemctl("daemon-reload")
        machine.systemctl("restart", "agentd.service")
        machine.wait_health()


@pytest.mark.units
@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_frozen_loop_is_restarted_with_outputs_safe(
    box: Machine, number: int, tell: Callable[[str], None]
) -> None:
    time.sleep(random.Random(number).uniform(0.0, 1.0))  # anywhere between two signs of life
    old = box.pid()
    frozen_at = box.signal("STOP")
    box.wait_again(old)
    restarted_s = box.started_at() - frozen_at
    safe_s = (
        next(e["t_mono"] for e in box.edges(PUMP, since=frozen_at) if e["level"] == 0) - frozen_at
    )
    tell(f"round {number}: outputs safe after {safe_s:.2f} s, restarted after {restarted_s:.2f} s")
    assert safe_s <= WATCHDOG_S + 0.5
    assert restarted_s <= WATCHDOG_S + 0.5
    assert all(edge["level"] == 1 for edge in box.edges(LAMP, since=frozen_at)), (
        "it never flickered"
    )
    assert box.wait_health()["status"] != "safe_mode", "one death is no crash loop"


def crash(machine: Machine, times: int) -> float:
    """Kill agentd so often, each time once it was ready; the instant of the last kill."""
    at = 0.0
    for _ in range(times):
        old = machine.pid()
        at = machine.signal("KILL")
        machine.wait_again(old)
    return at


@pytest.mark.units
@pytest.mark.parametrize("way_out", ["systemctl restart agentd.service", "agentctl reset"])
def test_a_crash_loop_ends_in_safe_mode_and_out_of_it_again(
    box: Machine, way_out: str, tell: Callable[[str], None]
) -> None:
    crash(box, CRASHES - 1)
    assert box.wait_health()["status"] != "safe_mode"
    switch_on(box)
    at = crash(box, 1)
    health = box.wait_health()
    took_s = time.monotonic() - at
    assert health["status"] == "safe_mode"
    assert "agentd died 5 times in a row" in health["errors"][0]
    heard = "mosquitto_sub -h localhost -t agentd/box/info -C 1 -W 3"
    wait_until(
        lambda: '"safe_mode"' in box.run(*heard.split(), check=False), what="the word on MQTT"
    )
    told_s = time.monotonic() - at
    tell(f"safe mode after {took_s:.2f} s, told over MQTT within {told_s:.2f} s")
    assert told_s <= 3.0
    assert box.level(PUMP) == 0
    assert box.request("set", device="pump", value="on")["applied"][0]["stage"] == "refused"

    old = box.pid()
    box.run(*way_out.split())
    box.wait_again(old)
    assert box.wait_health()["status"] != "safe_mode"
    switch_on(box)


@pytest.mark.units
def test_a_running_system_takes_new_units_over_and_lets_go_of_them(installed: Path) -> None:
    with Machine(installed) as machine:
        source = machine.path("/tmp/source")
        for name in ("systemd", "image-build"):
            shutil.copytree(ROOT / name, source / name)
        unit = source / "systemd/agentd.service"
        unit.write_text(unit.read_text().replace("the loop, the gate", "the newer loop, the gate"))
        home, old = machine.path("/etc/agentd/agentd.toml"), machine.pid()
        before = home.read_text()

        machine.run("/tmp/source/image-build/install.sh", "files")
        machine.wait_again(old)
        assert "the newer loop" in machine.show("agentd", "Description")

        machine.run("/tmp/source/image-build/install.sh", "uninstall")
        states = machine.run("systemctl", "is-active", *OURS, check=False).split()
        assert states == ["inactive"] * len(OURS)
        assert not machine.path("/usr/lib/systemd/system/agentd.service").exists()
        assert home.read_text() == before


@pytest.mark.units
def test_what_was_installed_can_be_taken_off(installed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "root"
    shutil.copytree(installed, copy, symlinks=True, copy_function=os.link)
    subprocess.run(
        [INSTALL, "uninstall"], env=os.environ | {"DESTDIR": str(copy)}, check=True, timeout=60
    )
    left = [str(path.relative_to(copy)) for path in copy.rglob("*") if not path.is_dir()]
    assert left == ["etc/agentd/agentd.toml"]
