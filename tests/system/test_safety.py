"""Outputs are safe whatever happens to the daemon: storms, murder, an orderly end."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

OUTPUTS = {"heater": 22, "pump": 24, "buzzer": 25}
LAMP_PIN, FAN_PIN = 18, 23


def switch_on(box) -> None:
    """The lamp and every output that declares a safe state, the fan left out: it is interlocked."""
    for device in ("desk_lamp", *OUTPUTS):
        assert box.set(device, "on")["applied"][0]["stage"] == "read_back"


def test_stop_overtakes_a_storm_of_messages_and_latches(make_box):
    box = make_box()
    switch_on(box)
    with box.mqtt("agentd/demo/event/#") as mqtt:
        ending = threading.Event()
        sent = [0]

        def storm() -> None:
            """2,000 messages a second, in bursts of 20."""
            began = time.monotonic()
            while not ending.is_set():
                for _ in range(20):
                    sent[0] += 1
                    mqtt.client.publish("agentd/demo/desk_lamp/set", str(sent[0] % 100))
                time.sleep(max(0.0, began + sent[0] / 2000 - time.monotonic()))

        thread = threading.Thread(target=storm)
        thread.start()
        try:
            time.sleep(1.0)  # let the storm reach the daemon
            rate = sent[0] / 1.0
            at = time.monotonic()
            box.request("stop")
            took_s = time.monotonic() - at
            lows = {
                name: next(e for e in reversed(box.edges(pin=pin)) if e["why"] != "claim")
                for name, pin in OUTPUTS.items()
            }
            time.sleep(1.0)  # it must stay so while the storm goes on
        finally:
            ending.set()
            thread.join()
    assert rate > 1500, f"the storm was only {rate:.0f} messages/s"
    assert took_s < 1.0
    for name, edge in lows.items():
        assert edge["level"] == 0, name
        assert edge["t_mono"] - at < 1.0, name
    assert all(box.level(pin) == 0 for pin in OUTPUTS.values())
    assert box.health()["status"] == "stopped"
    assert "until somebody resets it" in box.set("pump", "on")["reply"]
    assert box.level(OUTPUTS["pump"]) == 0


def test_stop_over_mqtt_overtakes_the_storm_as_well(make_box):
    box = make_box()
    switch_on(box)
    with box.mqtt("agentd/demo/response/stop") as mqtt:
        for number in range(3000):
            mqtt.client.publish("agentd/demo/desk_lamp/set", str(number % 100))
        at = time.monotonic()
        mqtt.publish("agentd/demo/request/stop", {"transaction": "t1"})
        answer = mqtt.wait("agentd/demo/response/stop", timeout_s=5)
        assert answer["data"]["stopped"] is True
    for pin in OUTPUTS.values():
        low = box.edges(pin=pin)[-1]
        assert low["level"] == 0
        assert low["t_mono"] - at < 1.0


def test_after_a_kill_declared_outputs_are_safe_within_a_second_and_lamps_are_left(make_box):
    box = make_box()
    switch_on(box)
    old = box.pid("agentd")
    killed_at = box.kill("agentd", signal.SIGKILL)
    box.wait_restarted("agentd", old)
    for pin in OUTPUTS.values():
        box.wait_level(pin, 0)
        edges = box.edges(since=killed_at, pin=pin)
        assert edges[0]["why"] == "death"
        assert edges[0]["level"] == 1, "the board keeps the levels of an owner that died"
        low = next(edge for edge in edges if edge["level"] == 0)
        assert low["t_mono"] - killed_at < 1.0 + 1.0, "restart and sweep"
        claimed = next(edge for edge in edges if edge["why"] == "claim")
        assert low["t_mono"] - claimed["t_mono"] < 1.0
    levels = {edge["level"] for edge in box.edges(since=killed_at, pin=LAMP_PIN)}
    assert levels == {1}, "the lamp never flickered"


def test_an_orderly_end_leaves_every_output_safe(make_box):
    box = make_box()
    switch_on(box)
    at = time.monotonic()
    box.stop_program("agentd")
    for pin in OUTPUTS.values():
        assert box.level(pin) == 0
        assert box.edges(since=at, pin=pin)
    assert box.level(LAMP_PIN) == 1


def test_safe_flag_makes_outputs_safe_without_a_daemon(make_box):
    box = make_box()
    switch_on(box)
    box.kill("agentd", signal.SIGSTOP)
    box.kill("agentd", signal.SIGKILL)
    box.stop_program("agentd")
    box.board("room")
    subprocess.run(
        [Path(sys.prefix) / "bin" / "agentd", "--config", str(box.place.config), "--run", str(box.place.run),
         "--data", str(box.place.data), "--safe"], check=True, timeout=10,
    )  # fmt: skip
    assert all(box.level(pin) == 0 for pin in OUTPUTS.values())


def test_the_thermostat_heats_through_the_gate(make_box):
    box = make_box()
    box.board("room", temperature=15.0)
    box.set("thermostat", {"mode": "heat", "target_temperature": 21})
    box.wait_level(OUTPUTS["heater"], 1, timeout_s=75)
    assert "thermostat asked for it" in box.request("why", device="heater")["text"]
    assert "interlocked" in box.set("fan", "on")["reply"]
    box.set("thermostat", "off")
    box.wait_level(OUTPUTS["heater"], 0, timeout_s=5)


def test_a_button_runs_its_rule(make_box):
    box = make_box()
    box.board("press", pin=16, held_s=0.2)
    box.wait_level(LAMP_PIN, 1)
    assert "rule “door_button_lamp” said so" in box.request("why", device="desk_lamp")["text"]
