"""The composed daemon and sentences about later: kept by the tick, over its own end and start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agentd.box import ask, running
from tests.broker import wait_until


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("r")  # short: a socket's path has 107 bytes


def said(folder: Path, text: str) -> str:
    return str(ask(folder, "ask", text=text)["reply"])


def state(folder: Path, device: str) -> object:
    return ask(folder, "state", device=device)["states"][device]["values"]["state"]


def test_a_command_for_later_is_done_then_and_why_names_it(folder: Path) -> None:
    with running(folder):
        assert said(folder, "turn on the desk lamp in one second") == (
            "All right, in 1 second I will turn on the desk lamp."
        )
        assert state(folder, "lamp") == "off"

        wait_until(lambda: state(folder, "lamp") == "on", what="the lamp goes on by itself")

        assert "promised" in said(folder, "why is the desk lamp on")
        assert said(folder, "what did I ask you to do later") == "Nothing is planned."


def test_a_person_who_asks_later_is_not_held_off_by_what_they_did_before(folder: Path) -> None:
    with running(folder):
        said(folder, "turn on the desk lamp")
        said(folder, "turn off the desk lamp in one second")

        wait_until(lambda: state(folder, "lamp") == "off", what="the lamp goes off by itself")


def test_what_was_promised_by_sentence_outlives_the_daemon(folder: Path) -> None:
    with running(folder):
        said(folder, "remind me in two hours to water the plants")
        said(folder, "set a timer named pizza for ten minutes")
    with running(folder):
        assert "I remind you: water the plants." in said(folder, "what reminders do I have")
        assert "Your pizza timer has" in said(folder, "how much time is left on the pizza timer")


def test_a_question_outlives_the_daemon_within_its_minute(folder: Path) -> None:
    with running(folder):
        assert said(folder, "open the gate") == "Shall I open the gate?"
    with running(folder):
        assert len(ask(folder, "confirm")["waiting"]) == 1
        assert said(folder, "yes") == "Gate is open."
        assert state(folder, "gate") == "open"
        assert ask(folder, "confirm")["waiting"] == []


def test_undo_by_sentence_puts_back_and_is_undone_itself(folder: Path) -> None:
    with running(folder):
        said(folder, "turn on the desk lamp")
        assert said(folder, "undo that") == "Desk lamp is off."
        assert said(folder, "undo that") == "Desk lamp is on."
        assert "desk lamp" in said(folder, "what happened in the last hour")


def test_a_rule_by_sentence_is_among_the_rules(folder: Path) -> None:
    with running(folder):
        asked = said(folder, "turn off the fan every day at 11 pm")
        assert asked == "Every day at 23:00, I turn off the fan. Is that right?"
        said(folder, "yes")

        (rule,) = ask(folder, "rules")["rules"]

        assert rule["id"] == "said-1"
    with running(folder):
        assert said(folder, "what rules are there") == "Every day at 23:00, I turn off the fan."
