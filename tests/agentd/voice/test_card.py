"""The real sound library over ALSA's own pretended cards: no card is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentd.voice.pcm import level_dbfs
from tests.agentd.voice.sound import tone

ALSA = Path("/usr/share/alsa/alsa.conf")

PRETENDED = """
<{alsa}>
pcm.pretended {{ type file  slave.pcm "null"  file "{folder}/played.raw"  infile "{folder}/said.raw"  format "raw"  hint {{ show on  description "pretended" }} }}
"""

USE = """
import json, threading
from agentd.voice.card import PortAudioCard
from agentd.voice.errors import CardError
card = PortAudioCard()
told = {"devices": [device.name for device in card.devices()]}
try:
    capture = card.open_microphone(%r)
    sound = b"".join(capture.read(480, timeout_s=0.5) for _ in range(20))
    told |= {"name": capture.name, "rate_hz": capture.rate_hz, "sound": sound.hex()}
    capture.close()
    card.play(bytes(9600), rate_hz=16000, name="pretended", stop=threading.Event())
except CardError as exc:
    told["error"] = str(exc)
print(json.dumps(told))
"""


def use(folder: Path, name: str, *, alsa: str = "") -> dict[str, object]:
    """Let a fresh process use the microphone called `name`; what it tells."""
    config = folder / "asound.conf"
    config.write_text(alsa)
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(config)}
    done = subprocess.run(
        [sys.executable, "-c", USE % name],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def pretended(tmp_path) -> str:
    if not ALSA.exists():
        pytest.skip("ALSA is not installed")
    (tmp_path / "said.raw").write_bytes(tone(2.0))
    return PRETENDED.format(alsa=ALSA, folder=tmp_path)


def test_a_microphone_is_found_by_a_part_of_its_name(tmp_path, pretended):
    told = use(tmp_path, "TENDED", alsa=pretended)
    assert (told.get("error"), told["name"], told["rate_hz"]) == (None, "pretended", 16_000)
    sound = bytes.fromhex(str(told["sound"]))
    assert len(sound) == 20 * 960
    assert level_dbfs(sound) == pytest.approx(-20, abs=0.5)


def test_a_name_that_is_not_there_is_named(tmp_path, pretended):
    assert use(tmp_path, "Blue Yeti", alsa=pretended)["error"] == "no microphone called 'Blue Yeti'"


def test_no_card_at_all_is_a_plain_error(tmp_path):
    told = use(tmp_path, "", alsa=f"<{ALSA}>\n")
    assert (told["devices"], told["error"]) == ([], "no microphone")


def test_a_missing_sound_library_is_a_plain_error(tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    program = USE.replace(
        'told = {"devices": [device.name for device in card.devices()]}', "told = {}"
    )
    done = subprocess.run(
        [sys.executable, "-c", program % ""], env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert "apt install libportaudio2" in json.loads(done.stdout)["error"]
