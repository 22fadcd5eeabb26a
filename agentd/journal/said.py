"""What was said, in memory for a day: `why` can quote it, and the disk never holds it."""

from __future__ import annotations

from threading import Lock
from typing import Final

SAID_FOR_S: Final = 86_400.0
"""How long a sentence stays in memory, in seconds, so that `why` can quote it."""

_MAX: Final = 5000
"""Sentences held; beyond them the oldest go early."""


class Said:
    """Sentences by the cause they became; may be called from any thread."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._lock = Lock()
        self._texts: dict[str, tuple[str, float]] = {}

    def remember(self, cause: str, text: str, *, now_s: float) -> None:
        """Keep one; `now_s` is of the monotonic clock."""
        with self._lock:
            self._texts[cause] = (text, now_s)
            while self._texts:
                oldest = next(iter(self._texts))
                if now_s - self._texts[oldest][1] < SAID_FOR_S and len(self._texts) <= _MAX:
                    break
                del self._texts[oldest]

    def text(self, cause: str, *, now_s: float) -> str | None:
        """What was said; None when nothing was, or more than a day ago."""
        with self._lock:
            text, at_s = self._texts.get(cause, ("", 0.0))
        return text if text and now_s - at_s < SAID_FOR_S else None
