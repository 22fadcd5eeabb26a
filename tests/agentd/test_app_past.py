"""The composed daemon and its past: what the verbs of history answer, and what they do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmagentos.client import DoorRefused
from tests.agentd.box import ask, running
from tests.broker import wait_until


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("r")  # short: a socket's path has 107 bytes


@pytest.fixture
def box(folder: Path) -> Iterator[Path]:
    with running(folder):
        yield folder


def brightness(box: Path) -> object:
    return ask(box, "state", device="lamp")["states"]["lamp"]["values"]["brightness"]


def test_undo_takes_back_what_a_sentence_did_and_once_more_does_it_again(box: Path) -> None:
    ask(box, "set", device="lamp", value={"brightness": 80})
    ask(box, "ask", text="good evening")
    assert ask(box, "undo")["reply"] == "Desk lamp is on, at 80 percent."
    assert brightness(box) == 80
    ask(box, "undo")
    assert brightness(box) == 30


def test_an_undo_is_a_wish_like_any_other_and_why_names_it(box: Path) -> None:
    ask(box, "set", device="lamp", value="on")
    cause = ask(box, "undo")["cause"]
    chain = ask(box, "why", device="lamp")["chain"]
    assert [(each["cause"], each["action"]) for each in chain] == [(cause, "turn_off")]


def test_an_undo_that_the_gate_would_refuse_is_refused_as_a_whole(box: Path) -> None:
    ask(box, "set", device="heater", value="on")
    ask(box, "set", device="heater", value="off")
    ask(box, "set", device="fan", value="on")
    with pytest.raises(DoorRefused, match="interlocked") as refused:
        ask(box, "undo", device="heater")
    assert refused.value.code == "denied"


def test_nothing_is_undone_where_nothing_was_done(box: Path) -> None:
    with pytest.raises(DoorRefused, match="nothing that I could take back"):
        ask(box, "undo")


def test_it_is_put_back_as_it_was(box: Path) -> None:
    ask(box, "set", device="lamp", value={"brightness": 80})
    time.sleep(1.1)  # the time that is asked for lies between the two
    ask(box, "set", device="lamp", value="off")
    ask(box, "put_back", ago_s=1)
    assert brightness(box) == 80


def test_history_tells_and_lists_what_was_done_and_what_was_refused(box: Path) -> None:
    ask(box, "ask", text="turn on the heater and the fan")
    found = ask(box, "history", since="5min")
    assert "The heater was switched on" in found["text"]
    assert "Switching the fan on was refused" in found["text"]
    listed = [(each["device"], each["stage"]) for each in found["entries"]]
    assert listed == [("fan", "refused"), ("heater", "read_back")]
    assert ask(box, "history", since="5min", device="gate")["entries"] == []


def test_what_was_said_is_not_written_to_disk(box: Path) -> None:
    ask(box, "ask", text="turn on the desk lamp")
    assert "“turn on the desk lamp”" in ask(box, "why")["text"]
    written = b"".join(each.read_bytes() for each in (box / "data").glob("*journal*"))
    assert b"turn_on" in written
    assert b"turn on the desk lamp" not in written


def test_a_kept_promise_is_told_with_who_asked_for_it(box: Path) -> None:
    ask(box, "ask", text="turn on the desk lamp in one second")
    wait_until(lambda: brightness(box) != 0, what="the promise is kept")
    told = ask(box, "why", device="lamp")["text"]
    assert "because I had promised it at " in told
    assert "asked on the command line: “turn on the desk lamp" in told


@pytest.mark.parametrize(
    ("said", "left"),
    [("undo that", 80), ("put the desk lamp back as it was one minute ago", 0)],
)
def test_the_way_back_is_found_by_sentence_too(said: str, left: int, box: Path) -> None:
    ask(box, "ask", text="set the desk lamp to 80 percent")
    ask(box, "ask", text="set the desk lamp to 30 percent")
    ask(box, "ask", text=said)
    assert brightness(box) == left
    assert f"“{said}”" in ask(box, "ask", text="why is the desk lamp like that")["reply"]


def test_what_happened_is_told_by_sentence_too(box: Path) -> None:
    ask(box, "ask", text="turn on the heater")
    told = ask(box, "ask", text="what happened in the last hour")["reply"]
    assert "The heater was switched on on the command line" in told


@pytest.mark.parametrize(
    ("verb", "fields", "words"),
    [
        ("history", {"since": "soon"}, "is not a time"),
        ("history", {"since": 5}, "since is a text"),
        ("history", {"since_s": "x"}, "since_s is a number"),
        ("history", {"limit": 1000}, "limit is a number from 1 to 100"),
        ("put_back", {}, "put_back needs ago_s"),
        ("put_back", {"ago_s": -1}, "ago_s is a number"),
        ("put_back", {"ago_s": True}, "ago_s is a number"),
        ("put_back", {"ago_s": 5, "at": "10:00"}, "put_back needs ago_s"),
        ("undo", {"what": 1}, "undo takes device"),
        ("why", {"device": 5}, "why needs device, a text"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_in_words(
    verb: str, fields: dict[str, object], words: str, box: Path
) -> None:
    with pytest.raises(DoorRefused, match=words) as refused:
        ask(box, verb, **fields)
    assert refused.value.code == "bad_request"
