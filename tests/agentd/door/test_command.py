"""Commands from the network: read, and judged by their end, their boot and their name."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.door.command import (
    LIFETIME_S,
    SEEN_MAX,
    Message,
    Refused,
    Seen,
    judge,
    read_command,
)
from agentd.door.topic import RequestTopic, SetTopic
from llmagentos.cause import Rank
from llmagentos.clock import Instant

BOOT = "0000abcd"
ASK = RequestTopic("ask")


def at(seconds: float) -> Instant:
    return Instant(100.0 + seconds, 1_700_000_000.0 + seconds)


def message(payload: bytes, **options: object) -> Message:
    return Message(options.pop("target", ASK), payload, at(0), **options)


def try_at(told: Message, seconds: float, *, seen: Seen | None = None) -> None:
    command = read_command(told, rank=Rank.PERSON, channel="mqtt")
    judge(command, told, boot=BOOT, seen=seen or Seen(), now=at(seconds))


def test_envelope_is_taken_out_of_the_arguments() -> None:
    told = message(
        b'{"text":"hi","transaction":"t","expires_at":5,"boot":"b","who":"w","area":"a"}'
    )
    command = read_command(told, rank=Rank.PERSON, channel="mqtt")
    assert command.request.data == {"text": "hi"}
    assert (command.transaction, command.expires_at_s, command.boot) == ("t", 5.0, "b")
    assert (command.request.origin.who, command.request.origin.area) == ("w", "a")


def test_id_of_a_set_is_its_name_and_an_argument_elsewhere() -> None:
    payload = b'{"id":7,"state":"on"}'
    of_set = read_command(
        message(payload, target=SetTopic("lamp")), rank=Rank.PERSON, channel="mqtt"
    )
    assert (of_set.transaction, of_set.request.data["value"]) == (7, {"state": "on"})
    of_ask = read_command(message(payload), rank=Rank.PERSON, channel="mqtt")
    assert (of_ask.transaction, of_ask.request.data["id"]) == (None, 7)


@pytest.mark.parametrize(
    ("target", "payload", "is_repeatable"),
    [
        (SetTopic("lamp"),         b"on",                                          True),
        (SetTopic("lamp"),         b'{"brightness": 40}',                          True),
        (SetTopic("lamp"),         b"toggle",                                      False),
        (SetTopic("lamp"),         b'{"state": "toggle"}',                         False),
        (RequestTopic("set"),      b'{"device": "lamp", "action": "toggle"}',      False),
        (RequestTopic("set"),      b'{"device": "gate", "action": "press"}',       False),
        (RequestTopic("set"),      b'{"device": "lamp", "value": "off"}',          True),
        (RequestTopic("ask"),      b'{"text": "set a timer for a minute"}',        False),
        (RequestTopic("stop"),     b"{}",                                          True),
    ],
)  # fmt: skip
def test_what_must_not_be_done_twice_is_told_apart(
    target: SetTopic | RequestTopic, payload: bytes, is_repeatable: bool
) -> None:
    told = Message(target, payload, at(0))
    assert read_command(told, rank=Rank.PERSON, channel="mqtt").is_repeatable == is_repeatable


def test_request_without_a_payload_has_no_arguments() -> None:
    assert read_command(message(b""), rank=Rank.PERSON, channel="mqtt").request.data == {}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"on", "bad_request"),
        (b"[]", "bad_request"),
        (b'{"transaction":{}}', "bad_request"),
        (b'{"transaction":true}', "bad_request"),
        (b'{"transaction":"' + b"a" * 65 + b'"}', "bad_request"),
        (b'{"who":3}', "bad_request"),
        (b'{"expires_at":true}', "bad_request"),
        (b" " * 16_385, "too_large"),
    ],
)
def test_bad_request_is_refused(payload: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        read_command(message(payload), rank=Rank.PERSON, channel="mqtt")
    assert caught.value.code == code


JUDGED = [
    # payload                             after s            code            id in words
    (b'{"expires_at":1700000005}',        4.9,               None,           "in time"),
    (b'{"expires_at":1700000005}',        5.1,               "expired",      "late"),
    (b'{"expires_at":1700000060}',        LIFETIME_S + 1,    None,           "its own end counts"),
    (b"{}",                               LIFETIME_S - 1,    None,           "no end, fresh"),
    (b"{}",                               LIFETIME_S + 1,    "expired",      "no end, waited too long"),
    (b'{"boot":"0000abcd"}',              0,                 None,           "this boot"),
    (b'{"boot":"ffffffff"}',              0,                 "older_boot",   "other boot"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "seconds", "code", "name"), JUDGED, ids=[row[3] for row in JUDGED]
)
def test_command_is_judged(payload: bytes, seconds: float, code: str | None, name: str) -> None:
    if code is None:
        return try_at(message(payload), seconds)
    with pytest.raises(Refused) as caught:
        try_at(message(payload), seconds)
    assert caught.value.code == code
    return None


@pytest.mark.parametrize(("seconds", "is_late"), [(1.9, False), (2.1, True)])
def test_expiry_of_the_protocol_counts_from_arrival(seconds: float, is_late: bool) -> None:
    told = message(b"{}", expires_in_s=2.0)
    if not is_late:
        return try_at(told, seconds)
    with pytest.raises(Refused, match="after its end"):
        try_at(told, seconds)
    return None


def test_retained_command_is_refused() -> None:
    with pytest.raises(Refused, match="must not be retained"):
        try_at(message(b"{}", is_retained=True), 0)


def test_same_name_is_begun_once_at_each_topic() -> None:
    seen = Seen()
    told = message(b'{"transaction":"t"}')
    try_at(told, 0, seen=seen)
    try_at(message(b'{"transaction":"t"}', target=RequestTopic("why")), 0, seen=seen)
    with pytest.raises(Refused) as caught:
        try_at(told, 1, seen=seen)
    assert (caught.value.code, caught.value.transaction) == ("duplicate", "t")


def test_refused_command_may_come_again_in_time() -> None:
    seen = Seen()
    with pytest.raises(Refused):
        try_at(message(b'{"transaction":"t","boot":"ffffffff"}'), 0, seen=seen)
    try_at(message(b'{"transaction":"t"}'), 0, seen=seen)


def test_names_are_forgotten_after_the_window() -> None:
    seen = Seen(window_s=10)
    assert seen.age_s("a", now_s=0) is None
    assert seen.age_s("a", now_s=10) == 10
    assert seen.age_s("a", now_s=10.1) is None


def test_names_of_an_earlier_run_are_known_until_their_window_has_passed() -> None:
    seen = Seen(window_s=300)
    seen.recall({"young": 10.0, "old": 301.0, "older": 290.0}, now_s=5.0)
    assert seen.age_s("young", now_s=6.0) == 11.0
    assert seen.age_s("old", now_s=6.0) is None
    assert seen.age_s("older", now_s=6.0) == 291.0
    assert seen.age_s("older", now_s=20.0) is None


def test_each_new_name_is_written_down_once() -> None:
    told: list[str] = []
    seen = Seen(note=told.append)
    for name in (b'"7"', b"7", b'"7"'):
        with contextlib.suppress(Refused):
            try_at(message(b'{"transaction":' + name + b"}"), 0, seen=seen)
    assert told == ['["request","ask","7"]', '["request","ask",7]']


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 3)), max_size=60))
def test_no_name_is_new_twice_within_the_window(steps: list[tuple[int, float]]) -> None:
    seen, begun, now_s = Seen(window_s=5), {}, 0.0
    for name, pause_s in steps:
        now_s += pause_s
        if seen.age_s(str(name), now_s=now_s) is None:
            assert now_s - begun.get(name, float("-inf")) > 5
            begun[name] = now_s
        else:
            assert now_s - begun[name] <= 5


def test_memory_of_names_is_bounded() -> None:
    seen = Seen()
    for number in range(2 * SEEN_MAX):
        seen.age_s(str(number), now_s=0)
    assert len(seen._at_s) <= SEEN_MAX
