from __future__ import annotations

from itertools import islice

import pytest

from agentd.voice.microphone import FRAME_BYTES, STALE_S, Microphone
from agentd.voice.pcm import level_dbfs
from tests.agentd.clock import HandClock
from tests.agentd.voice.sound import ScriptedCapture, ScriptedCard, silence, tone


class Bench:
    """A microphone whose waiting costs no time, but turns the clock."""

    def __init__(self, card: ScriptedCard, *, turns: int = 400) -> None:
        self.clock = HandClock()
        self.told: list[tuple[str, str]] = []
        self.waits: list[float] = []
        self._turns = turns
        self.microphone = Microphone(
            card, clock=self.clock, wait=self._wait, report=lambda *told: self.told.append(told)
        )

    def _wait(self, seconds: float) -> bool:
        self._turns -= 1
        if seconds:
            self.waits.append(seconds)
        self.clock.advance(seconds or 0.03)
        return self._turns <= 0


def test_frames_have_one_length():
    bench = Bench(ScriptedCard([tone(0.5)]))
    frames = list(bench.microphone.frames())
    assert {len(frame) for frame in frames} == {FRAME_BYTES}
    assert b"".join(frames) == tone(0.5)[: len(frames) * FRAME_BYTES]


def test_an_absent_microphone_is_a_state_and_is_looked_for_ever_less_often():
    bench = Bench(ScriptedCard(), turns=8)
    assert list(bench.microphone.frames()) == []
    assert set(bench.told) == {("no_microphone", "no microphone")}
    assert bench.waits == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0]


def test_one_that_appears_later_is_used():
    bench = Bench(ScriptedCard([None, None, tone(0.3)]))
    assert next(bench.microphone.frames())
    assert bench.told[-1] == ("listening", "scripted microphone")


def test_one_that_was_pulled_out_and_comes_back_is_used_again_soon():
    card = ScriptedCard([tone(0.3), None, tone(0.3)])
    bench = Bench(card)
    frames = list(islice(bench.microphone.frames(), 20))
    assert len(frames) == 20
    assert [status for status, _ in bench.told] == [
        "listening",
        "no_microphone",
        "no_microphone",
        "listening",
    ]
    assert sum(bench.waits) <= 5


def test_a_stream_without_frames_is_noticed_and_opened_again():
    card = ScriptedCard([tone(0.3), tone(0.3)], stalls=True)
    bench = Bench(card)
    frames = list(islice(bench.microphone.frames(), 20))
    assert len(frames) == 20
    assert bench.told[1] == ("no_microphone", "scripted microphone gives no sound any more")
    assert bench.clock().mono_s - 1000 < STALE_S + 3


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_a_microphone_without_16_khz_is_resampled(rate_hz):
    bench = Bench(ScriptedCard([tone(1.0, rate_hz=rate_hz)], rate_hz=rate_hz))
    frames = list(bench.microphone.frames())
    assert len(frames) * FRAME_BYTES == pytest.approx(32_000, abs=3 * FRAME_BYTES)
    assert level_dbfs(b"".join(frames[3:])) == pytest.approx(-20, abs=0.2)


def test_another_name_opens_another_microphone():
    card = ScriptedCard([silence(9), silence(9)])
    bench = Bench(card)
    frames = bench.microphone.frames()
    next(frames)
    bench.microphone.choose("USB")
    next(frames)
    assert card.names == ["", "USB"]
    assert card.open_count == 1


def test_frames_that_waited_while_nobody_read_are_thrown_away(monkeypatch):
    flushed: list[int] = []
    monkeypatch.setattr(ScriptedCapture, "flush", lambda capture: flushed.append(1))
    bench = Bench(ScriptedCard([silence(3)]))
    frames = bench.microphone.frames()
    next(frames)
    bench.clock.advance(4.0)  # the box spoke
    next(frames)
    assert flushed == [1]
    assert bench.told == [("listening", "scripted microphone")]  # being late ourselves is no stall


def test_the_microphone_is_let_go_at_the_end():
    card = ScriptedCard([silence(9)])
    frames = Bench(card, turns=20).microphone.frames()
    assert list(frames)
    assert card.open_count == 0
