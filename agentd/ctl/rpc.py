"""XML-RPC over a Unix socket: how supervisord is spoken to."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any, Final

from agentd.ctl.failure import Failure

CALL_WAIT_S: Final = 10.0
"""Longest wait for an answer; stopping a program waits until it ended."""


def call(path: Path, method: str, *args: object) -> Any:
    """Call `method` of the server that listens at `path`.

    Raises:
        Failure: nobody listens there, or the server refuses.
    """
    try:
        with xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(path)) as server:
            return getattr(server, method)(*args)
    except xmlrpc.client.Fault as exc:
        raise Failure(f"{method}: {exc.faultString}") from exc
    except (OSError, http.client.HTTPException, xmlrpc.client.Error) as exc:
        raise Failure(f"{path.name} does not answer: {exc}") from exc


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=CALL_WAIT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CALL_WAIT_S)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:  # noqa: ARG002
        return _Connection(self._path)
