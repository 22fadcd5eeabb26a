"""The client's end: have agentd-voice hear a recording as if it had been said."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

from agentd.voice import wire
from agentd.voice.errors import EarError
from agentd.voice.heard import Heard
from agentd.voice.recording import load
from agentd.voice.wire import Wire

_TIMEOUT_S: Final = 60.0
"""Longest wait for an answer: a minute of sound takes ten seconds to decode, agentd up to ten."""


def hear(
    path: Path, sock: Path, *, who: str = "hear", area: str | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> Heard:  # fmt: skip
    """Send one recording the whole way, from sound to agentd's reply.

    Args:
        path: a WAV or FLAC file of at most 60 s.
        sock: agentd-voice's socket, `voice.sock` in the run folder.
        who: the speaker, for the conversation it belongs to.
        area: id of the area the speaker stands in; None for the box's own.
        timeout_s: longest wait for an answer.

    Raises:
        RecordingError: the file cannot be heard.
        EarError: agentd-voice is away, or could not hear; its text says why.
    """
    pcm = load(path)
    client = _connect(sock, timeout_s=timeout_s)
    try:
        _send(client, pcm, who=who, area=area)
        return _receive(client)
    finally:
        client.close()


def _connect(sock: Path, *, timeout_s: float) -> Wire:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(timeout_s)
    try:
        link.connect(os.fspath(sock))
    except OSError as exc:
        link.close()
        raise EarError(f"agentd-voice does not answer at {sock}: {exc.strerror or exc}") from exc
    return Wire(link)


def _send(client: Wire, pcm: bytes, *, who: str, area: str | None) -> None:
    for event in wire.hear_request(pcm, who=who, area=area):
        client.write(event)


def _receive(client: Wire) -> Heard:
    while (event := client.read()) is not None:
        if event.type in (wire.HANDLED, wire.NOT_HANDLED, wire.ERROR):
            return wire.heard_of(event)
    raise EarError("agentd-voice hung up without an answer")
