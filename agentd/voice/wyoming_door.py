"""The Wyoming door: transcribes, speaks and takes whole utterances, on `voice.sock`."""

from __future__ import annotations

import logging
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from agentd.voice import wire
from agentd.voice.errors import EarError, RecordingError
from agentd.voice.listener import Hearing, Recognised
from agentd.voice.pcm import Resampler, to_pcm
from agentd.voice.pipeline import Pipeline
from agentd.voice.recording import LEAST_S, MOST_S, to_samples
from agentd.voice.wire import Event, Wire
from models.errors import ModelError, ModelMissing
from models.speak import Speaker

_LOG: Final = logging.getLogger("agentd-voice")

_CLIENTS: Final = 8
"""Connections at a time: each may decode, and the board has four cores."""

_IDLE_S: Final = 60.0
"""Longest silence of a client, and longest wait for one that does not read."""

_WHO: Final = "wyoming"
"""Speaker of clients that do not say who they are."""


class WyomingDoor:
    """Serves Wyoming clients, one thread each."""

    def __init__(self, path: Path, pipeline: Pipeline, speaker: Speaker) -> None:
        """Serve nobody until `start`."""
        self._path = path
        self._pipeline = pipeline
        self._speaker = speaker
        self._room = threading.BoundedSemaphore(_CLIENTS)
        self._socket: socket.socket | None = None
        self.area: str | None = None
        """Where speakers stand who do not say it."""

    def start(self) -> None:
        """Listen, for nobody but our own user.

        Raises:
            EarError: another program listens there, or the folder cannot be written.
        """
        self._socket = _listen(self._path)
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def close(self) -> None:
        """Stop listening; those who are being served are left alone."""
        if self._socket is not None:
            self._socket.close()
            self._path.unlink(missing_ok=True)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                link, _ = listening.accept()
            except OSError:
                return  # closed
            link.settimeout(_IDLE_S)
            client = Wire(link)
            if self._room.acquire(blocking=False):
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
            else:
                with suppress(EarError):
                    client.write(wire.failure(f"{_CLIENTS} clients are the most", code="busy"))
                client.close()

    def _serve(self, client: Wire) -> None:
        visit = _Visit(self._pipeline, self._speaker, client, area=self.area)
        try:
            while (event := client.read()) is not None:
                visit.take(event)
        except EarError as exc:
            _LOG.info("a client was shown out: %s", exc)
            with suppress(EarError):
                client.write(wire.failure(str(exc), code="bad_request"))
        except Exception:  # noqa: BLE001 - a defect must not end the other clients
            _LOG.exception("serving a client failed")
        finally:
            client.close()
            self._room.release()


class _Visit:
    """One client's requests, in their order."""

    def __init__(
        self, pipeline: Pipeline, speaker: Speaker, client: Wire, *, area: str | None
    ) -> None:
        self._pipeline = pipeline
        self._speaker = speaker
        self._client = client
        self._area = area
        self._asked: Event | None = None
        self._sound: _Incoming | None = None

    def take(self, event: Event) -> None:
        """Do what one event wants; what we do not know is passed over, as the protocol says.

        Raises:
            EarError: the client went away.
        """
        try:
            self._take(event)
        except RecordingError as exc:
            self._fail(str(exc), code="bad_audio")
        except ModelMissing as exc:
            self._fail(str(exc), code="unavailable")
        except ModelError as exc:
            _LOG.error("%s", exc)
            self._fail(str(exc), code="failed")

    def _take(self, event: Event) -> None:
        if event.type == wire.DESCRIBE:
            listener = self._pipeline.listener
            self._client.write(wire.info(listener.name if listener else "none"))
        elif event.type in (wire.TRANSCRIBE, wire.HEAR):
            self._asked = event
        elif event.type == wire.AUDIO_START:
            self._sound = _Incoming(self._pipeline.begin(), event)
        elif event.type == wire.AUDIO_CHUNK and self._sound is not None:
            self._sound.add(event.payload or b"")
        elif event.type == wire.AUDIO_STOP and self._sound is not None:
            self._answer(self._sound.end())
        elif event.type == wire.SYNTHESIZE:
            for piece in wire.speech(self._speaker.synthesise(str(event.data.get("text") or ""))):
                self._client.write(piece)

    def _answer(self, recognised: Recognised) -> None:
        asked, self._asked, self._sound = self._asked, None, None
        is_ours = recognised.agreement.is_agreed
        self._client.write(wire.transcript(recognised.text if is_ours else recognised.free_text))
        if asked is None or asked.type != wire.HEAR:
            return
        who, area = asked.data.get("who"), asked.data.get("area")
        heard = self._pipeline.respond(
            recognised, who=str(who or _WHO), area=str(area) if area else self._area
        )
        self._client.write(wire.outcome(heard))

    def _fail(self, text: str, *, code: str) -> None:
        self._asked = self._sound = None
        self._client.write(wire.failure(text, code=code))


class _Incoming:
    """Sound that a client sends, decoded while it comes."""

    def __init__(self, hearing: Hearing, start: Event) -> None:
        self._hearing = hearing
        self._form = wire.format_of(start.data)
        self._resampler = Resampler(self._form.rate_hz)
        self._rest = b""

    def add(self, raw: bytes) -> None:
        """Take the next piece.

        Raises:
            RecordingError: it is more than may be heard.
        """
        raw = self._rest + raw
        whole = len(raw) // self._form.frame_bytes * self._form.frame_bytes
        self._rest = raw[whole:]
        samples = to_samples(raw[:whole], self._form)
        if self._hearing.audio_s + samples.size / self._form.rate_hz > MOST_S:
            raise RecordingError(f"the audio is longer than {MOST_S:.0f} s")
        self._hearing.accept(to_pcm(self._resampler.feed(samples)))

    def end(self) -> Recognised:
        """What was said.

        Raises:
            RecordingError: there was no sound.
        """
        self._hearing.accept(to_pcm(self._resampler.drain()))
        if self._hearing.audio_s < LEAST_S:
            raise RecordingError("the audio holds no sound")
        return self._hearing.finish()


def _listen(path: Path) -> socket.socket:
    """A socket that only our own user can reach, in place of one that nobody serves."""
    if _is_served(path):
        raise EarError(f"another agentd-voice listens on {path}")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        listening.bind(os.fspath(path))
        path.chmod(0o600)  # nobody can connect before `listen`
        listening.listen(_CLIENTS)
    except OSError as exc:
        listening.close()
        raise EarError(f"cannot listen on {path}: {exc.strerror or exc}") from exc
    return listening


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(os.fspath(path)) == 0
