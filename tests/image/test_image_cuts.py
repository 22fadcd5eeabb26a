"""Power cuts: the plug is pulled while the box writes, again and again. Its file system is whole after
each, what it acknowledged is in its journal, and it always comes back.

Killing the emulator loses what the guest had not handed to its disk, as a cut does; it does not show
what a card makes of a page that it was writing. The journal is read from outside, as the cut left it.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.image.guest import Guest, built_image, partitions

CUTS = int(os.environ.get("IMAGE_CUTS") or 0)
BOOT_S = 900.0
"""Longest wait for READY on a busy machine; how fast it is, is measured elsewhere."""

BETWEEN_CUTS = 5
"""Fewest commands that are acknowledged between two cuts."""

HOME = """
[board]
pins = "mock"
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

WRITER = """
from itertools import cycle, product
from llmagentos.client import Door
port = open("/dev/virtio-ports/acks", "wb", buffering=0)
with Door("/run/agentd/agentd.sock") as door:
    for action, device in cycle(product(("turn_on", "turn_off"), ("pump", "lamp"))):
        answer = door.request("set", device=device, action=action)
        port.write((answer["cause"] + "\\n").encode())
"""


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """The image with a lamp and a pump, and a port on which it says what it acknowledged."""
    if not CUTS:
        pytest.skip("cuts the power for up to an hour: make image-cuts")
    folder = tmp_path_factory.mktemp("cuts")
    acks = f"file,id=acks,path={folder / 'acks'},append=on"
    options = ("-chardev", acks, "-device", "virtserialport,chardev=acks,name=acks")
    guest = Guest(folder, image=built_image(), options=options)
    guest.write("agentd.toml", HOME)
    try:
        boot(guest)
        yield guest
    finally:
        guest.power_off()
        shutil.rmtree(folder)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(max(CUTS, 1)))
def test_box_comes_back_from_a_power_cut_with_all_it_promised(
    guest: Guest, number: int, tell: Callable[[str], None]
) -> None:
    promised = acknowledged(guest)
    start_writing(guest)
    began_at = time.monotonic()
    while len(acknowledged(guest)) < len(promised) + BETWEEN_CUTS:
        assert time.monotonic() - began_at < 120, guest.run("journalctl -b -n 20").output
        time.sleep(0.1)
    time.sleep(random.Random(number).uniform(0, 3))
    guest.power_off()
    promised = acknowledged(guest)
    lost = set(promised) - journalled(guest)
    tell(f"cut {number + 1}: {len(promised)} acknowledged so far, {len(lost)} of them lost")
    tell(f"cut {number + 1}: READY {boot(guest):.0f} s after power on")
    assert lost == set()


def boot(guest: Guest) -> float:
    """Switch it on and wait until it is READY and whole; seconds since power on."""
    guest.power_on()
    ready_s = guest.wait_for("systemctl is-active --quiet agentd", limit_s=BOOT_S)
    assert guest.run("systemctl list-units --failed --no-legend --plain").output == ""
    assert "INCONSISTENCY" not in guest.run("journalctl -b --no-pager -t systemd-fsck").output
    return ready_s


def start_writing(guest: Guest) -> None:
    """Let the box switch its outputs, one command after the other, until the cut."""
    write = f"cat >/run/writer.py <<'END'\n{WRITER}\nEND"
    run = "systemd-run -q /usr/lib/llmagentos/bin/python -P /run/writer.py"
    assert guest.run(f"{write}\n{run}").code == 0


def acknowledged(guest: Guest) -> list[str]:
    """The causes that the box said were done; the last line may be cut off."""
    file = guest.folder / "acks"
    return file.read_text().split("\n")[:-1] if file.exists() else []


def journalled(guest: Guest) -> set[str]:
    """The causes in the journal, read from a copy of the data partition while the power is off."""
    start, size = partitions(guest.card)["data"]
    data, found = guest.folder / "data.ext4", guest.folder / "found"
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir()
    take = ["dd", f"if={guest.card}", f"of={data}", "bs=4M", "conv=sparse", "status=none"]
    where = [f"skip={start}", f"count={size}", "iflag=skip_bytes,count_bytes"]
    subprocess.run([*take, *where], check=True)
    # As a start does it: the file system's own journal is replayed, nothing else needs mending.
    assert run_fsck("-p", data) in (0, 1)
    assert run_fsck("-fn", data) == 0
    dump = ["debugfs", "-R", f"rdump /lib/agentd {found}", data]
    subprocess.run(dump, check=True, capture_output=True)
    data.unlink()
    with sqlite3.connect(found / "agentd/journal.db") as journal:
        return {str(cause) for (cause,) in journal.execute("SELECT cause FROM applied")}


def run_fsck(option: str, data: Path) -> int:
    """e2fsck's exit status; 1 says that it replayed the journal."""
    return subprocess.run(["e2fsck", option, data], capture_output=True).returncode
