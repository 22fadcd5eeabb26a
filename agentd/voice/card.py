"""Sound cards, the one module that imports `sounddevice` (PortAudio).

Quirks: without libportaudio2 the import itself fails, which is a state and no error; PortAudio
sees the cards that were there when it started, so it is started anew before a missing one is
looked for; on some boards a stream stops giving frames while it says that it is active, so no
read here waits for a frame longer than it was asked to; some USB microphones have no 16 kHz mode,
then their own rate is taken and the caller resamples. Streams are read and written, not called
back: cffi callbacks need memory that is writable and executable, which the unit file forbids.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from agentd.voice.errors import CardError
from agentd.voice.pcm import RATE_HZ

_POLL_S: Final = 0.01
"""Pause between two looks for frames."""

_BUFFER_S: Final = 0.4
"""What a microphone keeps for a reader that is busy: a decoder takes its sound in pieces, and needs
longer for one on a small board than PortAudio's own 40 ms. A frame comes up to a quarter later."""


@dataclass(frozen=True, slots=True)
class SoundDevice:
    """A microphone or loudspeaker as the system names it."""

    name: str
    inputs: int
    """Channels that can be recorded."""
    outputs: int
    """Channels that can be played."""
    rate_hz: int
    """Its own rate."""
    is_default: bool


class Capture(Protocol):
    """An open microphone: mono, signed 16 bit little endian."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def rate_hz(self) -> int:
        """Samples a second that it gives."""

    def read(self, frames: int, *, timeout_s: float) -> bytes:
        """The next frames, or nothing when they do not come in time.

        Raises:
            CardError: it was pulled out or stopped.
        """

    def flush(self) -> None:
        """Throw away what waits to be read."""

    def close(self) -> None:
        """Let go of it."""


class Card(Protocol):
    """Opens microphones and loudspeakers."""

    def open_microphone(self, name: str) -> Capture:
        """Open the first one whose name holds `name`, or the default one when it is empty.

        Raises:
            CardError: there is none, or it is taken.
        """

    def play(self, pcm: bytes, *, rate_hz: int, name: str, stop: threading.Event) -> None:
        """Play mono 16 bit sound on a loudspeaker, until its end or until `stop` is set.

        Raises:
            CardError: there is none, it is taken, or it was pulled out.
        """


class PortAudioCard:
    """The sound cards of this machine."""

    def __init__(self) -> None:
        """Look at nothing yet."""
        self._lock = threading.Lock()
        self._streams = 0

    def devices(self) -> tuple[SoundDevice, ...]:
        """Everything that records or plays.

        Raises:
            CardError: PortAudio is not installed or does not work.
        """
        with _mapped(), self._lock:
            audio = self._fresh()
            defaults = set(audio.default.device)
            return tuple(
                SoundDevice(
                    name=row["name"],
                    inputs=row["max_input_channels"],
                    outputs=row["max_output_channels"],
                    rate_hz=int(row["default_samplerate"]),
                    is_default=row["index"] in defaults,
                )
                for row in audio.query_devices()
            )

    def open_microphone(self, name: str) -> Capture:
        """Open a microphone at 16 kHz, or at its own rate if it knows no other."""
        with _mapped(), self._lock:
            audio = self._fresh()
            row = self._find(audio, name, "input")
            make = partial(audio.RawInputStream, latency=_BUFFER_S)
            stream, rate_hz = _open(make, row, RATE_HZ)
            self._streams += 1
            return _PortAudioCapture(stream, row["name"], rate_hz, self._closed)

    def play(self, pcm: bytes, *, rate_hz: int, name: str, stop: threading.Event) -> None:
        """Play on a loudspeaker in pieces, so that it can be stopped."""
        with _mapped():
            with self._lock:
                audio = self._fresh()
                row = self._find(audio, name, "output")
                stream, _ = _open(audio.RawOutputStream, row, rate_hz, exact=True)
                self._streams += 1
            try:
                piece = rate_hz // 10 * 2
                for start in range(0, len(pcm), piece):
                    if stop.is_set():
                        stream.abort()
                        return
                    stream.write(pcm[start : start + piece])
                stream.stop()
            finally:
                stream.close()
                self._closed()

    def _fresh(self) -> Any:
        """PortAudio with today's cards; it is only started anew while nothing is open."""
        audio = _load()
        if self._streams == 0:
            audio._terminate()  # the library has no public way to look again
            audio._initialize()
        return audio

    def _closed(self) -> None:
        with self._lock:
            self._streams -= 1

    @staticmethod
    def _find(audio: Any, name: str, way: str) -> Any:
        rows = [row for row in audio.query_devices() if row[f"max_{way}_channels"] > 0]
        if name:
            rows = [row for row in rows if name.lower() in row["name"].lower()]
        if not rows:
            what = "microphone" if way == "input" else "loudspeaker"
            raise CardError(f"no {what} called {name!r}" if name else f"no {what}")
        default = audio.default.device[way == "output"]
        return next((row for row in rows if row["index"] == default), rows[0])


class _PortAudioCapture:
    """One open input stream."""

    def __init__(self, stream: Any, name: str, rate_hz: int, closed: Any) -> None:
        self._stream = stream
        self._closed = closed
        self.name = name
        self.rate_hz = rate_hz

    def read(self, frames: int, *, timeout_s: float) -> bytes:
        with _mapped():
            for _ in range(max(1, round(timeout_s / _POLL_S))):
                if self._stream.read_available >= frames:
                    pcm, _ = self._stream.read(frames)
                    return bytes(pcm)
                time.sleep(_POLL_S)
        return b""

    def flush(self) -> None:
        with _mapped():
            waiting = self._stream.read_available
            if waiting:
                self._stream.read(waiting)

    def close(self) -> None:
        with suppress(CardError), _mapped():
            self._stream.abort()
            self._stream.close()
        self._closed()


def _open(make: Any, row: Any, rate_hz: int, *, exact: bool = False) -> tuple[Any, int]:
    """A started stream at the wanted rate, or at the card's own."""
    own_hz = int(row["default_samplerate"])
    for rate in (rate_hz,) if exact else (rate_hz, own_hz):
        try:
            stream = make(samplerate=rate, channels=1, dtype="int16", device=row["index"])
            stream.start()
        except _load().PortAudioError:
            if exact or rate == own_hz:
                raise
            continue
        return stream, rate
    raise CardError(f"{row['name']} has no usable rate")


def _load() -> Any:
    try:
        return importlib.import_module("sounddevice")
    except (ImportError, OSError) as exc:
        raise CardError(f"no sound: {exc}; apt install libportaudio2") from exc


@contextmanager
def _mapped() -> Iterator[None]:
    """PortAudio's errors as ours."""
    try:
        yield
    except CardError:
        raise
    except Exception as exc:
        if type(exc).__name__ != "PortAudioError":
            raise
        raise CardError(f"sound card: {exc}") from exc
