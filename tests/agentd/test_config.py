"""agentd.toml: what it takes, and how it tells what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.config import ConfigError, masked, parse, read

PATH = Path("agentd.toml")
HEAD = '[[area]]\nid = "study"\n'
LAMP = '[[device]]\nid = "lamp"\nkind = "light"\ndriver = "gpio.relay"\npin = 17\n'


def test_a_device_is_named_from_its_id_and_keeps_its_level_when_it_is_a_light() -> None:
    row = parse(HEAD + LAMP + 'area = "study"\n', path=PATH).devices[0]
    assert (row.device.name, row.device.area, row.safe_state) == ("lamp", "study", "keep")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("[nod]\n", "agentd.toml:1: unknown table [nod]", id="unknown table"),
        pytest.param("a = [", "agentd.toml: not TOML", id="broken toml"),
        pytest.param('[node]\nname = "K A"', "agentd.toml:2: name = 'K A'", id="bad node name"),
        pytest.param("[mqtt]\nport = 0", "agentd.toml:2: port = 0", id="bad port"),
        pytest.param('[device]\nid = "x"', "[[device]] with two brackets", id="one bracket"),
        pytest.param('[board]\npins = "x"', "allowed are gpiod, board, mock", id="bad word"),
        pytest.param(HEAD + HEAD, "agentd.toml:4: area 'study' stands twice", id="area twice"),
        pytest.param('[[link]]\nid = "a"', "needs id and driver", id="link without driver"),
        pytest.param("[mqtt]\npassword = 5", "agentd.toml:2: password: Expected", id="secret"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_file_and_line(text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=r"agentd\.toml") as caught:
        parse(text, path=PATH)
    assert error in str(caught.value)
    assert "5" not in str(caught.value).partition("password")[2]


@pytest.mark.parametrize(
    ("device", "error"),
    [
        pytest.param('pin = "7"', "agentd.toml:7: pin = '7': Expected int", id="wrong type"),
        pytest.param("pni = 7", "agentd.toml:7: unknown key 'pni'; allowed are id", id="typo"),
        pytest.param('area = "attic"', ":7: no [[area]] 'attic'; there are study", id="no area"),
        pytest.param('link = "mcu"', ":7: no [[link]] 'mcu'; there are none yet", id="no link"),
        pytest.param("[device.limits]\nmax_on = 3", ":8: unknown key 'limits.max_on'", id="limit"),
        pytest.param("[device.limits]\nsafe_state = 'of'", ":8: 'of': allowed", id="safe word"),
        pytest.param("pin = 17", ":7: pin 17 already belongs to device 'lamp'", id="pin taken"),
        pytest.param(
            "[device.options]\nopen_pin = 17", ":8: pin 17 already belongs", id="pin in options"
        ),
    ],
)
def test_a_mistake_in_one_device_spoils_that_device_alone(device: str, error: str) -> None:
    second = '[[device]]\nid = "b"\nkind = "light"\ndriver = "gpio.relay"\n' + device
    text = HEAD + LAMP.replace("pin = 17\n", "") + second
    text = text.replace('gpio.relay"\n[[', 'gpio.relay"\npin = 17\n[[') if "17" in device else text
    config = parse(text, path=PATH)
    assert [row.device.id for row in config.devices] == ["lamp"]
    assert [fault.device.id for fault in config.faults] == ["b"]
    line = error.replace(":7", ":8").replace(":8:", ":9:", 1) if "17" in device else error
    assert line.split(": ", 1)[1] in config.faults[0].reason


def test_a_switch_without_a_safe_state_is_an_error_of_that_switch() -> None:
    config = parse(LAMP.replace("light", "switch"), path=PATH)
    assert "needs limits.safe_state: off, on, keep or a value" in config.faults[0].reason


def test_a_device_that_stands_twice_leaves_the_first_one_alone() -> None:
    config = parse(LAMP + LAMP.replace("17", "18"), path=PATH)
    assert [row.pin for row in config.devices] == [17]
    assert "stands twice" in config.errors[0]
    assert not config.faults


def test_a_rule_about_an_unknown_device_is_dropped_and_told() -> None:
    rule = (
        '[[rule]]\nid="r"\nwhen={device="nose", value="on"}\ndo=[{device="lamp",action="toggle"}]'
    )
    config = parse(LAMP + rule, path=PATH)
    assert not config.rules
    assert "agentd.toml:8: when.device: no [[device]] 'nose'" in config.errors[0]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        pytest.param('action = "explode"', "cannot 'explode'; allowed are turn_on", id="action"),
        pytest.param('action = "set_brightness"', "takes exactly these arguments", id="argument"),
    ],
)
def test_a_scene_that_asks_the_impossible_is_dropped_and_told(action: str, error: str) -> None:
    scene = f'[[scene]]\nid = "s"\nactions = [{{device = "lamp", {action}}}]'
    assert error in parse(LAMP + scene, path=PATH).errors[0]


def test_passwords_are_masked_when_the_configuration_is_shown() -> None:
    config = parse('[mqtt]\nbroker = "hub"\npassword = "hunter2"\n', path=PATH)
    assert config.mqtt.password == "hunter2"
    assert "hunter2" not in masked(config)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "agentd.toml")
