"""The agentd-llm program as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmagentos.client import Door, DoorClosed
from tests.agentd.llm.house import eventually
from tests.models.real import gguf

PROGRAM = (sys.executable, "-P", "-c", "from agentd.llm.app import main; main()")
START_S = 20.0


@contextmanager
def program(
    run: Path, *options: str, models: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    environ = dict(os.environ)
    if models:
        environ["LLMAGENTOS_MODELS"] = str(models)
    process = subprocess.Popen(
        (*PROGRAM, "--run", str(run), *options), env=environ, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def connected(run: Path) -> Door:
    doors: list[Door] = []

    def connect() -> bool:
        try:
            doors.append(Door(run / "llm.sock", timeout_s=120))
        except DoorClosed:
            return False
        return True

    eventually(connect, within_s=START_S)
    return doors[0]


@pytest.mark.system
def test_without_a_model_it_serves_and_says_what_to_type(tmp_path):
    with program(tmp_path / "run", models=tmp_path) as process, connected(tmp_path / "run") as door:
        eventually(lambda: door.request("health")["state"] == "missing")
        assert "agentctl models pull smollm2-135m" in door.request("health")["detail"]
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    assert not (tmp_path / "run" / "llm.sock").exists()


@pytest.mark.system
def test_a_model_cut_short_is_named_and_taken_up_once_it_is_whole(tmp_path):
    whole = gguf()
    folder = tmp_path / "models" / "smollm2-135m"
    folder.mkdir(parents=True)
    (folder / whole.name).write_bytes(whole.read_bytes()[:1000])
    with program(tmp_path, models=tmp_path / "models"), connected(tmp_path) as door:
        eventually(lambda: door.request("health")["state"] == "missing")
        assert str(folder / whole.name) in door.request("health")["detail"]
        (folder / whole.name).unlink()
        os.link(whole, folder / whole.name)
        eventually(lambda: door.request("health")["state"] == "ready", within_s=30)


@pytest.mark.system
@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        pytest.param(("--model", "no-such"), 78, "no model 'no-such'", id="unknown-model"),
        pytest.param(("--threads", "many"), 2, "--threads", id="usage"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_clear_line(tmp_path, options, status, says):
    with program(tmp_path, *options) as process:
        _, errors = process.communicate(timeout=20)
        assert process.returncode == status
        assert says in errors
        assert "Traceback" not in errors


@pytest.mark.system
@pytest.mark.model
def test_it_chooses_with_the_real_model_in_180_megabytes(tmp_path):
    gguf()
    with program(tmp_path) as process, connected(tmp_path) as door:
        lines = [f'"Wish {n}." So please turn on lamp {n}.\n' for n in range(30)]
        door.request("prefix", text="".join(lines), end=".\n")
        choices = [f" turn {way} lamp {n}" for n in range(20) for way in ("on", "off")]
        answer = door.request(
            "choose", prompt='"Wish 7." So please', choices=choices, deadline_ms=120_000
        )
        assert choices[answer["choice"]] == " turn on lamp 7"
        assert _pss_bytes(process.pid) < 190_000_000
        process.send_signal(signal.SIGTERM)
        started_s = time.monotonic()
        assert process.wait(5) == 0
        assert time.monotonic() - started_s < 2.0


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no Pss line")


def test_it_starts_without_llama_cpp_and_without_the_daemon():
    code = (
        "import sys, agentd.llm.app\n"
        "print(*(m for m in sys.modules if m.split('.')[0] == 'llama_cpp'"
        " or m.startswith(('agentd.door', 'agentd.understand', 'agentd.loop'))))"
    )
    ran = subprocess.run(
        (sys.executable, "-P", "-c", code), check=True, capture_output=True, text=True
    )
    assert ran.stdout.split() == []
