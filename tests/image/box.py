"""A box that was never started: a fake card, a fake data partition, and power that can be cut."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "image-build" / "first-boot"))

from first_boot.card import Card
from first_boot.findings import Findings
from first_boot.place import Places
from first_boot.prepare import Preparation, publish

from agentd.node import node_name

FIRST_BOOT = Path(__file__).parents[2] / "image-build" / "first-boot"
VERSION = "0.1.0"


class Box:
    """One card in one computer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places = Places(
            card=folder / "card",
            data=folder / "var" / "llmagentos",
            config=folder / "var" / "agentd-etc" / "agentd.toml",
            run=folder / "run" / "llmagentos",
            system=folder / "run" / "systemd",
            machine_id=folder / "run" / "machine-id",
            agentd=folder / "run" / "agentd.sock",
        )
        self.card = Card(self.places.card, self._open)
        self.host = ""
        self.is_open = False
        self.keys_made = 0
        for path in (self.places.card, folder / "var", folder / "run"):
            path.mkdir(parents=True)

    def put(self, name: str, content: str | bytes) -> None:
        """What a person saves on the card with another computer."""
        data = content.encode() if isinstance(content, str) else content
        (self.places.card / name).write_bytes(data)

    def start(self) -> Findings:
        """Switch it on, after it was off."""
        self.power_on()
        return self.prepare()

    def power_on(self) -> None:
        """What is there before our first step: nothing of /run but an id that PID 1 made up."""
        shutil.rmtree(self.folder / "run")
        (self.folder / "run").mkdir()
        self.places.machine_id.write_text(f"{uuid.uuid4().hex}\n")

    def prepare(self) -> Findings:
        """The step before agentd."""
        return Preparation(
            self.places,
            self.card,
            VERSION,
            set_host=self._name,
            node_of=self.node_of,
            make_key=self.make_key,
        ).run()

    def report(self, found: Findings, *state: str) -> str:
        """The step after agentd; what the owner can read then."""
        publish(found, self.card, self.places, version=VERSION, state=state)
        return self.card_text("agentd-report.txt")

    def card_text(self, name: str) -> str:
        return (self.places.card / name).read_bytes().decode(errors="replace")

    def generated(self, name: str) -> str:
        """A file below /run; empty when there is none."""
        path = self.folder / "run" / name
        return path.read_text() if path.exists() else ""

    @property
    def config(self) -> str:
        """What agentd reads."""
        return self.places.config.read_text()

    def lasting(self) -> dict[str, str]:
        """All that outlives the power: the card and the data partition."""
        parts = (self.places.card, self.folder / "var")
        return {
            str(path.relative_to(self.folder)): path.read_bytes().decode(errors="replace")
            for part in parts for path in sorted(part.rglob("*")) if path.is_file()
        }  # fmt: skip

    def _open(self, is_open: bool) -> None:
        self.is_open = is_open

    def _name(self, host: str) -> None:
        self.host = host

    def node_of(self, chosen: str | None) -> str:
        """What agentd calls itself on this box."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("socket.gethostname", lambda: self.host)
            return node_name(chosen, machine_id=self.places.machine_id)

    def make_key(self, path: Path) -> None:
        self.keys_made += 1
        path.write_text(f"key {uuid.uuid4()}\n")
        path.with_name(path.name + ".pub").write_text("public\n")


class PowerCut(BaseException):
    """The plug is pulled: nothing that runs can do anything about it."""


class Power:
    """Counts what is asked of the file systems, and is cut before one of the steps.

    What was not synced is lost as a real disk loses it: the content of a file that was not
    fsynced, and below `forgetful` each new name in a folder that was not. Only there: the card's
    two file systems write when they like, so that the one may know what the other has lost.
    """

    def __init__(self, *, cut_at: int | None, forgetful: Path | None = None) -> None:
        self.steps = 0
        self._cut_at = cut_at
        self._forgetful = forgetful
        self._unsynced: dict[int, int] = {}
        self._undo: list[tuple[int, Callable[[], None]]] = []

    @contextmanager
    def on(self) -> Iterator[None]:
        """Everything inside runs on this power; a cut ends it."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("open", "write", "fsync", "replace", "unlink", "mkdir", "fchmod"):
                patch.setattr(os, name, self._step(name, getattr(os, name)))
            try:
                yield
            except PowerCut:
                patch.undo()
                self._lose()

    def _step(self, name: str, real: Callable) -> Callable:
        note = getattr(self, f"_note_{name}", None)

        def step(*args, **kwargs):
            is_read = name == "open" and not args[1] & os.O_CREAT
            if not is_read:
                self.steps += 1
                if self._cut_at is not None and self.steps >= self._cut_at:
                    raise PowerCut
            undo = note(*args) if note else None
            result = real(*args, **kwargs)
            if undo:
                self._undo.append(undo)
            if name == "open" and not is_read:
                self._unsynced[os.fstat(result).st_ino] = os.dup(result)
            return result

        return step

    def _note_fsync(self, file: int) -> None:
        found = os.fstat(file)
        if stat.S_ISDIR(found.st_mode):
            self._undo = [each for each in self._undo if each[0] != found.st_ino]
        elif found.st_ino in self._unsynced:
            os.close(self._unsynced.pop(found.st_ino))

    def _note_replace(self, source: Path, target: Path) -> tuple[int, Callable[[], None]] | None:
        return self._undoing(target)

    def _note_unlink(self, path: Path) -> tuple[int, Callable[[], None]] | None:
        return self._undoing(path) if path.exists() else None

    def _undoing(self, path: Path) -> tuple[int, Callable[[], None]] | None:
        if self._forgetful is None or not path.is_relative_to(self._forgetful):
            return None
        return path.parent.stat().st_ino, _restore(path)

    def _lose(self) -> None:
        for file in self._unsynced.values():
            os.ftruncate(file, 0)
            os.close(file)
        for _, undo in reversed(self._undo):
            undo()


def _restore(path: Path) -> Callable[[], None]:
    old = path.read_bytes() if path.exists() else None

    def restore() -> None:
        if old is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(old)

    return restore
