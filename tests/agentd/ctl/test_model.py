"""`agentctl models`, over the shipped catalog and a folder of models of our own."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from agentd.ctl import model
from models import store
from models.catalog import Catalog, File, Row, UrlSource
from models.step import Stage, Step
from tests.agentd.ctl.conftest import answer_of

BODY = b"weights" * 100


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A catalog of one small model, and a place for it."""
    sha256 = hashlib.sha256(BODY).hexdigest()
    row = Row(
        id="tiny", title="Tiny 1", task="choose", licence="MIT", credit="us", ram_bytes=1000,
        is_set_up=False, files=(File("tiny.gguf", len(BODY), sha256),),
        sources=(UrlSource("http://127.0.0.1:1/tiny.gguf", len(BODY)),),
    )  # fmt: skip
    monkeypatch.setattr(model.catalog, "load", lambda: Catalog({"tiny": row}))
    monkeypatch.setenv("LLMAGENTOS_MODELS", str(tmp_path))
    return tmp_path


def put(home, body=BODY):
    (home / "tiny").mkdir()
    (home / "tiny" / "tiny.gguf").write_bytes(body)


def test_the_shipped_models_are_listed(agentctl, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMAGENTOS_MODELS", str(tmp_path))
    rows = answer_of(agentctl("models", "--json"))["models"]
    assert {"vosk-small-en", "smollm2-135m"} <= {row["id"] for row in rows}
    assert not any(row["present"] for row in rows)


def test_a_list_says_which_is_here(agentctl, home):
    put(home)
    assert agentctl("models").stdout.splitlines()[1].split()[:2] == ["tiny", "present"]


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        pytest.param(lambda file: None, 0, "ok", id="whole"),
        pytest.param(lambda file: file.write_bytes(BODY[:-1]), 1, "bytes instead", id="cut"),
        pytest.param(lambda file: file.write_bytes(b"x" + BODY[1:]), 1, "sha256", id="changed"),
        pytest.param(lambda file: file.unlink(), 1, "is missing", id="empty"),
        pytest.param(lambda file: shutil.rmtree(file.parent), 1, "not on this", id="away"),
    ],
)
def test_verify_reads_every_byte(agentctl, home, spoil, code, words):
    put(home)
    spoil(home / "tiny" / "tiny.gguf")
    result = agentctl("models", "verify", "tiny")
    assert (result.exit_code, words in result.stdout) == (code, True)
    assert answer_of(agentctl("models", "verify", "tiny", "--json"))["models"][0]["id"] == "tiny"


def test_verify_does_not_trust_what_was_remembered(agentctl, home):
    put(home)
    file = home / "tiny" / "tiny.gguf"
    store.verify(file.parent, row=model.catalog.load().rows["tiny"])
    stat = file.stat()
    with file.open("r+b") as same:
        same.write(b"X")
    import os

    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert agentctl("models", "verify").exit_code == 1


def test_verify_with_no_model_here(agentctl, home):
    assert agentctl("models", "verify").exit_code == 0


def test_a_misspelt_model_names_those_there_are(agentctl, home):
    result = agentctl("models", "pull", "tyni")
    assert (result.exit_code, result.stderr) == (1, "agentctl: no model 'tyni'; there are tiny\n")


def test_a_model_that_no_source_gives_is_one_line(agentctl, home):
    result = agentctl("models", "pull", "tiny", "--json")
    assert result.exit_code == 1
    assert "could not be fetched" in answer_of(result)["error"]


def test_a_model_that_is_here_is_not_fetched_again(agentctl, home):
    put(home)
    assert answer_of(agentctl("models", "pull", "tiny", "--json"))["folder"] == str(home / "tiny")


def test_progress_in_a_log_is_one_line_a_stage(capsys):
    lines = model._Lines()
    for have in (1, 2, 3):
        lines.take(Step(Stage.DOWNLOAD, "tiny", "pypi", have, 3))
    lines.take(Step(Stage.FAILED, "tiny", "pypi", text="is gone"))
    assert capsys.readouterr().err == "tiny download pypi\ntiny failed pypi is gone\n"


def test_progress_on_a_terminal_is_one_bar_a_download():
    with model._Bars() as bars:
        for step in (Step(Stage.WAIT, "tiny"), Step(Stage.DOWNLOAD, "tiny", "a", 1, 3),
                     Step(Stage.DOWNLOAD, "tiny", "a", 3, 3), Step(Stage.FAILED, "tiny", "a"),
                     Step(Stage.DOWNLOAD, "tiny", "b", 1, 3), Step(Stage.DONE, "tiny")):  # fmt: skip
            bars.take(step)
        assert [task.completed for task in bars._bars.tasks] == [3, 1]
