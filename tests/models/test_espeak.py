from __future__ import annotations

import time
from pathlib import Path

import pytest

from models import espeak
from models.errors import ModelError
from tests.models import spoken


def test_a_sentence_becomes_sound_of_its_length():
    short, long = (
        spoken.espeak().synthesise(text) for text in ("Yes.", "The desk lamp is on now.")
    )
    assert 0.2 < short.seconds < 1.5 < long.seconds + 0.5 < 4
    assert max(long.pcm) > 0


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_is_no_sound(text):
    assert spoken.espeak().synthesise(text).pcm == b""


@pytest.mark.parametrize(
    "text", ["-w /tmp/x", "--help", "<speak>no</speak>", "ä ß 好", "\x00\x1b[2J"]
)
def test_text_is_never_an_option(text):
    assert spoken.espeak().synthesise(text).seconds < 10


def test_an_endless_text_is_cut_short():
    started = time.monotonic()
    assert spoken.espeak().synthesise("on and on " * 100_000).seconds < 120
    assert time.monotonic() - started < 10


def test_without_the_program_one_is_told_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ModelError, match="apt install espeak-ng"):
        espeak.EspeakSpeaker().synthesise("hello")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("exit 3", "failed with 3"),
        ("exit 0", "gave 0 bytes, less than a WAV header"),
        ("head -c 100 /dev/zero", "gave no 16 bit mono WAV"),
    ],
)
def test_a_broken_program_is_one_line(monkeypatch, tmp_path: Path, script, problem):
    program = tmp_path / "espeak-ng"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ModelError, match=problem):
        espeak.EspeakSpeaker().synthesise("hello")
