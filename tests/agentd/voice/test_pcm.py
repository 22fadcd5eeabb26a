from __future__ import annotations

import numpy as np
import pytest

from agentd.voice.pcm import FLOOR_DBFS, Resampler, from_pcm, level_dbfs, resample, seconds, to_pcm
from tests.agentd.voice.sound import silence, tone

RATES = (8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000)


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_tone_keeps_its_pitch_place_and_level_at_another_rate(rate_hz):
    at = np.arange(rate_hz) / rate_hz
    made = resample(np.sin(2 * np.pi * 1000 * at).astype(np.float32), source_hz=rate_hz)
    wanted = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    assert len(made) == 16_000
    assert np.abs(made[200:-200] - wanted[200:-200]).max() < 0.001


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_what_16_khz_cannot_hold_is_filtered_out_not_folded_down(rate_hz):
    at = np.arange(rate_hz) / rate_hz
    made = resample(np.sin(2 * np.pi * 9_500 * at).astype(np.float32), source_hz=rate_hz)
    assert level_dbfs(to_pcm(made[200:-200])) < -50


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("piece", [1, 333, 4_410])
def test_a_stream_in_pieces_is_the_same_as_the_whole(rate_hz, piece):
    sound = np.random.default_rng(1).standard_normal(rate_hz // 4).astype(np.float32)
    stream = Resampler(rate_hz)
    pieces = [stream.feed(sound[i : i + piece]) for i in range(0, len(sound), piece)]
    whole = np.concatenate((*pieces, stream.drain()))
    assert np.allclose(whole, resample(sound, source_hz=rate_hz), atol=1e-6)


def test_nothing_resampled_is_nothing():
    assert resample(np.zeros(0, np.float32), source_hz=44_100).size == 0


@pytest.mark.parametrize(
    ("pcm", "dbfs"),
    [(b"", FLOOR_DBFS), (silence(0.1), FLOOR_DBFS), (tone(0.5, dbfs=-20.0), -20.0)],
    ids=["nothing", "silence", "a tone"],
)
def test_level(pcm, dbfs):
    assert level_dbfs(pcm) == pytest.approx(dbfs, abs=0.1)


def test_too_loud_samples_are_clipped_not_wrapped():
    assert from_pcm(to_pcm(np.array([2.0, -2.0], np.float32))).tolist() == pytest.approx(
        [1, -1], abs=1e-4
    )


def test_length():
    assert seconds(silence(1.5)) == 1.5
