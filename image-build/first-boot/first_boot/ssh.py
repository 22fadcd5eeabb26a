"""SSH, off unless the owner gave a public key: a key opens it, no password ever does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

SSHD: Final = Path("/usr/sbin/sshd")


def files(keys: Iterable[str], *, folder: Path, host_key: Path) -> dict[str, str]:
    """sshd's files by name; its unit runs only where they are."""
    return {
        "authorized_keys": "".join(f"{key}\n" for key in keys),
        "sshd_config": _CONF.format(folder=folder, host_key=host_key),
    }


_CONF: Final = """\
# Written at each start because user-data holds a public key; changes here are lost.
HostKey {host_key}
AuthorizedKeysFile {folder}/authorized_keys
AllowUsers root
PermitRootLogin prohibit-password
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
AllowTcpForwarding local
X11Forwarding no
PidFile none
Subsystem sftp internal-sftp
"""
