"""The demo room as real processes: a sentence moves a pin, and everybody hears of it."""

from __future__ import annotations

import signal

DESK_LAMP_PIN, PUMP_PIN = 18, 24


def test_a_sentence_moves_a_pin_and_is_read_back(shared_box):
    answer = shared_box.ask("turn on the desk lamp")
    assert answer["outcome"]["type"] == "actions"
    assert answer["applied"][0]["stage"] == "read_back"
    shared_box.wait_level(DESK_LAMP_PIN, 1)
    assert shared_box.state("desk_lamp")["values"]["state"] == "on"
    shared_box.ask("turn off the desk lamp")
    shared_box.wait_level(DESK_LAMP_PIN, 0)


def test_the_broker_hears_of_it_with_the_same_cause(shared_box):
    topic = f"agentd/{shared_box.node}/desk_lamp/state"
    with shared_box.mqtt(topic) as mqtt:
        answer = shared_box.set("desk_lamp", "on")
        told = mqtt.wait(topic, lambda state: state["state"] == "on")
        assert told.get("cause", answer["cause"]) == answer["cause"]
        shared_box.set("desk_lamp", "off")


def test_a_killed_agentd_comes_back_with_the_pump_off(make_box):
    box = make_box()
    box.set("pump", "on")
    box.wait_level(PUMP_PIN, 1)
    old = box.pid("agentd")
    killed_at = box.kill("agentd", signal.SIGKILL)
    box.wait_restarted("agentd", old)
    box.wait_level(PUMP_PIN, 0)
    pump = box.edges(since=killed_at, pin=PUMP_PIN)
    assert (pump[0]["why"], pump[0]["level"]) == ("death", 1)
    assert (pump[-1]["why"], pump[-1]["level"]) == ("write", 0)
