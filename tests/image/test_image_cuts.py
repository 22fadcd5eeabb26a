"""Power cuts: the plug is pulled while the box writes, again and again. It always comes back, its
file systems whole, and what it acknowledged is in its journal.

Killing the emulator loses what the guest had not handed to its disk, as a cut does; it does not show
what a card makes of a page that it was writing.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.guest import Guest, built_image, write_to_card

CUTS = int(os.environ.get("IMAGE_CUTS") or 0)
BOOT_S = 300.0
"""Longest wait for READY on a busy machine; how fast it is, is measured elsewhere."""

HOME = """
[board]
pins = "mock"
[[area]]
id = "study"
[[device]]
id = "lamp"
area = "study"
kind = "light"
driver = "gpio.relay"
pin = 17
"""

WRITER = """
from itertools import cycle
from llmagentos.client import Door
port = open("/dev/virtio-ports/acks", "wb", buffering=0)
with Door("/run/agentd/agentd.sock") as door:
    for action in cycle(("turn_on", "turn_off")):
        answer = door.request("set", device="lamp", action=action)
        port.write((answer["cause"] + "\\n").encode())
"""

READ_JOURNAL = """
import sqlite3
path = "file:/var/lib/agentd/journal.db?mode=ro"
print(*(row[0] for row in sqlite3.connect(path, uri=True).execute("SELECT cause FROM applied")))
"""


def in_python(code: str) -> str:
    """A shell command that runs code with the box's own Python."""
    return f"/usr/lib/llmagentos/bin/python -P - <<'END'\n{code}\nEND"


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """The image with one lamp, and a port on which it says what it acknowledged."""
    if not CUTS:
        pytest.skip("cuts the power for up to an hour: make image-cuts")
    folder = tmp_path_factory.mktemp("cuts")
    card = folder / "card.img"
    copy: list[str | Path] = ["cp", "--sparse=always", built_image(), card]
    subprocess.run(copy, check=True)
    (folder / "agentd.toml").write_text(HOME)
    write_to_card(card, folder / "agentd.toml", name="agentd.toml")
    acks = f"file,id=acks,path={folder / 'acks'},append=on"
    options = ("-chardev", acks, "-device", "virtserialport,chardev=acks,name=acks")
    guest = Guest(folder, image=card, options=options)
    yield guest
    guest.power_off()
    shutil.rmtree(folder)


def acknowledged(guest: Guest) -> list[str]:
    """The causes that the box said were done; the last line may be cut off."""
    file = guest.folder / "acks"
    return file.read_text().split("\n")[:-1] if file.exists() else []


@pytest.mark.parametrize("number", range(max(CUTS, 1)))
def test_box_comes_back_from_a_power_cut_with_all_it_promised(guest: Guest, number: int) -> None:
    promised = acknowledged(guest)
    guest.power_on()
    guest.wait_for("systemctl is-active --quiet agentd", limit_s=BOOT_S)
    assert guest.run("systemctl list-units --failed --no-legend --plain").output == ""
    check = guest.run("journalctl -b --no-pager -t systemd-fsck").output
    assert "INCONSISTENCY" not in check
    lost = set(promised) - set(guest.run(in_python(READ_JOURNAL)).output.split())
    assert lost == set(), check

    guest.run(f"cat >/run/writer.py <<'END'\n{WRITER}\nEND")
    start = "systemd-run -q /usr/lib/llmagentos/bin/python -P /run/writer.py"
    assert guest.run(start).code == 0
    began_at = time.monotonic()
    while len(acknowledged(guest)) < len(promised) + 5:
        assert time.monotonic() - began_at < 120, guest.run("journalctl -b -n 20").output
        time.sleep(0.1)
    time.sleep(random.Random(number).uniform(0, 3))
    guest.power_off()
