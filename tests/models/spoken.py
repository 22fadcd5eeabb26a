"""The real speech model, where it was fetched, and sentences spoken into files."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

import numpy as np
import pytest

from models import store
from models.errors import ModelError
from models.espeak import PROGRAM, EspeakSpeaker
from models.transcribe import RATE_HZ
from models.vosk import VoskTranscriber


@cache
def vosk() -> VoskTranscriber:
    """The small English model, loaded once; skips the test where it is not there."""
    try:
        return VoskTranscriber(store.find("vosk-small-en"))
    except ModelError as exc:
        pytest.skip(str(exc))


@cache
def flite(text: str, *, voice: str = "awb") -> bytes:
    """`text` as 16 kHz mono sound, after half a second of quiet, by a voice of flite (16 kHz)."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    command = ["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"]
    spoken = subprocess.run(command, check=True, capture_output=True).stdout
    return quiet(0.5) + spoken[44:]


def quiet(seconds: float) -> bytes:
    """A room in which nobody speaks: faint noise, never the same as digital silence."""
    noise = np.random.default_rng(1).standard_normal(round(seconds * RATE_HZ)) * 10
    return bytes(np.rint(noise).astype("<i2").tobytes())


def espeak() -> EspeakSpeaker:
    """The voice; skips the test where it is not installed."""
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} is not installed")
    return EspeakSpeaker()
