"""The box's own broker, opened to the network: one user with a generated password, and what that
user may read and write. Only mosquitto's files are made here; it is mosquitto that listens.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from first_boot import disk

USER: Final = "home"

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are mistaken for each other when they are typed from paper."""

_GROUPS: Final = 5
_GROUP: Final = 4
"""Twenty letters of 31 are 99 bits: nobody guesses them, and a person can type them once."""

_ROUNDS: Final = 1000
"""Of PBKDF2. The password is random, so that more would only slow each connection down."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may use the shared broker."""

    user: str
    password: str = field(repr=False)
    is_told: bool = False
    """Whether a report with the password reached the card."""


def settle(path: Path) -> Credentials:
    """The credentials of this box, made at the first call.

    Raises:
        OSError: they cannot be kept, so that they must not be used.
    """
    try:
        return Credentials(**json.loads(disk.read(path) or b""))
    except (ValueError, TypeError):
        made = Credentials(USER, _new_password())
        _keep(made, path)
        return made


def note_told(credentials: Credentials, path: Path) -> None:
    """Remember that the owner can read the password on the card now.

    Raises:
        OSError: it cannot be kept; the next report shows it again.
    """
    _keep(replace(credentials, is_told=True), path)


def files(credentials: Credentials, *, node: str, port: int, folder: Path) -> dict[str, str | None]:
    """mosquitto's files by name, for a folder that its own configuration includes."""
    return {
        "passwords": password_line(credentials) + "\n",
        "acl": _ACL.format(user=credentials.user, node=node),
        "listen.conf": _OPEN.format(port=port, folder=folder),
    }


def closed() -> dict[str, str | None]:
    """mosquitto's files of a broker that only this machine can reach; None for what must go."""
    return {"listen.conf": _CLOSED, "passwords": None, "acl": None}


def password_line(credentials: Credentials) -> str:
    """A line of mosquitto's password file, in its form 7 (PBKDF2, SHA-512)."""
    password = credentials.password.encode()
    # The salt need not be random where the password is: the same box writes the same file again.
    salt = hashlib.sha256(b"llmagentos" + password).digest()[:12]
    key = hashlib.pbkdf2_hmac("sha512", password, salt, _ROUNDS)
    packed = (base64.b64encode(each).decode() for each in (salt, key))
    return f"{credentials.user}:$7${_ROUNDS}${'$'.join(packed)}"


def _new_password() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _keep(credentials: Credentials, path: Path) -> None:
    disk.write(path, json.dumps(asdict(credentials)).encode())


_ACL: Final = """\
# Written at each start; changes here are lost.
user {user}
topic read agentd/{node}/#
topic write agentd/{node}/+/set
topic write agentd/{node}/request/#
topic read homeassistant/#
topic write homeassistant/status
"""

_OPEN: Final = """\
# Written at each start because of `share = true` in agentd.toml; changes here are lost.
listener {port}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
max_connections 64
"""

_CLOSED: Final = """\
# Written at each start; changes here are lost.
listener 1883 127.0.0.1
allow_anonymous true
"""
