"""The first steps of a start, each of which may fail without taking the others along.

The order is what a power cut leaves behind: first the box remembers, then it generates what
follows from that, and only then are secrets taken off the card.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agentd.config import Config
from first_boot import disk, findings, identity, memory, report, settings, share
from first_boot.card import Card
from first_boot.errors import OwnerMistake
from first_boot.findings import Findings
from first_boot.generate import Generation, Groups
from first_boot.owner import LAST_GOOD, Owner
from first_boot.place import Places
from first_boot.written import Written


@dataclass
class Preparation:
    """One start's first steps."""

    places: Places
    card: Card
    version: str

    set_host: Callable[[str], None]
    """Sets the kernel's host name; may raise OSError."""

    node_of: Callable[[str | None], str]
    """What agentd will call itself in topics, under this host name and a chosen name."""

    make_key: Callable[[Path], None]
    """Writes an SSH key pair; may raise OSError."""

    groups: Groups = field(default_factory=Groups)
    findings: Findings = field(default_factory=Findings)

    def run(self) -> Findings:
        """Do all of it; whatever fails is a finding."""
        machine_id = self._settle_machine_id()
        owner = Owner(self.card, self.findings, memory.load(self.places.memory))
        if self._is_card_there():
            owner.read()
        is_kept = self._remember(owner)
        self._give_settings(owner)
        self._give_password(owner.memory.mqtt_password)
        config = owner.settings.config if owner.settings else self._config_in_force()
        self._name(owner, config, machine_id)
        Generation(self.places, self.card, self.findings, self.make_key, self.groups).run(
            owner.memory, config.mqtt if config else None
        )
        # A secret that the box does not remember must stay where it is.
        for written in owner.rewrites if is_kept else ():
            self._clear(written)
        self.findings.hide(owner.secrets)
        self._report_early()
        with self.findings.noting("what was found is not passed on"):
            disk.make_folder(self.places.run)
            findings.keep(self.findings, self.places.findings)
        return self.findings

    def _settle_machine_id(self) -> str:
        with self.findings.noting("this box gets a new identity at each start"):
            disk.make_folder(self.places.data, mode=0o700)
            return identity.settle_machine_id(self.places)
        return "0" * 32

    def _is_card_there(self) -> bool:
        try:
            if any(self.card.folder.iterdir()):
                return True
        except OSError:
            pass  # the same finding as an empty folder, where nothing is mounted
        self.findings.problems.append(f"The card's FAT partition cannot be read. {LAST_GOOD}")
        return False

    def _remember(self, owner: Owner) -> bool:
        with self.findings.noting("passwords stay on the card"):
            memory.keep(owner.memory, self.places.memory)
            return True
        return False

    def _give_settings(self, owner: Owner) -> None:
        """Put agentd's file in place; what cannot be used never replaces what can."""
        path, is_on_card = self.places.config, self.card.has(settings.NAME)
        if owner.settings:
            text = owner.settings.text
        elif path.exists() or is_on_card:
            if not is_on_card:
                note = "is not on the card; the last one stays in force"
                self.findings.notes.append(f"{settings.NAME}: {note}.")
            return
        else:
            text = settings.EMPTY
        with self.findings.noting("the last good agentd.toml stays in force"):
            disk.make_folder(path.parent)
            disk.write(path, text.encode(), mode=0o640, group=self.groups.agentd)

    def _give_password(self, password: str | None) -> None:
        path = self.places.mqtt_password
        with self.findings.noting("agentd has no password for the household's broker"):
            if password is not None:
                disk.make_folder(path.parent, mode=0o700)
                disk.write(path, f"{password}\n".encode())
            elif path.parent.is_dir():
                disk.remove(path)

    def _config_in_force(self) -> Config | None:
        try:
            text = (disk.read(self.places.config) or b"").decode()
            return settings.settle(text, known=None).config
        except (OSError, UnicodeDecodeError, OwnerMistake):
            return None

    def _name(self, owner: Owner, config: Config | None, machine_id: str) -> None:
        chosen = config.node.name if config else None
        wanted = owner.memory.user.host or owner.memory.meta.host or chosen or ""
        host = identity.host_name(wanted, machine_id=machine_id)
        self.findings.host = host
        with self.findings.noting("the host name is not set"):
            self.set_host(host)
        self.findings.node = self.node_of(chosen)

    def _clear(self, written: Written) -> None:
        if not self.card.write(written.name, written.encode()):
            text = f"a password in it stays on the card: it cannot be written ({self.card.failure})"
            self.findings.problems.append(f"{written.name}: {text}.")

    def _report_early(self) -> None:
        """Write the report now when it holds news: what is wrong may keep agentd from running."""
        if not self.findings.problems:
            return
        try:
            known = disk.read(self.card.folder / report.NAME) or b""
        except OSError:
            known = b""
        if not all(" ".join(each.split()).encode() in known for each in self.findings.problems):
            publish(self.findings, self.card, self.places, version=self.version)


def publish(
    found: Findings, card: Card, places: Places, *, version: str, state: tuple[str, ...] = ()
) -> None:
    """Write the report to the card, and remember that a password in it was told."""
    if not card.write(report.NAME, report.render(found, version=version, state=state)):
        found.problems.append(f"The report cannot be written to the card ({card.failure}).")
        return
    if found.shared and not found.shared.is_told:
        try:
            share.note_told(found.shared, places.credentials)
        except OSError:
            return  # shown once more at the next start
