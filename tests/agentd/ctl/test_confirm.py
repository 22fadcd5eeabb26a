"""agentctl confirm: what it sends, shows and ends with."""

from __future__ import annotations

from typing import Any

import pytest

from agentd.ctl.failure import Code
from tests.agentd.ctl.scripted_door import Refusal

WAITING = {
    "question": "1f-7", "text": "Shall I open the gate?", "channel": "voice", "who": "kitchen",
    "left_s": 41.8, "area": None, "wish": {"type": "actions", "actions": []},
}  # fmt: skip
DONE = {
    "reply": "The gate is open.", "outcome": {"type": "actions"}, "needs_yes": False,
    "applied": [{"stage": "read_back"}],
}  # fmt: skip


def test_what_waits_is_listed(door: Any, agentctl: Any) -> None:
    door.script["confirm"] = {"waiting": [WAITING]}

    result = agentctl("confirm")

    assert result.exit_code == Code.DONE
    assert result.stdout.splitlines()[1].split("  ")[0] == "1f-7"
    assert "Shall I open the gate?" in result.stdout
    assert "voice kitchen" in result.stdout
    assert "42 s" in result.stdout


def test_that_nothing_waits_is_said(door: Any, agentctl: Any) -> None:
    door.script["confirm"] = {"waiting": []}
    assert agentctl("confirm").stdout == "Nothing waits for a yes.\n"


@pytest.mark.parametrize(
    ("words", "is_yes"), [(["confirm", "1f-7"], True), (["confirm", "1f-7", "--no"], False)]
)
def test_a_yes_or_no_is_sent(door: Any, agentctl: Any, words: list[str], is_yes: bool) -> None:
    door.script["confirm"] = DONE

    assert agentctl(*words).stdout == "The gate is open.\n"

    assert door.asked == [
        {"verb": "confirm", "channel": "cli", "question": "1f-7", "yes": is_yes}
    ]  # fmt: skip


def test_a_yes_that_must_come_another_way_ends_as_open(door: Any, agentctl: Any) -> None:
    door.script["confirm"] = {
        **DONE, "reply": "The yes must come another way than the wish.", "needs_yes": True,
        "applied": [{"stage": "refused"}],
    }  # fmt: skip
    assert agentctl("confirm", "1f-7").exit_code == Code.UNCLEAR


def test_a_question_that_is_gone_is_one_line(door: Any, agentctl: Any) -> None:
    door.script["confirm"] = Refusal("bad_request", "no question '9' waits; there are none")
    assert "no question '9' waits" in agentctl("confirm", "9").stderr


def test_a_no_needs_its_question(door: Any, agentctl: Any) -> None:
    assert agentctl("confirm", "--no").exit_code == Code.USAGE
    assert door.asked == []
