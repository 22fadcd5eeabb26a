"""The verb `confirm` of a running box: what waits, and a yes over another channel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmagentos.client import DoorRefused
from tests.agentd.box import ROOM, ask, running


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("r")  # short: a socket's path has 107 bytes
    with running(folder):
        yield folder


def state(box: Path) -> object:
    return ask(box, "state", device="gate")["states"]["gate"]["values"]["state"]


def test_nothing_waits_in_a_quiet_box(box: Path) -> None:
    assert ask(box, "confirm") == {"waiting": []}


def test_a_question_is_listed_and_settled_by_its_id(box: Path) -> None:
    ask(box, "ask", text="close the gate", who="bert")
    ask(box, "ask", text="open the gate", who="anna")
    (waiting,) = ask(box, "confirm")["waiting"]
    assert waiting["text"] == "Shall I open the gate?"
    assert waiting["who"].endswith("/anna")
    assert waiting["wish"]["actions"] == [{"device": "gate", "action": "open", "args": {}}]
    assert 50 < waiting["left_s"] <= 60

    done = ask(box, "confirm", question=waiting["question"], who="bert")

    assert done["confirmed"] is True
    assert state(box) == "open"
    assert ask(box, "confirm") == {"waiting": []}
    ask(box, "ask", text="close the gate")


def test_a_no_leaves_it(box: Path) -> None:
    ask(box, "ask", text="open the gate")
    (waiting,) = ask(box, "confirm")["waiting"]

    assert (
        ask(box, "confirm", question=waiting["question"], yes=False)["reply"]
        == "All right, I leave it."
    )
    assert state(box) == "closed"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"question": "q9"}, "no question 'q9' waits; there are none"),
        ({"question": 9}, "confirm needs question, a text"),
        ({"yes": True}, "confirm takes yes only with a question"),
        ({"question": "q9", "yes": "maybe"}, "yes is true or false"),
        ({"who_cares": 1}, "who_cares"),
    ],
)
def test_a_wrong_confirm_is_explained(box: Path, data: dict[str, object], words: str) -> None:
    with pytest.raises(DoorRefused, match=words):
        ask(box, "confirm", **data)


def test_a_second_channel_is_insisted_on(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("s")
    text = ROOM.replace("confirm = true", 'confirm = "second_channel"')
    with running(folder, text.replace("[voice]\nenabled = false", "[voice]\nenabled = true")):
        asked = ask(folder, "ask", text="open the gate")
        assert asked["needs_yes"] is True

        again = ask(folder, "ask", text="yes")

        assert "must come another way" in str(again["reply"])
        assert state(folder) == "closed"
        (waiting,) = ask(folder, "confirm")["waiting"]

        done = ask(folder, "confirm", question=waiting["question"], channel="voice")

        assert done["reply"] == "Gate is open."
        assert ask(folder, "confirm") == {"waiting": []}
