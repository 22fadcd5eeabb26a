"""Limits that cannot hold together spoil their device, with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.config import parse

PATH = Path("agentd.toml")
TANK = (
    '[[device]]\nid = "tank"\nkind = "sensor"\ndriver = "serial.jsonl"\ndevice_class = "moisture"\n'
)
OTHER = '[[device]]\nid = "fan"\nkind = "fan"\ndriver = "d"\n[device.limits]\ninterlock = "air"\n'


def device(limits: str, *, kind: str = "switch", more: str = "") -> str:
    """Device x, whose limits begin on line 6 of it."""
    return f'[[device]]\nid = "x"\nkind = "{kind}"\ndriver = "d"\n{more}[device.limits]\n{limits}\n'


def fault(text: str) -> str:
    """Why device x cannot be used; the others must be whole."""
    config = parse(text, path=PATH)
    assert [each.device.id for each in config.faults] == ["x"]
    return config.faults[0].reason


OFF = 'safe_state = "off"\n'
ON = 'safe_state = "on"\n'


@pytest.mark.parametrize(
    ("kind", "limits", "error"),
    [
        ("switch", OFF + "max_on_s = 5\nmin_on_s = 6", ":7: max_on_s 5 is less than min_on_s 6"),
        ("switch", OFF + "duty_per_day_s = 5\nmin_on_s = 6", ":7: duty_per_day_s 5 is less than"),
        ("switch", OFF + "duty_per_day_s = 90000", ":7: limits.duty_per_day_s = 90000"),
        ("switch", OFF + "max_on_s = inf", ":7: inf is not a number of max_on"),
        ("switch", OFF + "max_on_s = nan", ":7: limits.max_on_s"),
        ("switch", OFF + "rate_per_min = 0", ":7: limits.rate_per_min = 0"),
        ("switch", OFF + 'quiet_hours = "22-7"', ":7: '22-7' is not of the form 22:00-07:00"),
        ("switch", OFF + 'quiet_hours = "07:00-07:00"', ":7: '07:00-07:00' begins when it ends"),
        ("switch", OFF + 'interlock = "heat"', ":7: no other device is in the interlock 'heat'"),
        ("switch", OFF + "interlock_wait_s = 3", ":7: there is no interlock to wait for"),
        ("switch", OFF + "slope_per_s = 3", ":7: a switch has no number to change slowly"),
        ("switch", OFF + "lease_s = 1", ":7: 1 is too short; at least 2"),
        ("switch", 'safe_state = "keep"\nlease_s = 5', ":7: safe_state keep leaves nothing"),
        ("switch", OFF + 'confirm = "twice"', ":7: limits.confirm = 'twice'"),
        ("switch", OFF + 'requires = [{device = "nose"}]', ":7: no [[device]] 'nose'"),
        ("switch", OFF + 'requires = [{device = "fan"}]', ":7: 'fan' is a fan, not a sensor"),
        (
            "switch",
            OFF + 'requires = [{device = "tank", quantity = "power"}]',
            "gives moisture, not",
        ),
        (
            "switch",
            OFF + 'requires = [{device = "tank", min = 6, max = 5}]',
            "nothing is within 6..5",
        ),
        ("switch", OFF + 'requires = [{device = "tank", min = nan}]', "nothing is within nan.."),
        ("switch", ON + "max_on_s = 5", ":7: max_on_s forbids what safe_state = 'on' demands"),
        ("switch", ON + "min_off_s = 5", ":7: min_off_s forbids"),
        ("switch", ON + "duty_per_day_s = 5", ":7: duty_per_day_s forbids"),
        ("switch", ON + "rate_per_min = 5", ":7: rate_per_min forbids"),
        ("switch", ON + 'quiet_hours = "22:00-07:00"', ":7: quiet_hours forbids"),
        ("switch", ON + 'requires = [{device = "tank"}]', ":7: requires forbids"),
        ("switch", ON + 'interlock = "air"\ninterlock_wait_s = 3', ":8: its safe_state is on, and"),
        ("switch", "", "needs limits.safe_state: off, on, keep or a value"),
        ("switch", "safe_state = 5", ":6: a switch takes no value; allowed are off, on, keep"),
        ("switch", "safe_state = nan", ":6: nan is not a number"),
        ("fan", "safe_state = 130", ":6: 130 is out of 0..100"),
        ("number", 'safe_state = "on"', ":6: a number is not on or off; write off or a value"),
        ("lock", OFF + "slope_per_s = 2", ":7: a lock has no number"),
        ("cover", OFF + "max_on_s = 5", ":7: a cover is not on or off, it cannot have max_on_s"),
        ("cover", OFF + "lease_s = 5", ":7: a cover is not on or off, it cannot have lease_s"),
        ("button", "min_off_s = 5", ":6: a button is not on or off, it cannot have min_off_s"),
        ("button", OFF, ":6: a button has no state to be safe in"),
        ("sensor", "max_on_s = 5", ":5: a sensor only reports, it has no limits"),
    ],
)
def test_limits_that_cannot_hold_are_told(kind: str, limits: str, error: str) -> None:
    others = TANK + OTHER if "air" in limits else TANK + OTHER.replace("interlock", "# interlock")
    assert error in fault(device(limits, kind=kind) + others)


@pytest.mark.parametrize(
    ("safe", "error"),
    [("-1", "-1 is out of 0..10"), ("11", "11 is out of 0..10"), ('"off"', "")],
)
def test_a_safe_value_is_one_that_the_device_takes(safe: str, error: str) -> None:
    text = device(f"safe_state = {safe}", kind="number", more="min = 0\nmax = 10\n")
    faults = parse(text, path=PATH).faults
    assert error in (faults[0].reason if faults else "")
    assert bool(faults) is bool(error)


def test_off_must_be_within_what_a_number_takes() -> None:
    assert "0 is out of 5.." in fault(device(OFF, kind="number", more="min = 5\n"))


def test_a_range_has_its_lower_end_first() -> None:
    assert ":5: min 9 is above max 3" in fault(device(OFF, more="min = 9\nmax = 3\n"))


@pytest.mark.parametrize(
    ("other", "is_fault"), [('"keep"', True), ('"on"', True), ('"off"', False)]
)
def test_an_interlock_has_one_member_that_is_safe_when_on_and_all_others_off(
    other: str, is_fault: bool
) -> None:
    fan = OTHER + f"safe_state = {other}\n"
    config = parse(device(ON + 'interlock = "air"') + fan, path=PATH)
    assert bool(config.faults) is is_fault


def test_a_neighbour_with_a_mistake_of_its_own_still_counts_as_one() -> None:
    config = parse(
        device(OFF + 'interlock = "air"') + OTHER.replace('"fan"\ndr', '"fna"\ndr'), path=PATH
    )
    assert [each.device.id for each in config.devices] == ["x"]


@pytest.mark.parametrize(
    ("parts", "is_fault"),
    [
        ('[mqtt]\nbroker = "off"\n[voice]\nenabled = false\n', True),
        ('[mqtt]\nbroker = "off"\n', False),
        ("[voice]\nenabled = false\n", False),
    ],
    ids=["neither", "voice", "mqtt"],
)
def test_a_second_channel_must_exist(parts: str, is_fault: bool) -> None:
    config = parse(device(OFF + 'confirm = "second_channel"') + parts, path=PATH)
    assert [each.reason for each in config.faults] == (
        ["agentd.toml:7: second_channel needs [mqtt] or [voice]; both are off"] if is_fault else []
    )


def test_every_limit_at_once_can_hold() -> None:
    limits = """safe_state = "off"
max_on_s = 3600
min_on_s = 60
min_off_s = 60
duty_per_day_s = 7200
rate_per_min = 3
quiet_hours = "22:00-07:00"
interlock = "air"
interlock_wait_s = 5
requires = [{ device = "tank", quantity = "moisture", min = 5 }]
confirm = "second_channel"
lease_s = 30
manual_hold_s = 0"""
    config = parse(device(limits) + TANK + OTHER, path=PATH)
    assert not config.errors
    assert config.devices[0].device.is_risky
