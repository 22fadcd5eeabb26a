"""Writes what follows from the owner's words for one start: Wi-Fi, network, broker, SSH. All of it
lies below /run, so that nothing stays of what is no longer wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agentd.schema import MqttTable
from first_boot import disk, identity, network, radio, report, share, ssh
from first_boot.card import Card
from first_boot.findings import Findings
from first_boot.memory import Memory
from first_boot.place import Places
from first_boot.radio import Radio
from first_boot.share import Credentials


@dataclass(frozen=True, slots=True)
class Groups:
    """Who may read what is generated for them; ignored where there is no such group."""

    agentd: str = "agentd"
    broker: str = "agentd-broker"


@dataclass(frozen=True, slots=True)
class Generation:
    """One start's generated files."""

    places: Places
    card: Card
    findings: Findings

    make_key: Callable[[Path], None]
    """Writes an SSH key pair; may raise OSError."""

    groups: Groups

    def run(self, memory: Memory, mqtt: MqttTable | None) -> None:
        """Write all files; one that cannot be written is a finding.

        Args:
            memory: what the owner asked for.
            mqtt: agentd's broker; None when agentd has no usable configuration.
        """
        is_own = mqtt is not None and mqtt.broker == "own"
        port = mqtt.port if mqtt and is_own and mqtt.share else None
        if port is None or not self._share(port):
            port = None
            self._close()
        is_elsewhere = mqtt is not None and mqtt.broker not in ("own", "off")
        self.findings.is_named = port is not None or is_elsewhere
        with self.findings.noting("the box is not on the network"):
            self._write_network(radio.merge(memory.wifi, memory.cloud_wifi), port)
        with self.findings.noting("SSH stays off"):
            self._write_ssh(memory.user.keys)

    def _share(self, port: int) -> bool:
        """Open the own broker to the network; False when it stays closed."""
        with self.findings.noting("the broker is not shared"):
            credentials = share.settle(self.places.credentials)
            folder = self.places.run / "broker"
            found = share.files(credentials, node=self.findings.node, port=port, folder=folder)
            self._write_all(found, folder, mode=0o640, group=self.groups.broker)
            self._show(credentials)
            return True
        return False

    def _close(self) -> None:
        """End what this start shared; otherwise the broker's own listener is left as it is."""
        folder = self.places.run / "broker"
        with self.findings.noting("the broker stays shared until the next start"):
            if (folder / "acl").exists():
                self._write_all(share.closed(), folder, mode=0o640, group=self.groups.broker)

    def _show(self, credentials: Credentials) -> None:
        if not credentials.is_told or not self.card.has(report.NAME):
            self.findings.shared = credentials
        self.findings.notes.append(
            "The MQTT broker is open to the network (share = true in agentd.toml), for the user "
            f"{credentials.user!r} with a generated password."
        )

    def _write_network(self, wifi: Radio, shared_port: int | None) -> None:
        has_wifi = bool(wifi.networks)
        conf = {"wpa_supplicant.conf": radio.supplicant(wifi) if has_wifi else None}
        self._write_all(conf, self.places.run / "wifi", mode=0o600)
        found = network.files(
            is_named=self.findings.is_named, has_wifi=has_wifi, shared_port=shared_port
        )
        self._write_all(found, self.places.system, mode=0o644)

    def _write_ssh(self, keys: tuple[str, ...]) -> None:
        folder = self.places.run / "ssh"
        found: Mapping[str, str | None] = dict.fromkeys(("authorized_keys", "sshd_config"))
        if keys:
            identity.settle_host_key(self.places.host_key, make=self.make_key)
            found = ssh.files(keys, folder=folder, host_key=self.places.host_key)
            note = "SSH is on for the public keys in user-data: log in as root"
            self.findings.notes.append(f"{note}. Other users are not made.")
        self._write_all(found, folder, mode=0o600)

    def _write_all(
        self, found: Mapping[str, str | None], folder: Path, *, mode: int, group: str = ""
    ) -> None:
        for name, text in found.items():
            path = folder / name
            if text is not None:
                disk.make_folder(path.parent)
                disk.write(path, text.encode(), mode=mode, group=group)
            elif path.parent.is_dir():
                disk.remove(path)
