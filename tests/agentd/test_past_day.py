"""A random day: why always names the true cause, and undo brings back what was, or says why not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentd import setting
from llmagentos.cause import Origin, Rank
from llmagentos.plan import Action, Decision, Stage
from tests.agentd.day import PEOPLE, Day, Truth, Values

_WISHES = (
    Action("lamp", "turn_on"), Action("lamp", "turn_off"), Action("lamp", "set_brightness", {"brightness": 40}),
    Action("strip", "turn_on"), Action("strip", "turn_off"), Action("strip", "set_color", {"color": "red"}),
    Action("strip", "set_brightness", {"brightness": 70}), Action("fan", "set_speed", {"speed": 50}),
    Action("fan", "turn_off"), Action("heater", "turn_on"), Action("heater", "turn_off"),
    Action("boiler", "turn_on"), Action("boiler", "turn_off"), Action("pump", "turn_on"),
    Action("pump", "turn_off"), Action("blind", "open"), Action("blind", "close"),
    Action("blind", "set_position", {"position": 40}), Action("gate", "unlock"), Action("gate", "lock"),
    Action("stat", "set_temperature", {"temperature": 22.5}), Action("stat", "set_hvac_mode", {"mode": "heat"}),
    Action("stat", "turn_off"), Action("dimmer", "set_value", {"value": 80.0}),
    Action("dimmer", "set_value", {"value": 10.0}), Action("bell", "press"),
)  # fmt: skip

_EYES = {"water": "soil", "hall": "motion", "air": "soil"}
"""Rule -> the sensor that sets it off."""

_WAYS = {"voice": "by voice in the study", "cli": "on the command line", "mqtt": "over MQTT"}


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    found = Day(tmp_path)
    yield found
    found.close()


def live(day: Day, rng: random.Random, *, without: Origin | None = None) -> None:
    """One thing that happens in a house; that person asks for nothing meanwhile."""
    match rng.choices(_EVENTS, _WEIGHTS)[0]:
        case "ask":
            wish(day, rng, without=without)
        case "promise":
            action, who = rng.choice(_WISHES), rng.choice(PEOPLE)
            day.promise(action, after_s=rng.uniform(30, 900), origin=who,
                        text=f"later {rng.random()}")  # fmt: skip
        case "soil":
            day.read("soil", rng.uniform(10, 80))
        case "tank":
            day.read("tank", rng.choice((2.0, 40.0, 80.0)))
        case "motion":
            day.read("motion", rng.choice(("on", "off")))
        case "hand":
            day.move(*rng.choice(_BY_HAND))
        case "stop":
            day.stop(is_stop=True)
            day.stop(is_stop=False)
        case "restart":
            day.loop.make_safe(day.clock.now, rule="start", reason="The box has just started.")
    day.pass_time(rng.choice((2, 20, 120, 400)))


_BY_HAND: tuple[tuple[str, Values], ...] = (
    ("lamp", {"state": "on", "brightness": 100}),
    ("lamp", {"state": "off", "brightness": 0}),
    ("gate", {"state": "unlocked"}),
    ("blind", {"state": "open", "position": 70}),
)

_EVENTS, _WEIGHTS = zip(
    *{
        "ask": 60, "promise": 12, "soil": 14, "tank": 6, "motion": 8, "hand": 4, "stop": 1,
        "restart": 1,
    }.items(),
    strict=True,
)  # fmt: skip


def wish(day: Day, rng: random.Random, *, without: Origin | None = None) -> tuple[Decision, Origin]:
    """Somebody wants something, sometimes several things at once."""
    actions = rng.sample(_WISHES, rng.choice((1, 1, 1, 2, 3)))
    who = rng.choice([each for each in PEOPLE if each != without])
    return day.ask(*actions, origin=who, text=f"please {rng.random()}"), who


def words_of(truth: Truth) -> list[str]:
    """What an answer that names this cause must hold."""
    plan, applied = truth.plan, truth.applied
    if plan.origin.rank is Rank.SAFETY:
        rule = applied.verdict.rule if applied.verdict else ""
        known = {"start": ["the box was starting"], "stop": ["everything was stopped by voice"]}
        return known.get(rule, ["safety rule", applied.reason])
    if plan.because:
        return ["I had promised it", plan.text]
    if plan.origin.rank is Rank.RULE:
        is_end = applied.action.name == "turn_off"  # of what the rule did for a while
        reading = [] if is_end else [f"the {_EYES[plan.origin.who]} was"]
        return [f"rule “{plan.origin.who}”", *reading]
    return [plan.text, _WAYS[plan.origin.channel]]


@pytest.mark.parametrize("seed", [18, 37])
def test_why_names_the_true_cause_of_every_actuation(day: Day, seed: int) -> None:
    rng, told, kinds = random.Random(seed), 0, Counter[str]()
    while day.actuations < 500 or told < 250:
        live(day, rng)
        told_of, day.fresh = sorted(set(day.fresh) & set(day.truth)), []
        for device in told_of:
            truth = day.truth[device]
            found = day.past.account(device)
            causes = [each.cause for each in found.chain if each.stage != Stage.REFUSED]
            assert str(truth.plan.cause) in causes[:1], (device, found, truth)
            assert all(each in found.text for each in words_of(truth)), (found.text, truth)
            assert ("by hand" in found.text) is (device in day.moved)
            told += 1
            kinds[f"{truth.plan.origin.channel}{' promise' if truth.plan.because else ''}"] += 1
    assert set(kinds) >= {"voice", "cli", "mqtt", "rule", "rule promise", "safety"}, kinds


def test_why_tells_of_what_was_moved_by_hand(day: Day) -> None:
    day.ask(Action("lamp", "turn_on"), origin=PEOPLE[0], text="light")
    day.move("lamp", {"state": "off", "brightness": 0})
    day.pass_time(2)
    assert day.past.why("lamp").startswith("The lamp was changed since, by hand or by itself.")


def settings(day: Day, device: str, values: Values) -> Values:
    """What counts of a state."""
    return setting.of(day.home.by_id[device].kind, values)


def take_back(day: Day, decision: Decision, who: Origin) -> Decision | None:
    """Undo it, and look whether all is as it was; None where it was refused with a reason."""
    before: dict[str, Values] = {}
    for done in day.of_cause.get(decision.plan.cause, ()):
        if done.before != done.after:
            before.setdefault(done.action.device, done.before)
    way = day.past.undo(origin=who, now=day.clock.now, device=None)
    if not way.actions:
        assert len(way.refusal) > 10
        assert way.refusal[-1] in ".?", way
        return None
    undone = day.ask(*way.actions, origin=who, text="undo that")
    assert all(each.stage is Stage.READ_BACK for each in undone.applied), undone
    after = {name: dict(output.values) for name, output in day.outputs.items()}
    if "dimmer" in before:
        day.pass_time(20)
        after["dimmer"] = dict(day.outputs["dimmer"].values)
    for device, values in before.items():
        assert settings(day, device, after[device]) == settings(day, device, values)
    return undone


@pytest.mark.parametrize("seed", [4, 5])
def test_do_then_undo_is_identity_unless_refused_with_a_reason(day: Day, seed: int) -> None:
    rng, undone, redone, refused = random.Random(seed), 0, 0, 0
    while day.actuations < 500 or undone < 100:
        live(day, rng)
        decision, who = wish(day, rng)
        if rng.random() < 0.3:
            live(day, rng, without=who)
        back = take_back(day, decision, who)
        undone, refused = undone + (back is not None), refused + (back is None)
        if back and rng.random() < 0.5:
            redone += take_back(day, back, who) is not None
    assert redone > 20
    assert undone > refused / 3, (undone, refused)
