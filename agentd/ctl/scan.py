"""What is plugged into this machine: read from files and sockets that any Linux has."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from agentd.ctl.command import Json, emit
from agentd.ctl.show import show_table

BROKER_PORTS = (1883, 8883)
"""Where MQTT brokers listen by custom."""

BROKER_WAIT_S = 0.3
"""Longest wait for a broker on loopback, in seconds."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that was found."""

    sort: str
    """serial, i2c, onewire, gpio, microphone, speaker or broker"""

    where: str
    """The path or address to write into agentd.toml."""

    what: str
    """What it calls itself."""


def scan(json: Json = False) -> None:
    """List what is plugged in: serial adapters, I2C, 1-wire, GPIO, sound, brokers."""
    parts = [*find_parts(Path("/")), *find_brokers()]
    emit([asdict(part) for part in parts], as_json=json, show=lambda _: _show(parts))


def find_parts(root: Path) -> Iterator[Part]:
    """Everything that the kernel shows under `root`, which is `/` but for tests."""
    for link in sorted(root.glob("dev/serial/by-id/*")):
        yield Part("serial", f"/{link.relative_to(root)}", link.resolve().name)
    for sort, pattern in (("i2c", "dev/i2c-*"), ("gpio", "dev/gpiochip*")):
        for node in sorted(root.glob(pattern)):
            yield Part(sort, f"/{node.relative_to(root)}", _label(root, node.name))
    for probe in sorted(root.glob("sys/bus/w1/devices/28-*")):
        yield Part("onewire", probe.name, "DS18B20 temperature")
    yield from _find_sound(root / "proc/asound/pcm")


def _label(root: Path, name: str) -> str:
    """The name the driver gave it, such as `pinctrl-rp1`; empty when it gave none."""
    for place in (f"sys/bus/gpio/devices/{name}/label", f"sys/class/i2c-dev/{name}/name",
                  f"sys/bus/gpio/devices/{name}/of_node/name"):  # fmt: skip
        try:
            return (root / place).read_text(errors="replace").strip("\n\0 ")
        except OSError:
            continue
    return ""


def _find_sound(listing: Path) -> Iterator[Part]:
    """Lines such as `01-00: USB Audio : USB Audio : playback 1 : capture 1`."""
    try:
        lines = listing.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        fields = [field.strip() for field in line.split(":")]
        if not (number := re.fullmatch(r"(\d+)-(\d+)", fields[0])) or len(fields) < 3:
            continue
        where = f"hw:{int(number[1])},{int(number[2])}"
        for word, sort in (("capture", "microphone"), ("playback", "speaker")):
            if any(field.startswith(word) for field in fields[3:]):
                yield Part(sort, where, fields[2] or fields[1])


def find_brokers(ports: tuple[int, ...] = BROKER_PORTS) -> Iterator[Part]:
    """MQTT brokers that listen on this machine."""
    for port in ports:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=BROKER_WAIT_S).close()
        except OSError:
            continue
        yield Part("broker", f"127.0.0.1:{port}", "something listens where MQTT brokers do")


def _show(parts: list[Part]) -> None:
    rows = ((part.sort, part.where, part.what) for part in parts)
    show_table(("found", "where", "what"), rows, empty="Nothing is plugged in that can be seen.")
