"""Every command against a scripted door: what a person reads, what a script reads, how it ends."""

from __future__ import annotations

import json

import pytest

from tests.agentd.ctl.conftest import DEVICES, answer_of
from tests.agentd.ctl.scripted_door import Refusal, Stream

DONE = {"device": "desk_lamp", "action": "turn_on", "args": {}, "stage": "read_back",
        "state": {"state": "on"}, "reason": ""}  # fmt: skip
HEALTH = {
    "status": "ready", "node": "demo", "version": "0.1.0", "uptime_s": 75,
    "parts": {"llm": {"status": "away", "detail": "no answer"}},
    "devices": {"ok": 2, "unavailable": [{"id": "pump", "reason": "pin 24 is busy"}]},
    "tick": {"count": 9, "p99_ms": 1.25},
}  # fmt: skip


def reply(text="Desk lamp is on.", kind="actions", stage="read_back", needs_yes=False):
    return {"reply": text, "outcome": {"type": kind}, "stage": "hassil", "cause": "demo/1/7",
            "applied": [{**DONE, "stage": stage}] if kind == "actions" else [],
            "needs_yes": needs_yes, "confirmed": True}  # fmt: skip


def talk(word, applied=()):
    return {**reply(kind="none"), "outcome": {"type": "none", "reason": word},
            "applied": list(applied)}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(reply(), 0, id="done"),
        pytest.param(reply(stage="sent"), 0, id="not confirmed yet"),
        pytest.param(reply(stage="refused"), 1, id="refused by the gate"),
        pytest.param(reply(stage="failed"), 1, id="failed at the device"),
        pytest.param(reply(kind="answer"), 0, id="answered"),
        pytest.param(reply(kind="clock"), 0, id="told the time"),
        pytest.param(reply(kind="none"), 4, id="not understood"),
        pytest.param(reply(kind="ask"), 4, id="asks back"),
        pytest.param(talk("no"), 0, id="a no is answered"),
        pytest.param(talk("never_mind"), 0, id="never mind"),
        pytest.param(talk("yes"), 4, id="a yes to nothing"),
        pytest.param(talk("yes", [DONE]), 0, id="a yes that did something"),
        pytest.param(talk("undo", [{**DONE, "stage": "failed"}]), 1, id="an undo that failed"),
        pytest.param(reply(needs_yes=True), 4, id="wants a yes"),
        pytest.param(reply(kind="timer"), 0, id="a timer is answered"),
        pytest.param(reply(kind="delayed"), 0, id="a delayed command is answered"),
        pytest.param(Refusal("busy", "too many at once"), 1, id="busy"),
        pytest.param(Refusal("bad_request", "text is too long"), 2, id="bad request"),
    ],
)
def test_ask_ends_with_the_code_of_its_outcome(door, agentctl, answer, code):
    door.script["ask"] = answer
    assert agentctl("ask", "turn", "on").exit_code == code
    assert agentctl("ask", "turn", "on", "--json").exit_code == code


def test_ask_says_the_reply_and_nothing_else(door, agentctl):
    door.script["ask"] = reply()
    result = agentctl("ask", "turn", "on", "the", "desk lamp", "--area", "study")
    assert result.stdout == "Desk lamp is on.\n"
    assert result.stderr == ""
    assert door.asked == [
        {"verb": "ask", "channel": "cli", "text": "turn on the desk lamp", "area": "study"}
    ]


def test_ask_json_is_the_answer_as_the_door_gave_it(door, agentctl):
    door.script["ask"] = reply("Es ist 21 °C.")
    assert answer_of(agentctl("ask", "how warm", "--json")) == reply("Es ist 21 °C.")


def test_a_negative_number_belongs_to_the_sentence(door, agentctl):
    door.script["ask"] = reply()
    agentctl("ask", "set", "it", "to", "-5", "degrees")
    assert door.asked[0]["text"] == "set it to -5 degrees"


@pytest.mark.parametrize(
    "words", [("ask",), ("ask", " "), ("ask", "--jsn", "hi"), ("state", "--x")]
)
def test_a_wrong_command_line_is_one_line_and_2(door, agentctl, words):
    result = agentctl(*words)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "--help" in result.stderr or "empty" in result.stderr
    assert not door.asked


def test_a_misspelt_command_names_its_neighbour(agentctl):
    result = agentctl("devces")
    assert (result.exit_code, "devices" in result.stderr) == (2, True)


def test_without_a_daemon_every_command_says_so_in_one_line(agentctl):
    for words in (("ask", "hi"), ("devices",), ("health",), ("watch",), ("stop",), ("config",)):
        result = agentctl(*words)
        assert result.exit_code == 3, words
        assert result.stderr.startswith("agentctl: agentd is not running"), words
        assert result.stderr.count("\n") == 1, words


def test_an_error_for_a_script_is_json_on_standard_output(agentctl):
    result = agentctl("devices", "--json")
    told = answer_of(result)
    assert (result.exit_code, told["status"], told["code"]) == (3, "error", "away")
    assert result.stderr == ""


def test_interpret_shows_what_would_happen(door, agentctl):
    verdict = {"device": "desk_lamp", "action": "set_brightness", "args": {"brightness": 40.0},
               "ruling": "allow", "rule": "", "reason": ""}  # fmt: skip
    door.script["interpret"] = {
        "reply": "Desk lamp at 40 %.", "outcome": {"type": "actions"}, "stage": "model",
        "margin": 1.5, "elapsed_ms": 12.34, "verdicts": [verdict], "explain": None,
    }  # fmt: skip
    result = agentctl("interpret", "desk lamp to 40")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Desk lamp at 40 %.",
        "actions by model in 12.3 ms, margin 1.50 nats",
        "device     action             ruling  reason",
        "desk_lamp  set_brightness 40  allow",
    ]


def test_devices_are_an_aligned_table(door, agentctl):
    assert agentctl("devices").stdout.splitlines() == [
        "id                name              area       kind    state",
        "desk_lamp         desk lamp         the study  light   on 40 %",
        "room_temperature  room temperature  the study  sensor  0 °C (stale)  nothing for 2 min",
        "pump              pump              garden     switch  unavailable   pin 24 is busy",
    ]
    assert answer_of(agentctl("devices", "--json")) == DEVICES


def test_zero_degrees_is_a_value(door, agentctl):
    assert "0 °C (stale)" in agentctl("devices").stdout


def test_state_of_one_device(door, agentctl):
    door.script["state"] = {"states": {"blind": {
        "values": {"state": "opening", "position": 30}, "quality": "good", "reason": "",
        "cause": "demo/1/9", "at_s": 1.0}}}  # fmt: skip
    assert "blind   opening 30 %    demo/1/9" in agentctl("state", "blind").stdout
    assert door.asked[-1]["device"] == "blind"


def test_a_misspelt_device_names_its_neighbour(door, agentctl):
    door.script["state"] = Refusal("unknown_device", "no device 'desk_lmp'")
    result = agentctl("state", "desk_lmp")
    assert result.exit_code == 1
    assert result.stderr == "agentctl: no device 'desk_lmp' (did you mean desk_lamp?)\n"


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        pytest.param(["on"], {"value": "on"}, id="a state"),
        pytest.param(["40"], {"value": 40}, id="a number"),
        pytest.param(["40%"], {"value": 40}, id="a percentage"),
        pytest.param(["-5"], {"value": -5}, id="below zero"),
        pytest.param(["21.5"], {"value": 21.5}, id="a decimal"),
        pytest.param(['{"state": "on"}'], {"value": {"state": "on"}}, id="JSON"),
        pytest.param(["NaN"], {"value": "NaN"}, id="NaN is no number"),
        pytest.param(["warm", "white"], {"value": "warm white"}, id="two words"),
        pytest.param(["turn_on"], {"action": "turn_on", "args": {}}, id="an action"),
        pytest.param(["open"], {"action": "open", "args": {}}, id="a word that is an action"),
        pytest.param(
            ["set_brightness", "40"],
            {"action": "set_brightness", "args": {"brightness": 40}},
            id="an action with its argument",
        ),
        pytest.param(
            ["set_color", "color=red"],
            {"action": "set_color", "args": {"color": "red"}},
            id="a named argument",
        ),
    ],
)
def test_set_sends_a_value_or_an_action(door, agentctl, words, sent):
    door.script["set"] = {"reply": "Done.", "cause": "demo/1/8", "applied": [DONE]}
    result = agentctl("set", "desk_lamp", *words)
    assert (result.exit_code, result.stdout) == (0, "Done.\n")
    assert door.asked == [{"verb": "set", "channel": "cli", "device": "desk_lamp", **sent}]


@pytest.mark.parametrize(
    "words", [["set_brightness"], ["turn_on", "40"], ["set_brightness", "1", "2"]]
)
def test_set_refuses_an_action_with_other_arguments(door, agentctl, words):
    result = agentctl("set", "desk_lamp", *words)
    assert (result.exit_code, "takes" in result.stderr) == (2, True)
    assert not door.asked


def test_set_that_the_gate_refuses_ends_with_1(door, agentctl):
    refused = {**DONE, "stage": "refused", "reason": "the fan is on"}
    door.script["set"] = {"reply": "No: the fan is on.", "cause": "c", "applied": [refused]}
    result = agentctl("set", "heater", "on")
    assert (result.exit_code, result.stdout) == (1, "No: the fan is on.\n")


def test_identify_tells_how_it_is_wired(door, agentctl):
    door.script["identify"] = {"text": "Desk lamp: GPIO 18. It blinks."}
    assert agentctl("identify", "desk_lamp").stdout == "Desk lamp: GPIO 18. It blinks.\n"


def test_stop_lists_the_outputs_and_how_to_go_on(door, agentctl):
    door.script["stop"] = {"stopped": True, "outputs": [{"device": "pump", "state": "off"}]}
    shown = agentctl("stop").stdout
    assert "agentctl reset" in shown
    assert "pump    off" in shown
    assert answer_of(agentctl("stop", "--json"))["stopped"] is True


def test_reset_releases(door, agentctl):
    door.script["reset"] = {"stopped": False}
    assert agentctl("reset").exit_code == 0
    assert answer_of(agentctl("reset", "--json")) == {"stopped": False}


@pytest.mark.parametrize(
    ("data", "code", "out", "err"),
    [
        ({"changed": [], "errors": []}, 0, "Nothing changed.\n", ""),
        ({"changed": ["pump"], "errors": []}, 0, "Reloaded: pump.\n", ""),
        ({"changed": [], "errors": ["a.toml:7: no"]}, 78, "Nothing changed.\n", "a.toml:7: no\n"),
    ],
)
def test_reload_tells_what_changed_and_what_is_wrong(door, agentctl, data, code, out, err):
    door.script["reload"] = data
    result = agentctl("reload")
    assert (result.exit_code, result.stdout, result.stderr) == (code, out, err)


def test_why_shows_the_chain_under_the_answer(door, agentctl):
    said = {"cause": "demo/1/7", "device": "desk_lamp", "action": "turn_on", "channel": "cli",
            "who": "uid:0", "chosen_by": "rule", "text": "light on", "rule": None}  # fmt: skip
    door.script["why"] = {"text": "You asked for it.", "chain": [said, {"rule": "max_on_s"}]}
    assert agentctl("why", "desk_lamp").stdout.splitlines() == [
        "You asked for it.",
        '  desk_lamp turn_on by cli uid:0 "light on" (demo/1/7)',
        "  under max_on_s",
    ]


def test_health_tells_why_the_box_is_in_safe_mode(door, agentctl):
    why = "agentd died 5 times in a row"
    door.script["health"] = {**HEALTH, "status": "safe_mode", "errors": [why]}
    assert f"wrong: {why}" in agentctl("health").stdout


@pytest.mark.parametrize(
    ("status", "code"), [("ready", 0), ("degraded", 1), ("stopped", 1), ("safe_mode", 1)]
)
def test_health_ends_with_0_only_when_ready(door, agentctl, status, code):
    door.script["health"] = {**HEALTH, "status": status}
    result = agentctl("health")
    assert result.exit_code == code
    assert result.stdout.startswith(
        f"{status}: demo, version 0.1.0, up 1 min 15 s, tick p99 1.2 ms"
    )
    assert "llm   away    no answer" in result.stdout
    assert "unavailable: pump: pin 24 is busy" in result.stdout
    assert answer_of(agentctl("health", "--json"))["status"] == status


def test_config_prints_the_effective_file(door, agentctl):
    door.script["config"] = {"toml": "[node]\nname = 'demo'\n", "path": "/etc/a.toml", "errors": []}
    assert agentctl("config").stdout == "# /etc/a.toml\n[node]\nname = 'demo'\n"


def test_config_in_force_with_errors_ends_with_78(door, agentctl):
    door.script["config"] = {"toml": "", "path": "/etc/a.toml", "errors": ["a.toml:3: bad"]}
    result = agentctl("config")
    assert (result.exit_code, result.stderr) == (78, "a.toml:3: bad\n")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        pytest.param("[node]\nname = 'demo'\n", 0, "good", id="good"),
        pytest.param("[node\n", 78, "TOML", id="not TOML"),
        pytest.param("[nod]\n", 78, "nod", id="unknown table"),
        pytest.param("[[device]]\nid='a'\nkind='switch'\n", 78, "driver", id="a bad device"),
        pytest.param(None, 78, "cannot be read", id="no file"),
    ],
)
def test_config_check_needs_no_daemon(agentctl, tmp_path, text, code, words):
    file = tmp_path / "agentd.toml"
    if text is not None:
        file.write_text(text)
    result = agentctl("config", "check", str(file))
    assert result.exit_code == code
    assert words in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert bool(answer_of(agentctl("config", "check", str(file), "--json"))["errors"]) == bool(code)


def test_version_is_told_without_a_daemon_too(agentctl):
    told = answer_of(agentctl("version", "--json"))
    assert (bool(told["agentctl"]), told["agentd"]) == (True, None)


def test_version_of_the_running_box(door, agentctl):
    door.script["health"] = HEALTH
    assert answer_of(agentctl("version", "--json"))["agentd"] == "0.1.0"


def test_say_and_listen_are_passed_on(door, agentctl):
    door.script |= {"say": {}, "listen": {}}
    assert agentctl("say", "dinner", "is ready").exit_code == 0
    assert agentctl("listen").stdout == "Listening.\n"
    assert [request["verb"] for request in door.asked] == ["say", "listen"]
    assert door.asked[0]["text"] == "dinner is ready"


EVENTS = [
    {"kind": "state", "device": "desk_lamp", "values": {"state": "on"}, "cause": "demo/1/7"},
    {"kind": "reply", "text": "Desk lamp is on."},
    {
        "kind": "applied",
        "device": "desk_lamp",
        "action": "set_brightness",
        "args": {"brightness": 40.0},
        "stage": "read_back",
        "reason": "",
        "cause": "demo/1/7",
    },
    {"kind": "listen"},
]


def test_watch_json_is_one_event_a_line_until_the_daemon_goes(door, agentctl):
    door.script["subscribe"] = Stream(EVENTS)
    result = agentctl("watch", "--json", "--kind", "state")
    assert [json.loads(line) for line in result.stdout.splitlines()] == EVENTS
    assert result.exit_code == 3
    assert door.asked[0]["kinds"] == ["state"]


def test_watch_in_a_pipe_is_one_readable_line_an_event(door, agentctl):
    door.script["subscribe"] = Stream(EVENTS)
    assert agentctl("watch").stdout.splitlines() == [
        "desk_lamp: on  (demo/1/7)", "reply: Desk lamp is on.",
        "desk_lamp: set_brightness 40, read_back  (demo/1/7)", "listen",
    ]  # fmt: skip
