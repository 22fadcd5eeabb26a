"""A microphone that may be absent, be pulled out, fall silent, and come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from agentd.voice.card import Capture, Card
from agentd.voice.endpoint import FRAME_S
from agentd.voice.errors import CardError
from agentd.voice.pcm import RATE_HZ, SAMPLE_BYTES, Resampler, from_pcm, to_pcm
from llmagentos.clock import Clock, Instant

STALE_S: Final = 2.0
"""A stream without a frame for so long has stopped, whatever it says of itself."""

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 4.0
"""Longest wait between two looks for a microphone, so that one that is back is used within 5 s."""

_AWAY_S: Final = 0.5
"""When the reader was busy for longer, the frames that wait are from before and are dropped."""

FRAME_BYTES: Final = round(RATE_HZ * FRAME_S) * SAMPLE_BYTES

Wait = Callable[[float], bool]
"""Waits so many seconds; True when the program is to end."""

Report = Callable[[str, str], None]
"""Takes a status in one word and its detail for people."""


class Microphone:
    """Gives the frames of one microphone for as long as the program runs."""

    def __init__(self, card: Card, *, clock: Clock, wait: Wait, report: Report) -> None:
        """Open nothing yet.

        Args:
            card: where microphones are opened.
            clock: tells how old the last frame is.
            wait: pauses between two attempts.
            report: is told `listening` or `no_microphone`, when that changes.
        """
        self._card = card
        self._clock = clock
        self._wait = wait
        self._report = report
        self._name = ""
        self._is_renamed = False

    def choose(self, name: str) -> None:
        """Use the microphone whose name holds `name` from now on; empty takes the default."""
        self._is_renamed = name != self._name
        self._name = name

    def frames(self) -> Iterator[bytes]:
        """Frames of `FRAME_BYTES`: mono, signed 16 bit, 16 kHz; ends when `wait` says so."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                for frame in self._one_stream():
                    pause_s = _FIRST_PAUSE_S
                    yield frame
            except CardError as exc:
                self._report("no_microphone", str(exc))
            if self._wait(pause_s):
                return
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _one_stream(self) -> Iterator[bytes]:
        """Frames of one opened stream, until another microphone is chosen.

        Raises:
            CardError: there is none, or it stopped.
        """
        self._is_renamed = False
        capture = self._card.open_microphone(self._name)
        try:
            yield from _reframe(self._read(capture), capture.rate_hz)
        finally:
            capture.close()

    def _read(self, capture: Capture) -> Iterator[bytes]:
        """Pieces as the card gives them."""
        frames = round(capture.rate_hz * FRAME_S)
        last, is_reported = self._clock(), False
        while not self._is_renamed and not self._wait(0.0):
            pcm = capture.read(frames, timeout_s=0.2)
            now = self._clock()
            if not pcm:
                _check_fresh(capture, last, now)
                continue
            if not is_reported:
                self._report("listening", capture.name)
                is_reported = True
            last = now
            yield pcm
            if now.age_s(self._clock()) > _AWAY_S:
                capture.flush()
                last = self._clock()


def _check_fresh(capture: Capture, last: Instant, now: Instant) -> None:
    if last.age_s(now) > STALE_S:
        raise CardError(f"{capture.name} gives no sound any more")


def _reframe(pieces: Iterator[bytes], rate_hz: int) -> Iterator[bytes]:
    """The same sound at 16 kHz in frames of one length."""
    resampler = Resampler(rate_hz)
    waiting = b""
    for pcm in pieces:
        waiting += pcm if rate_hz == RATE_HZ else to_pcm(resampler.feed(from_pcm(pcm)))
        while len(waiting) >= FRAME_BYTES:
            yield waiting[:FRAME_BYTES]
            waiting = waiting[FRAME_BYTES:]
