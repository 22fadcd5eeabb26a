"""Which rows of deaths count as a box that cannot stay up."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.crash import STEADY_S, CrashRecord
from llmagentos.clock import Instant


def at(mono_s: float) -> Instant:
    return Instant(mono_s, 1_000_000.0 + mono_s)


@pytest.mark.parametrize(
    ("lives", "crashes"),
    [
        # How long after its start each run was ready, and how long it then lived; None for never.
        pytest.param([],                                    0, id="the first start"),
        pytest.param([(1, 2)],                              1, id="one death soon after ready"),
        pytest.param([(None, 1)],                           1, id="a death before ready"),
        pytest.param([(1, 59)] * 5,                         5, id="five just within the minute"),
        pytest.param([(1, 61)] * 5,                         0, id="five steady runs"),
        pytest.param([(1, 2)] * 4 + [(1, 61)],              0, id="a steady run ends the row"),
        pytest.param([(1, 2)] * 4 + [(1, 61), (1, 2)],      1, id="and the next one starts anew"),
    ],
)  # fmt: skip
def test_deaths_in_a_row_are_counted(
    tmp_path: Path, lives: list[tuple[float | None, float]], crashes: int
) -> None:
    now_s = 100.0
    for ready_after_s, lived_s in lives:
        run = CrashRecord(tmp_path / "crashes.json")
        run.begin(at(now_s))
        if ready_after_s is not None:
            now_s += ready_after_s
            run.note_ready(at(now_s))
        now_s += lived_s
    assert CrashRecord(tmp_path / "crashes.json").begin(at(now_s)) == crashes


def test_an_orderly_end_clears_the_record(tmp_path: Path) -> None:
    path = tmp_path / "crashes.json"
    CrashRecord(path).begin(at(1))
    again = CrashRecord(path)
    assert again.begin(at(2)) == 1
    again.forget()
    assert CrashRecord(path).begin(at(3)) == 0


def test_a_run_of_exactly_a_minute_still_counts(tmp_path: Path) -> None:
    run = CrashRecord(tmp_path / "crashes.json")
    run.begin(at(1))
    run.note_ready(at(2))
    assert CrashRecord(tmp_path / "crashes.json").begin(at(2 + STEADY_S)) == 1


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"crashes": 3}', '{"crashes": "x", "ready_at_s": 1}', "\x00"]
)
def test_a_damaged_record_counts_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "crashes.json"
    path.write_text(text)
    assert CrashRecord(path).begin(at(1)) == 0
    assert CrashRecord(path).begin(at(2)) == 1


def test_a_folder_that_cannot_be_written_is_survived(tmp_path: Path) -> None:
    run = CrashRecord(tmp_path / "nowhere" / "crashes.json")
    assert run.begin(at(1)) == 0
    run.note_ready(at(2))
    run.forget()
