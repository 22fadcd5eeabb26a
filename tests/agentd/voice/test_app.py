"""The program itself, as a process: without agentd, without a model, without a microphone."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentd.voice.errors import EarError
from agentd.voice.hear import hear
from tests.agentd.voice.house import LAMP, FakeAgentd
from tests.agentd.voice.sound import say, tone, wav
from tests.broker import wait_until
from tests.models.spoken import vosk


def is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


class Voice:
    """agentd-voice in a run folder of its own."""

    def __init__(self) -> None:
        self.run = Path(tempfile.mkdtemp(prefix="voice-", dir="/tmp"))  # a socket's path is short
        self.sock = self.run / "voice.sock"
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from agentd.voice.app import main; main()", "--run", str(self.run), *options],
            env={**os.environ, **environment}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def wait_up(self) -> None:
        """Until it listens: the socket is there a moment before."""
        wait_until(lambda: is_listening(self.sock), timeout_s=20)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()
        shutil.rmtree(self.run, ignore_errors=True)


@pytest.fixture
def voice() -> Iterator[Voice]:
    made = Voice()
    yield made
    made.close()


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    process.send_signal(signal.SIGTERM)
    log, _ = process.communicate(timeout=10)
    return process.returncode, log


def test_without_agentd_and_model_it_waits_says_so_and_ends_cleanly(voice, tmp_path):
    process = voice.start("--no-microphone", LLMAGENTOS_MODELS=str(tmp_path))
    voice.wait_up()
    (recording := tmp_path / "a.wav").write_bytes(wav(tone(1.0)))
    with pytest.raises(EarError, match="models pull vosk-small-en"):
        wait_until(lambda: hear(recording, voice.sock))
    time.sleep(0.5)  # its first try to reach agentd
    code, log = end(process)
    assert code == 0
    assert log.count("cannot hear yet") == log.count("agentd is away") == 1
    assert "Traceback" not in log
    assert not voice.sock.exists()


def test_a_second_one_is_refused_and_leaves_the_first_alone(voice, tmp_path):
    first = voice.start("--no-microphone", LLMAGENTOS_MODELS=str(tmp_path))
    voice.wait_up()
    second = voice.start("--no-microphone", LLMAGENTOS_MODELS=str(tmp_path))
    log, _ = second.communicate(timeout=20)
    assert second.returncode == 69
    assert "another agentd-voice listens" in log
    assert voice.sock.exists()
    assert end(first)[0] == 0


@pytest.mark.model
def test_a_recording_goes_the_whole_way_and_an_agentd_that_restarts_is_found_again(voice, tmp_path):
    vosk()
    spoken = say(tmp_path, LAMP, voice="awb")
    process = voice.start()
    voice.wait_up()
    agentd = FakeAgentd(voice.run)
    try:
        wait_until(lambda: agentd.reports, timeout_s=20)
        assert hear(spoken, voice.sock).reply == "Desk lamp is on."
        agentd.stop()
        assert hear(spoken, voice.sock).reply == "I cannot do anything just now."
        agentd.reports.clear()
        agentd.start()
        wait_until(lambda: agentd.reports, timeout_s=10)
        assert agentd.reports[-1][0] in ("no_microphone", "listening")
        assert hear(spoken, voice.sock).reply == "Desk lamp is on."
        agentd.tell("say", text="The tea is ready.")
        time.sleep(0.5)  # no loudspeaker here: it is printed
        code, log = end(process)
    finally:
        agentd.stop()
    assert code == 0
    assert "desk lamp" not in log
    assert log.count("asked agentd") == 2


@pytest.mark.model
def test_it_takes_less_than_200_mb_after_some_sentences(voice, tmp_path):
    vosk()
    process = voice.start("--no-microphone")
    voice.wait_up()
    agentd = FakeAgentd(voice.run)
    spoken = say(tmp_path, "my coffee went cold while I was on the phone", voice="rms")
    try:
        wait_until(lambda: agentd.reports, timeout_s=20)
        for _ in range(5):
            hear(spoken, voice.sock)
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    finally:
        agentd.stop()
    pss_kb = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    assert pss_kb < 200_000
