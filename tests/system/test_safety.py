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


class Storm:
    """2,000 messages a second to one device, in bursts of 20, until the block ends."""

    def __init__(self, box) -> None:
        self._box = box
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._ready = threading.Event()
        self.sent = 0
        self.began = 0.0

    def __enter__(self) -> Storm:
        self._thread.start()
        self._ready.wait(5)
        time.sleep(1.0)  # let it reach the daemon
        assert self.rate > 1500, f"the storm is only {self.rate:.0f} messages/s"
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    @property
    def rate(self) -> float:
        return self.sent / (time.monotonic() - self.began)

    def _run(self) -> None:
        with self._box.mqtt("agentd/demo/event/stop") as mqtt:
            self.began = time.monotonic()
            self._ready.set()
            while not self._ending.is_set():
                for _ in range(20):
                    self.sent += 1
                    mqtt.client.publish("agentd/demo/desk_lamp/set", str(self.sent % 100))
                time.sleep(max(0.0, self.began + self.sent / 2000 - time.monotonic()))


def assert_safe_within(box, at: float, limit_s: float) -> None:
    """Every output that declares a safe state has it, and had it soon enough."""
    for name, pin in OUTPUTS.items():
        low = next(edge for edge in reversed(box.edges(pin=pin)) if edge["why"] != "claim")
        assert low["level"] == 0, name
        assert low["t_mono"] - at < limit_s, name
    assert all(box.level(pin) == 0 for pin in OUTPUTS.values())


def test_stop_overtakes_a_storm_of_messages_and_latches(make_box):
    box = make_box()
    switch_on(box)
    with Storm(box):
        at = time.monotonic()
        box.request("stop")
        assert time.monotonic() - at < 1.0
        time.sleep(1.0)  # it must stay so while the storm goes on
        assert_safe_within(box, at, 1.0)
    assert box.health()["status"] == "stopped"
    assert "until somebody resets it" in box.set("pump", "on")["reply"]
    assert box.level(OUTPUTS["pump"]) == 0


def test_stop_over_mqtt_overtakes_the_storm_as_well(make_box):
    box = make_box()
    switch_on(box)
    with Storm(box), box.mqtt("agentd/demo/response/stop") as mqtt:
        at = time.monotonic()
        mqtt.publish("agentd/demo/request/stop", {"transaction": "t1"})
        answer = mqtt.wait("agentd/demo/response/stop", timeout_s=5)
        assert answer["data"]["stopped"] is True
        assert_safe_within(box, at, 1.0)


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


def test_agentd_safe_makes_safe_what_a_dead_agentd_left_on(make_box):
    box = make_box()
    switch_on(box)
    box.kill("agentd", signal.SIGSTOP)  # so that it cannot end in order
    box.stop_program("agentd")  # killed at last, and not started again
    assert all(box.level(pin) == 1 for pin in OUTPUTS.values()), "the board keeps the levels"
    program = Path(sys.prefix) / "bin" / "agentd-safe"
    files = ("--config", box.place.config, "--run", box.place.run, "--data", box.place.data)
    subprocess.run([program, *files], check=True, timeout=10)
    assert all(box.level(pin) == 0 for pin in OUTPUTS.values())
    assert box.level(LAMP_PIN) == 1


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
