"""The composed daemon over pins in memory: what people can ask it, and what they get to hear."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentd.app import main
from llmagentos.client import DoorRefused
from tests.agentd.box import ROOM, ask, running
from tests.broker import wait_until
from tests.hal.board.process import BoardProcess


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("r")  # short: a socket's path has 107 bytes


@pytest.fixture
def box(folder: Path) -> Iterator[Path]:
    with running(folder):
        yield folder


def test_a_sentence_moves_a_pin_and_why_names_it(box: Path) -> None:
    answer = ask(box, "ask", text="turn on the desk lamp")
    assert answer["reply"] == "Desk lamp is on."
    assert answer["confirmed"] is True
    states = ask(box, "state", device="lamp")["states"]
    assert states["lamp"]["values"]["state"] == "on"
    assert states["lamp"]["cause"] == answer["cause"]
    assert "somebody said “turn on the desk lamp”" in str(ask(box, "why", device="lamp")["text"])


def test_interpret_tells_and_does_nothing(box: Path) -> None:
    answer = ask(box, "interpret", text="turn on the desk lamp")
    assert answer["outcome"]["actions"] == [{"device": "lamp", "action": "turn_on", "args": {}}]
    assert answer["verdicts"][0]["ruling"] == "allow"
    assert ask(box, "state", device="lamp")["states"]["lamp"]["values"]["state"] == "off"


@pytest.mark.parametrize("said", ["good evening", "please activate the cosy time scene"])
def test_a_scene_is_asked_for_by_its_name(box: Path, said: str) -> None:
    answer = ask(box, "ask", text=said)
    assert answer["stage"] == "scene"
    assert ask(box, "state", device="lamp")["states"]["lamp"]["values"]["brightness"] == 30
    assert "Desk lamp is on, at 30 percent." in str(answer["reply"])


def test_the_gate_gives_a_sentence_and_a_setting_the_same_refusal(box: Path) -> None:
    ask(box, "set", device="heater", value="on")
    said = ask(box, "ask", text="turn on the fan")
    sent = ask(box, "set", device="fan", value="on")
    assert said["reply"] == sent["reply"]
    assert "interlocked" in str(said["reply"])


def test_a_yes_completes_what_the_gate_asked(box: Path) -> None:
    asked = ask(box, "ask", text="open the gate")
    assert asked["needs_yes"] is True
    assert ask(box, "state", device="gate")["states"]["gate"]["values"]["state"] == "closed"
    done = ask(box, "ask", text="yes")
    assert done["applied"][0]["stage"] == "read_back"
    assert ask(box, "state", device="gate")["states"]["gate"]["values"]["state"] == "open"


def test_a_question_of_one_client_is_not_answered_by_another(box: Path) -> None:
    ask(box, "ask", text="open the gate", who="anna")
    assert ask(box, "ask", text="yes", who="bert")["applied"] == []


@pytest.mark.parametrize(
    ("verb", "data", "code", "words"),
    [
        ("dance", {}, "unknown_verb", "no verb 'dance'; there are ask"),
        ("ask", {}, "bad_request", "ask needs text"),
        ("ask", {"text": "x" * 501}, "bad_request", "at most 500 characters, not 501"),
        ("ask", {"text": "hi", "area": "moon"}, "bad_request", "no area 'moon'; there are study"),
        ("set", {"device": "moon", "value": "on"}, "unknown_device", "there are lamp, heater"),
        ("set", {"device": "lamp"}, "bad_request", "either value, or action and args"),
        ("set", {"device": "lamp", "value": "maybe"}, "bad_request", "lamp"),
        ("identify", {"device": "gate"}, "bad_request", "a valve cannot show itself"),
        ("config", {"part": "moon"}, "bad_request", "voice"),
        ("state", {"devize": "lamp"}, "bad_request", "state takes device, not 'devize'"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    box: Path, verb: str, data: dict[str, object], code: str, words: str
) -> None:
    with pytest.raises(DoorRefused) as caught:
        ask(box, verb, **data)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stop_is_said_by_anybody_and_lifted_by_reset(box: Path) -> None:
    ask(box, "set", device="heater", value="on")
    assert "stopped" in str(ask(box, "ask", text="stop")["reply"])
    assert ask(box, "health")["status"] == "stopped"
    assert ask(box, "state", device="heater")["states"]["heater"]["values"]["state"] == "off"
    assert "until somebody resets it" in str(ask(box, "set", device="lamp", value="on")["reply"])
    ask(box, "reset")
    assert ask(box, "set", device="lamp", value="on")["reply"] == "Desk lamp is on."


def test_reload_changes_only_what_changed(box: Path) -> None:
    ask(box, "set", device="lamp", value="40")
    config = box / "agentd.toml"
    config.write_text(ROOM.replace('id = "fan"', 'id = "fan"\nname = "breeze"'), encoding="utf-8")
    assert ask(box, "reload") == {"changed": ["fan"], "errors": []}
    assert ask(box, "state", device="lamp")["states"]["lamp"]["values"]["brightness"] == 40
    assert ask(box, "ask", text="turn on the breeze")["reply"] == "Breeze is on."


def test_a_broken_file_changes_nothing_on_reload(box: Path) -> None:
    (box / "agentd.toml").write_text("[[device]\n", encoding="utf-8")
    answer = ask(box, "reload")
    assert answer["changed"] == []
    assert "not TOML" in answer["errors"][0]
    assert ask(box, "ask", text="turn on the desk lamp")["reply"] == "Desk lamp is on."


def test_a_broken_file_at_start_brings_the_last_good_copy_back(folder: Path) -> None:
    with running(folder):
        pass
    with running(folder, "[[device]\n"):
        health = ask(folder, "health")
        assert health["status"] == "degraded"
        assert "the last good copy is used" in health["errors"][0]
        assert ask(folder, "ask", text="turn on the desk lamp")["reply"] == "Desk lamp is on."


def test_a_broken_file_and_no_good_copy_is_safe_mode_with_a_report(folder: Path) -> None:
    with running(folder, "[[device]\n"):
        health = ask(folder, "health")
        assert health["status"] == "safe_mode"
        assert "agentd.toml: not TOML" in health["errors"][0]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ('driver = "gpio.rely"\npin = 5', "unknown driver 'gpio.rely'"),
        ('driver = "gpio.relay"\npin = 18', "pin 18 already belongs to device 'lamp'"),
        ('driver = "gpio.relay"\npin = 99', "99"),
        ('driver = "gpio.relay"\npin = 5\n[device.options]\nactive = true', "active"),
    ],
    ids=["unknown driver", "pin twice", "no such pin", "unknown option"],
)
def test_a_bad_device_is_unavailable_with_its_reason_and_the_rest_runs(
    folder: Path, table: str, reason: str
) -> None:
    bad = f'[[device]]\nid = "bad"\nkind = "light"\n{table}\n'
    with running(folder, ROOM + bad):
        away = ask(folder, "health")["devices"]["unavailable"]
        assert [row["id"] for row in away] == ["bad"]
        assert reason in away[0]["reason"]
        assert "agentd.toml:" in away[0]["reason"]
        assert "not available" in str(ask(folder, "ask", text="turn on the bad")["reply"])
        assert ask(folder, "ask", text="turn on the desk lamp")["reply"] == "Desk lamp is on."


def test_check_ends_with_78_and_names_the_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = folder / "agentd.toml"
    config.write_text(ROOM + '[[device]]\nid = "x"\nkind = "switch"\ndriver = "d"\n')
    assert main(["--config", str(config), "--check"]) == 78
    assert "agentd.toml:53: switch 'x' needs limits.safe_state" in capsys.readouterr().err


def test_agentd_imports_no_model_and_no_sound() -> None:
    code = "import sys, agentd.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert "agentd.loop" in loaded.stdout
    assert not {"llama_cpp", "vosk", "sounddevice", "numpy"} & set(loaded.stdout.split())


RULE = """
[[device]]
id = "button"
kind = "button"
driver = "gpio.button"
pin = 16
[[rule]]
id = "press"
when = { device = "button", value = "pressed" }
do = [{ device = "lamp", action = "turn_on" }]
"""


def test_pins_that_come_up_late_are_taken_in_and_made_safe(folder: Path) -> None:
    """Somebody left the heater's line on, and its board is there only after agentd."""
    (folder / "b").mkdir()
    board = BoardProcess(folder / "b")
    try:
        owner = board.start_owner()
        owner.kill()
        owner.communicate()
        home = ROOM.replace('pins = "mock"', 'pins = "board"').replace("pin = 22", "pin = 17")
        with running(folder, home):
            assert "heater" in str(ask(folder, "health")["devices"]["unavailable"])
            (folder / "board.sock").symlink_to(board.socket)
            wait_until(
                lambda: ask(folder, "health")["devices"]["unavailable"] == [],
                timeout_s=10, what="the pins to be found",
            )  # fmt: skip
            levels = [edge.level for edge in board.edges() if edge.pin == 17]
            assert (max(levels), levels[-1]) == (1, 0)
            assert "Desk lamp is on" in str(ask(folder, "set", device="lamp", value="on")["reply"])
    finally:
        board.kill()


def die(folder: Path, times: int) -> None:
    """Leave a record as so many deaths soon after READY do."""
    (folder / "crashes.json").write_text(f'{{"crashes": {times - 1}, "ready_at_s": null}}')


@pytest.mark.parametrize(
    ("deaths", "status"), [(4, "ready"), (5, "safe_mode")], ids=["four deaths", "five deaths"]
)
def test_too_many_deaths_in_a_row_bring_safe_mode(folder: Path, deaths: int, status: str) -> None:
    die(folder, deaths)
    with running(folder):
        assert ask(folder, "health")["status"] == status


def test_safe_mode_holds_outputs_safe_and_says_why(folder: Path) -> None:
    die(folder, 5)
    with running(folder, ROOM + RULE):
        health = ask(folder, "health")
        assert "agentd died 5 times in a row" in health["errors"][0]
        assert ask(folder, "set", device="heater", value="on")["applied"][0]["stage"] == "refused"
        assert ask(folder, "ask", text="turn on the desk lamp")["applied"][0]["stage"] == "refused"
        assert ask(folder, "state", device="heater")["states"]["heater"]["values"]["state"] == "off"
        assert not (folder / "data" / "journal.db").exists(), "it may be what kills the box"


def test_a_reload_in_safe_mode_takes_the_file_and_stays_safe(folder: Path) -> None:
    with running(folder, is_held=True) as config:
        config.write_text(ROOM.replace("Desk lamp", "Lamp").replace("pin = 23", "pin = 5"))
        assert ask(folder, "reload") == {"changed": ["fan"], "errors": []}
        assert ask(folder, "health")["status"] == "safe_mode"
        assert ask(folder, "set", device="fan", value="on")["applied"][0]["stage"] == "refused"


def test_a_reset_ends_safe_mode_with_the_process(folder: Path) -> None:
    die(folder, 5)
    with running(folder):
        assert ask(folder, "reset")["stopped"] is False
        wait_until(lambda: not (folder / "agentd.sock").exists(), what="the process ends")
    with running(folder):
        assert ask(folder, "health")["status"] == "ready"
        assert ask(folder, "set", device="lamp", value="on")["reply"] == "Desk lamp is on."


def test_safe_mode_that_dies_too_opens_no_device(folder: Path) -> None:
    die(folder, 6)
    with running(folder):
        assert ask(folder, "health")["status"] == "safe_mode"
        assert ask(folder, "devices")["devices"] == []
