"""Frames of the model's socket: what is read, and what is said of those that cannot be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.llm.call import BadCall, Call, Cancel, Choose, Health, Prefix, read_call
from models.choose import Baseline


def frame(**message: object) -> bytes:
    return json.dumps({"v": 1, "id": 7, **message}).encode()


@pytest.mark.parametrize(
    ("message", "call"),
    [
        pytest.param({"verb": "health"}, Call(7, Health(), 10.0), id="health"),
        pytest.param({"verb": "cancel", "target": 3}, Call(7, Cancel(3), 10.0), id="cancel"),
        pytest.param({"verb": "prefix", "text": "a"}, Call(7, Prefix("a"), 120.0), id="prefix"),
        pytest.param(
            {"verb": "prefix", "text": "", "end": ".", "deadline_ms": 5},
            Call(7, Prefix("", "."), 0.005),
            id="prefix-in-full",
        ),
        pytest.param(
            {"verb": "choose", "prompt": "p", "choices": ["a", "b"]},
            Call(7, Choose("p", ("a", "b")), 10.0),
            id="choose",
        ),
        pytest.param(
            {
                "verb": "choose", "prompt": "p", "choices": ["a"], "prefix_id": "x",
                "baseline": ["q"], "weight": 0.5, "deadline_ms": 0,
            },
            Call(7, Choose("p", ("a",), "x", Baseline(("q",), 0.5)), 0.0),
            id="choose-in-full",
        ),
    ],
)  # fmt: skip
def test_a_request_is_read(message, call):
    assert read_call(frame(**message)) == call


CHOOSE = {"verb": "choose", "prompt": "p", "choices": ["a"]}


@pytest.mark.parametrize(
    ("message", "says"),
    [
        pytest.param({},                                     "no verb None",      id="no-verb"),
        pytest.param({"verb": "complete"},                   "no verb",           id="unknown-verb"),
        pytest.param({"verb": ["health"]},                   "no verb",           id="verb-no-text"),
        pytest.param({"verb": "health", "v": 2},             "v must be 1",       id="version"),
        pytest.param({"verb": "health", "v": True},          "v must be 1",       id="true-version"),
        pytest.param({"verb": "health", "now": 1},           "takes no now",      id="extra-key"),
        pytest.param({"verb": "prefix"},                     "text must be",      id="no-text"),
        pytest.param({"verb": "prefix", "text": 5},          "text must be",      id="text-number"),
        pytest.param({"verb": "cancel"},                     "target",            id="no-target"),
        pytest.param({"verb": "cancel", "target": True},     "target",            id="true-target"),
        pytest.param({"verb": "choose", "prompt": "p"},      "choices must be",   id="no-choices"),
        pytest.param({**CHOOSE, "choices": "ab"},            "choices must be",   id="text-choices"),
        pytest.param({**CHOOSE, "choices": [1]},             "choices must be",   id="number-choice"),
        pytest.param({**CHOOSE, "choices": ["a"] * 1001},    "too many",          id="1001-choices"),
        pytest.param({**CHOOSE, "prompt": None},             "prompt must be",    id="no-prompt"),
        pytest.param({**CHOOSE, "prefix_id": 3},             "prefix_id must be", id="prefix-number"),
        pytest.param({**CHOOSE, "baseline": "q"},            "baseline must be",  id="text-baseline"),
        pytest.param({**CHOOSE, "weight": "heavy"},          "weight must be",    id="text-weight"),
        pytest.param({**CHOOSE, "deadline_ms": -1},          "deadline_ms is -1", id="past"),
        pytest.param({**CHOOSE, "deadline_ms": 1e9},         "deadline_ms is",    id="next-month"),
        pytest.param({**CHOOSE, "deadline_ms": "soon"},      "deadline_ms must",  id="text-deadline"),
    ],
)  # fmt: skip
def test_a_bad_request_is_refused_with_its_number(message, says):
    with pytest.raises(BadCall, match=says) as caught:
        read_call(frame(**message))
    assert caught.value.number == 7
    assert caught.value.code == "bad_request"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"id":NaN}', b'{"id":1,"id":2}', b'{"v":1,"verb":"health"}',
     b'{"id":true}', b'{"id":"7"}'],
    ids=["empty", "cut", "list", "null", "no-utf8", "nan", "twice", "no-id", "true-id", "text-id"],
)  # fmt: skip
def test_a_frame_without_a_number_is_refused_without_one(raw):
    with pytest.raises(BadCall) as caught:
        read_call(raw)
    assert caught.value.number is None


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_reason(raw):
    with pytest.raises(BadCall, match=r"."):
        read_call(raw)


@given(st.integers(0, 120))
def test_a_frame_cut_anywhere_is_refused(cut):
    whole = frame(**CHOOSE, deadline_ms=100)
    with pytest.raises(BadCall):
        read_call(whole[: min(cut, len(whole) - 1)])
