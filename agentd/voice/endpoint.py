"""When somebody speaks and when they have finished, told from the level alone."""

from __future__ import annotations

from typing import Final

FRAME_S: Final = 0.03
"""Length of the frames that a microphone gives."""

_ABOVE_FLOOR_DB: Final = 9.0
"""Speech is at least this much louder than the room."""

_LEAST_DBFS: Final = -55.0
"""Nothing quieter is speech, however silent the room."""

_QUIETEST_DBFS: Final = -75.0
"""The floor never falls below a microphone's own noise."""

_ONSET_FRAMES: Final = 3
"""Frames in a row that make speech; a click is shorter."""

_RISE_DB: Final = 0.05
"""How much the floor rises a frame, 1.7 dB/s: a fan that starts is part of the room soon, a
sentence of some seconds is not."""

_FALL: Final = 0.2
"""Share of the way that the floor follows downwards in one frame."""


class Endpoint:
    """Follows the level of a room, frame by frame."""

    def __init__(self, *, silence_s: float = 0.7) -> None:
        """Begin in silence.

        Args:
            silence_s: how long it must be quiet after speech before the sentence is over; shorter
                cuts people off who think between two words.
        """
        self._silence_s = silence_s
        self._floor_dbfs: float | None = None
        self._loud_frames = 0
        self._quiet_s = 0.0
        self.has_spoken = False
        """Whether there was speech since the start or `restart`."""

    @property
    def floor_dbfs(self) -> float | None:
        """Level of the room without speech; None before the first frame."""
        return self._floor_dbfs

    @property
    def has_ended(self) -> bool:
        """Whether there was speech and it has been quiet since for long enough."""
        return self.has_spoken and self._quiet_s >= self._silence_s

    def restart(self) -> None:
        """Forget what was said; what is known of the room stays."""
        self.has_spoken = False
        self._loud_frames, self._quiet_s = 0, 0.0

    def feed(self, level_dbfs: float) -> None:
        """Take the level of the next frame."""
        floor = self._follow(level_dbfs)
        if level_dbfs > max(floor + _ABOVE_FLOOR_DB, _LEAST_DBFS):
            self._loud_frames += 1
            if self._loud_frames >= _ONSET_FRAMES:
                self.has_spoken, self._quiet_s = True, 0.0
        else:
            self._loud_frames = 0
            self._quiet_s += FRAME_S

    def _follow(self, level_dbfs: float) -> float:
        floor = level_dbfs if self._floor_dbfs is None else self._floor_dbfs
        floor += min(_RISE_DB, (level_dbfs - floor) * _FALL)
        self._floor_dbfs = max(floor, _QUIETEST_DBFS)
        return self._floor_dbfs
