"""agentctl timers, promises and rules: what a person reads, and what the door is asked."""

from __future__ import annotations

import json

import pytest

from tests.agentd.ctl.conftest import answer_of
from tests.agentd.ctl.scripted_door import Refusal

RULE = {
    "id": "water", "from": "stored", "enabled": True, "waits": "", "ran_s": None, "kept_from": "",
    "kept_from_s": None, "problem": "", "rule": {"id": "water"},
}  # fmt: skip
TOML = """
[[rule]]
id = "water"
when = { device = "soil", below = 30 }
do = [{ device = "pump", action = "turn_on", for_s = 20 }]

[[rule]]
id = "bell"
when = { device = "button", value = "pressed" }
say = "Somebody is at the door."
"""


def test_timers_show_what_is_left(door, agentctl) -> None:
    door.script["timers"] = {"timers": [
        {"name": "tea", "area": "kitchen", "start_s": 300, "left_s": 61, "paused": False},
        {"name": None, "area": None, "start_s": 7200, "left_s": 3661, "paused": True},
    ]}  # fmt: skip
    lines = agentctl("timers").stdout.splitlines()
    assert lines[1].split() == ["tea", "kitchen", "5:00", "1:01"]
    assert lines[2].split() == ["-", "-", "2:00:00", "paused"]


def test_without_timers_it_says_so(door, agentctl) -> None:
    door.script["timers"] = {"timers": []}
    assert agentctl("timers").stdout == "No timer is running.\n"
    assert answer_of(agentctl("timers", "--json")) == {"timers": []}


def test_promises_show_when_they_are_due(door, agentctl) -> None:
    promise = {"id": "r1", "kind": "reminder", "text": "take out the pizza", "name": None,
               "left_s": 600.0, "due_s": None, "paused": False}  # fmt: skip
    door.script["promises"] = {"promises": [promise, {**promise, "id": "c2", "left_s": None}]}
    lines = agentctl("promises").stdout.splitlines()
    assert lines[1].split() == ["r1", "reminder", "in", "10:00", "take", "out", "the", "pizza"]
    assert "waits for the clock" in lines[2]


def test_a_promise_is_taken_back(door, agentctl) -> None:
    door.script["promises"] = {"cancelled": {"id": "r1"}}
    assert agentctl("promises", "cancel", "r1").stdout == "Taken back: r1.\n"
    assert door.asked == [{"verb": "promises", "channel": "cli", "cancel": "r1"}]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, "ready"),
        ({"waits": "the tank is stale"}, "waits: the tank is stale"),
        ({"enabled": False}, "off"),
        ({"problem": "no device"}, "broken: no device"),
        ({"kept_from": "it is quiet", "kept_from_s": 0.0}, "ready; did not run"),
    ],
)
def test_rules_show_how_they_stand(door, agentctl, change, shown) -> None:
    door.script["rules"] = {"rules": [{**RULE, **change}]}
    for command in (("rules",), ("rules", "list")):
        line = agentctl(*command).stdout.splitlines()[1]
        assert line.startswith("water  stored  " + shown)


def test_rules_of_a_file_are_all_tested_before_the_first_is_added(door, agentctl, tmp_path) -> None:
    (tmp_path / "r.toml").write_text(TOML)
    door.script["rules"] = {"added": "water", "id": "water", "waits": "", "actions": []}
    result = agentctl("rules", "add", str(tmp_path / "r.toml"))
    assert (result.exit_code, result.stdout) == (0, "Added: water, water.\n")
    assert [next(key for key in asked if key in ("test", "add")) for asked in door.asked] == [
        "test", "test", "add", "add",
    ]  # fmt: skip


def test_nothing_is_added_when_one_rule_is_wrong(door, agentctl, tmp_path) -> None:
    (tmp_path / "r.toml").write_text(TOML)
    door.script["rules"] = Refusal("bad_request", "rule 'water': do.device: no [[device]] 'pump'")
    result = agentctl("rules", "add", str(tmp_path / "r.toml"))
    assert (result.exit_code, len(door.asked)) == (2, 1)
    assert "do.device" in result.stderr


def test_a_rule_is_tested_without_being_added(door, agentctl, tmp_path) -> None:
    (tmp_path / "r.json").write_text(json.dumps({"id": "water"}))
    door.script["rules"] = {"id": "water", "waits": "the tank is stale", "actions": []}
    result = agentctl("rules", "test", str(tmp_path / "r.json"))
    assert result.stdout == "water: good, but now the tank is stale\n"
    assert door.asked == [{"verb": "rules", "channel": "cli", "test": {"id": "water"}}]


@pytest.mark.parametrize(
    ("command", "said"),
    [("remove", "Removed"), ("enable", "Switched on"), ("disable", "Switched off")],
)
def test_a_rule_is_removed_or_switched(door, agentctl, command, said) -> None:
    door.script["rules"] = {}
    assert agentctl("rules", command, "water").stdout == f"{said}: water.\n"
    assert door.asked == [{"verb": "rules", "channel": "cli", command: "water"}]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("r.toml", "x = [", "r.toml"),
        ("r.toml", "rule = []", "no rules in it"),
        ("r.toml", "rule = 5", "no rules in it"),
        ("r.json", "{", "r.json"),
        ("r.json", "5", "no rules in it"),
    ],
)
def test_a_file_without_rules_is_told(door, agentctl, tmp_path, name, text, said) -> None:
    (tmp_path / name).write_text(text)
    result = agentctl("rules", "add", str(tmp_path / name))
    assert result.exit_code == 2
    assert said in result.stderr
    assert door.asked == []


def test_a_file_that_is_not_there_is_told(door, agentctl) -> None:
    assert "No such file" in agentctl("rules", "add", "/nowhere/r.toml").stderr
