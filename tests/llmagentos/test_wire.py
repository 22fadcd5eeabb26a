"""The framing: what is read, what is refused, what is written."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmagentos.wire import (
    MAX_ANSWER_BYTES,
    MAX_DEPTH,
    MAX_FRAME_BYTES,
    FrameBuffer,
    WireError,
    decode,
    decode_object,
    encode,
    encode_answer,
)

REFUSED = [
    # payload                                  words of the refusal   id
    (b"",                                      "not JSON",            "empty"),
    (b"{",                                     "not JSON",            "truncated"),
    (b'{"a":1}{"b":2}',                        "not JSON",            "two values"),
    (b"\xff\xfe",                              "not UTF-8",           "not UTF-8"),
    (b'{"a":NaN}',                             "not a number",        "NaN"),
    (b"-Infinity",                             "not a number",        "infinity"),
    (b"1e999",                                 "too large",           "infinite scalar"),
    (b"[1e999]",                               "too large",           "infinite in a list"),
    (b"9" * 5000,                              "too large",           "endless integer"),
    (b'{"a":1,"a":2}',                         "twice",               "key twice"),
    (b'{"x":{"a":1,"a":2}}',                   "twice",               "inner key twice"),
    (b"[" * 9 + b"]" * 9,                      "deeper",              "deep list"),
    (b"[" * 60_000,                            "deeper",              "only brackets"),
    (b'{"a":' * 9 + b"1" + b"}" * 9,           "deeper",              "deep object"),
    (b'"\\ud800"',                             "surrogate",           "half a surrogate pair"),
    (b'{"\\udc00":1}',                         "surrogate",           "half a surrogate as a key"),
    (b" " * (MAX_FRAME_BYTES + 1),             "too many",            "too long"),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "words", "name"), REFUSED, ids=[row[2] for row in REFUSED])
def test_refuses(payload: bytes, words: str, name: str) -> None:
    with pytest.raises(WireError, match=words):
        decode(payload)


def test_depth_is_not_counted_inside_strings() -> None:
    text = "[" * 50 + '\\"{{'
    assert decode(json.dumps({"text": text}).encode()) == {"text": text}


def test_reads_the_deepest_allowed() -> None:
    assert decode(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_reads_a_whole_surrogate_pair() -> None:
    assert decode(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_object_is_demanded() -> None:
    with pytest.raises(WireError, match="expected a JSON object, got list"):
        decode_object(b"[]")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(
        allow_nan=False, allow_infinity=False
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_is_written_is_read_back(message: dict[str, object]) -> None:
    frame = encode(message)
    assert frame.count(b"\n") == 1
    if _deepest(message) <= MAX_DEPTH:
        assert decode(frame) == message


def _deepest(value: object) -> int:
    inner = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(map(_deepest, inner), default=0) if isinstance(inner, list) else 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_does_not_write_what_is_no_json(value: object) -> None:
    with pytest.raises(WireError):
        encode({"value": value})


def test_writes_half_a_surrogate_as_a_question_mark() -> None:
    assert decode(encode({"a": "x\ud800y"})) == {"a": "x?y"}


def test_short_answer_is_one_frame() -> None:
    (frame,) = encode_answer(7, {"a": [1]})
    assert decode(frame) == {"v": 1, "id": 7, "status": "ok", "data": {"a": [1]}}


@pytest.mark.parametrize("letter", ["a", '"', "\\", "\U0001f600", "\n", "\u2028"])
def test_long_answer_joins_from_parts_that_fit(letter: str) -> None:
    data = {"words": [letter * 100] * 1000}
    frames = encode_answer("x", data)
    assert len(frames) > 1
    assert max(map(len, frames)) <= MAX_FRAME_BYTES
    messages = [decode(frame) for frame in frames]
    assert [m.get("status") for m in messages] == [None] * (len(frames) - 1) + ["ok"]
    assert json.loads("".join(m["part"] for m in messages)) == data


def test_endless_answer_is_not_written() -> None:
    with pytest.raises(WireError, match="longer"):
        encode_answer(1, "a" * (MAX_ANSWER_BYTES + 1))


@given(st.lists(st.binary(max_size=30).filter(lambda b: b"\n" not in b), max_size=8), st.data())
def test_frames_survive_any_cutting(frames: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(frame + b"\n" for frame in frames)
    buffer, found = FrameBuffer(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        buffer.push(stream[:size])
        stream = stream[size:]
        while (frame := buffer.pop()) is not None:
            found.append(frame)
    assert found == frames


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["no end in sight", "with its end"])
def test_buffer_refuses_a_frame_that_is_too_long(end: bytes) -> None:
    buffer = FrameBuffer()
    buffer.push(b"a" * MAX_FRAME_BYTES + end)
    with pytest.raises(WireError):
        buffer.pop()


def test_buffer_gives_out_the_longest_frame_allowed() -> None:
    buffer = FrameBuffer()
    buffer.push(b"a" * (MAX_FRAME_BYTES - 1) + b"\n")
    assert buffer.pop() == b"a" * (MAX_FRAME_BYTES - 1)
