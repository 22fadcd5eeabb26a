"""The tick: wishes through the gate to the outputs, and the truth back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from agentd.agents.promises import PromiseBook
from agentd.agents.rule import Deed, Rule, Takes
from agentd.loop import BUSY_S
from agentd.schema import Limits, Requirement
from llmagentos.cause import Cause
from llmagentos.plan import Action, Stage
from llmagentos.reading import Quality, Reading
from tests.agentd.agents.paper import Paper
from tests.agentd.clock import HandClock
from tests.agentd.house import PERSON, Output, house, plan
from tests.agentd.stand import Stand


def test_what_was_applied_is_what_the_output_reads_back() -> None:
    stand = Stand(house())
    decision = stand.ask(Action("lamp", "set_brightness", {"brightness": 40}))
    assert decision.applied[0].stage is Stage.READ_BACK
    assert decision.applied[0].state == {"state": "on", "brightness": 40}
    states = {state.device: state for state in stand.turns[-1].states}
    assert states["lamp"].cause == decision.plan.cause


def test_a_stuck_output_is_never_called_done() -> None:
    stand = Stand(house())
    stand.outputs["pump"].is_stuck = True
    applied = stand.ask(Action("pump", "turn_on")).applied[0]
    assert applied.stage is Stage.FAILED
    assert "reads back state off" in applied.reason


def test_an_unplugged_output_fails_with_its_reason_and_comes_back() -> None:
    stand = Stand(house())
    stand.outputs["pump"].is_unplugged = True
    stand.turn(1.5)
    assert stand.loop.observe(stand.clock.now).states["pump"].quality is Quality.UNAVAILABLE
    assert "the adapter is away" in stand.ask(Action("pump", "turn_on")).applied[0].reason
    stand.outputs["pump"].is_unplugged = False
    stand.turn(1.5)
    assert stand.ask(Action("pump", "turn_on")).applied[0].stage is Stage.READ_BACK


def test_what_was_away_when_it_was_to_go_safe_goes_safe_when_it_is_back() -> None:
    stand = Stand(house())
    pump = stand.outputs["pump"]
    pump.values = {"state": "on"}
    pump.is_unplugged = True
    stand.loop.make_safe(stand.clock.now, rule="start", reason="The box has just started.")
    stand.turn(1.5)
    assert pump.told == []
    pump.is_unplugged = False
    stand.turn(1.5)
    assert [action.name for action in pump.told] == ["turn_off"]
    stand.turn(1.5)
    stand.turn(1.5)
    assert len(pump.told) == 1


def test_toggle_becomes_absolute_before_it_is_judged() -> None:
    stand = Stand(house())
    stand.ask(Action("lamp", "toggle"))
    stand.ask(Action("lamp", "toggle"))
    assert [action.name for action in stand.outputs["lamp"].told] == ["turn_on", "turn_off"]


def test_stop_overtakes_waiting_wishes_and_latches() -> None:
    stand = Stand(house())
    stand.ask(Action("heater", "turn_on"), Action("lamp", "turn_on"))
    waiting = stand.inbox.propose(plan(Action("pump", "turn_on"), now=stand.clock.now))
    stopped = stand.inbox.latch(is_stop=True, cause=Cause("box", "0", 9), origin=PERSON)
    stand.turn()
    assert stopped.done()
    assert waiting.result(0).applied[0].stage is Stage.REFUSED
    assert stand.outputs["heater"].values["state"] == "off"
    assert stand.outputs["lamp"].values["state"] == "on"
    stand.inbox.latch(is_stop=False, cause=Cause("box", "0", 10), origin=PERSON)
    assert stand.ask(Action("pump", "turn_on")).applied[0].stage is Stage.READ_BACK


def test_max_on_switches_off_without_anybody_asking() -> None:
    stand = Stand(house(pump=Limits(max_on_s=20)))
    stand.ask(Action("pump", "turn_on"))
    stand.turn(19)
    assert stand.outputs["pump"].values["state"] == "on"
    stand.turn(1.5)
    assert stand.outputs["pump"].values["state"] == "off"
    verdict = stand.turns[-1].decisions[0].applied[0].verdict
    assert verdict is not None
    assert verdict.rule == "max_on_s"


def test_a_stuck_output_is_ordered_off_once_a_second_not_at_every_reading() -> None:
    stand = Stand(house(pump=Limits(max_on_s=20)))
    stand.ask(Action("pump", "turn_on"))
    stand.outputs["pump"].is_stuck = True
    stand.turn(25)
    before = len(stand.outputs["pump"].told)
    for _ in range(10):
        stand.turn(0.01)
    assert len(stand.outputs["pump"].told) == before
    stand.turn(1.0)
    assert len(stand.outputs["pump"].told) == before + 1


def test_a_silent_sensor_turns_stale_and_its_dependants_go_off() -> None:
    stand = Stand(house(pump=Limits(requires=(Requirement("tank", min=5),))))
    stand.read("tank", 50.0, "moisture")
    assert stand.ask(Action("pump", "turn_on")).applied[0].stage is Stage.READ_BACK
    stand.turn(2.0)
    assert stand.outputs["pump"].values["state"] == "on"
    stand.turn(2.0)
    state = stand.loop.observe(stand.clock.now).states["tank"]
    assert (state.quality, state.reason) == (Quality.STALE, "no reading for 4 s")
    assert stand.outputs["pump"].values["state"] == "off"


def with_rule(rule: Rule) -> Stand:
    """A stand whose house has this rule, and a book that keeps it."""
    furnished, outputs = house()
    clock = HandClock()
    book = PromiseBook(Paper().shelf(), boot="b1", zone=UTC, now=clock.now)
    return Stand((replace(furnished, rules=(rule,)), outputs), keeper=book, clock=clock)


TOGGLE = Rule("wet", Takes("tank", "pressed"), (Deed(Action("lamp", "toggle")),))


def test_a_rule_fires_on_the_edge_and_not_on_repetition() -> None:
    stand = with_rule(TOGGLE)
    for value in ("pressed", "pressed", "idle", "pressed"):
        stand.read("tank", value)
        stand.turn()
        stand.turn(0.0)  # its intent is on disk
    assert [action.name for action in stand.outputs["lamp"].told] == ["turn_on", "turn_off"]


def test_a_press_and_release_within_one_turn_is_not_lost() -> None:
    stand = with_rule(TOGGLE)
    for value in ("pressed", "idle"):
        stand.read("tank", value)
    stand.turn()
    stand.turn(0.0)
    assert len(stand.outputs["lamp"].told) == 1


def test_a_device_with_a_fault_says_why_and_the_rest_runs() -> None:
    furnished, outputs = house()
    outputs.pop("pump")
    faulty = replace(
        furnished,
        actuators=outputs,
        rows={name: row for name, row in furnished.rows.items() if name != "pump"},
        faults={"pump": "agentd.toml:7: pin 17 is busy"},
    )
    stand = Stand((faulty, outputs))
    refused = stand.ask(Action("pump", "turn_on")).applied[0]
    assert refused.reason == "The pump is not available: agentd.toml:7: pin 17 is busy."
    assert stand.ask(Action("lamp", "turn_on")).applied[0].stage is Stage.READ_BACK


def test_what_travels_is_sent_until_it_has_arrived_and_hurries_the_loop() -> None:
    furnished, outputs = house()

    class Slow(Output):
        left = 3

        def apply(self, action: Action, now: object) -> None:
            self.values["state"] = "opening"

        def advance(self, now: object) -> bool:
            self.left -= 1
            if self.left <= 0:
                self.values = {"state": "open", "position": 100}
            return self.left > 0

    outputs["blind"] = Slow("cover")
    stand = Stand((furnished, outputs))
    waiting = stand.inbox.propose(plan(Action("blind", "open"), now=stand.clock.now))
    assert stand.turn() == BUSY_S
    assert waiting.result(0).applied[0].stage is Stage.SENT
    while stand.turn(BUSY_S) == BUSY_S:
        pass
    assert stand.loop.observe(stand.clock.now).states["blind"].values["state"] == "open"


def test_start_makes_declared_outputs_safe_and_leaves_lights() -> None:
    furnished, outputs = house()
    outputs["heater"].values["state"] = outputs["lamp"].values["state"] = "on"
    stand = Stand((furnished, outputs))
    stand.loop.make_safe(stand.clock.now, rule="start", reason="The box has just started.")
    assert outputs["heater"].values["state"] == "off"
    assert outputs["lamp"].values["state"] == "on"


@pytest.mark.parametrize("quality", [Quality.UNAVAILABLE])
def test_a_sensor_that_went_away_has_no_value_left(quality: Quality) -> None:
    stand = Stand(house())
    stand.read("tank", 50.0, "moisture")
    stand.inbox.post(Reading("tank", "moisture", None, "%", stand.clock.now, quality, "unplugged"))
    stand.turn()
    state = stand.loop.observe(stand.clock.now).states["tank"]
    assert (dict(state.values), state.reason) == ({}, "unplugged")


def test_a_plan_goes_no_further_than_its_first_steps_really_went() -> None:
    locked = Limits(interlock="air")
    stand = Stand(house(heater=locked, fan=locked))
    stand.ask(Action("fan", "turn_on"))
    stand.outputs["fan"].is_stuck = True
    decision = stand.ask(Action("fan", "turn_off"), Action("heater", "turn_on"))
    assert [each.stage for each in decision.applied] == [Stage.FAILED, Stage.REFUSED]
    assert stand.outputs["heater"].values["state"] == "off"
