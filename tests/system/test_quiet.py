"""What the box does not do: listen to the network, load what it needs not, fall with a sister."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from agentd.ctl.appliance import Choice
from models import store
from models.errors import ModelError


def listeners() -> set[str]:
    """Local addresses of every listening TCP socket and of every bound UDP socket, in hex."""
    found = set()
    for file, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == state:
                found.add(f"{file} {fields[1]}")
    return found


def is_loopback(listener: str) -> bool:
    address = listener.split()[1].partition(":")[0]
    return address.endswith("7F") or address == "00000000000000000000000001000000"


def test_nothing_listens_beyond_loopback(make_box):
    before = listeners()
    make_box(Choice(has_voice=True, has_llm=True))
    opened = listeners() - before
    assert opened, "the broker listens on loopback"
    assert [each for each in opened if not is_loopback(each)] == []


def test_agentd_maps_no_model_and_no_sound(make_box):
    box = make_box()
    maps = Path(f"/proc/{box.pid('agentd')}/maps").read_text()
    for library in ("llama", "libvosk", "portaudio"):
        assert library not in maps
    box.ask("turn on the desk lamp")
    status = Path(f"/proc/{box.pid('agentd')}/status").read_text()
    rss_kib = int(next(line for line in status.splitlines() if "VmRSS" in line).split()[1])
    assert rss_kib < 70 * 1024


@pytest.mark.model
def test_a_killed_model_leaves_plain_commands_alone_and_odd_ones_honest(make_box):
    try:
        store.find("smollm2-135m")
    except ModelError as exc:
        pytest.skip(str(exc))
    box = make_box(Choice(has_voice=False, has_llm=True))
    box.stop_program("agentd-llm")
    at = time.monotonic()
    assert box.ask("turn on the desk lamp")["reply"] == "Desk lamp is on."
    assert time.monotonic() - at < 1.0
    assert "model is away" in box.ask("it is too dark to read in here")["reply"]


@pytest.mark.model
def test_an_odd_wish_is_asked_back_and_a_yes_does_it(make_box):
    try:
        store.find("smollm2-135m")
    except ModelError as exc:
        pytest.skip(str(exc))
    box = make_box(Choice(has_voice=False, has_llm=True))
    asked = box.ask("it is too dark to read in here")
    assert asked["outcome"]["type"] == "ask"
    assert asked["applied"] == []
    assert asked["reply"].startswith("Shall I ")
    offered = asked["outcome"]["options"]
    done = box.ask("yes")
    assert [row["device"] for row in done["applied"]] == [row["device"] for row in offered]
    box.kill("agentd-llm", signal.SIGKILL)
    assert box.ask("turn off the desk lamp")["applied"][0]["stage"] == "read_back"
