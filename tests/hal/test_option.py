from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from hal.contract import DriverError
from hal.option import OneOf, Range, describe, nearest, read


@dataclass(frozen=True, slots=True)
class Options:
    """One option of every sort."""

    pin: int
    travel_s: Annotated[float, Range(1, 600, "s")]
    back_s: Annotated[float, Range(1, 600, "s")] | None = None
    pull: Annotated[str, OneOf(("up", "down"))] = "up"
    active_high: bool = True
    port: str | None = None


def test_defaults_fill_what_is_left_out() -> None:
    assert read(Options, {"pin": 5, "travel_s": 20}, owner="blind") == Options(5, 20.0)


def test_a_whole_number_is_a_number() -> None:
    travel_s = read(Options, {"pin": 5, "travel_s": 20}, owner="blind").travel_s
    assert type(travel_s) is float


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"travel_s": 20},                             "option 'pin' is missing, a whole number"),
        ({"pin": 5, "travl_s": 20},                    "'travl_s' (did you mean 'travel_s'?); allowed"),
        ({"pin": 5, "travel_s": 20, "zzz": 1},         "unknown option 'zzz'; allowed are pin, trav"),
        ({"pin": 5, "travel_s": 0.5},                  "'travel_s' is 0.5, not a number from 1 to 600 s"),
        ({"pin": 5, "travel_s": float("nan")},         "'travel_s' is nan"),
        ({"pin": 5, "travel_s": True},                 "'travel_s' is True"),
        ({"pin": 5, "travel_s": "20"},                 "'travel_s' is '20'"),
        ({"pin": 5.0, "travel_s": 20},                 "'pin' is 5.0, not a whole number"),
        ({"pin": True, "travel_s": 20},                "'pin' is True"),
        ({"pin": 5, "travel_s": 20, "back_s": 9999},   "'back_s' is 9999"),
        ({"pin": 5, "travel_s": 20, "pull": "left"},   "not one of up, down"),
        ({"pin": 5, "travel_s": 20, "active_high": 1}, "'active_high' is 1, not true or false"),
        ({"pin": 5, "travel_s": 20, "port": None},     "'port' is None, not a text"),
        ({"pin": 5, "travel_s": [20]},                 "'travel_s' is [20]"),
    ],
)  # fmt: skip
def test_a_mistake_names_owner_option_and_what_is_allowed(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(DriverError) as caught:
        read(Options, raw, owner="blind")
    assert str(caught.value).startswith("blind: ")
    assert says in str(caught.value)


def test_options_are_shown_to_people() -> None:
    shown = {option.name: (option.expects, option.is_required) for option in describe(Options)}
    assert shown["travel_s"] == ("a number from 1 to 600 s", True)
    assert shown["back_s"] == ("a number from 1 to 600 s", False)
    assert shown["pull"] == ("one of up, down", False)


def test_nothing_is_suggested_when_nothing_comes_near() -> None:
    assert nearest("xyz", ["travel_s"]) == ""
