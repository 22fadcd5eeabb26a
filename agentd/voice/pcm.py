"""Sound as this program handles it: mono, signed 16 bit little endian, 16 kHz."""

from __future__ import annotations

from math import ceil, gcd, log10
from typing import Final

import numpy as np
import numpy.typing as npt

RATE_HZ: Final = 16_000
SAMPLE_BYTES: Final = 2
BYTES_A_SECOND: Final = RATE_HZ * SAMPLE_BYTES

FLOOR_DBFS: Final = -96.0
"""Level of complete silence: half a step of 16 bits."""

_LOBES: Final = 12
"""Zero crossings of the sinc on each side: stop band about -60 dB, enough for a 16 bit speech
model; each more costs time on a small board."""

_BLOCK: Final = 4096
"""Output samples worked on at once: bounds memory, whatever the length of the sound."""

Samples = npt.NDArray[np.float32]
"""One channel, full scale is -1 to 1."""


def seconds(pcm: bytes) -> float:
    """How long it plays."""
    return len(pcm) / BYTES_A_SECOND


def level_dbfs(pcm: bytes) -> float:
    """Mean level relative to full scale; `FLOOR_DBFS` for nothing or complete silence."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    if not samples.size:
        return FLOOR_DBFS
    power = float(np.mean(samples * samples)) / 32768.0**2
    return max(FLOOR_DBFS, 10 * log10(power)) if power > 0 else FLOOR_DBFS


def to_pcm(samples: Samples) -> bytes:
    """Floats to 16 bit, clipped at full scale."""
    return bytes(np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2").tobytes())


def from_pcm(pcm: bytes) -> Samples:
    """16 bit to floats."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768.0)


class Resampler:
    """Changes the rate of a stream with a windowed-sinc filter, piece by piece."""

    def __init__(self, source_hz: int, target_hz: int = RATE_HZ) -> None:
        """Build the filters.

        Args:
            source_hz: rate of what comes in, 4 to 384 kHz.
            target_hz: rate of what goes out.
        """
        shared = gcd(source_hz, target_hz)
        self._up, self._down = target_hz // shared, source_hz // shared
        cutoff = min(1.0, target_hz / source_hz) * 0.95
        self._half = ceil(_LOBES / cutoff)
        self._filters = _filters(self._up, self._half, cutoff)
        self._waiting: Samples = np.zeros(self._half, np.float32)
        self._phase = 0

    def feed(self, samples: Samples) -> Samples:
        """The next piece at the target rate; it lags by the filter's half width."""
        if self._up == self._down:
            return samples
        waiting = np.concatenate((self._waiting, samples))
        width = 2 * self._half
        fit = len(waiting) - width
        count = max(0, -(-(fit * self._up - self._phase) // self._down)) if fit > 0 else 0
        at = self._phase + np.arange(count, dtype=np.int64) * self._down
        first, phase = at // self._up, at % self._up
        out = np.empty(count, np.float32)
        for start in range(0, count, _BLOCK):
            block = slice(start, start + _BLOCK)
            window = waiting[first[block, None] + np.arange(width)]
            out[block] = np.einsum("ij,ij->i", window, self._filters[phase[block]])
        next_at = self._phase + count * self._down
        used = min(next_at // self._up, len(waiting))
        self._phase = next_at - used * self._up
        self._waiting = waiting[used:]
        return out

    def drain(self) -> Samples:
        """What the filter still holds back, at the end of the stream."""
        held = 0 if self._up == self._down else self._half
        return self.feed(np.zeros(held, np.float32))


def _filters(up: int, half: int, cutoff: float) -> Samples:
    """One row of taps for each of the `up` positions between two input samples."""
    offset = np.arange(-half, half)[None, :] - (np.arange(up) / up)[:, None]
    window = 0.5 + 0.5 * np.cos(np.pi * np.clip(offset / half, -1, 1))
    taps = np.sinc(offset * cutoff) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float32)


def resample(samples: Samples, *, source_hz: int, target_hz: int = RATE_HZ) -> Samples:
    """A whole sound at another rate."""
    resampler = Resampler(source_hz, target_hz)
    return np.concatenate((resampler.feed(samples), resampler.drain()))
