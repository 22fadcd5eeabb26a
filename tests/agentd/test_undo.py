"""Undo: what takes an act back, and every reason why it must not be."""

from __future__ import annotations

from typing import Any

import pytest

from agentd.journal import Entry
from agentd.understand.port import WayBack
from agentd.undo import find_act, put_back, undo
from llmagentos.cause import Origin, Rank
from llmagentos.plan import Action
from tests.agentd.entries import ANNA, NOON_S, WORDING, entry, guarded, refused, ruled, seen

PHONE = {"channel": "mqtt", "who": "phone"}
SWITCH_OFF = (Action("lamp", "turn_off"),)


def tell(each: Entry) -> str:
    return f"{WORDING.by(each)} {WORDING.time(each.at_s)}"


def way(
    *entries: Entry, cause: str = "box/0/1", device: str | None = None, **states: Any
) -> WayBack:
    """The way back from an act; entries are given oldest first."""
    act = [each for each in entries if each.cause == cause]
    return undo(act, tuple(reversed(entries)), seen(**states), tell=tell, device=device)


def test_the_act_is_put_back_to_what_was_before() -> None:
    assert way(entry(1), lamp="on") == WayBack(SWITCH_OFF)


def test_a_plan_goes_back_as_a_whole_in_reverse_and_off_first() -> None:
    act = [entry(n, name, kind, cause="box/0/1")
           for n, (name, kind) in enumerate([("lamp", "turn_on"), ("pump", "turn_off"),
                                             ("heater", "turn_on")], 1)]  # fmt: skip
    back = way(*act, lamp="on", pump="off", heater="on")
    assert [(each.device, each.name) for each in back.actions] == [
        ("heater", "turn_off"), ("lamp", "turn_off"), ("pump", "turn_on"),
    ]  # fmt: skip


def test_only_the_device_that_is_named_goes_back() -> None:
    act = (entry(1, cause="box/0/1"), entry(2, "pump", cause="box/0/1"))
    assert way(*act, device="lamp", lamp="on", pump="on") == WayBack(SWITCH_OFF)


def test_two_steps_of_one_act_go_back_to_before_the_first() -> None:
    dimmed = entry(2, action="set_brightness", args={"brightness": 40}, cause="box/0/1",
                   before={"state": "on"}, state={"state": "on", "brightness": 40})  # fmt: skip
    assert way(entry(1), dimmed, lamp={"state": "on", "brightness": 40}) == WayBack(SWITCH_OFF)


REFUSED: dict[str, tuple[list[Entry], Any, str]] = {
    # what             entries                                              lamp   words of the reason
    "nothing done":    ([],                                                 "on",  "nothing that I could take back"),
    "not done":        ([refused(1)],                                       "off", "That was not done, so there is nothing to undo. The tank is empty."),
    "asked back":      ([refused(1, ruling="confirm", reason="Shall I?")],  "off", "That was not done, so there is nothing to undo."),
    "changed nothing": ([entry(1, before={"state": "on"})],                 "on",  "changed nothing"),
    "so already":      ([entry(1)],                                         "off", "already as it was"),
    "safety rule":     ([entry(1, action="turn_off"), guarded(2, action="turn_on"), guarded(3)], "off",
                        "A safety rule has set the desk lamp since then: It was on too long."),
    "newer person":    ([entry(1, action="turn_off"), entry(2, **PHONE), entry(3, action="turn_off", **PHONE)], "off",
                        "was set again since then, over MQTT at 11:03."),
    "promise since":   ([entry(1, action="turn_off"), ruled(2, because="box/0/9"), ruled(3, action="turn_off")], "off",
                        "was set again since then, as promised at 11:02."),
    "by hand":         ([entry(1, action="set_brightness", args={"brightness": 40}, before={"state": "off"},
                              state={"state": "on", "brightness": 40})],    {"state": "on", "brightness": 90}, "changed by hand since then"),
    "away":            ([entry(1)],                                         None,  "cannot be reached now: it is unplugged."),
    "before unknown":  ([entry(1, before={})],                              "on",  "do not know what the desk lamp was like before"),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "lamp", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_with_the_reason(entries: list[Entry], lamp: Any, words: str) -> None:
    back = way(*entries, lamp=lamp)
    assert not back.actions
    assert words in back.refusal


def test_a_press_cannot_be_taken_back() -> None:
    assert "A press of the bell" in way(entry(1, "bell", "press"), bell={}).refusal


def test_one_device_in_the_way_leaves_the_whole_act_as_it_is() -> None:
    act = (entry(1), entry(2, "pump", cause="box/0/1"))
    assert "unplugged" in way(*act, lamp="on", pump=None).refusal


def test_what_only_a_rule_did_since_does_not_stand_in_the_way() -> None:
    entries = (entry(1, action="turn_off"), ruled(2), ruled(3, action="turn_off"))
    assert way(*entries, lamp="off").actions == (Action("lamp", "turn_on"),)


def test_what_the_gate_walked_on_for_the_act_does_not_stand_in_the_way() -> None:
    first, then = ({"state": "on", "brightness": each} for each in (10, 20))
    step = guarded(2, action="set_brightness", rule="slope_per_s", args={"brightness": 20},
                   before=first, state=then)  # fmt: skip
    asked = entry(1, action="set_brightness", args={"brightness": 10}, before={"state": "off"},
                  state=first)  # fmt: skip
    assert way(asked, step, lamp=then) == WayBack(SWITCH_OFF)


HOUR_S = 3600.0

FOUND: dict[str, tuple[list[Entry], str | None]] = {
    # newest first
    "own":               ([entry(2, **PHONE), entry(1)],                      "box/0/1"),
    "any, own is old":   ([entry(2, **PHONE), entry(1, at_s=NOON_S - 2 * HOUR_S)], "box/0/2"),
    "any, none own":     ([ruled(3), entry(2, **PHONE)],                      "box/0/2"),
    "none of a person":  ([ruled(3), guarded(2)],                             None),
    "forgotten":         ([entry(1, at_s=NOON_S - 25 * HOUR_S)],              None),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "cause"), FOUND.values(), ids=FOUND.keys())
def test_the_act_that_is_meant(entries: list[Entry], cause: str | None) -> None:
    assert find_act(entries, ANNA, now_s=NOON_S) == cause


def test_of_a_named_device_the_newest_act_of_anybody_is_meant() -> None:
    found = find_act([entry(2, **PHONE), entry(1)], ANNA, now_s=NOON_S, device="lamp")
    assert found == "box/0/2"


def back(
    *since: Entry, before: Entry | None = None, device: str | None = "lamp", **states: Any
) -> WayBack:
    """The way to an earlier time; entries are given oldest first."""
    return put_back(tuple(reversed(since)), before, seen(**states), tell=tell, device=device)


def test_it_goes_back_past_newer_acts_of_people() -> None:
    entries = (entry(1), entry(2, action="turn_off", **PHONE), entry(3))
    assert back(*entries, lamp="on") == WayBack(SWITCH_OFF)


def test_it_does_not_go_back_past_a_safety_rule() -> None:
    entries = (guarded(1), entry(2, action="turn_on"), entry(3, action="turn_off"))
    assert "safety rule" in back(*entries, lamp="off").refusal


def test_without_a_device_all_goes_back_that_people_have_set() -> None:
    entries = (entry(1), ruled(2, "pump"), entry(3, "heater"))
    found = back(*entries, device=None, lamp="on", pump="on", heater="on").actions
    assert found == (Action("heater", "turn_off"), Action("lamp", "turn_off"))


def test_what_was_only_moved_by_hand_since_goes_back() -> None:
    assert back(before=entry(1, action="turn_off"), lamp="on") == WayBack(SWITCH_OFF)
    assert back(before=entry(1, action="turn_off"), lamp="off").refusal == "It is as it was then."
    assert back(lamp="on").refusal == "I have changed nothing since then."


def test_who_stands_between_is_told_for_any_way_in() -> None:
    agent = Origin(Rank.AGENT, "agent", "x")
    assert find_act([entry(1, rank=agent.rank)], ANNA, now_s=NOON_S) is None
