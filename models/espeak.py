"""The espeak-ng voice, run as a process of its own: it is GPL, and may die without us.

The text goes in on standard input, so no word of it is ever taken for an option or seen in the
list of processes. What comes out is a WAV stream whose header claims 2 GiB, as its writer cannot
seek back; the length is therefore what arrives.
"""

from __future__ import annotations

import struct
import subprocess
from typing import Final

from models.errors import ModelError
from models.speak import Speaker, Speech

PROGRAM: Final = "espeak-ng"

_MAX_CHARACTERS: Final = 1000
"""Longest text that is spoken: about a minute; a reply has a sentence or two."""

_TIMEOUT_S: Final = 20.0
"""A thousand characters take 0.2 s on a desktop; a Pi 4 is ten times slower at worst."""

_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
"""RIFF, size, WAVE, `fmt `, 16, format, channels, rate, byte rate, block, bits, `data`, size."""


class EspeakSpeaker(Speaker):
    """Speaks with espeak-ng."""

    def __init__(self, *, voice: str = "en-us", words_per_min: int = 165) -> None:
        """Choose the voice.

        Args:
            voice: espeak-ng's name of it, usually a language.
            words_per_min: 80 to 450.
        """
        how = ("-b", "1", "-v", voice, "-s", str(words_per_min))
        self._command = (PROGRAM, "--stdin", "--stdout", *how)

    def synthesise(self, text: str) -> Speech:
        """Run espeak-ng once; blocks about 50 ms for a sentence."""
        if not text.strip():
            return Speech(pcm=b"", rate_hz=22_050)
        try:
            done = subprocess.run(
                self._command,
                input=text[:_MAX_CHARACTERS].encode(),
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError as exc:
            raise ModelError(f"{PROGRAM} is not installed: apt install {PROGRAM}") from exc
        except subprocess.TimeoutExpired as exc:
            raise ModelError(f"{PROGRAM} took longer than {_TIMEOUT_S:.0f} s") from exc
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise ModelError(f"{PROGRAM} failed with {done.returncode}: {said}")
        return _read(done.stdout)


def _read(wav: bytes) -> Speech:
    """Take the sound out of espeak-ng's stream."""
    if len(wav) < _HEADER.size:
        raise ModelError(f"{PROGRAM} gave {len(wav)} bytes, less than a WAV header")
    riff, _, _, _, _, form, channels, rate_hz, _, _, bits, _, _ = _HEADER.unpack_from(wav)
    if riff != b"RIFF" or (form, channels, bits) != (1, 1, 16):
        raise ModelError(f"{PROGRAM} gave no 16 bit mono WAV")
    return Speech(pcm=wav[_HEADER.size : len(wav) & ~1], rate_hz=rate_hz)
