"""What can go wrong between a sound and a sentence.

LlmagentosError
 └─ VoiceError            base; its text says what and what to do
     ├─ RecordingError    a file, or a client's audio, that cannot be heard
     ├─ CardError         there is no such microphone or loudspeaker, or it stopped (transient)
     └─ EarError          agentd-voice is away, busy or refused a client's request (client's side)
"""

from __future__ import annotations

from llmagentos.errors import LlmagentosError


class VoiceError(LlmagentosError):
    """Something between a sound and a sentence."""


class RecordingError(VoiceError):
    """A file, or audio that a client sent, cannot be heard."""


class CardError(VoiceError):
    """There is no such microphone or loudspeaker, or it stopped; it may come back."""


class EarError(VoiceError):
    """agentd-voice is away, busy or refused the request."""
