"""What is written of promises and of what rules remember, and read back; garbage is told as such."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.agents import mark, promise_json
from agentd.agents.due import Due
from agentd.agents.fields import Unreadable
from agentd.agents.promise import Kind, Promise, Standing, WhenLate
from agentd.agents.trigger import Memory
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.plan import Action
from llmagentos.utterance import LocalTime
from tests.agentd.agents.garden import rule

NUMBER = st.floats(-1e10, 1e10)
TEXT = st.text(max_size=20)
DUES = st.builds(
    Due,
    since=st.builds(Instant, NUMBER, NUMBER),
    boot=TEXT,
    length_s=st.none() | NUMBER,
    at=st.none() | st.builds(LocalTime, st.integers(0, 23), st.integers(0, 59), st.none() | st.integers(0, 9), st.none() | st.integers(0, 6), st.booleans()),
    wall_s=st.none() | NUMBER,
)  # fmt: skip
PROMISES = st.builds(
    Promise,
    id=TEXT,
    kind=st.sampled_from(Kind),
    made_by=st.none() | st.builds(Cause, st.just("box"), st.just("0a"), st.integers(1, 99)),
    origin=st.builds(Origin, st.sampled_from(Rank), TEXT, TEXT, st.none() | TEXT),
    due=DUES,
    occasion=TEXT,
    text=TEXT,
    actions=st.lists(st.builds(Action, TEXT, TEXT, st.dictionaries(TEXT, NUMBER | TEXT))).map(
        tuple
    ),
    when_late=st.sampled_from(WhenLate),
    bound_s=st.none() | NUMBER,
    standing=st.sampled_from(Standing),
    name=st.none() | TEXT,
    area=st.none() | TEXT,
    start_s=st.none() | NUMBER,
)
RULE = rule(when={"every_s": 3600})


@settings(max_examples=200, deadline=None)
@given(PROMISES)
def test_a_promise_is_read_back_as_it_was(promise: Promise) -> None:
    assert promise_json.decode(promise_json.encode(promise)) == promise


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Memory,
        is_armed=st.booleans(),
        next=st.none() | DUES,
        kept_s=st.none() | NUMBER,
        kept_days=st.lists(TEXT).map(tuple),
        rest=st.none() | DUES,
    )
)
def test_what_a_rule_remembers_is_read_back_as_it_was(memory: Memory) -> None:
    assert mark.decode(mark.encode(RULE, memory), RULE) == memory


@settings(max_examples=300, deadline=None)
@given(PROMISES, st.data())
def test_a_promise_that_was_cut_off_or_changed_is_unreadable_and_nothing_worse(
    promise, data
) -> None:
    text = promise_json.encode(promise)
    place = data.draw(st.integers(0, len(text) - 1))
    for broken in (text[:place], text[:place] + data.draw(st.characters()) + text[place + 1 :]):
        try:
            promise_json.decode(broken)
        except Unreadable:
            continue


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"v": 2}, "promise.v is not 1", id="version"),
        pytest.param({"kind": "wish"}, "promise.kind is none of timer, reminder", id="kind"),
        pytest.param({"id": 7}, "promise.id is no text", id="id"),
        pytest.param({"made_by": "x"}, "promise.made_by is no cause", id="cause"),
        pytest.param({"due": None}, "promise.due is no object", id="due"),
        pytest.param({"actions": [{"device": "a", "name": "b", "args": 1}]}, "promise.actions[0].args is no object", id="args"),
        pytest.param({"origin": {"rank": 9, "channel": "", "who": "", "area": None}}, "promise.origin.rank is not a whole number from 0 to 4", id="rank"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(change, said) -> None:
    promise = Promise(
        "t1", Kind.TIMER, None, Origin(Rank.PERSON, "cli"), Due(Instant(0, 0), "b"), "o"
    )
    body = json.loads(promise_json.encode(promise)) | change
    with pytest.raises(Unreadable) as found:
        promise_json.decode(json.dumps(body))
    assert said in str(found.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "7", '{"v": 1}', "{" * 100_000, "[" * 100_000])
def test_what_is_no_promise_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        promise_json.decode(text)
