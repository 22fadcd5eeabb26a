"""A door that answers from a script: what the tests of agentctl talk to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from llmagentos.wire import decode_object, encode


class Refusal:
    """An answer that says no."""

    def __init__(self, code: str, error: str) -> None:
        self.code, self.error = code, error


class Stream:
    """Events that follow a subscribe; then the door hangs up, or stays open."""

    def __init__(self, events: Iterable[Mapping[str, Any]], *, hang_up: bool = True) -> None:
        self.events, self.hang_up = list(events), hang_up


class ScriptedDoor:
    """Serves `run/agentd.sock` from a table of verb -> answer."""

    def __init__(self, run: Path, script: Mapping[str, Any]) -> None:
        self.script = dict(script)
        self.asked: list[dict[str, Any]] = []
        """Every request as it came in, without v and id."""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(run / "agentd.sock"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as lines:
            for line in lines:
                request = decode_object(line.rstrip(b"\n"))
                number, _ = request.pop("id"), request.pop("v")
                self.asked.append(request)
                answer = self.script.get(request["verb"], Refusal("unknown_verb", "no such verb"))
                if isinstance(answer, Stream):
                    for event in answer.events:
                        client.sendall(encode({"id": number, "event": event}))
                    if answer.hang_up:
                        return
                    continue
                client.sendall(encode({"v": 1, "id": number, **_body(answer)}))


def _body(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Refusal):
        return {"status": "error", "code": answer.code, "error": answer.error}
    return {"status": "ok", "data": answer}
