"""What every chooser keeps: the scripted twin, llama.cpp, and either behind agentd-llm's socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from agentd.llm.server import Server
from agentd.llm.worker import Worker
from agentd.understand.llm_client import SocketChooser
from llmagentos.clock import Instant
from models.choose import BadChoices, Baseline, Chooser, ChooserTimeout
from models.llama_chooser import LlamaChooser
from models.scripted import ScriptedChooser
from tests.models.real import gguf

PREFIX = (
    '"The hall is pitch black." So please turn on the hall lantern.\n'
    '"The towels should be warm." So please turn on the towel rail.\n'
)
DARK = '"The desk lamp should shine." So please'
CHOICES = (" turn on the heater", " turn on the desk lamp", " open the blind")


def clock() -> Instant:
    return Instant(time.monotonic(), time.time())


def scripted() -> ScriptedChooser:
    return ScriptedChooser({"desk lamp": "desk lamp"})


def llama() -> LlamaChooser:
    return LlamaChooser(gguf(), clock=clock, threads=1)


@contextmanager
def socket(inner: Chooser, folder: Path) -> Iterator[Chooser]:
    path = folder / "llm.sock"
    server = Server(
        path, Worker(lambda: inner, mark=lambda: 0, clock=clock), model="any", clock=clock
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    outer = SocketChooser(path)
    try:
        yield outer
    finally:
        outer.close()
        server.stop()
        thread.join(10)


@pytest.fixture(
    params=[
        "scripted",
        pytest.param("llama", marks=pytest.mark.model),
        "scripted behind a socket",
        pytest.param("llama behind a socket", marks=pytest.mark.model),
    ]
)
def chooser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chooser]:
    with ExitStack() as stack:
        made: Chooser = llama() if "llama" in request.param else scripted()
        if "socket" in request.param:
            yield stack.enter_context(socket(made, tmp_path))
        else:
            stack.callback(made.close)
            yield made


def test_picks_the_choice_that_the_prompt_asks_for(chooser: Chooser):
    assert chooser.set_prefix(PREFIX, end=".\n") > 0
    choice = chooser.choose(DARK, CHOICES, deadline_s=30)
    assert choice.index == 1
    assert len(choice.scores) == len(CHOICES)
    assert choice.scores[1] == max(choice.scores)
    assert choice.margin == pytest.approx(choice.scores[1] - sorted(choice.scores)[1], abs=1e-3)
    assert choice.margin > 0.0
    assert choice.elapsed_ms >= 0.0


def test_the_order_of_the_choices_changes_no_score(chooser: Chooser):
    chooser.set_prefix(PREFIX, end=".\n")
    forth = chooser.choose(DARK, CHOICES, deadline_s=30)
    back = chooser.choose(DARK, CHOICES[::-1], deadline_s=30)
    assert back.scores[::-1] == pytest.approx(forth.scores, abs=0.3)
    assert CHOICES[::-1][back.index] == CHOICES[forth.index]


def test_the_same_question_has_the_same_answer(chooser: Chooser):
    chooser.set_prefix(PREFIX, end=".\n")
    first = chooser.choose(DARK, CHOICES, deadline_s=30).scores
    assert chooser.choose(DARK, CHOICES, deadline_s=30).scores == first


def test_a_single_choice_is_chosen_without_a_margin(chooser: Chooser):
    choice = chooser.choose(DARK, CHOICES[:1], deadline_s=30)
    assert (choice.index, choice.margin) == (0, 0.0)


def test_a_prompt_is_its_own_baseline(chooser: Chooser):
    chooser.set_prefix(PREFIX, end=".\n")
    choice = chooser.choose(DARK, CHOICES, deadline_s=30, baseline=Baseline((DARK,), 1.0))
    assert choice.scores == pytest.approx((0.0,) * len(CHOICES), abs=1e-3)


def test_the_same_prefix_again_costs_nothing_and_has_the_same_length(chooser: Chooser):
    tokens = chooser.set_prefix(PREFIX, end=".\n")
    assert chooser.set_prefix(PREFIX, end=".\n") == tokens


@pytest.mark.parametrize(
    ("prompt", "choices", "baseline", "says"),
    [
        pytest.param(DARK, (),         None,                    "no choices",   id="none"),
        pytest.param(DARK, ("a", "a"), None,                    "twice",        id="twice"),
        pytest.param(DARK, ("a", ""),  None,                    "empty",        id="empty-choice"),
        pytest.param("",   ("a", "b"), None,                    "prompt",       id="empty-prompt"),
        pytest.param(DARK, ("a", "b"), Baseline(()),            "at least one", id="no-baseline"),
        pytest.param(DARK, ("a", "b"), Baseline(("x",), 1.5),   "weight",       id="weight"),
        pytest.param("so " * 9000, ("a", "b"), None,            "at most|more", id="long-prompt"),
        pytest.param(DARK, ("so " * 9000, "b"), None,           "at most|more", id="long-choice"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_refused(chooser, prompt, choices, baseline, says):
    with pytest.raises(BadChoices, match=says):
        chooser.choose(prompt, choices, deadline_s=30, baseline=baseline)
    assert chooser.choose(DARK, CHOICES, deadline_s=30).scores, "and the next one is served"


def test_a_prefix_that_is_too_long_is_refused(chooser: Chooser):
    with pytest.raises(BadChoices):
        chooser.set_prefix("word " * 9000)


def test_a_deadline_that_passes_ends_the_choice_and_the_next_one_is_served(chooser: Chooser):
    with pytest.raises(ChooserTimeout):
        chooser.choose(DARK, CHOICES, deadline_s=0.0)
    assert chooser.choose(DARK, CHOICES, deadline_s=30).scores


def test_a_cancel_with_nothing_under_way_has_no_effect(chooser: Chooser):
    chooser.cancel()
    assert chooser.choose(DARK, CHOICES, deadline_s=30).scores
