"""What the gate remembers outlives the process, and what cannot be made safe stays out of use."""

from __future__ import annotations

from agentd.ledger import Unwritten
from agentd.schema import Limits
from llmagentos.plan import Action, Stage
from tests.agentd.house import RULE, house
from tests.agentd.stand import Stand

ON, OFF = Action("pump", "turn_on"), Action("pump", "turn_off")


def gate_documents(ledger: Unwritten) -> dict[str, str]:
    """What a second run is given of the first."""
    return {name: body for (kind, name), body in ledger.documents.items() if kind == "gate"}


def again(first: Stand, ledger: Unwritten, **limits: Limits) -> Stand:
    """The same house after a crash, half a second later."""
    first.clock.advance(0.5)
    return Stand(
        house(**limits), ledger=ledger, clock=first.clock, remembered=gate_documents(ledger)
    )


def test_a_persons_hold_outlives_a_crash() -> None:
    ledger = Unwritten()
    first = Stand(house(), ledger=ledger)
    first.ask(Action("lamp", "turn_on"))
    applied = again(first, ledger).ask(Action("lamp", "turn_off"), origin=RULE).applied[0]
    assert applied.stage is Stage.REFUSED
    assert applied.verdict is not None
    assert applied.verdict.rule == "manual_hold"


def test_without_its_documents_the_hold_is_forgotten() -> None:
    first = Stand(house(), ledger=Unwritten())
    first.ask(Action("lamp", "turn_on"))
    applied = again(first, Unwritten()).ask(Action("lamp", "turn_off"), origin=RULE).applied[0]
    assert applied.stage is Stage.READ_BACK


def test_a_pause_is_kept_over_a_crash() -> None:
    limits = Limits(min_off_s=60)
    ledger = Unwritten()
    first = Stand(house(pump=limits), ledger=ledger)
    first.turn(61)
    first.ask(ON)
    first.ask(OFF)
    second = again(first, ledger, pump=limits)
    assert "has to rest" in second.ask(ON).applied[0].reason
    second.turn(61)
    assert second.ask(ON).applied[0].stage is Stage.READ_BACK


def test_a_stop_is_still_latched_after_a_crash() -> None:
    ledger = Unwritten()
    first = Stand(house(), ledger=ledger)
    first.stop()
    assert again(first, ledger).loop.is_stopped


def test_what_does_not_go_off_is_told_once_and_stays_out_of_use() -> None:
    stand = Stand(house(pump=Limits(max_on_s=20)))
    stand.ask(ON)
    stand.outputs["pump"].is_stuck = True
    for _ in range(25):
        stand.turn(1.0)
    assert list(stand.loop.faults) == ["pump"]
    failed = [applied for turn in stand.turns for applied in turn.failed]
    assert [each.action for each in failed] == [OFF]
    decided = [decision for turn in stand.turns for decision in turn.decisions]
    assert len(decided) == 2, "the command and the first order; those that follow are no news"
    assert len([each for each in stand.outputs["pump"].told if each == OFF]) > 3, "it is tried on"

    stand.outputs["pump"].is_stuck = False
    stand.turn(1.5)
    assert stand.outputs["pump"].values["state"] == "off"
    assert "has a fault until somebody resets it" in stand.ask(ON).applied[0].reason
    stand.turn(61)  # it was on for as long as it may be, and has to pause for a moment
    stand.reset("pump")
    assert stand.ask(ON).applied[0].stage is Stage.READ_BACK


def test_what_is_away_is_no_fault_and_is_made_safe_when_it_is_back() -> None:
    stand = Stand(house())
    stand.ask(ON)
    stand.outputs["pump"].is_unplugged = True
    stand.stop()
    assert stand.loop.faults == {}
    stand.outputs["pump"].is_unplugged = False
    stand.turn(1.5)
    stand.turn(1.5)
    assert stand.outputs["pump"].values["state"] == "off"
