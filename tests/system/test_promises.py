"""What was promised is kept by the real processes, also by one that was killed in between."""

from __future__ import annotations

import time

PUMP_PIN = 24
WATER = {
    "id": "water", "when": {"device": "door_button", "value": "pressed"},
    "do": [{"device": "pump", "action": "turn_on", "for_s": 6}],
}  # fmt: skip


def test_a_timer_rings_over_mqtt_although_agentd_was_killed(make_box):
    box = make_box()
    with box.mqtt("agentd/demo/event/#") as mqtt:
        began = time.time()
        box.request("timers", op="start", seconds=6, name="tea")
        old = box.pid("agentd")
        box.kill("agentd")
        box.wait_restarted("agentd", old)
        event = mqtt.wait("agentd/demo/event/timer", timeout_s=15)
        assert (event["name"], event["start_s"]) == ("tea", 6)
        assert 5.5 < time.time() - began < 9.0
    assert box.request("timers")["timers"] == []


def test_the_pump_is_off_after_a_kill_and_its_rest_is_not_repeated(make_box):
    box = make_box()
    box.request("rules", add=WATER)
    box.board("press", pin=16, held_s=0.2)
    box.wait_level(PUMP_PIN, 1)
    old = box.pid("agentd")
    killed = box.kill("agentd")
    box.wait_restarted("agentd", old)
    box.wait_level(PUMP_PIN, 0)
    time.sleep(8)  # longer than the rest of it would take
    levels = [edge["level"] for edge in box.edges(since=killed, pin=PUMP_PIN)]
    assert levels[levels.index(0) :] == [0]  # before it the board tells whose level it keeps
    assert [each["id"] for each in box.request("rules")["rules"]] == ["door_button_lamp", "water"]


def test_the_pump_runs_for_as_long_as_the_rule_says(make_box):
    box = make_box()
    box.request("rules", add={**WATER, "do": [{**WATER["do"][0], "for_s": 3}]})
    box.board("press", pin=16, held_s=0.2)
    box.wait_level(PUMP_PIN, 1)
    box.wait_level(PUMP_PIN, 0, timeout_s=6)
    on, off = (edge["t_mono"] for edge in box.edges(pin=PUMP_PIN)[-2:])
    assert 2.9 <= off - on < 4.5  # a turn takes its time
