"""Health: the worst that holds, and a sister that falls silent is away."""

from __future__ import annotations

import socket

import pytest

from agentd.health import REPORT_STALE_S, Health, overall, unavailable
from agentd.node import node_name
from llmagentos.reading import Quality, State
from tests.agentd.clock import HandClock

OK = {"journal": {"status": "ok", "detail": ""}}
DEAF = {"voice": {"status": "away", "detail": "it no longer reports"}}
GONE = unavailable({"lamp": State("lamp", quality=Quality.UNAVAILABLE, reason="pulled")})


@pytest.mark.parametrize(
    ("parts", "away", "flags", "word"),
    [
        (OK, [], {}, "ready"),
        ({"voice": {"status": "no_microphone", "detail": ""}}, [], {}, "ready"),
        (DEAF, [], {}, "degraded"),
        (OK, GONE, {}, "degraded"),
        (OK, [], {"errors": ("a mistake",)}, "degraded"),
        (DEAF, GONE, {"is_stopped": True}, "stopped"),
        (OK, [], {"is_stopped": True, "is_safe_mode": True}, "safe_mode"),
    ],
    ids=["fine", "no microphone", "deaf", "device", "config", "stopped", "safe mode"],
)
def test_the_worst_that_holds_is_told(parts, away, flags, word) -> None:
    known = {"is_stopped": False, "is_safe_mode": False, **flags}
    assert overall(parts, away, **known) == word


def test_a_sister_that_stops_reporting_is_away() -> None:
    clock = HandClock()
    health = Health({"journal": lambda: ("ok", "")}, sisters=["voice"], clock=clock)
    assert health.parts()["voice"]["status"] == "away"
    health.report("voice", "listening", "USB mic")
    assert health.parts()["voice"] == {"status": "listening", "detail": "USB mic"}
    clock.advance(REPORT_STALE_S + 1)
    assert health.parts()["voice"]["status"] == "away"


def test_pace_is_the_percentile_of_the_turns() -> None:
    health = Health({}, clock=HandClock())
    assert health.pace() == {"count": 0, "p99_ms": None}
    for length in [1.0] * 98 + [50.0] * 2:
        health.note_turn(length)
    assert health.pace() == {"count": 100, "p99_ms": 50.0}


def test_a_box_without_a_name_has_one_that_stays(tmp_path) -> None:
    machine = tmp_path / "machine-id"
    machine.write_text("abc")
    first = node_name(None, machine_id=machine)
    assert node_name(None, machine_id=machine) == first
    machine.write_text("abd")
    assert node_name(None, machine_id=machine) != first
    assert node_name("kitchen") == "kitchen"


def test_a_host_that_carries_the_digits_already_gets_no_second_set(tmp_path, monkeypatch) -> None:
    machine = tmp_path / "machine-id"
    machine.write_text("abc")
    monkeypatch.setattr(socket, "gethostname", lambda: "agentd")
    first = node_name(None, machine_id=machine)
    monkeypatch.setattr(socket, "gethostname", lambda: first)
    assert node_name(None, machine_id=machine) == first
