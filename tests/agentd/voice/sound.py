"""Sounds for the voice tests: tones, silence, spoken files, and a sound card made of them."""

from __future__ import annotations

import shutil
import struct
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from agentd.voice.errors import CardError
from agentd.voice.pcm import RATE_HZ, to_pcm


def tone(
    seconds: float, *, dbfs: float = -20.0, hz: float = 440.0, rate_hz: int = RATE_HZ
) -> bytes:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return to_pcm((np.sin(2 * np.pi * hz * at) * np.sqrt(2) * 10 ** (dbfs / 20)).astype(np.float32))


def silence(seconds: float, *, rate_hz: int = RATE_HZ) -> bytes:
    return bytes(round(seconds * rate_hz) * 2)


def wav(
    raw: bytes, *, rate_hz: int = RATE_HZ, channels: int = 1, bits: int = 16, kind: int = 1,
    size: int | None = None,
) -> bytes:  # fmt: skip
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * block, block, bits)
    body = b"fmt " + struct.pack("<I", len(form)) + form + b"data"
    body += struct.pack("<I", len(raw) if size is None else size) + raw
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def say(folder: Path, text: str, *, voice: str = "awb") -> Path:
    """A WAV file in which `voice` says `text`: a voice of flite, or `espeak`."""
    program = "espeak-ng" if voice == "espeak" else "flite"
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    path = folder / f"{voice}.wav"
    spoken = (
        [program, "-v", "en-us", "-w", str(path), text]
        if voice == "espeak"
        else [program, "-voice", voice, "-t", text, "-o", str(path)]
    )
    subprocess.run(spoken, check=True, capture_output=True)
    return path


class ScriptedCard:
    """A sound card whose microphone comes, goes and falls silent as the script says.

    Each entry of the script is one attempt to open the microphone: None when there is none, or
    the sound it gives, in bytes. After its sound it is pulled out, or stalls.
    """

    def __init__(
        self, script: Iterable[bytes | None] = (), *, rate_hz: int = RATE_HZ, stalls: bool = False,
        has_loudspeaker: bool = False,
    ) -> None:  # fmt: skip
        self._script = list(script)
        self._rate_hz = rate_hz
        self._stalls = stalls
        self._has_loudspeaker = has_loudspeaker
        self.names: list[str] = []
        """Every name that was asked for."""
        self.open_count = 0
        """Microphones open now."""
        self.played: list[bytes] = []
        """Every sound that was played to its end."""
        self.hold = threading.Event()
        """Sounds are being played until this is set."""
        self.hold.set()

    def open_microphone(self, name: str) -> ScriptedCapture:
        self.names.append(name)
        sound = self._script.pop(0) if self._script else None
        if sound is None:
            raise CardError("no microphone")
        self.open_count += 1
        return ScriptedCapture(self, sound, self._rate_hz, stalls=self._stalls)

    def play(self, pcm: bytes, *, rate_hz: int, name: str, stop: threading.Event) -> None:
        if not self._has_loudspeaker:
            raise CardError("no loudspeaker")
        while not self.hold.wait(0.005):
            if stop.is_set():
                return
        self.played.append(pcm)


class ScriptedCapture:
    """One opened microphone."""

    name = "scripted microphone"

    def __init__(self, card: ScriptedCard, sound: bytes, rate_hz: int, *, stalls: bool) -> None:
        self.rate_hz = rate_hz
        self._card, self._sound, self._stalls = card, sound, stalls

    def read(self, frames: int, *, timeout_s: float) -> bytes:
        piece, self._sound = self._sound[: frames * 2], self._sound[frames * 2 :]
        if len(piece) == frames * 2:
            return piece
        if not self._stalls:
            raise CardError("it was pulled out")
        return b""

    def flush(self) -> None: ...

    def close(self) -> None:
        self._card.open_count -= 1
