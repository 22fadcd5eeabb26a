"""The socket chooser against the real server of agentd-llm, with a scripted model behind it."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from agentd.llm.server import Server
from agentd.llm.worker import Worker
from agentd.understand.llm_client import SocketChooser
from llmagentos.clock import Instant
from models.choose import BadChoices, Baseline, ChooserAway, ChooserTimeout
from models.scripted import ScriptedChooser


def read_clock():
    return Instant(time.monotonic(), time.time())


class Process:
    """agentd-llm without its process."""

    def __init__(self, path, model):
        worker = Worker(lambda: model, mark=lambda: 0, clock=read_clock)
        self._server = Server(path, worker, model="scripted", clock=read_clock)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()

    def end(self):
        self._server.stop()
        self._thread.join(5.0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "llm.sock"


def test_choice_and_scores_come_through(path):
    model = ScriptedChooser({"dark": "lamp"})
    process = Process(path, model)
    chooser = SocketChooser(path)
    try:
        assert chooser.set_prefix("some examples", end=".\n") == 2
        choice = chooser.choose(
            "it is dark", [" lamp", " fan"], deadline_s=2.0, baseline=Baseline(("hello",))
        )
    finally:
        chooser.close()
        process.end()

    assert choice.index == 0
    assert choice.margin > 1.0
    assert len(choice.scores) == 2
    assert (model.prefix, model.end) == ("some examples", ".\n")


def test_nobody_there_is_away(path):
    with pytest.raises(ChooserAway):
        SocketChooser(path).choose("x", ["a"], deadline_s=1.0)


def test_restarted_process_gets_the_prefix_again(path):
    first = Process(path, ScriptedChooser({"dark": "lamp"}))
    chooser = SocketChooser(path)
    chooser.set_prefix("some examples")
    first.end()
    with pytest.raises(ChooserAway):
        chooser.choose("it is dark", ["lamp", "fan"], deadline_s=1.0)

    model = ScriptedChooser({"dark": "lamp"})
    second = Process(path, model)
    try:
        assert chooser.choose("it is dark", ["lamp", "fan"], deadline_s=2.0).index == 0
    finally:
        chooser.close()
        second.end()
    assert model.prefix == "some examples"


def test_deadline_and_bad_choices_keep_their_names(path):
    process = Process(path, ScriptedChooser(takes_s=0.3))
    chooser = SocketChooser(path)
    try:
        with pytest.raises(ChooserTimeout):
            chooser.choose("x", ["a", "b"], deadline_s=0.05)
        with pytest.raises(BadChoices):
            chooser.choose("x", ["a", "a"], deadline_s=1.0)
        with pytest.raises(BadChoices):
            chooser.set_prefix("x" * 9000)
    finally:
        chooser.close()
        process.end()


@pytest.mark.parametrize("answer", [b"", b"not json\n", b'{"v":1,"id":1,"status":"ok","data":{}}\n',
                                    b'{"v":1,"id":1,"status":"ok","data":{"scores":["x"]}}\n',
                                    b'{"v":1,"id":1,"status":"ok","data":{"scores":[1.0]}}\n'])  # fmt: skip
def test_nonsense_from_the_socket_is_a_model_that_is_away(path, answer):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve():
        link, _ = listener.accept()
        link.recv(65536)
        link.sendall(answer)
        link.close()

    thread = threading.Thread(target=serve)
    thread.start()
    chooser = SocketChooser(path)
    with pytest.raises(ChooserAway):
        chooser.choose("x", ["a", "b"], deadline_s=1.0)
    thread.join()
    listener.close()
