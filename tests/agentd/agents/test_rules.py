"""The book of rules: of the file and added later; and the course of what they do."""

from __future__ import annotations

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from agentd.agents.promise import PromiseError
from agentd.agents.promises import PromiseBook
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Home
from llmagentos.plan import Action, Applied, Decision, Plan, Stage
from llmagentos.reading import Quality, Reading, State
from llmagentos.utterance import Observation
from tests.agentd.agents.garden import BERLIN, DEVICES, rule, utc
from tests.agentd.agents.paper import TELL, Paper

ANNA = Origin(Rank.PERSON, "cli", "anna")
ON, OFF = Action("pump", "turn_on"), Action("pump", "turn_off")
WATER = {
    "id": "water", "when": {"device": "soil", "below": 30},
    "do": [{"device": "pump", "action": "turn_on", "for_s": 20}],
}  # fmt: skip
PRESS = {
    "id": "press", "when": {"device": "button", "value": "pressed"},
    "do": [{"device": "lamp", "action": "toggle"}],
}  # fmt: skip


class House:
    """A book with rules, and what its tick sees."""

    def __init__(self, paper: Paper | None = None, *, fixed=(), home: Home | None = None) -> None:
        self.paper = paper or Paper()
        self.now = Instant(1000.0, utc("2026-03-02T11:00"))
        self.states: dict[str, State] = {}
        self.fixed, self.told = fixed, []
        self.home = home or Home(devices=tuple(DEVICES.values()))
        self.open()

    def open(self, boot: str = "b1") -> None:
        self.book = PromiseBook(
            self.paper.shelf(), tell=TELL, boot=boot, zone=BERLIN, now=self.now,
            exempt=lambda devices, who: self.told.append((devices, who)),
        )  # fmt: skip
        self.book.adopt(self.fixed, self.home)

    def add(self, table) -> None:
        self.book.add_rule(table, origin=ANNA)

    def see(self, device: str, value, quality: Quality = Quality.GOOD):
        reading = Reading(device, "state", value, "", self.now, quality)
        self.states[device] = State(device, {"state": value}, self.now, quality)
        return self._turn((reading,))

    def after(self, seconds: float):
        self.now = Instant(self.now.mono_s + seconds, self.now.wall_s + seconds)
        return self._turn(())

    def _turn(self, readings):
        return self.book.turn(self.observe(), readings, {}, self.now)

    def observe(self) -> Observation:
        return Observation(self.home, dict(self.states), self.now)

    def tell(self, wish, stage=Stage.READ_BACK, reason="") -> None:
        origin, cause = Origin(Rank.RULE, "rule", wish.who), Cause("box", "00000000", 1)
        applied = tuple(
            Applied(each, stage, cause, self.now, reason=reason) for each in wish.actions
        )
        plan = Plan(wish.actions, cause, origin, self.now)
        self.book.told(wish.occasion, Decision(plan, applied))

    def listed(self):
        return {each.id: each for each in self.book.rules(self.observe())}


# added, removed, switched ---------------------------------------------------------------------


def test_an_added_rule_works_at_once_and_after_a_restart() -> None:
    house = House()
    house.add(PRESS)
    assert [wish.who for wish in house.see("button", "pressed")] == ["press"]
    house.see("button", "idle")
    house.open()
    assert [wish.who for wish in house.see("button", "pressed")] == ["press"]


def test_a_rule_that_cannot_be_written_down_is_not_taken_in() -> None:
    house = House()
    house.paper.is_broken = True
    with pytest.raises(PromiseError, match="disk full"):
        house.add(PRESS)
    assert house.see("button", "pressed") == ()


def test_a_rule_added_again_takes_the_place_of_the_old_one() -> None:
    house = House()
    house.add(PRESS)
    house.add({**PRESS, "do": [{"device": "pump", "action": "turn_off"}]})
    (wish,) = house.see("button", "pressed")
    assert wish.actions == (OFF,)


def test_a_removed_rule_is_gone_with_all_that_it_remembered() -> None:
    house = House()
    house.add(WATER)
    house.see("soil", 20)
    house.book.enable_rule("water", is_enabled=False)
    house.book.remove_rule("water")
    assert not house.listed()
    assert [name for kind, name in house.paper.documents if kind == "rule"] == []


def test_a_rule_of_the_file_is_changed_in_the_file() -> None:
    house = House(fixed=(rule(**PRESS),))
    for attempt in (lambda: house.add(PRESS), lambda: house.book.remove_rule("press")):
        with pytest.raises(PromiseError, match=r"stands in agentd\.toml; change it there"):
            attempt()


def test_an_unknown_rule_is_named_with_those_there_are() -> None:
    house = House(fixed=(rule(**PRESS),))
    house.add(WATER)
    with pytest.raises(PromiseError, match="no rule 'nix'; there are press, water"):
        house.book.remove_rule("nix")


@pytest.mark.parametrize("is_fixed", [True, False])
def test_a_rule_that_is_switched_off_stays_so_over_restarts(is_fixed: bool) -> None:
    house = House(fixed=(rule(**PRESS),) if is_fixed else ())
    if not is_fixed:
        house.add(PRESS)
    house.book.enable_rule("press", is_enabled=False)
    house.open()
    assert house.see("button", "pressed") == ()
    assert not house.listed()["press"].is_enabled
    house.book.enable_rule("press", is_enabled=True)
    house.see("button", "idle")
    assert len(house.see("button", "pressed")) == 1


def test_a_rule_whose_device_is_gone_says_so_and_comes_back_with_it() -> None:
    house = House()
    house.add(PRESS)
    house.book.adopt((), Home(devices=(DEVICES["button"],)))
    assert house.listed()["press"].problem == "rule 'press': do.device: no [[device]] 'lamp'"
    assert house.see("button", "pressed") == ()
    house.book.adopt((), house.home)
    house.see("button", "idle")
    assert len(house.see("button", "pressed")) == 1


def test_a_broken_document_does_not_harm_the_others() -> None:
    paper = Paper()
    paper.documents["rule", "bad"] = "{"
    paper.documents["rule", "mark:press"] = '{"v": 7}'
    house = House(paper, fixed=(rule(**PRESS),))
    assert len(house.see("button", "pressed")) == 1
    assert house.listed()["bad"].problem


def test_the_file_wins_over_an_added_rule_of_the_same_id() -> None:
    house = House()
    house.add(PRESS)
    house.book.adopt(
        (rule(**{**PRESS, "do": [{"device": "pump", "action": "turn_on"}]}),), house.home
    )
    (wish,) = house.see("button", "pressed")
    assert wish.actions == (ON,)


def test_a_persons_new_rule_passes_the_hold_of_that_person() -> None:
    house = House()
    house.add(WATER)
    assert house.told == [(frozenset({"pump"}), "water")]


def test_the_list_says_why_a_rule_waits_and_why_it_did_not_run() -> None:
    house = House()
    house.add({**WATER, "only_if": [{"device": "tank", "min": 5}]})
    assert house.listed()["water"].waits == "there is no reading of the tank yet"
    house.see("tank", 50)
    assert house.listed()["water"].waits == "there is no reading of the soil yet"
    house.see("tank", 1)
    house.see("soil", 20)
    shown = house.listed()["water"]
    assert shown.kept_from == "the tank is at 1 %, below 5 %"
    assert shown.kept_from_s == house.now.wall_s
    house.see("tank", 50)
    shown = house.listed()["water"]
    assert (shown.waits, shown.kept_from, shown.ran_s) == ("", "", house.now.wall_s)


def test_a_house_that_moves_keeps_its_times_of_day_by_the_new_clock() -> None:
    house = House()
    house.add({**PRESS, "when": {"at": "12:30"}})
    house.after(0)  # 12:00 in Berlin, 21:00 in Sydney
    house.book.adopt((), house.home, zone=ZoneInfo("Australia/Sydney"))
    assert house.after(1801) == ()
    house.book.adopt((), house.home, zone=ZoneInfo("Europe/London"))
    assert len(house.after(3600)) == 1


# what outlives a restart ----------------------------------------------------------------------


@pytest.mark.parametrize("boot", ["b1", "b2"])
def test_a_crossed_bound_does_not_run_again_after_a_restart(boot: str) -> None:
    house = House()
    house.add(WATER)
    assert len(house.see("soil", 20)) == 1
    house.open(boot)
    assert [
        wish for wish in house.see("soil", 20) if wish.who == "water" and ON in wish.actions
    ] == []
    house.see("soil", 40)
    assert len(house.see("soil", 20)) == 1


def test_a_rule_that_is_written_differently_starts_anew() -> None:
    house = House()
    house.add(WATER)
    house.see("soil", 20)
    house.add({**WATER, "when": {"device": "soil", "below": 35}})
    assert len(house.see("soil", 20)) == 1


def test_a_rule_that_was_written_differently_before_the_restart_starts_anew() -> None:
    house = House()
    house.add(WATER)
    house.see("soil", 20)
    house.add({**WATER, "cooldown_s": 5})
    house.open()
    assert len(house.see("soil", 20)) == 1


def test_a_time_of_day_that_was_kept_is_not_kept_again_after_a_restart() -> None:
    house = House()
    house.add({**PRESS, "when": {"at": "12:30"}})
    house.after(0)
    assert len(house.after(1801)) == 1
    house.open("b2")
    assert house.after(60) == ()


def test_a_time_of_day_shortly_before_the_start_is_kept_late_and_says_so() -> None:
    house = House()
    house.add({**PRESS, "when": {"at": "12:30"}, "say": "Good day."})
    house.after(0)
    house.now = Instant(3.0, house.now.wall_s + 1800 + 300)
    house.open("b2")
    (wish,) = house.after(0)
    assert (bool(wish.actions), wish.say) == (True, "Good day. (5 minutes late)")


def test_a_time_of_day_long_before_the_start_is_told_as_missed() -> None:
    house = House()
    house.add({**PRESS, "when": {"at": "12:30"}})
    house.after(0)
    house.now = Instant(3.0, house.now.wall_s + 4 * 3600)
    house.open("b2")
    (wish,) = house.after(0)
    assert (wish.actions, wish.say) == ((), "I did not do “press”, 3 hours and 30 minutes late.")


def test_what_a_rule_remembers_is_written_only_when_it_changes() -> None:
    house = House()
    house.add({**WATER, "do": [{"device": "pump", "action": "turn_off"}]})
    house.see("soil", 20)
    writes = house.paper.writes
    for _ in range(100):
        house.after(1)
        house.see("soil", 20)
    assert house.paper.writes == writes


# what is done for a while ---------------------------------------------------------------------


def test_what_is_done_for_a_while_is_ended_by_the_same_rule() -> None:
    house = House()
    house.add(WATER)
    (wish,) = house.see("soil", 20)
    house.tell(wish)
    assert house.after(19) == ()
    (end,) = house.after(1)
    assert (end.who, end.actions) == ("water", (OFF,))
    house.tell(end)
    assert house.after(100) == ()
    assert not [name for kind, name in house.paper.documents if kind == "promise"]


def test_the_end_is_on_paper_before_the_rule_is_wished() -> None:
    house = House()
    house.add(WATER)
    house.paper.is_slow = True
    house.see("soil", 20)
    assert any(name == "end:water:pump" for _, _, name, _ in house.paper.waiting)


@pytest.mark.parametrize("boot", ["b1", "b2"])
def test_after_a_crash_the_end_still_comes_and_the_rest_is_not_repeated(boot: str) -> None:
    house = House()
    house.add(WATER)
    house.tell(house.see("soil", 20)[0])
    house.after(5)
    house.open(boot)
    wishes = [wish for _ in range(30) for wish in house.after(1)]
    assert [wish.actions for wish in wishes] == [(OFF,)]


def test_an_end_that_takes_power_away_is_done_however_late() -> None:
    house = House()
    house.add(WATER)
    house.tell(house.see("soil", 20)[0])
    house.now = Instant(3.0, house.now.wall_s + 86_400)
    house.open("b2")
    assert [wish.actions for wish in house.after(0)] == [(OFF,)]


def test_an_end_that_switches_on_is_not_done_a_day_late() -> None:
    house = House()
    house.add({**WATER, "do": [{"device": "pump", "action": "turn_off", "for_s": 20}]})
    house.tell(house.see("soil", 20)[0])
    house.now = Instant(3.0, house.now.wall_s + 86_400)
    house.open("b2")
    (wish,) = house.after(0)
    assert wish.actions == ()


def test_what_was_refused_needs_no_end() -> None:
    house = House()
    house.add(WATER)
    (wish,) = house.see("soil", 20)
    house.tell(wish, Stage.REFUSED, "A person set the pump; that holds.")
    assert house.after(100) == ()
    assert house.listed()["water"].kept_from == "A person set the pump; that holds."


def test_a_lease_is_renewed_by_running_again() -> None:
    house = House()
    house.add({**PRESS, "do": [{"device": "pump", "action": "turn_on"}], "lease_s": 30})
    for _ in range(5):
        house.tell(house.see("button", "pressed")[0])
        house.see("button", "idle")
        assert house.after(20) == ()
    (end,) = house.after(10)
    assert end.actions == (OFF,)


def test_a_renewal_that_is_refused_leaves_the_first_lease_running() -> None:
    house = House()
    house.add({**PRESS, "do": [{"device": "pump", "action": "turn_on"}], "lease_s": 30})
    house.tell(house.see("button", "pressed")[0])
    house.see("button", "idle")
    house.after(20)
    house.tell(house.see("button", "pressed")[0], Stage.REFUSED, "It was switched on too often.")
    (end,) = house.after(10)
    assert end.actions == (OFF,)


def test_the_time_counts_from_when_it_was_really_done() -> None:
    house = House()
    house.add(WATER)
    (wish,) = house.see("soil", 20)
    house.after(8)  # the disk was slow to take the intent
    house.tell(wish)
    assert house.after(19) == ()
    assert len(house.after(1)) == 1


def test_a_rule_may_only_speak() -> None:
    house = House()
    house.add({"id": "bell", "when": PRESS["when"], "say": "Somebody is at the door."})
    (wish,) = house.see("button", "pressed")
    assert (wish.actions, wish.say) == ((), "Somebody is at the door.")


def test_a_run_carries_the_reading_that_set_it_off() -> None:
    house = House()
    house.add(WATER)
    house.add(PRESS)
    (wish,) = house.see("soil", 20)
    assert (wish.reading.device, wish.reading.value, wish.reading.unit) == ("soil", 20, "%")
    house.states["button"] = State("button", {"state": "idle"}, house.now)
    values = [Reading("button", "state", each, "", house.now) for each in ("pressed", "idle")]
    (wish,) = house.book.turn(house.observe(), values, {}, house.now)
    assert (wish.reading.device, wish.reading.value) == ("button", "pressed")


def test_a_stale_reading_never_runs_a_rule() -> None:
    house = House()
    house.add(WATER)
    assert house.see("soil", 10, Quality.STALE) == ()


def test_a_stored_rule_is_the_json_that_was_given() -> None:
    house = House()
    house.add(WATER)
    assert json.loads(house.paper.documents["rule", "water"]) == WATER


def test_an_agent_asks_for_no_pass() -> None:
    house = House()
    house.book.add_rule(WATER, origin=replace(ANNA, rank=Rank.AGENT))
    assert house.told == []
