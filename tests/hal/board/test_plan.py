"""room.toml, the packaged one and people's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hal.board.plan import PlanError, load_plan


def test_packaged_plan_wires_the_demo_room() -> None:
    plan = load_plan()
    assert plan.loads == {
        "open_blind": 5, "close_blind": 6, "ceiling_light": 17, "desk_lamp": 18,
        "heater": 22, "fan": 23, "pump": 24,
    }  # fmt: skip
    assert plan.motion == 12


def test_room_can_be_rewired_and_rebuilt(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text("[wires]\nheater = 4\n[building]\nheater_w = 750\n")
    plan = load_plan(file)
    assert (plan.loads, plan.motion, plan.building.heater_w) == ({"heater": 4}, None, 750.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("",                                          None),
        ("[wires",                                    "Expected"),
        ("[wirse]",                                   "unknown 'wirse'"),
        ("wires = 3",                                 "expected a table"),
        ("[wires]\nheatr = 4",                        "unknown 'heatr'"),
        ("[wires]\nheater = 28",                      "wires.heater is a BCM number"),
        ("[wires]\nheater = true",                    "wires.heater is a BCM number"),
        ('[wires]\nheater = "GPIO4"',                 "wires.heater is a BCM number"),
        ("[wires]\nheater = 4\nfan = 4",              "share GPIO4"),
        ("[building]\nheater_kw = 1",                 "unknown 'heater_kw'"),
        ('[building]\nheater_w = "1"',                "building.heater_w is a number"),
    ],
    ids=["empty", "cut", "bad table", "no table", "typo", "pin 28", "true", "text", "pin twice",
         "bad constant", "no number"],
)  # fmt: skip
def test_mistake_is_named(tmp_path: Path, text: str, said: str | None) -> None:
    file = tmp_path / "room.toml"
    file.write_text(text)
    if said is None:
        assert load_plan(file).loads == {}
        return
    with pytest.raises(PlanError, match=said) as caught:
        load_plan(file)
    assert str(file) in str(caught.value)


def test_absent_or_binary_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for name in ("absent.toml", "binary.toml"):
        with pytest.raises(PlanError, match=name):
            load_plan(tmp_path / name)
