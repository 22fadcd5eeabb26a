"""`agentctl interpret` over files: no daemon, no hardware, and no process left behind."""

from __future__ import annotations

import json
import sys

import pytest

from agentd.ctl import private_llm
from agentd.ctl.app import read_clock
from agentd.ctl.failure import Failure
from tests.agentd.ctl.conftest import answer_of
from tests.agentd.ctl.stand_in import write_program

HOME = {
    "id": "flat", "areas": [{"id": "study", "name": "study"}],
    "devices": [{"id": "lamp", "name": "desk lamp", "kind": "light", "area": "study",
                 "aliases": [], "state": {"state": "off"}}],
}  # fmt: skip
CASE = {"id": "c1", "set": "t", "home": "flat", "context_area": None,
        "turns": [{"text": "turn on the desk lamp", "expect": {"type": "none"}}]}  # fmt: skip

LLM = """\
#!{python} -P
import json, signal, socket, sys
run = sys.argv[sys.argv.index("--run") + 1]
door = socket.socket(socket.AF_UNIX)
door.bind(run + "/llm.sock")
door.listen()
while True:
    client, _ = door.accept()
    for line in client.makefile("rb"):
        answer = dict(v=1, id=json.loads(line)["id"], status="ok", data=dict(state={state!r}, detail="no such file"))
        client.sendall(json.dumps(answer).encode() + b"\\n")
"""


@pytest.fixture
def kit(tmp_path):
    (tmp_path / "homes").mkdir()
    (tmp_path / "homes" / "flat.json").write_text(json.dumps(HOME))
    (tmp_path / "cases.jsonl").write_text(json.dumps(CASE) + "\n")
    return tmp_path


def options(kit):
    return ["--homes", str(kit / "homes"), "--cases", str(kit / "cases.jsonl"),
            "--out", str(kit / "out.jsonl")]  # fmt: skip


def test_files_are_interpreted_without_a_daemon(agentctl, kit):
    result = agentctl("interpret", *options(kit), "--no-model", "--json")
    assert (result.exit_code, answer_of(result)["turns"]) == (0, 1)
    (line,) = (kit / "out.jsonl").read_text().splitlines()
    assert json.loads(line)["outcome"]["actions"][0]["device"] == "lamp"


def test_cases_may_be_repeated(agentctl, kit):
    more = [*options(kit), "--cases", str(kit / "cases.jsonl"), "--no-model"]
    assert agentctl("interpret", *more).stdout.startswith("2 turns, ")


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        pytest.param(lambda kit: (kit / "cases.jsonl").write_text("{"), "cases.jsonl:1", id="cut"),
        pytest.param(lambda kit: (kit / "cases.jsonl").unlink(), "cannot be read", id="missing"),
        pytest.param(lambda kit: (kit / "homes" / "flat.json").unlink(), "no home", id="no homes"),
    ],
)
def test_a_broken_kit_is_one_line(agentctl, kit, break_it, words):
    break_it(kit)
    result = agentctl("interpret", *options(kit), "--no-model")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert words in result.stderr


@pytest.mark.parametrize("words", [["--homes", "x"], ["hello", "--out", "x"], []])
def test_half_a_command_line_is_refused(agentctl, words):
    assert agentctl("interpret", *words).exit_code == 2


def test_a_private_model_ends_with_the_run(tmp_path):
    write_program(tmp_path / "llm", LLM.format(python=sys.executable, state="ready"))
    with private_llm.private_llm("any", clock=read_clock, program=tmp_path / "llm") as socket:
        assert socket.is_socket()
    assert not socket.parent.exists()


def test_a_model_that_is_not_there_is_one_line(tmp_path):
    said = "agentd-llm: model any is not on this machine"
    write_program(tmp_path / "llm", f"#!/bin/sh\necho {said}\nexit 1\n")
    with (
        pytest.raises(Failure, match="did not start: model any is not on this machine"),
        private_llm.private_llm("any", clock=read_clock, program=tmp_path / "llm"),
    ):
        pass


def test_a_model_that_cannot_be_used_is_one_line(tmp_path):
    write_program(tmp_path / "llm", LLM.format(python=sys.executable, state="missing"))
    with (
        pytest.raises(Failure, match="cannot be used: no such file"),
        private_llm.private_llm("any", clock=read_clock, program=tmp_path / "llm"),
    ):
        pass


def test_a_model_that_hangs_is_not_waited_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(private_llm, "READY_WAIT_S", 0.2)
    write_program(tmp_path / "llm", "#!/bin/sh\nexec sleep 60\n")
    with (
        pytest.raises(Failure, match="not ready after"),
        private_llm.private_llm("any", clock=read_clock, program=tmp_path / "llm"),
    ):
        pass
