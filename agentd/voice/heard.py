"""What became of one utterance, from its sound to the reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentd.voice.listener import Recognised

_TIMES: Final = ("audio_ms", "decode_ms", "finish_ms", "ask_ms")


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance and its outcome; a value that goes over the Wyoming socket as it is."""

    text: str
    """The sentence of the home that was heard; empty for silence."""

    free_text: str
    """The second opinion."""

    is_agreed: bool
    """Whether both opinions are one; agentd was asked only then."""

    reason: str
    """Why nothing was done, in words for a person; empty when agentd answered."""

    reply: str
    """What is said back; empty for nothing."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    """agentd's own answer to `ask`; empty when it was not asked."""

    ratio: float = 0.0
    """Likeness of both opinions, 0 to 1."""

    audio_ms: float = 0.0
    """Length of the sound."""

    decode_ms: float = 0.0
    """Time that both decodes took."""

    finish_ms: float = 0.0
    """From the last sample to both opinions."""

    ask_ms: float = 0.0
    """From the question to agentd's answer; 0 when it was not asked."""

    @property
    def ms(self) -> float:
        """From the end of the sound to the outcome."""
        return self.finish_ms + self.ask_ms

    @property
    def was_asked(self) -> bool:
        """Whether agentd answered."""
        return bool(self.answer)

    def to_json(self) -> dict[str, Any]:
        """As it goes over the socket."""
        times = {name: round(getattr(self, name), 1) for name in _TIMES}
        return {
            "text": self.text, "free_text": self.free_text, "agreed": self.is_agreed,
            "reason": self.reason, "reply": self.reply, "answer": dict(self.answer),
            "ratio": round(self.ratio, 3), **times,
        }  # fmt: skip

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Heard:
        """Read it back.

        Raises:
            KeyError: something is missing.
            TypeError, ValueError: something is of the wrong type.
        """
        return cls(
            text=str(told["text"]), free_text=str(told["free_text"]),
            is_agreed=bool(told["agreed"]), reason=str(told["reason"]), reply=str(told["reply"]),
            answer=dict(told["answer"]), ratio=float(told["ratio"]),
            **{name: float(told[name]) for name in _TIMES},
        )  # fmt: skip


def refused(recognised: Recognised, reply: str, reason: str) -> Heard:
    """An utterance that agentd was not asked about."""
    return answered(recognised, {}, reply=reply, reason=reason, ask_ms=0.0)


def answered(
    recognised: Recognised, answer: Mapping[str, Any], *, reply: str, reason: str, ask_ms: float
) -> Heard:
    """An utterance and what agentd said to it."""
    return Heard(
        text=recognised.text,
        free_text=recognised.free_text,
        is_agreed=recognised.agreement.is_agreed,
        reason=reason,
        reply=reply,
        answer=answer,
        ratio=recognised.agreement.ratio,
        audio_ms=recognised.audio_s * 1000,
        decode_ms=recognised.decode_ms,
        finish_ms=recognised.finish_ms,
        ask_ms=ask_ms,
    )
