"""Where first boot reads and writes; every folder can be another one, so that tests need no box."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The folders and files of a box."""

    card: Path = Path("/boot/config")
    """The FAT partition, which every computer can read and write."""

    data: Path = Path("/var/lib/llmagentos")
    """Root's own folder on the data partition: identity, keys, what the owner asked for."""

    config: Path = Path("/etc/agentd/agentd.toml")
    """The file that agentd reads; its folder must lie on the data partition."""

    run: Path = Path("/run/llmagentos")
    """Generated at each start, gone at each power-off."""

    system: Path = Path("/run/systemd")
    """Where networkd and resolved look for generated files."""

    machine_id: Path = Path("/run/machine-id")
    """PID 1's transient id, which it shows as /etc/machine-id when the root is read-only."""

    agentd: Path = Path("/run/agentd/agentd.sock")
    """agentd's door for operators."""

    @property
    def mqtt_password(self) -> Path:
        """The household broker's password, which agentd's unit loads as a credential."""
        return self.config.parent / "credentials" / "mqtt-password"

    @property
    def memory(self) -> Path:
        """What the owner asked for, secrets included."""
        return self.data / "memory.json"

    @property
    def identity(self) -> Path:
        """This box's machine id."""
        return self.data / "machine-id"

    @property
    def credentials(self) -> Path:
        """User and password of the shared broker."""
        return self.data / "mqtt.json"

    @property
    def host_key(self) -> Path:
        """SSH's private host key."""
        return self.data / "ssh_host_ed25519_key"

    @property
    def findings(self) -> Path:
        """What `prepare` found, for `ready` to report."""
        return self.run / "findings.json"
