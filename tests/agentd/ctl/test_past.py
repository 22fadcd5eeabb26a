"""agentctl why, history, undo and put-back: what they send, show and end with."""

from __future__ import annotations

from typing import Any

import pytest

from agentd.ctl.failure import Code
from tests.agentd.ctl.conftest import answer_of
from tests.agentd.ctl.scripted_door import Refusal

ENTRY = {
    "at_s": 1_790_000_000.0, "device": "pump", "action": "set_speed", "args": {"speed": 40},
    "channel": "cli", "who": "anna", "stage": "refused", "reason": "The tank is empty.",
}  # fmt: skip
HISTORY = {"text": "Since 10:00: The pump was switched on.", "entries": [ENTRY]}
DONE = {"reply": "The lamp is off.", "outcome": {"type": "actions"}, "applied": []}


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["history"], {"limit": 50}),
        (["history", "pump", "--since", "2h", "--until", "10:00", "--limit", "5"],
         {"device": "pump", "since": "2h", "until": "10:00", "limit": 5}),
        (["undo"], {}),
        (["undo", "lamp"], {"device": "lamp"}),
        (["put-back", "10min"], {"at": "10min"}),
        (["put-back", "10:00", "lamp"], {"at": "10:00", "device": "lamp"}),
    ],
)  # fmt: skip
def test_what_was_written_is_sent(door: Any, agentctl: Any, words: Any, sent: Any) -> None:
    verb = words[0].replace("-", "_")
    door.script |= {"history": HISTORY, "undo": DONE, "put_back": DONE}
    assert agentctl(*words).exit_code == Code.DONE
    assert door.asked == [{"verb": verb, "channel": "cli", **sent}]


def test_history_tells_it_in_sentences(door: Any, agentctl: Any) -> None:
    door.script["history"] = HISTORY
    assert agentctl("history").stdout == "Since 10:00: The pump was switched on.\n"
    assert answer_of(agentctl("history", "--json")) == HISTORY


def test_history_lists_what_was_done_and_what_was_refused(door: Any, agentctl: Any) -> None:
    door.script["history"] = HISTORY
    row = agentctl("history", "--list").stdout.splitlines()[1]
    assert row.split(None, 1)[1] == ("pump    set_speed 40  cli anna  refused: The tank is empty.")


def test_an_undo_tells_what_is_so_now(door: Any, agentctl: Any) -> None:
    door.script["undo"] = DONE
    assert agentctl("undo").stdout == "The lamp is off.\n"


def test_a_refused_undo_is_one_line_with_the_reason(door: Any, agentctl: Any) -> None:
    door.script["undo"] = Refusal("denied", "A press of the bell cannot be taken back.")
    result = agentctl("undo")
    assert result.exit_code == Code.FAILED
    assert "A press of the bell cannot be taken back." in result.stderr
    assert "Traceback" not in result.stderr


def test_a_time_that_is_none_is_a_mistake_of_the_command_line(door: Any, agentctl: Any) -> None:
    door.script["history"] = Refusal("bad_request", "'soon' is not a time such as 2h")
    assert agentctl("history", "--since", "soon").exit_code == Code.USAGE


def test_a_misspelt_device_gets_a_hint(door: Any, agentctl: Any) -> None:
    door.script["undo"] = Refusal("unknown_device", "no device 'desk_lam'")
    assert "desk_lamp" in agentctl("undo", "desk_lam").stderr
