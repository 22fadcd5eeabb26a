"""Reads a recording from a file: WAV of any rate, width and number of channels, or FLAC.

The standard library's `wave` knows neither floats nor a stream whose header promises more than
came, so the few lines that RIFF needs stand here. FLAC is left to the `flac` program.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from agentd.voice.errors import RecordingError
from agentd.voice.pcm import Samples, resample, to_pcm

MOST_S: Final = 60.0
"""Longest recording that is heard: a command takes seconds, and the free decode of a minute
already takes ten."""

LEAST_S: Final = 0.1
"""Shorter than any word."""

_MOST_BYTES: Final = 64 << 20
"""Largest file that is looked at: a minute of 8 channels of 32 bit at 32 kHz."""

_MOST_HZ: Final = 384_000
_LEAST_HZ: Final = 4_000
_MOST_CHANNELS: Final = 32
_FLAC_TIMEOUT_S: Final = 30.0

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_CHUNK: Final = struct.Struct("<4sI")
_FORMAT: Final = struct.Struct("<HHIIHH")


@dataclass(frozen=True, slots=True)
class Format:
    """How the samples of a sound are written."""

    rate_hz: int
    channels: int
    bits: int
    """Of one sample: 8 (unsigned), 16, 24 or 32; of a float 32 or 64."""
    is_float: bool = False

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.bits // 8

    def check(self) -> None:
        """Refuse what no sound card makes.

        Raises:
            RecordingError: with the number that is wrong.
        """
        if not _LEAST_HZ <= self.rate_hz <= _MOST_HZ:
            raise RecordingError(
                f"{self.rate_hz} samples a second are not {_LEAST_HZ} to {_MOST_HZ}"
            )
        if not 1 <= self.channels <= _MOST_CHANNELS:
            raise RecordingError(f"{self.channels} channels are not 1 to {_MOST_CHANNELS}")
        if self.bits not in ((32, 64) if self.is_float else (8, 16, 24, 32)):
            raise RecordingError(f"samples of {self.bits} bit are not read")


def load(path: Path) -> bytes:
    """Read a file as sound: mono, signed 16 bit little endian, 16 kHz.

    Blocks: tens of milliseconds for a command, up to 30 s for `flac`.

    Raises:
        RecordingError: it cannot be read, is no WAV or FLAC, is empty, or longer than `MOST_S`.
    """
    try:
        content = _read(path)
        if content[:4] == b"fLaC":
            content = _unpack_flac(path)
        return _convert(content)
    except RecordingError as exc:
        raise RecordingError(f"{path}: {exc}") from exc


def to_samples(raw: bytes, form: Format) -> Samples:
    """Raw samples of any format as one channel of floats; a last incomplete frame is dropped.

    Raises:
        RecordingError: there is no such format.
    """
    form.check()
    raw = raw[: len(raw) // form.frame_bytes * form.frame_bytes]
    values = _numbers(raw, form).reshape(-1, form.channels)
    return np.asarray(values.mean(axis=1), np.float32)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise RecordingError(f"cannot be read: {exc.strerror}") from exc
    if not content:
        raise RecordingError("the file is empty")
    if len(content) > _MOST_BYTES:
        raise RecordingError(f"is larger than {_MOST_BYTES >> 20} MB")
    return content


def _unpack_flac(path: Path) -> bytes:
    """The WAV that a FLAC file holds; no more of it than may be heard."""
    command = ("flac", "--decode", "--stdout", "--silent", str(path.absolute()))
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError as exc:
        raise RecordingError("is FLAC, and flac is not installed: apt install flac") from exc
    try:
        with process:
            assert process.stdout is not None
            wav = process.stdout.read(_MOST_BYTES)
            process.kill() if len(wav) == _MOST_BYTES else process.wait(_FLAC_TIMEOUT_S)
    except subprocess.TimeoutExpired as exc:
        process.kill()
        raise RecordingError(f"flac took longer than {_FLAC_TIMEOUT_S:.0f} s") from exc
    if process.returncode > 0:
        raise RecordingError("is no readable FLAC file")
    return wav


def _convert(wav: bytes) -> bytes:
    """The sound of a WAV file as this program handles it."""
    form, raw = _parse(wav)
    form.check()
    length_s = len(raw) // form.frame_bytes / form.rate_hz
    if length_s > MOST_S:
        raise RecordingError(f"lasts {length_s:.0f} s, at most {MOST_S:.0f} s are heard")
    if length_s < LEAST_S:
        raise RecordingError("holds no sound")
    return to_pcm(resample(to_samples(raw, form), source_hz=form.rate_hz))


def _parse(wav: bytes) -> tuple[Format, bytes]:
    """Format and samples of a RIFF file."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise RecordingError("is neither WAV nor FLAC")
    form: Format | None = None
    for name, body in _chunks(wav):
        if name == b"fmt ":
            form = _format(body)
        elif name == b"data":
            if form is None:
                raise RecordingError("is a broken WAV file: samples before their format")
            return form, body
    raise RecordingError("is a broken WAV file: it ends before its samples")


def _chunks(wav: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a RIFF file; the last may be shorter than it says, as in a stream."""
    at = 12
    while at + _CHUNK.size <= len(wav):
        name, size = _CHUNK.unpack_from(wav, at)
        at += _CHUNK.size
        yield name, wav[at : at + size]
        at += size + size % 2


def _format(body: bytes) -> Format:
    if len(body) < _FORMAT.size:
        raise RecordingError("is a broken WAV file: its format is cut off")
    kind, channels, rate_hz, _, _, bits = _FORMAT.unpack_from(body)
    if kind == _EXTENSIBLE and len(body) >= 26:
        (kind,) = struct.unpack_from("<H", body, 24)
    if kind not in (_PCM, _FLOAT):
        raise RecordingError(f"is compressed WAV (format {kind}), only plain samples are read")
    return Format(rate_hz, channels, bits, is_float=kind == _FLOAT)


def _numbers(raw: bytes, form: Format) -> npt.NDArray[np.float64]:
    """Samples as numbers of -1 to 1."""
    if form.is_float:
        values = np.frombuffer(raw, f"<f{form.bits // 8}").astype(np.float64)
        return np.clip(np.nan_to_num(values), -1.0, 1.0)
    if form.bits == 8:
        return (np.frombuffer(raw, np.uint8).astype(np.float64) - 128.0) / 128.0
    if form.bits == 24:
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        return wide.view("<i4").reshape(-1).astype(np.float64) / 2.0**31
    return np.frombuffer(raw, f"<i{form.bits // 8}").astype(np.float64) / 2.0 ** (form.bits - 1)
