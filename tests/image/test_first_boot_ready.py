"""What the box says and reports once agentd runs."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from llmagentos.client import Door, DoorError
from llmagentos.clock import Instant
from tests.agentd.box import running
from tests.broker import wait_until
from tests.image.box import Box

from first_boot import ready  # isort: skip
from first_boot.app import main  # isort: skip
from first_boot.ready import Condition  # isort: skip


HEARS = {"status": "listening", "detail": ""}
DEAF = {"status": "no_microphone", "detail": "no sound card"}
FINE = {"status": "ok", "detail": ""}
PUMP = [{"id": "water_pump", "reason": "no such pin"}]

SPOKEN = {
    # case                  status       parts                          away   problems  what is said
    "ready":                ("ready",     {"voice": HEARS, "llm": FINE}, [],    False,    "This is kitchen. I am ready."),
    "no microphone":        ("ready",     {"voice": DEAF},               [],    False,    "This is kitchen. I hear nothing, since there is no microphone."),
    "the model is away":    ("degraded",  {"llm": {"status": "away"}},   [],    False,    "This is kitchen. My language model is away."),
    "a device":             ("degraded",  {"voice": HEARS},              PUMP,  False,    "This is kitchen. The water pump does not work."),
    "a mistake on the card": ("ready",    {"voice": HEARS},              [],    True,     "This is kitchen. Please read the report on my card."),
    "safe mode":            ("safe_mode", {},                            [],    False,    "This is kitchen. I am in safe mode: my configuration cannot be used."),
    "stopped":              ("stopped",   {},                            [],    False,    "This is kitchen. Everything is stopped."),
    "a part of tomorrow":   ("degraded",  {"fleet": {"status": "x"}},    [],    False,    "This is kitchen. My part fleet does not work."),
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "parts", "away", "problems", "said"), SPOKEN.values(), ids=SPOKEN.keys()
)
def test_box_says(status, parts, away, problems, said) -> None:
    health = {"status": status, "parts": parts, "devices": {"unavailable": away}}
    assert ready.sentence(ready.judge(health), node="kitchen", has_problems=problems) == said


def test_report_tells_address_and_reasons() -> None:
    health = {"status": "degraded", "parts": {"voice": DEAF}, "devices": {"unavailable": PUMP}}
    text = "\n".join(ready.lines(ready.judge(health, address="192.168.1.20")))
    assert "192.168.1.20" in text
    assert "no microphone: no sound card." in text
    assert "The water pump does not work: no such pin." in text
    assert "no address" in ready.lines(Condition("ready"))[0]


READY = Condition("ready", address="192.168.1.20")
LOADING = Condition("degraded", (("My language model is away", ""),), "192.168.1.20")
AWAY = ready.judge(None)

WAITS = {
    # case                              what is seen, a second each    waits      in the end
    "ready at once":                    ([READY],                      0,         READY),
    "the model comes late":             ([LOADING] * 9 + [READY],      9,         READY),
    "the model never comes":            ([LOADING] * 300,              20,        LOADING),
    "agentd comes late":                ([AWAY] * 50 + [READY],        50,        READY),
    "agentd never comes":               ([AWAY] * 300,                 120,       AWAY),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "waits", "wanted"), WAITS.values(), ids=WAITS.keys())
def test_ready_waits_while_things_change_and_no_longer(seen, waits, wanted) -> None:
    at_s, steps = [0.0], iter(seen)

    def sleep(period_s: float) -> None:
        at_s[0] += period_s

    found = ready.wait(lambda: next(steps), clock=lambda: Instant(at_s[0], 0.0), sleep=sleep)
    assert found == wanted
    assert at_s[0] == waits


@pytest.mark.system
def test_ready_writes_the_report_and_says_it_through_agentds_door(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    box.put("cmdline.txt", "root=PARTLABEL=root_a\n")
    box.start()
    run = tmp_path / "run"
    run.mkdir()
    said: list[str] = []
    flags = {**asdict(box.places), "agentd": run / "agentd.sock"}
    with running(run), Door(run / "agentd.sock") as door:
        threading.Thread(target=_listen, args=(run / "agentd.sock", said), daemon=True).start()
        wait_until(lambda: door.request("say", text="Hello.") == {} and said, what="somebody hears")
        options = [f"--{name.replace('_', '-')}={path}" for name, path in flags.items()]
        assert main(["ready", *options]) == 0
        wait_until(lambda: said[-1].endswith("I am ready."), what="the box says it")
    assert "It is ready." in box.card_text("agentd-report.txt")


def _listen(path: Path, said: list[str]) -> None:
    """Follow agentd's feed as the voice does."""
    with Door(path) as door, contextlib.suppress(DoorError):
        for event in door.subscribe():
            if event.get("kind") == "say":
                said.append(event["text"])
