"""The program: `prepare` before agentd, `ready` after it."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import subprocess
import time
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agentd.node import node_name
from first_boot import findings, ready
from first_boot.card import Card
from first_boot.generate import Groups
from first_boot.place import Places
from first_boot.prepare import Preparation, publish
from llmagentos import notify
from llmagentos.client import Door, DoorError
from llmagentos.clock import Instant

_log = logging.getLogger("first-boot")


def main(argv: list[str] | None = None) -> int:
    """Do one of the two steps; 0 unless the command line is wrong."""
    options = _parse(argv)
    notify.log_to("first-boot")
    places = Places(**{each.name: getattr(options, each.name) for each in fields(Places)})
    card = Card(options.card, lambda is_open: _remount(options.card, is_open=is_open))
    if options.step == "prepare":
        _prepare(places, card, Groups(options.agentd_group, options.broker_group))
    else:
        _ready(places, card)
    return 0


def _prepare(places: Places, card: Card, groups: Groups) -> None:
    found = Preparation(
        places, card, version("llmagentos"),
        set_host=socket.sethostname, node_of=node_name, make_key=_make_key, groups=groups,
    ).run()  # fmt: skip
    for problem in found.problems:
        _log.warning("%s", problem)
    _log.info("this box is %s, on the network %s", found.node, found.host)


def _ready(places: Places, card: Card) -> None:
    found = findings.load(places.findings)
    condition = ready.wait(
        lambda: ready.judge(_health(places.agentd), address=_address()),
        clock=_read_clock,
        sleep=time.sleep,
    )
    publish(found, card, places, version=version("llmagentos"), state=tuple(ready.lines(condition)))
    if card.failure:
        _log.warning("the report is not on the card: %s", card.failure)
    words = ready.sentence(condition, node=found.node, has_problems=bool(found.problems))
    _log.info("%s", words)
    try:
        with Door(places.agentd) as door:
            door.request("say", text=words)
    except DoorError as exc:
        _log.warning("not said: %s", exc)


def _health(path: Path) -> dict[str, Any] | None:
    try:
        with Door(path, timeout_s=3.0) as door:
            return dict(door.request("health"))
    except DoorError:
        return None


def _address() -> str:
    """The address that other machines reach this box at. Nothing is sent: a UDP socket that is
    connected to an address reserved for documentation only asks the kernel for the way."""
    for family, remote in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((remote, 9))
                return str(probe.getsockname()[0])
        except OSError:
            continue
    return ""


def _make_key(path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except subprocess.CalledProcessError as exc:
        words = exc.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise OSError(f"ssh-keygen: {' '.join(words) or exc.returncode}") from exc
    except subprocess.TimeoutExpired as exc:
        raise OSError("ssh-keygen does not end") from exc


def _remount(folder: Path, *, is_open: bool) -> None:
    """Open a mounted card for writing, or close it again; any other folder is as it is."""
    if not os.path.ismount(folder):
        return
    # By what is mounted, not by fstab: its `nofail` makes a success of a device that is not to be
    # seen from inside the unit, where nothing was done.
    options = ["--options-source=mtab", "-o", "remount,rw" if is_open else "remount,ro"]
    command = ["mount", *options, str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except subprocess.SubprocessError as exc:
        raise OSError("it is write-protected") from exc


def _read_clock() -> Instant:
    return Instant(time.monotonic(), time.time())


def _parse(argv: list[str] | None) -> argparse.Namespace:
    usual = Places()
    parser = argparse.ArgumentParser(prog="first-boot", description="The first steps of a start.")
    parser.add_argument("step", choices=("prepare", "ready"))
    for each in fields(Places):
        flag = f"--{each.name.replace('_', '-')}"
        parser.add_argument(flag, type=Path, default=getattr(usual, each.name))
    parser.add_argument("--agentd-group", default="agentd", help="who may read agentd's file")
    parser.add_argument("--broker-group", default="agentd-broker", help="who may read the broker's")
    return parser.parse_args(argv)
