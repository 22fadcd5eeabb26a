"""Text to speech: the contract that every voice keeps, and what it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speech:
    """Spoken text."""

    pcm: bytes
    """Mono, signed 16 bit little endian."""

    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it takes to play."""
        return len(self.pcm) / 2 / self.rate_hz


class Speaker(ABC):
    """A voice. May be called from several threads."""

    @abstractmethod
    def synthesise(self, text: str) -> Speech:
        """Turn text into sound; empty text gives empty sound.

        Raises:
            ModelError: the voice is not installed, failed or took too long.
        """
