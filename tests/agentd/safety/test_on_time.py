"""On-time of the last day: never too little, and not much too much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.safety.on_time import DAY_S, SLOT_S, OnTime

SPANS = st.lists(st.tuples(st.floats(0, 40_000), st.floats(0, 20_000)), max_size=30)


def laid_out(gaps: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """(pause, length) pairs as stretches one after the other."""
    spans, now = [], 0.0
    for pause_s, length_s in gaps:
        spans.append((now + pause_s, now + pause_s + length_s))
        now += pause_s + length_s
    return spans


@given(gaps=SPANS, wait_s=st.floats(0, 100_000), later_s=st.floats(-1e6, 1e6))
def test_the_sum_is_never_less_than_the_truth(
    gaps: list[tuple[float, float]], wait_s: float, later_s: float
) -> None:
    spans, kept = laid_out(gaps), OnTime()
    for begin, end in spans:
        kept = kept.add(begin, end)
    now = (spans[-1][1] if spans else 0.0) + wait_s
    truth = sum(max(0.0, end - max(begin, now - DAY_S)) for begin, end in spans)
    loose = sum(max(0.0, end - max(begin, now - DAY_S - SLOT_S)) for begin, end in spans)
    assert truth - 1e-6 <= kept.within_day_s(now) <= loose + 1e-6
    assert kept.moved(later_s).within_day_s(now + later_s) >= truth - 1e-6


@pytest.mark.parametrize("length_s", [DAY_S, 3 * DAY_S])
def test_a_day_holds_no_more_than_a_day(length_s: float) -> None:
    kept = OnTime().add(0.0, length_s)
    assert kept.within_day_s(length_s) == pytest.approx(DAY_S)
    assert len(kept.slots) <= DAY_S / SLOT_S + 1
