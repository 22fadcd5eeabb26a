"""Random days: clocks put, power cut, processes killed. Nothing is early, forgotten or done twice."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmagentos.utterance import LocalTime
from tests.agentd.agents.box_of_promises import Box

NAMES = ("a", "b", "c")
LOCAL = st.builds(
    LocalTime, st.integers(0, 23), st.integers(0, 59), st.sampled_from([None, 0, 1, 2])
)
STEPS = st.one_of(
    st.tuples(st.just("wait"), st.floats(1, 7200)),
    st.tuples(st.just("tick")),
    st.tuples(st.just("timer"), st.just("start"), st.integers(1, 7200), st.sampled_from(NAMES)),
    st.tuples(st.just("timer"), st.sampled_from(["pause", "unpause", "cancel"]), st.none(), st.sampled_from(NAMES)),
    st.tuples(st.just("timer"), st.sampled_from(["increase", "decrease"]), st.integers(1, 600), st.sampled_from(NAMES)),
    st.tuples(st.just("schedule"), st.floats(0, 7200), st.none()),
    st.tuples(st.just("schedule"), st.none(), LOCAL),
    st.tuples(st.just("remind"), st.floats(0, 7200), st.none()),
    st.tuples(st.just("remind"), st.none(), LOCAL),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    st.tuples(st.just("jump"), st.floats(-10_000, 10_000)),
    st.tuples(st.just("set_clock")),
    st.tuples(st.just("crash")),
    st.tuples(st.just("tick_and_crash")),
    st.tuples(st.just("cut"), st.floats(1, 10_000), st.booleans()),
)  # fmt: skip


def take(box: Box, step: tuple) -> None:
    name, *args = step
    if name == "cut":
        box.power_cut(args[0], is_set=args[1])
    else:
        getattr(box, name)(*args)
    box.check_all()


@settings(max_examples=200, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe"]),
    steps=st.lists(STEPS, max_size=40),
)
def test_every_promise_is_kept_once_or_told_as_missed(zone: str, steps: list[tuple]) -> None:
    box = Box(zone)
    for step in steps:
        take(box, step)
    box.come_to_an_end()


def random_step(dice: random.Random) -> tuple:
    local = LocalTime(dice.randrange(24), dice.randrange(60), dice.choice([None, 0, 1]))
    table = [
        (8, lambda: ("wait", dice.uniform(1, 300))),
        (4, lambda: ("tick",)),
        (4, lambda: ("timer", "start", dice.randint(1, 3600), dice.choice(NAMES))),
        (2, lambda: ("timer", dice.choice(["pause", "unpause", "cancel"]), None, dice.choice(NAMES))),
        (2, lambda: ("timer", dice.choice(["increase", "decrease"]), dice.randint(1, 600), dice.choice(NAMES))),
        (4, lambda: ("schedule", dice.uniform(0, 3600), None)),
        (2, lambda: ("schedule", None, local)),
        (2, lambda: ("remind", dice.uniform(0, 3600), None)),
        (2, lambda: ("remind", None, local)),
        (1, lambda: ("cancel", dice.randrange(10))),
        (1, lambda: ("jump", dice.uniform(-7200, 7200))),
        (2, lambda: ("set_clock",)),
        (1, lambda: ("crash",)),
        (1, lambda: ("tick_and_crash",)),
        (1, lambda: ("cut", dice.uniform(1, 3600), dice.random() < 0.5)),
    ]  # fmt: skip
    weights = [weight for weight, _ in table]
    return dice.choices([make for _, make in table], weights)[0]()


@pytest.mark.parametrize("seed", range(12))
def test_a_day_of_a_thousand_steps(seed: int) -> None:
    dice, box = random.Random(seed), Box(("Europe/Berlin", "Australia/Lord_Howe")[seed % 2])
    for _ in range(1000):
        take(box, random_step(dice))
    assert sum(truth.rung + truth.acted for truth in box.truth.values()) >= 100
    box.come_to_an_end()
