"""What was promised comes due in the tick: done through the gate, told once, never twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agentd.agents.promise import Wish
from agentd.agents.rule import Rule
from agentd.ledger import Unwritten
from agentd.loop import IDLE_S
from llmagentos.cause import Cause, Rank
from llmagentos.clock import Instant
from llmagentos.home import Home
from llmagentos.plan import Action, Decision, Stage
from llmagentos.reading import Reading, State
from llmagentos.utterance import Observation, Timer
from tests.agentd.house import house
from tests.agentd.stand import Stand

ON = Action("lamp", "turn_on")
ASKED = Cause("box", "0000000a", 7)


class Diary:
    """Keeps what a test wrote into it."""

    def __init__(self, *wishes: Wish) -> None:
        self.wishes = list(wishes)
        self.heard: list[tuple[str, Decision | None]] = []

    def adopt(self, rules: Iterable[Rule], home: Home, *, zone: object) -> None:
        self.rules = tuple(rules)

    def turn(
        self,
        observation: Observation,
        readings: Iterable[Reading],
        before: Mapping[str, State],
        now: Instant,
    ) -> Iterable[Wish]:
        assert set(before) <= set(observation.states)
        due, self.wishes = self.wishes, []
        return due

    due_in_s = 0.25

    def told(self, occasion: str, decision: Decision | None) -> None:
        self.heard.append((occasion, decision))

    def timers(self, now: Instant) -> tuple[Timer, ...]:
        return (Timer("tea", None, 180, 60),)


def test_a_promise_is_a_plan_with_its_own_rank_and_what_asked_for_it() -> None:
    diary = Diary(Wish("d1", (ON,), "d1@12", made_by=ASKED, text="the lamp later"))
    stand = Stand(house(), keeper=diary)
    stand.turn()
    stand.turn(0.0)
    decision = stand.turns[-1].decisions[0]
    assert decision.plan.origin.rank is Rank.RULE
    assert decision.plan.because == ASKED
    assert diary.heard == [("d1@12", decision)]
    assert stand.outputs["lamp"].told == [ON]


def test_an_occasion_of_an_earlier_run_is_told_as_begun_before() -> None:
    ledger = Unwritten()
    for _ in range(2):
        diary = Diary(Wish("d1", (ON,), "d1@12"))
        stand = Stand(house(), ledger=ledger, keeper=diary)
        stand.turn()
        stand.turn(0.0)
    assert diary.heard == [("d1@12", None)]
    assert stand.outputs["lamp"].told == []


def test_a_refused_promise_hears_why() -> None:
    diary = Diary()
    stand = Stand(house(), keeper=diary)
    stand.stop()
    diary.wishes.append(Wish("d1", (ON,), "d1@12"))
    stand.turn()
    ((occasion, decision),) = diary.heard
    assert occasion == "d1@12"
    assert decision is not None
    assert decision.applied[0].stage is Stage.REFUSED


def test_a_ring_is_handed_to_whoever_speaks() -> None:
    stand = Stand(house(), keeper=Diary(Wish("t1", say="Your timer is done.")))
    stand.turn()
    assert [wish.say for wish in stand.turns[-1].said] == ["Your timer is done."]
    stand.turn()
    assert len(stand.turns) == 1, "it is said once"


def test_the_running_timers_are_part_of_what_is_known() -> None:
    stand = Stand(house(), keeper=Diary())
    assert stand.loop.observe(stand.clock.now).timers[0].name == "tea"


def test_the_next_turn_comes_when_something_is_due() -> None:
    diary = Diary()
    stand = Stand(house(), keeper=diary)
    assert stand.turn() == 0.25
    diary.due_in_s = 3600.0
    assert stand.turn() == IDLE_S
    diary.due_in_s = -1.0  # a door is just changing it
    assert 0 < stand.turn() <= 0.01
