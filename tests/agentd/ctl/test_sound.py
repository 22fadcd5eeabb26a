"""`agentctl hear` and `agentctl audio`, against a scripted ear and a scripted sound card."""

from __future__ import annotations

import socket
import threading
import wave
from pathlib import Path

import pytest

from agentd.ctl import app, sound
from agentd.ctl.failure import Code
from agentd.voice import wire
from agentd.voice.errors import CardError
from agentd.voice.heard import Heard
from tests.agentd.ctl.conftest import answer_of

DONE = {"outcome": {"type": "actions"}, "applied": [{"stage": "read_back"}], "needs_yes": False}
LIGHT = Heard("turn on the light", "turn on the lights", True, "", "Light is on.", DONE, 0.97)
UNSURE = Heard("turn on the light", "tell me a joke", False, "the second opinion differs", "", {})
SILENCE = Heard("", "", False, "nothing was said", "", {})
REFUSED = Heard("pump on", "pump on", True, "", "No.", {**DONE, "applied": [{"stage": "refused"}]})


class ScriptedEar:
    """Answers each request on `voice.sock` with the next outcome, once its sound has ended."""

    def __init__(self, run: Path, *answers: Heard | str) -> None:
        self._answers = list(answers)
        self.asked: list[dict] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(run / "voice.sock"))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while self._answers:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            client = wire.Wire(link)
            while (event := client.read()) and event.type != wire.AUDIO_STOP:
                if event.type == wire.HEAR:
                    self.asked.append(event.data)
            answer = self._answers.pop(0)
            failed = isinstance(answer, str)
            client.write(wire.failure(answer, code="busy") if failed else wire.outcome(answer))
            client.close()


@pytest.fixture
def ear(run):
    made = []

    def script(*answers):
        made.append(ScriptedEar(run, *answers))
        return made[-1]

    yield script
    for each in made:
        each.close()


@pytest.fixture
def recording(tmp_path) -> str:
    path = tmp_path / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\x10\x20" * 4000)
    return str(path)


@pytest.mark.parametrize(
    ("heard", "code", "lines"),
    [
        pytest.param(LIGHT, 0, ['said.wav: "turn on the light"', "  Light is on."], id="done"),
        pytest.param(REFUSED, 1, ['said.wav: "pump on"', "  No."], id="refused"),
        pytest.param(SILENCE, 4, ["said.wav: nothing heard",
            '  not done: nothing was said (second opinion: "")'], id="silence"),
        pytest.param(UNSURE, 4, ['said.wav: "turn on the light"',
            '  not done: the second opinion differs (second opinion: "tell me a joke")'],
            id="not agreed"),
    ],
)  # fmt: skip
def test_hear_tells_what_was_heard_and_done(agentctl, ear, recording, heard, code, lines):
    ear(heard)
    result = agentctl("hear", recording)
    shown = [line.replace(recording, "said.wav") for line in result.stdout.splitlines()]
    assert (result.exit_code, shown) == (code, lines)


def test_hear_for_a_script_is_one_line_a_file(agentctl, ear, recording):
    scripted = ear(LIGHT, UNSURE)
    result = agentctl("hear", recording, recording, "--json", "--area", "study")
    first, second = result.stdout.splitlines()
    assert (result.exit_code, '"agreed": true' in first, '"agreed": false' in second) == (4, 1, 1)
    assert [request["area"] for request in scripted.asked] == ["study", "study"]


@pytest.mark.parametrize("text", [b"", b"RIFF", b"not sound at all"])
def test_a_file_that_is_no_sound_is_one_line(agentctl, ear, tmp_path, text):
    ear(LIGHT)
    file = tmp_path / "said.wav"
    file.write_bytes(text)
    result = agentctl("hear", str(file))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "said.wav" in result.stderr


def test_without_ears_hear_says_so(agentctl, recording):
    result = agentctl("hear", recording)
    assert (result.exit_code, "agentd-voice does not answer" in result.stderr) == (3, True)


def test_busy_ears_are_one_line(agentctl, ear, recording):
    ear("somebody else is speaking")
    result = agentctl("hear", recording, "--json")
    assert answer_of(result)["error"] == "somebody else is speaking"
    assert result.exit_code == 3


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([], Code.DONE),
        ([Code.DONE, Code.UNCLEAR], Code.UNCLEAR),
        ([Code.FAILED, Code.UNCLEAR, Code.DONE], Code.FAILED),
    ],
)
def test_the_worst_of_several_files_counts(codes, code):
    assert sound.worst(codes) is code


@pytest.mark.parametrize(
    ("dbfs", "filled"), [(-96.0, 0), (-60.0, 0), (-30.0, 20), (0.0, 40), (3.0, 40)]
)
def test_the_meter_runs_from_silence_to_full_scale(dbfs, filled):
    assert sound.meter(dbfs).count("#") == filled
    assert len(sound.meter(dbfs)) == len(sound.meter(0.0))


class ScriptedCard:
    """A microphone that gives one level, or none at all."""

    name, rate_hz = "scripted", 16_000

    def __init__(self, pcm: bytes = b"") -> None:
        self.pcm, self.is_closed = pcm, False

    def devices(self):
        raise CardError("no sound: libportaudio2")

    def open_microphone(self, name):
        if not self.pcm:
            raise CardError("no microphone")
        return self

    def read(self, frames, *, timeout_s):
        return self.pcm

    def close(self):
        self.is_closed = True


def test_a_machine_without_sound_is_told_why():
    told = app._sound_devices(ScriptedCard())
    assert told == {"devices": [], "reason": "no sound: libportaudio2"}


def test_devices_are_listed_with_their_use(capsys):
    sound.show_devices({"reason": "", "devices": [
        {"name": "USB", "inputs": 1, "outputs": 2, "rate_hz": 48_000, "is_default": True}]})  # fmt: skip
    assert capsys.readouterr().out.splitlines()[1] == (
        "USB   microphone and loudspeaker  48000 Hz  default"
    )


def test_the_meter_lets_go_of_the_microphone(capsys):
    card = ScriptedCard(b"\x00\x40" * 160)
    app._measure(card, "", 0.01, as_json=True)
    assert card.is_closed
    assert capsys.readouterr().out.splitlines()[0] == '{"dbfs": -6.0}'
