"""Undo and history by sentence, over a past that is told beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from agentd.understand.port import WayBack
from llmagentos.plan import Action

from .room import Daemon, assistant, say


@dataclass
class Memory:
    """A past that answers as it was set up, and notes what it was asked."""

    back: WayBack = field(default_factory=WayBack)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def why(self, device):
        return f"Somebody wanted the {device or 'last thing'}."

    def happened(self, *, origin, now, since_s, device):
        ago_s = None if since_s is None else round(now.wall_s - since_s)
        self.asked.append(("happened", ago_s, device))
        return "The fan went on."

    def undo(self, *, origin, now, device):
        self.asked.append(("undo", origin.who, device))
        return self.back

    def put_back(self, *, now, at_s, device):
        self.asked.append(("put_back", round(now.wall_s - at_s), device))
        return self.back


FAN_OFF = WayBack((Action("fan", "turn_off"),))


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("undo that",                                   ("undo", "anna", None)),
        ("put the fan back",                            ("undo", "anna", "fan")),
        ("put the fan back as it was ten minutes ago",  ("put_back", 600, "fan")),
        ("put everything back as it was an hour ago",   ("put_back", 3600, None)),
    ],
)  # fmt: skip
def test_undo_does_what_the_past_says(sentence, asked):
    daemon, memory = Daemon(), Memory(FAN_OFF)
    daemon.values["fan"]["state"] = "on"

    reply = assistant(daemon, past=memory).ask(say(sentence))

    assert memory.asked == [asked]
    assert reply.text == "Fan is off."
    assert [plan.actions for plan in daemon.plans] == [FAN_OFF.actions]
    assert daemon.plans[0].text == sentence


def test_undo_that_is_refused_tells_why_and_does_nothing():
    daemon, memory = Daemon(), Memory(WayBack(refusal="Ben has switched it since."))

    reply = assistant(daemon, past=memory).ask(say("undo"))

    assert reply.text == "Ben has switched it since."
    assert daemon.plans == []


def test_gate_has_the_last_word_on_an_undo():
    daemon = Daemon(refused={"fan": "The heater is on."})

    reply = assistant(daemon, past=Memory(FAN_OFF)).ask(say("undo"))

    assert reply.text == "The heater is on."


def test_undo_that_the_gate_asks_about_waits_for_a_yes():
    memory = Memory(WayBack((Action("back_door", "unlock"),)))
    daemon = Daemon(asks_first={"back_door": "It is a lock."})
    talk = assistant(daemon, past=memory)

    assert talk.ask(say("undo")).text == "It is a lock. Shall I unlock the back door?"
    assert talk.ask(say("yes")).text == "Back door is unlocked."


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("what happened in the last hour",        ("happened", 3600, None)),
        ("what happened while I was out",         ("happened", None, None)),
        ("what happened today",                   ("happened", 13 * 3600 + 16 * 60 + 40, None)),
        ("what happened since ten",               ("happened", 3 * 3600 + 16 * 60 + 40, None)),
        ("what happened since two",               ("happened", 11 * 3600 + 16 * 60 + 40, None)),
        ("what happened to the pump in the last ten minutes", ("happened", 600, "pump")),
    ],
)  # fmt: skip
def test_history_is_asked_since_the_time_that_was_meant(sentence, asked):
    daemon, memory = Daemon(), Memory()  # at 13:16:40

    assert assistant(daemon, past=memory).ask(say(sentence)).text == "The fan went on."

    assert memory.asked == [asked]
    assert daemon.plans == []


def test_time_that_is_still_to_come_is_no_history():
    memory = Memory()

    reply = assistant(Daemon(), past=memory).ask(say("what happened since nine pm today"))

    assert reply.text == "That time is still to come."
    assert memory.asked == []


def test_why_comes_from_the_past():
    talk = assistant(Daemon(), past=Memory())

    assert talk.ask(say("why is the pump on")).text == "Somebody wanted the pump."
    assert talk.ask(say("why did you do that")).text == "Somebody wanted the last thing."


def test_interpret_undoes_nothing():
    daemon, memory = Daemon(), Memory(FAN_OFF)

    reply = assistant(daemon, past=memory).interpret(say("undo that"))

    assert reply.text == "I would look up what was done."
    assert (daemon.plans, memory.asked) == ([], [])


@pytest.mark.parametrize("sentence", ["undo", "put the fan back", "what happened today"])
def test_without_a_past_it_says_so(sentence):
    assert "yet" in assistant(Daemon()).ask(say(sentence)).text
