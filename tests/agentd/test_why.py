"""Why: sentences that name what started it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentd.journal import Entry, Note
from agentd.why import explain
from llmagentos.cause import Rank
from tests.agentd.entries import NOON_S, WORDING, entry, guarded, refused, ruled, seen

SOIL: Any = {"device": "soil", "quantity": "moisture", "value": 28.5, "unit": "%"}
MADE: Any = {"because": "box/0/1", "made_at_s": NOON_S - 600, "made_channel": "voice", "who": "p3"}


def why(*entries: Entry, device: str | None = "lamp", is_now: Any = None, **more: Any) -> str:
    """The answer; entries are given oldest first."""
    state = seen(**{device: is_now}).states[device] if device and is_now else None
    newest_first = tuple(reversed(entries))
    return explain(newest_first, WORDING, device=device, state=state, **more).text


CAUSES = {
    "said":        (entry(1, text="light please"),                     "because somebody said “light please” by voice."),
    "in an area":  (entry(1, area="study"),                            "because somebody asked for it by voice in the study."),
    "forgotten":   (entry(1),                                          "because somebody asked for it by voice."),
    "by name":     (entry(1, channel="cli", who="anna"),               "because anna asked for it on the command line."),
    "model":       (entry(1, text="too dark", chosen_by="model"),      "“too dark” by voice, as the language model proposed."),
    "thermostat":  (ruled(1, who="stat"),                              "because the thermostat asked for it."),
    "rule":        (ruled(1),                                          "because rule “dusk” said so."),
    "reading":     (ruled(1, reading=SOIL),                            "because rule “dusk” said so: the soil moisture was 28.5 %."),
    "promise":     (ruled(1, text="on at ten", **MADE),                "because I had promised it at 11:50, asked by voice: “on at ten”."),
    "old promise": (ruled(1, because="box/0/1"),                       "because I had promised it."),
    "agent":       (entry(1, channel="agent", who="x", rank=Rank.AGENT), "because agent “x” wanted it."),
    "gate":        (guarded(1),                                        "because of a safety rule: It was on too long. That limit keeps"),
    "start":       (guarded(1, rule="start"),                          "because the box was starting"),
    "end":         (guarded(1, rule="end"),                            "because the box was switching off"),
    "setting":     (entry(1, action="set_brightness", args={"brightness": 40}), "The desk lamp was set to 40 % at 11:01"),
    "yesterday":   (entry(1, at_s=NOON_S - 86400),                     "was switched on yesterday at 12:00, because"),
    "long ago":    (entry(1, at_s=NOON_S - 40 * 86400),                "was switched on on 23 January at 12:00"),
}  # fmt: skip


@pytest.mark.parametrize(("made", "words"), CAUSES.values(), ids=CAUSES.keys())
def test_the_cause_is_named(made: Entry, words: str) -> None:
    assert words in why(made)


def test_who_stopped_everything_is_told() -> None:
    stopped = guarded(1, rule="stop", reason="Everything was stopped.")
    wording = replace(WORDING, stops=[Note(stopped.at_s + 0.1, "stop", "mqtt")])
    text = explain([stopped], wording, device="lamp").text
    assert "because everything was stopped over MQTT. It stays so until somebody resets it." in text
    assert "of a safety rule: Everything was stopped." in why(stopped)


def test_nothing_known_is_said_to_be_nothing_known() -> None:
    assert why() == "The desk lamp was not switched by anybody since I keep a journal."
    assert why(device=None) == "Nothing here was switched by anybody since I keep a journal."


def test_a_sweep_that_changed_nothing_is_nobodys_doing() -> None:
    swept = guarded(1, rule="start", before={"state": "off"})
    assert why(swept, is_now="off").endswith("was not switched by anybody since I keep a journal.")


def test_what_changed_nothing_is_not_the_cause() -> None:
    again = ruled(2, before={"state": "on"})
    assert "“dusk”" not in why(entry(1), again)


def test_a_refused_wish_tells_why_it_is_still_off() -> None:
    text = why(entry(1, action="turn_off"), refused(2), is_now="off")
    assert text.startswith(
        "The desk lamp is off because switching it on was refused at 11:02, asked for by voice: "
        "The tank is empty."
    )
    assert "The desk lamp was switched off at 11:01" in text


def test_a_refusal_of_before_the_last_change_is_over() -> None:
    assert "refused" not in why(refused(1), entry(2))


def test_a_question_that_waits_is_no_refusal() -> None:
    asked = refused(1, ruling="confirm", reason="Shall I really switch it on?")
    assert "waits for a yes at 11:01, asked for by voice: Shall I" in why(asked, is_now="off")


def test_the_last_thing_that_was_refused_is_told_when_no_device_is_named() -> None:
    text = why(entry(1), refused(2, "pump"), device=None)
    assert text == (
        "The pump is as it was because switching it on was refused at 11:02, asked for by voice: "
        "The tank is empty."
    )


def test_the_sweep_of_the_start_is_not_the_last_thing_done() -> None:
    assert "11:01" in why(entry(1), guarded(2, "pump", rule="start"), device=None)


def test_a_step_of_a_slow_change_is_not_the_cause() -> None:
    step = guarded(2, action="set_brightness", rule="slope_per_s",
                   before={"state": "on", "brightness": 5}, state={"state": "on", "brightness": 9})  # fmt: skip
    assert "somebody asked" in why(entry(1), step)


def test_a_thermostat_leads_on_to_who_set_it() -> None:
    warmer = entry(1, "stat", "set_temperature", args={"temperature": 21})
    heats = ruled(2, "heater", who="stat")
    text = why(heats, device="heater", look=lambda name: [warmer] if name == "stat" else [])
    assert (
        "because the thermostat asked for it. The thermostat was set to 21 degrees at 11:01" in text
    )


@pytest.mark.parametrize(
    ("is_now", "is_told"),
    [("on", False), ("off", True), ({"state": "on", "brightness": 70}, True)],
    ids=["as it was made", "otherwise", "brighter"],
)
def test_what_was_moved_by_hand_is_told(is_now: Any, is_told: bool) -> None:
    text = why(entry(1), is_now=is_now)
    assert ("changed since, by hand or by itself" in text) is is_told
