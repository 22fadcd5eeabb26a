"""Opening a Unix socket that only its owner may use, without a moment in which others could.

LlmagentosError
 └─ SocketTaken      the socket cannot be opened at that path; the text says why
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

from llmagentos.errors import LlmagentosError

_BACKLOG: Final = 16
_PATH_BYTES: Final = 107
"""Longest path of a Unix socket."""


class SocketTaken(LlmagentosError):
    """The socket cannot be opened at that path."""


def listen(path: Path) -> tuple[socket.socket, tuple[int, int]]:
    """Listen at a path with mode 0600; a socket that a dead process left is no obstacle.

    Returns:
        The socket, and the identity of its file for `remove`.

    Raises:
        SocketTaken: another process serves it, or it cannot be written.
    """
    _refuse_taken(path)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    if len(os.fsencode(new)) > _PATH_BYTES:
        raise SocketTaken(f"{path}: the path is too long for a socket, at most 95 bytes")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        new.unlink(missing_ok=True)
        listener.bind(os.fspath(new))
        new.chmod(0o600)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        new.rename(path)
        status = path.stat()
    except OSError as exc:
        listener.close()
        raise SocketTaken(f"{path}: cannot listen there: {exc.strerror or exc}") from exc
    return listener, (status.st_dev, status.st_ino)


def remove(path: Path, identity: tuple[int, int]) -> None:
    """Remove the socket, unless a successor has put its own there."""
    try:
        status = path.lstat()
        if (status.st_dev, status.st_ino) == identity:
            path.unlink()
    except FileNotFoundError:
        return


def _refuse_taken(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_socket():
        raise SocketTaken(f"{path}: something that is not a socket stands there, remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(1.0)
        try:
            caller.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return
        except OSError as exc:
            raise SocketTaken(f"{path}: cannot tell who serves it: {exc}") from exc
    raise SocketTaken(f"{path}: another process already serves it, stop that one first")
