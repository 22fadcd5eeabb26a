"""Frames in a stream: in pieces, between noise, cut off, never ending."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.contract import Unplugged
from hal.link.frame import NOISE_FRAMES, Frames, Shape

SHAPE = Shape(b"\xaa\xbb", 6, lambda frame: sum(frame[:-1]) & 0xFF == frame[-1], silence_s=3.0)


def frame(one: int = 1, two: int = 2, three: int = 3) -> bytes:
    body = bytes([0xAA, 0xBB, one, two, three])
    return body + bytes([sum(body) & 0xFF])


A, B = frame(), frame(7, 8, 9)
BAD = A[:-1] + b"\x00"


@pytest.mark.parametrize(
    ("chunks", "found"),
    [
        ([A],                              [A]),
        ([A + B],                          [A, B]),
        ([A[:1], A[1:4], A[4:] + B[:3]],   [A]),
        ([A[3:], B],                       [B]),
        ([A[:3] + B],                      [B]),
        ([b"\xaa" + A],                    [A]),
        ([b"\xaa\xaa\xbb" + A],            [A]),
        ([BAD + A],                        [A]),
        ([b"noise" + A + b"noise" + B],    [A, B]),
        ([b""],                            []),
        ([BAD],                            []),
        ([A[:-1]],                         []),
    ],
    ids=["whole", "two", "in pieces", "starts in the middle", "cut off by the next", "half a head",
         "a head in a head", "wrong checksum", "between noise", "nothing", "only wrong", "unfinished"],
)  # fmt: skip
def test_sound_frames_are_found(chunks: list[bytes], found: list[bytes]) -> None:
    frames = Frames(SHAPE)
    assert [each for chunk in chunks for each in frames.feed(chunk)] == found


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), max_size=8), st.integers(1, 7))
def test_frames_are_the_same_however_they_are_cut(numbers: list, size: int) -> None:
    sent = [frame(*each) for each in numbers]
    stream, frames = b"".join(sent), Frames(SHAPE)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [each for piece in pieces for each in frames.feed(piece)] == sent


@given(st.lists(st.binary(max_size=200)))
def test_noise_gives_sound_frames_only_and_is_not_kept(chunks: list[bytes]) -> None:
    frames = Frames(SHAPE)
    try:
        for chunk in chunks:
            assert all(SHAPE.is_sound(each) for each in frames.feed(chunk))
            assert len(frames._rest) < SHAPE.length
    except Unplugged:
        assert sum(map(len, chunks)) > NOISE_FRAMES * SHAPE.length


def test_noise_without_end_is_told() -> None:
    frames = Frames(SHAPE)
    for _ in range(NOISE_FRAMES):
        frames.feed(BAD)
    with pytest.raises(Unplugged, match="noise"):
        frames.feed(BAD)


def test_one_sound_frame_forgives_the_noise_before() -> None:
    frames = Frames(SHAPE)
    for _ in range(10):
        frames.feed(BAD * (NOISE_FRAMES - 1))
        frames.feed(A)


def test_silence_is_told_once_it_lasts_and_a_byte_ends_it() -> None:
    frames = Frames(SHAPE)
    frames.wait(1.0)
    frames.wait(1.0)
    frames.feed(A)
    frames.wait(1.0)
    frames.wait(1.0)
    with pytest.raises(Unplugged, match="says nothing"):
        frames.wait(1.0)
