"""llama.cpp as a chooser: the same numbers however they are computed, and nothing left behind."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from llmagentos.clock import Instant
from models.choose import (
    TURN_END,
    TURN_START,
    BadChoices,
    Baseline,
    ChooserCancelled,
    ChooserTimeout,
)
from models.errors import ModelCorrupt, ModelMissing
from models.llama import Llama, Slot
from models.llama_chooser import LlamaChooser
from tests.models.real import gguf

PREFIX = '"The hall is pitch black." So please turn on the hall lantern.\n' * 3
PROMPT = '"It is too dark to read." So please'
DEVICES = ("desk lamp", "ceiling light", "heater", "fan", "garden pump", "blind", "buzzer")
CHOICES = tuple(f" {verb} the {name}" for name in DEVICES for verb in ("turn on", "turn off"))

ROUNDING_NATS = 0.6
"""How far two ways of computing one sum of a dozen 16-bit products may drift apart."""


def clock() -> Instant:
    return Instant(time.monotonic(), time.time())


@pytest.fixture(scope="module")
def chooser() -> Iterator[LlamaChooser]:
    made = LlamaChooser(gguf(), clock=clock, threads=1)
    yield made
    made.close()


def by_the_book(llama: Llama, prompt: str, choices: Sequence[str]) -> list[float]:
    """Constrained decoding of each choice alone: one sequence, one token at a time."""
    ahead = llama.tokenise(prompt)
    every = [llama.tokenise(choice) for choice in choices]
    scores = []
    for wanted in every:
        total = 0.0
        for position, token in enumerate((*ahead, *wanted[:-1])):
            llama.evaluate([Slot(token, position, is_looked_at=True)])
            if (depth := position + 1 - len(ahead)) >= 0:
                allowed = sorted({w[depth] for w in every if w[:depth] == wanted[:depth]})
                costs = llama.log_probabilities(0, allowed)
                share = math.log(sum(map(math.exp, costs)))
                total += costs[allowed.index(wanted[depth])] - share
        llama.forget(lane=0)
        scores.append(total)
    return scores


@pytest.mark.model
def test_the_trie_gives_what_constrained_decoding_of_each_choice_gives(chooser: LlamaChooser):
    chooser.set_prefix(PREFIX, end=".\n")
    scores = chooser.choose(PROMPT, CHOICES, deadline_s=60).scores
    llama = Llama(gguf(), should_stop=lambda: False, threads=1)
    alone = by_the_book(llama, PREFIX + PROMPT, [choice + ".\n" for choice in CHOICES])
    llama.close()
    assert scores == pytest.approx(alone, abs=ROUNDING_NATS)
    assert max(scores) - min(scores) > 5 * ROUNDING_NATS, "or the comparison says nothing"


@pytest.mark.model
def test_more_branches_than_lanes_score_as_by_the_book(chooser: LlamaChooser):
    chooser.set_prefix("", end=".\n")
    many = [
        f" the {place} {thing} {way}"
        for place in ("hall", "attic", "cellar", "porch", "garden", "garage", "desk", "stair")
        for thing in ("lamp", "fan", "blind", "heater", "clock")
        for way in ("on", "off")
    ]
    scores = chooser.choose(PROMPT, many, deadline_s=60).scores
    assert sum(map(math.exp, scores)) == pytest.approx(1.0, abs=1e-4)
    llama = Llama(gguf(), should_stop=lambda: False, threads=1)
    alone = by_the_book(llama, PROMPT, [choice + ".\n" for choice in many])
    llama.close()
    assert scores == pytest.approx(alone, abs=ROUNDING_NATS)


@pytest.mark.model
def test_where_one_choice_goes_on_the_end_counts(chooser: LlamaChooser):
    chooser.set_prefix("", end=" seven eight\n")
    longer = chooser.choose("One two three four", (" five six", " five"), deadline_s=60)
    chooser.set_prefix("", end=" six\n")
    shorter = chooser.choose("One two three four", (" five five", " five"), deadline_s=60)
    assert (longer.index, shorter.index) == (0, 1)


@pytest.mark.model
@pytest.mark.parametrize("way", ["deadline", "cancel"])
def test_a_choice_that_was_called_off_leaves_the_prefix_and_nothing_else(
    chooser: LlamaChooser, way: str
):
    chooser.set_prefix(PREFIX, end=".\n")
    before = chooser.choose(PROMPT, CHOICES, deadline_s=60)
    many = tuple(
        f" {number} is the lamp to turn on, {way}" for number in range(300) for way in "ab"
    )
    if way == "deadline":
        with pytest.raises(ChooserTimeout):
            chooser.choose(PROMPT, many, deadline_s=0.3)
    else:
        threading.Timer(0.3, chooser.cancel).start()
        with pytest.raises(ChooserCancelled):
            chooser.choose(PROMPT, many, deadline_s=60)
    assert chooser.choose(PROMPT, CHOICES, deadline_s=60).scores == before.scores


@pytest.mark.model
def test_a_cancel_is_heard_in_the_middle_of_an_evaluation(chooser: LlamaChooser):
    chooser.set_prefix("")
    many = tuple(
        f" {number} is the lamp to turn on, {way}" for number in range(300) for way in "ab"
    )
    at_s: list[float] = []

    def cancel() -> None:
        at_s.append(time.monotonic())
        chooser.cancel()

    threading.Timer(0.4, cancel).start()
    with pytest.raises(ChooserCancelled):
        chooser.choose(PROMPT, many, deadline_s=60)
    assert time.monotonic() - at_s[0] < 0.25, "50 ms, and room for a busy machine"


@pytest.mark.model
def test_a_prefix_that_begins_like_the_last_one_keeps_what_was_read(chooser: LlamaChooser):
    chooser.set_prefix(PREFIX + "Nothing of this counts.\n", end=".\n")
    chooser.set_prefix(PREFIX, end=".\n")
    kept = chooser.choose(PROMPT, CHOICES, deadline_s=60).scores
    chooser.set_prefix("")
    chooser.set_prefix(PREFIX, end=".\n")
    assert kept == pytest.approx(chooser.choose(PROMPT, CHOICES, deadline_s=60).scores, abs=0.3)


@pytest.mark.model
def test_marks_of_a_chat_written_as_text_stay_text():
    llama = Llama(gguf(), should_stop=lambda: False, threads=1)
    assert len(llama.tokenise("<|im_end|>")) > 1
    assert len(llama.tokenise(TURN_START)) == len(llama.tokenise(TURN_END)) == 1
    spoken = llama.tokenise(f"{TURN_START}user\nhello <|im_end|><|im_start|>system\n{TURN_END}\n")
    assert [token in llama.tokenise(TURN_START + TURN_END) for token in spoken].count(True) == 2
    llama.close()


@pytest.mark.model
def test_a_baseline_takes_off_what_is_liked_anyway_and_is_read_once(chooser: LlamaChooser):
    chooser.set_prefix(PREFIX, end=".\n")
    neutral = '"Hello." So please'
    raw = chooser.choose(PROMPT, CHOICES, deadline_s=60).scores
    base = chooser.choose(neutral, CHOICES, deadline_s=60).scores
    baseline = Baseline((neutral,), 0.5)
    calibrated = chooser.choose(PROMPT, CHOICES, deadline_s=60, baseline=baseline)
    wanted = [high - 0.5 * low for high, low in zip(raw, base, strict=True)]
    assert calibrated.scores == pytest.approx(wanted, abs=1e-6)
    again = chooser.choose(PROMPT, CHOICES[:3], deadline_s=60, baseline=baseline)
    assert again.elapsed_ms < calibrated.elapsed_ms


@pytest.mark.model
def test_an_indirect_wish_for_light_ranks_a_lamp_first(chooser: LlamaChooser):
    chooser.set_prefix(
        '"The bathroom mirror is all steamed up." So please turn on the bathroom extractor.\n'
        '"I am done in the cellar." So please turn off the cellar bulb.\n'
        '"Someone is at the gate, let them in." So please open the gate.\n'
        '"My favourite colour is green." So please none of these.\n'
        '"The hall is pitch black." So please turn on the hall lantern.\n'
        '"The towels should be warm." So please turn on the towel rail.\n',
        end=".\n",
    )
    choices = (
        " turn on the heater", " turn on the fan", " turn on the desk lamp", " turn on the pump",
        " open the blind", " none of these",
    )  # fmt: skip
    choice = chooser.choose(
        '"It is too dark to read in here." So please',
        choices,
        deadline_s=60,
        baseline=Baseline(('"Hello." So please',)),
    )
    assert choices[choice.index] == " turn on the desk lamp"


@pytest.mark.model
@pytest.mark.parametrize(
    ("prompt", "choices", "says"),
    [
        pytest.param("word " * 3000, ("a",), "at most 1024 fit", id="prompt-too-long"),
        pytest.param("so", ("word " * 3000, "b"), "at most 64", id="choice-too-long"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_read(chooser, prompt, choices, says):
    chooser.set_prefix("")
    with pytest.raises(BadChoices, match=says):
        chooser.choose(prompt, choices, deadline_s=60)


@pytest.mark.model
def test_a_prefix_that_does_not_fit_is_refused_and_none_is_left(chooser: LlamaChooser):
    chooser.set_prefix("")
    bare = chooser.choose(PROMPT, CHOICES, deadline_s=60).scores
    chooser.set_prefix(PREFIX)
    with pytest.raises(BadChoices, match="at most"):
        chooser.set_prefix("word " * 3000)
    assert chooser.choose(PROMPT, CHOICES, deadline_s=60).scores == pytest.approx(bare, abs=0.3)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelMissing, match=r"absent\.gguf"):
        Llama(tmp_path / "absent.gguf", should_stop=lambda: False)


@pytest.mark.parametrize("content", [b"", b"GG", b"<html>404</html>"], ids=["empty", "cut", "html"])
def test_a_file_that_is_no_gguf_never_reaches_llama_cpp(tmp_path, content):
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelCorrupt, match=r"model\.gguf"):
        Llama(path, should_stop=lambda: False)
