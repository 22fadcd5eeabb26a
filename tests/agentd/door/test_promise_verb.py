"""The verbs timers, promises and rules: what they take, what they give, what they refuse."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from agentd.agents.promises import PromiseBook
from agentd.config import parse
from agentd.door.ports import Ports
from agentd.door.promise_verb import PromiseVerbs
from agentd.door.request import Request, RequestError
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.home import Home
from llmagentos.plan import Action
from llmagentos.reading import State
from llmagentos.utterance import LocalTime, Observation
from tests.agentd.agents.garden import BERLIN, DEVICES, rule
from tests.agentd.agents.paper import TELL, Paper
from tests.agentd.clock import HandClock

PRESS = {
    "id": "press", "when": {"device": "button", "value": "pressed"},
    "do": [{"device": "lamp", "action": "toggle"}],
}  # fmt: skip
UNLOCK = {**PRESS, "id": "unlock", "do": [{"device": "lock", "action": "unlock"}]}
ANNA = Origin(Rank.PERSON, "cli", "anna")
RISKY = Home(devices=tuple(
    device if device.id != "lock" else type(device)("lock", "front door", "lock", is_risky=True)
    for device in DEVICES.values()
))  # fmt: skip


class Door:
    """The verbs over a book on paper."""

    def __init__(self, tmp_path, *, has_book: bool = True) -> None:
        self.paper, self.clock = Paper(), HandClock()
        book = PromiseBook(
            self.paper.shelf(), tell=TELL, boot="b1", zone=BERLIN, now=self.clock.now
        )
        book.adopt((rule(**{**PRESS, "id": "fixed"}),), RISKY)
        self.book = book
        config = parse('[node]\nname = "box"\n', path=tmp_path / "agentd.toml")
        used = {
            "observe": self.observe, "next_cause": lambda: Cause("box", "00000000", 7),
            "config": lambda: config, "clock": self.clock, "book": book if has_book else None,
        }  # fmt: skip
        ports = Ports(**(dict.fromkeys(each.name for each in fields(Ports)) | used))
        self.table = PromiseVerbs(ports).table

    def observe(self) -> Observation:
        states = {"button": State("button", {"state": "idle"}, self.clock.now)}
        return Observation(RISKY, states, self.clock.now)

    def ask(self, verb: str, origin: Origin = ANNA, **data: Any) -> Any:
        return self.table[verb](Request(verb, data, origin))

    def rules(self) -> dict[str, Any]:
        return {each["id"]: each for each in self.ask("rules")["rules"]}


@pytest.fixture
def door(tmp_path) -> Door:
    return Door(tmp_path)


def test_timers_are_started_changed_and_listed(door: Door) -> None:
    assert door.ask("timers", op="start", seconds=300, name="tea")["problem"] is None
    door.clock.advance(60)
    assert door.ask("timers", op="pause")["timers"][0]["paused"]
    assert door.ask("timers") == {
        "op": "status", "problem": None,
        "timers": [{"name": "tea", "area": None, "start_s": 300, "left_s": 240, "paused": True}],
    }  # fmt: skip
    assert door.ask("timers", op="cancel", name="eggs")["problem"] == "no_such"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"op": "explode"}, "op is one of status, start"),
        ({"op": "start", "seconds": "5"}, "seconds is a whole number"),
        ({"op": "start", "seconds": True}, "seconds is a whole number"),
        ({"op": "start", "seconds": 5, "name": ""}, "name is a text"),
        ({"op": "start", "seconds": 5, "area": "x" * 41}, "area is a text"),
        ({"opp": "start"}, "timers takes op, seconds"),
    ],
)
def test_a_wrong_timer_request_is_told(door: Door, data, said) -> None:
    with pytest.raises(RequestError, match=said) as found:
        door.ask("timers", **data)
    assert found.value.code == "bad_request"


def test_promises_are_listed_and_taken_back(door: Door) -> None:
    door.book.schedule(
        (Action("lamp", "turn_off"),), at=LocalTime(7), text="the lamp at seven", origin=ANNA,
        cause=Cause("box", "00000000", 1), now=door.clock.now,
    )  # fmt: skip
    (promise,) = door.ask("promises")["promises"]
    assert promise["actions"] == [{"device": "lamp", "action": "turn_off", "args": {}}]
    assert (promise["kind"], promise["text"]) == ("clock", "the lamp at seven")
    assert promise["left_s"] == pytest.approx(promise["due_s"] - door.clock.now.wall_s, abs=0.1)
    door.ask("promises", cancel=promise["id"])
    assert door.ask("promises") == {"promises": []}
    with pytest.raises(RequestError, match="no promise 'c1'; there are none"):
        door.ask("promises", cancel="c1")


def test_a_rule_is_tested_added_listed_switched_and_removed(door: Door) -> None:
    assert door.ask("rules", test=PRESS) == {
        "id": "press", "waits": "",
        "actions": [{"device": "lamp", "action": "toggle", "args": {}}],
    }  # fmt: skip
    assert "press" not in door.rules()
    assert door.ask("rules", add=PRESS) == {"added": "press"}
    shown = door.rules()
    assert (shown["press"]["from"], shown["fixed"]["from"]) == ("stored", "file")
    assert shown["press"]["rule"] == PRESS
    assert door.ask("rules", disable="press") == {"disabled": "press"}
    assert (door.rules()["press"]["enabled"], door.rules()["press"]["waits"]) == (
        False,
        "it is switched off",
    )
    assert door.ask("rules", enable="press") == {"enabled": "press"}
    assert door.ask("rules", remove="press") == {"removed": "press"}
    assert list(door.rules()) == ["fixed"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"add": "x"}, "add takes a rule"),
        ({"add": {}}, "rule '': 'id' is missing"),
        (
            {"add": {**PRESS, "do": [{"device": "nose", "action": "blow"}]}},
            "rule 'press': do.device: no",
        ),
        ({"remove": "fixed"}, "stands in agentd.toml"),
        ({"remove": "nix"}, "no rule 'nix'; there are fixed"),
        ({"enable": "nix"}, "no rule 'nix'"),
        ({"remove": ""}, "rules needs remove, a text"),
        ({"add": PRESS, "remove": "x"}, "one thing at a time"),
        ({"rule": PRESS}, "rules takes add, remove, enable, disable, test, not 'rule'"),
    ],
)
def test_a_wrong_rule_request_is_told(door: Door, data, said) -> None:
    with pytest.raises(RequestError, match=said) as found:
        door.ask("rules", **data)
    assert found.value.code == "bad_request"


def test_what_is_not_on_disk_is_not_acknowledged(door: Door) -> None:
    door.paper.is_broken = True
    with pytest.raises(RequestError, match="disk full") as found:
        door.ask("rules", add=PRESS)
    assert found.value.code == "unavailable"
    assert door.ask("timers", op="start", seconds=5)["problem"] == "not_written"


def test_only_persons_change_rules(door: Door) -> None:
    agent = Origin(Rank.AGENT, "agent", "a1")
    for data in ({"add": PRESS}, {"remove": "fixed"}, {"enable": "fixed"}, {"disable": "fixed"}):
        with pytest.raises(RequestError, match="only a person") as found:
            door.ask("rules", agent, **data)
        assert found.value.code == "denied"
    assert door.ask("rules", agent)["rules"]


def test_no_rule_on_what_needs_a_yes_is_armed_over_the_network(door: Door) -> None:
    afar = Origin(Rank.PERSON, "mqtt", "phone")
    with pytest.raises(RequestError, match="front door needs a yes; add this rule at the box"):
        door.ask("rules", afar, add=UNLOCK)
    assert door.ask("rules", add={**UNLOCK, "enabled": True})
    door.ask("rules", afar, disable="unlock")
    with pytest.raises(RequestError, match="front door needs a yes"):
        door.ask("rules", afar, enable="unlock")
    assert door.ask("rules", afar, add=PRESS)


def test_in_safe_mode_there_are_none(tmp_path) -> None:
    door = Door(tmp_path, has_book=False)
    for verb in ("timers", "promises", "rules"):
        with pytest.raises(RequestError, match="safe mode") as found:
            door.ask(verb)
        assert found.value.code == "unavailable"
