"""Files of sentences against homes given as data."""

from __future__ import annotations

import json
import time

import pytest

from agentd.understand.batch import CasesError, run
from llmagentos.clock import Instant
from models.scripted import ScriptedChooser

HOME = {
    "id": "flat",
    "floors": [],
    "areas": [{"id": "study", "name": "Study", "aliases": [], "floor": None}],
    "devices": [
        {"id": "light.lamp", "name": "Lamp", "aliases": [], "kind": "light", "area": "study",
         "state": {"state": "off"}},
        {"id": "fan.fan", "name": "Fan", "aliases": [], "kind": "fan", "area": "study",
         "state": {"state": "on", "speed": 50}},
        {"id": "vacuum.robby", "name": "Robby", "aliases": [], "kind": "vacuum", "area": None,
         "state": {"state": "docked"}},
    ],
}  # fmt: skip


def read_clock():
    return Instant(time.monotonic(), time.time())


@pytest.fixture
def interpret(tmp_path):
    homes = tmp_path / "homes"
    homes.mkdir()
    (homes / "flat.json").write_text(json.dumps(HOME))

    def of(*texts, chooser=None, **case):
        turns = [{"text": text} for text in texts]
        rows = [{"id": "a", "home": "flat", "context_area": None, "turns": turns, **case}]
        cases, out = tmp_path / "cases.jsonl", tmp_path / "out.jsonl"
        cases.write_text("\n".join(json.dumps(row) for row in rows))
        assert run(homes, [cases], out, chooser=chooser, clock=read_clock) == len(texts)
        return [json.loads(line) for line in out.read_text().splitlines()]

    return of


def test_line_holds_outcome_stage_and_time(interpret):
    (line,) = interpret("turn on the lamp")

    assert line["outcome"] == {
        "type": "actions",
        "actions": [{"device": "light.lamp", "action": "turn_on", "args": {}}],
    }
    assert (line["id"], line["turn"], line["stage"]) == ("a", 0, "hassil")
    assert line["ms"] > 0


def test_what_a_turn_does_is_so_for_the_next(interpret):
    _, answer, toggled = interpret("turn on the lamp", "is it on", "toggle the lamp")

    assert answer["outcome"]["text"] == "Yes, the Lamp is on"
    assert toggled["outcome"]["actions"][0]["action"] == "turn_off"


def test_setup_overrides_the_states_of_the_home(interpret):
    (line,) = interpret("is the fan on", setup={"state": {"fan.fan": {"state": "off"}}})

    assert line["outcome"]["text"] == "No, the Fan is off"


def test_speakers_area_is_where_the_case_says(interpret):
    (line,) = interpret("turn on the lights", context_area="study")

    assert [a["device"] for a in line["outcome"]["actions"]] == ["light.lamp"]


def test_question_of_the_model_is_an_ask_and_yes_does_it(interpret):
    model = ScriptedChooser({"dark": "turn on the Lamp"})

    asked, done = interpret("it is too dark in here", "yes", chooser=model)

    assert asked["outcome"]["type"] == "ask"
    assert asked["outcome"]["options"][0]["device"] == "light.lamp"
    assert done["outcome"]["actions"] == asked["outcome"]["options"]


def test_timer_is_returned_and_not_refused(interpret):
    (line,) = interpret("set a timer for 5 minutes")

    assert line["outcome"] == {
        "type": "timer", "op": "start", "seconds": 300, "name": None, "area": None,
        "start_seconds": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cases", "error"),
    [
        ("not json",                                      "cases.jsonl:1"),
        ('{"id":"a","home":"flat"}',                      "cases.jsonl:1"),
        ('{"id":"a","home":"moon","turns":[{"text":"x"}]}', "moon"),
        ('{"id":"a","home":"flat","turns":[{"no":"x"}]}', "cases.jsonl:1"),
        ("\n\n[1]",                                       "cases.jsonl:3"),
    ],
)  # fmt: skip
def test_broken_case_is_one_clear_error(tmp_path, cases, error):
    (tmp_path / "flat.json").write_text(json.dumps(HOME))
    (tmp_path / "cases.jsonl").write_text(cases)

    with pytest.raises(CasesError, match=error):
        run(tmp_path, [tmp_path / "cases.jsonl"], tmp_path / "out")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(CasesError, match="no home files"):
        run(tmp_path, [tmp_path], tmp_path / "out")
    (tmp_path / "flat.json").write_text('{"id": "flat"}')
    with pytest.raises(CasesError, match=r"flat\.json: not a home"):
        run(tmp_path, [tmp_path], tmp_path / "out")
    (tmp_path / "flat.json").write_text(json.dumps(HOME))
    with pytest.raises(CasesError, match="cannot be read"):
        run(tmp_path, [tmp_path / "none.jsonl"], tmp_path / "out")
