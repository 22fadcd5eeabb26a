"""Numbers as the gate's sentences say them."""

from __future__ import annotations

import math


def span(seconds: float) -> str:
    """Seconds as people say them, rounded up."""
    whole = math.ceil(seconds)
    if whole < 120:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < 7200:
        return f"{math.ceil(whole / 60)} minutes"
    return f"{math.ceil(whole / 3600)} hours"
