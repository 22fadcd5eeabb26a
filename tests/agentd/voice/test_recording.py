from __future__ import annotations

import shutil
import struct
import subprocess
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.voice import recording
from agentd.voice.errors import RecordingError
from agentd.voice.pcm import level_dbfs, seconds
from tests.agentd.voice.sound import silence, tone, wav

HALF = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000) * 0.5
"""One second at -9 dBFS."""


def bits24(values: np.ndarray) -> bytes:
    wide = np.rint(values * 2**23).astype("<i4")
    return wide.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def stereo(mono: np.ndarray) -> np.ndarray:
    return np.repeat(mono, 2)


EXTENSIBLE = (
    struct.pack("<HHIIHHHHI", 0xFFFE, 1, 16_000, 32_000, 2, 16, 22, 16, 4)
    + struct.pack("<H", 1)
    + bytes(14)
)

READABLE = {
    "8 bit":             wav(np.rint(HALF * 128 + 128).astype(np.uint8).tobytes(), bits=8),
    "16 bit":            wav(np.rint(HALF * 32768).astype("<i2").tobytes()),
    "24 bit":            wav(bits24(HALF), bits=24),
    "32 bit":            wav(np.rint(HALF * 2**31).astype("<i4").tobytes(), bits=32),
    "float":             wav(HALF.astype("<f4").tobytes(), bits=32, kind=3),
    "stereo":            wav(np.rint(stereo(HALF) * 32768).astype("<i2").tobytes(), channels=2),
    "44.1 kHz stereo":   wav(np.repeat(np.frombuffer(tone(1.0, dbfs=-9.03, rate_hz=44_100), "<i2"), 2).tobytes(), rate_hz=44_100, channels=2),
    "8 kHz":             wav(tone(1.0, dbfs=-9.03, rate_hz=8_000), rate_hz=8_000),
    "a stream's header": wav(np.rint(HALF * 32768).astype("<i2").tobytes(), size=0x7FFFF000),
    "half a sample more": wav(np.rint(HALF * 32768).astype("<i2").tobytes() + b"\x01"),
    "an extra chunk":    wav(tone(1.0, dbfs=-9.03)).replace(b"data", b"LIST\x04\x00\x00\x00abcddata"),
    "extensible":        b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(EXTENSIBLE)) + EXTENSIBLE + b"data" + struct.pack("<I", 32_000) + tone(1.0, dbfs=-9.03),
}  # fmt: skip

UNREADABLE = {
    "empty":                (b"",                                       "the file is empty"),
    "text":                 (b"turn on the desk lamp\n" * 9,            "is neither WAV nor FLAC"),
    "mp3":                  (b"ID3\x04" + bytes(100),                   "is neither WAV nor FLAC"),
    "a header alone":       (wav(b""),                                  "holds no sound"),
    "a click":              (wav(silence(0.05)),                        "holds no sound"),
    "cut in its header":    (wav(tone(1.0))[:30],                       "is a broken WAV file: its format is cut off"),
    "cut before samples":   (wav(tone(1.0))[:36],                       "is a broken WAV file: it ends before its samples"),
    "samples first":        (b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd",     "is a broken WAV file: samples before their format"),
    "compressed":           (wav(tone(1.0), kind=85),                   "is compressed WAV (format 85), only plain samples are read"),
    "12 bit":               (wav(tone(1.0), bits=12),                   "samples of 12 bit are not read"),
    "no channels":          (wav(tone(1.0), channels=0),                "0 channels are not 1 to 32"),
    "absurd rate":          (wav(tone(1.0), rate_hz=1),                 "1 samples a second are not 4000 to 384000"),
    "ten minutes":          (wav(silence(600, rate_hz=8_000), rate_hz=8_000), "lasts 600 s, at most 60 s are heard"),
    "flac cut short":       (b"fLaC" + bytes(50),                       "is no readable FLAC file"),
}  # fmt: skip


@pytest.fixture
def file(tmp_path):
    def make(content: bytes):
        path = tmp_path / "spoken"
        path.write_bytes(content)
        return path

    return make


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE)
def test_every_usual_wav_is_read_alike(file, content):
    pcm = recording.load(file(content))
    assert seconds(pcm) == pytest.approx(1.0, abs=0.001)
    assert level_dbfs(pcm) == pytest.approx(-9.03, abs=0.1)


@pytest.mark.parametrize(("content", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_heard_is_refused_in_one_line(file, content, problem):
    path = file(content)
    with pytest.raises(RecordingError) as refusal:
        recording.load(path)
    assert str(refusal.value) == f"{path}: {problem}"


def test_flac_is_read(file, tmp_path):
    if shutil.which("flac") is None:
        pytest.skip("flac is not installed")
    path = file(wav(tone(1.0, dbfs=-9.03)))
    subprocess.run(["flac", "-s", "-o", str(tmp_path / "a.flac"), str(path)], check=True)
    pcm = recording.load(tmp_path / "a.flac")
    assert (seconds(pcm), level_dbfs(pcm)) == (1.0, pytest.approx(-9.03, abs=0.1))


@pytest.mark.parametrize("kind", ["missing", "a folder"])
def test_a_file_that_cannot_be_opened_is_named(tmp_path, kind):
    path = tmp_path / "away.wav" if kind == "missing" else tmp_path
    with pytest.raises(RecordingError, match=f"{path}: cannot be read"):
        recording.load(path)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 80), st.binary(max_size=80))
def test_a_damaged_header_is_refused_or_read_but_never_fails(tmp_path_factory, cut, damage):
    path = tmp_path_factory.mktemp("damaged") / "x.wav"
    whole = wav(tone(0.2))
    path.write_bytes(whole[:cut] + damage + whole[cut + len(damage) :])
    with suppress(RecordingError):
        assert len(recording.load(path)) % 2 == 0
