"""Frames of a fixed length in a stream of bytes: found, checked, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hal.contract import Unplugged

NOISE_FRAMES: Final = 4
"""Bytes without a sound frame, in frames, before they count as noise; a start in mid-frame costs
less than two."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a part's frames look like."""

    head: bytes
    """The bytes each one starts with."""

    length: int
    """Of a whole frame, head and checksum included."""

    is_sound: Callable[[bytes], bool]
    """Whether a frame of this head and length has the right checksum."""

    silence_s: float = 5.0
    """Longest pause between two frames, rounded up to the link's own waits."""


class Frames:
    """Cuts bytes into sound frames; what is none is skipped byte by byte."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._rest = bytearray()
        self._noise = 0
        self._silent_s = 0.0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that `chunk` ends.

        Raises:
            Unplugged: nothing but noise came for a while.
        """
        if chunk:
            self._silent_s = 0.0
        self._rest += chunk
        frames = list(iter(self._next, b""))
        self._noise = 0 if frames else self._noise + len(chunk)
        if self._noise > NOISE_FRAMES * self._shape.length:
            raise Unplugged("nothing but noise: another part, or another baud rate?")
        return frames

    def wait(self, seconds: float) -> None:
        """Nothing came for so long.

        Raises:
            Unplugged: this has been so for longer than the part ever pauses.
        """
        self._silent_s += seconds
        if self._silent_s >= self._shape.silence_s:
            raise Unplugged("the part says nothing: check its power, TX and RX")

    def _next(self) -> bytes:
        """The next sound frame, taken out; empty when there is none yet."""
        rest, shape = self._rest, self._shape
        while (start := rest.find(shape.head)) >= 0 and len(rest) - start >= shape.length:
            frame = bytes(rest[start : start + shape.length])
            is_sound = shape.is_sound(frame)
            del rest[: start + (shape.length if is_sound else 1)]
            if is_sound:
                return frame
        # Before the first head there is nothing to keep, but for a head that has only begun.
        del rest[: start if start >= 0 else max(0, len(rest) - len(shape.head) + 1)]
        return b""
