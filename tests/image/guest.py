"""The built image, booted in an emulator: the same root and kernel, with a port for commands.

What the port needs is handed over from outside, as a unit on the kernel's command line and a disk
with its script; the image holds nothing of it. The card is a copy of the image file, which stays
as it was built; a test puts files onto it and takes them off as a person with a card reader does.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import pytest

REPO: Final = Path(__file__).parents[2]
IMAGE: Final = Path(os.environ.get("IMAGE") or REPO / "build/image/llmagentos-arm64.img")
PROBE: Final = Path(__file__).with_name("probe.py")

BOOT_S: Final = 900.0
"""Longest wait for a guest's first word; the bar for READY is a test of its own."""

ANSWER_S: Final = 30.0
"""Longest wait for the answer to a command that has ended."""

UNIT: Final = """[Unit]
DefaultDependencies=no
After=systemd-udevd.service sys-kernel-config.mount
Before=agentd.service agentd-voice.service
StartLimitIntervalSec=0
[Service]
ExecStartPre=-/bin/sh -c '{before}'
ExecStart=/usr/bin/python3 -P /dev/disk/by-id/virtio-probe
Restart=always
OOMScoreAdjust=-1000
"""

FAKETIME: Final = "/usr/$LIB/faketime/libfaketimeMT.so.1"
"""The loader knows the name of the machine's library folder."""

HEADER: Final = (
    "modprobe -a gpio-sim snd-aloop && cd /sys/kernel/config/gpio-sim && mkdir -p board/header && "
    "cd board && echo 58 >header/num_lines && echo pinctrl-bcm2711 >header/label && echo 1 >live"
)
"""Gives a guest lines like those of a Pi 4's header, and a sound card that hears what is played on
its other end."""

MACHINE: Final = (
    "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "2048",
    "-display", "none", "-no-reboot", "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
)  # fmt: skip


class GuestDied(Exception):
    """The emulator ended, or its guest stopped answering."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command in the guest came to."""

    code: int
    output: str


@dataclass(slots=True)
class Guest:
    """One box. Enter it to switch it on; leaving it pulls the plug."""

    folder: Path
    """Holds the card, sockets and the console's text."""

    image: Path = IMAGE
    append: str = ""
    """More for the kernel's command line."""

    before: str = ":"
    """What is done in the guest before agentd starts: a shell command, without quotes."""

    options: tuple[str, ...] = ()
    """More for the emulator."""

    pace: float = 1.0
    """Seconds of the guest in one of ours. A board decodes speech as it comes, an emulated one does
    not; on a slower clock it has the time."""

    size: int = 4 << 30
    """The card's size in bytes."""

    ports: dict[int, int] = field(default_factory=dict)
    """TCP ports of the guest, by the host's port on loopback that leads there."""

    on_at: float = 0.0
    """When it was switched on, in seconds of the host's monotonic clock."""

    _process: subprocess.Popen[bytes] | None = None
    _port: socket.socket | None = None

    @property
    def card(self) -> Path:
        """The card."""
        return self.folder / "card.img"

    @property
    def console(self) -> str:
        """What the guest's kernel and systemd said."""
        path = self.folder / "console.txt"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        self.power_on()
        return self

    def __exit__(self, *_: object) -> None:
        self.power_off()

    def power_on(self) -> None:
        """Switch it on; `run` waits until it answers."""
        self.flash()
        (self.folder / "console.txt").unlink(missing_ok=True)
        command = self._command()
        self.on_at = time.monotonic()
        clock = {"LD_PRELOAD": FAKETIME, "FAKETIME": f"+0 x{self.pace}"} if self.pace < 1 else {}
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, env={**os.environ, **clock}
        )

    def flash(self) -> None:
        """Copy the image onto a new card; a card that is there is left as it is."""
        if self.card.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        copy: list[str | Path] = ["cp", "--sparse=always", self.image, self.card]
        subprocess.run(copy, check=True)
        os.truncate(self.card, self.size)

    def write(self, name: str, data: bytes | str) -> None:
        """Put a file onto the FAT partition, while the power is off."""
        self.flash()
        text = data.encode() if isinstance(data, str) else data
        subprocess.run(["mcopy", "-o", "-i", self._fat, "-", f"::{name}"], input=text, check=True)

    def read(self, name: str) -> str:
        """A file of the FAT partition, while the power is off; empty when there is none."""
        done = subprocess.run(["mtype", "-i", self._fat, f"::{name}"], capture_output=True)
        return done.stdout.decode()

    @property
    def _fat(self) -> str:
        start, _ = partitions(self.image)["bootcfg"]
        return f"{self.card}@@{start}"

    def power_off(self) -> None:
        """Pull the plug."""
        if self._port:
            self._port.close()
            self._port = None
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def run(self, command: str, *, limit_s: float = 60.0) -> Done:
        """Run a shell command as root in the guest.

        Args:
            command: for /bin/sh.
            limit_s: after so much of the guest's time it is killed, which is code 124.

        Raises:
            GuestDied: it did not answer.
        """
        patience_s = ANSWER_S if self._port else BOOT_S
        if self._port is None:
            self._port = self._connect()
        self._port.settimeout(limit_s / self.pace + patience_s)
        request = {"command": command, "limit_s": limit_s}
        try:
            self._port.sendall(json.dumps(request).encode() + b"\n")
            answer = self._port.makefile("rb").readline()
        except OSError as exc:
            raise GuestDied(f"no answer to {command!r}:\n{self.console[-2000:]}") from exc
        if not answer:
            raise GuestDied(f"gone at {command!r}:\n{self.console[-2000:]}")
        return Done(**json.loads(answer))

    def level(self, pin: int) -> int:
        """What a line of `HEADER` carries, as the one who drives it or nobody does."""
        path = f"/sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio{pin}/value"
        return int(self.run(f"cat {path}").output)

    def wait_for(self, command: str, *, limit_s: float, pause_s: float = 0.5) -> float:
        """Wait until a command succeeds; returns the seconds since power on.

        Raises:
            GuestDied: it did not, in time.
        """
        began_at = time.monotonic()
        while (done := self.run(command)).code:
            if time.monotonic() - began_at > limit_s:
                raise GuestDied(f"{command!r} after {limit_s} s: {done.output}")
            time.sleep(pause_s)
        return time.monotonic() - self.on_at

    def _connect(self) -> socket.socket:
        while not (self.folder / "probe.sock").exists():
            self._look()
            time.sleep(0.1)
        port = socket.socket(socket.AF_UNIX)
        port.connect(str(self.folder / "probe.sock"))
        return port

    def _look(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise GuestDied(f"the emulator ended:\n{self.console[-2000:]}")

    def _command(self) -> list[str]:
        boot = extract_boot(self.image, self.folder / "boot")
        unit = base64.b64encode(UNIT.format(before=self.before).encode()).decode()
        words = (boot / "cmdline.txt").read_text().replace("console=tty1", "console=ttyAMA0")
        probe = f"systemd.set_credential_binary=systemd.extra-unit.probe.service:{unit}"
        line = f"{words.strip()} {probe} systemd.wants=probe.service {self.append}"
        forwards = "".join(
            f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for host, guest in self.ports.items()
        )
        (self.folder / "probe.sock").unlink(missing_ok=True)
        return [
            *MACHINE, "-kernel", str(boot / "vmlinuz"), "-initrd", str(boot / "initrd.img"),
            "-append", line, "-serial", f"file:{self.folder / 'console.txt'}",
            "-drive", f"if=none,id=card,file={self.card},format=raw",
            "-device", "virtio-blk-pci,drive=card",
            "-drive", f"if=none,id=probe,file={self._probe()},format=raw,readonly=on",
            "-device", "virtio-blk-pci,drive=probe,serial=probe",
            "-chardev", f"socket,id=probe,path={self.folder / 'probe.sock'},server=on,wait=off",
            "-device", "virtserialport,chardev=probe,name=probe",
            "-netdev", f"user,id=net{forwards}", "-device", "virtio-net-pci,netdev=net",
            *self.options,
        ]  # fmt: skip

    def _probe(self) -> Path:
        disk, text = self.folder / "probe.disk", PROBE.read_bytes()
        disk.write_bytes(text + b"\n" * (-len(text) % 4096))
        return disk


def built_image() -> Path:
    """The image that `make image` made; skips the test where it is not asked for."""
    if not os.environ.get("IMAGE_TEST"):
        pytest.skip("boots an emulated board, for minutes: make image-test")
    assert IMAGE.exists(), "there is no image yet: make image"
    return IMAGE


def partitions(image: Path) -> dict[str, tuple[int, int]]:
    """Start and size in bytes of each partition of an image, by label."""
    listed = subprocess.run(["sfdisk", "-J", image], check=True, capture_output=True).stdout
    table = json.loads(listed)["partitiontable"]
    unit = table["sectorsize"]
    return {row["name"]: (row["start"] * unit, row["size"] * unit) for row in table["partitions"]}


def extract_boot(image: Path, folder: Path) -> Path:
    """Kernel, RAM disk and command line, as they lie on the image's boot partition."""
    if folder.exists() and (folder / "vmlinuz").stat().st_mtime >= image.stat().st_mtime:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start, _ = partitions(image)["boot_a"]
    for name in ("cmdline.txt", "initrd.img", "vmlinuz"):
        subprocess.run(["mcopy", "-i", f"{image}@@{start}", f"::{name}", folder], check=True)
    return folder
