"""Wyoming events over a Unix socket, the one module that imports `wyoming`.

The framing is read here, because the library believes every length that a peer names. Our
extension of the protocol is one event, `hear`: as `transcribe`, but the answer is `transcript`
and then `handled` or `not-handled`, with all that became of the utterance under `llmagentos` in
its data.
"""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Mapping
from typing import Any, Final

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, write_event
from wyoming.handle import Handled, NotHandled
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.tts import Synthesize

from agentd.voice.errors import EarError, RecordingError
from agentd.voice.heard import Heard
from agentd.voice.pcm import BYTES_A_SECOND, RATE_HZ, SAMPLE_BYTES
from agentd.voice.recording import Format
from models.speak import Speech

__all__ = ["Event", "Wire"]  # Event is the library's; others take it from here

HEAR: Final = "hear"
"""Type of our own event."""

DESCRIBE: Final = Describe().event().type
TRANSCRIBE: Final = Transcribe().event().type
SYNTHESIZE: Final = Synthesize(text="").event().type
AUDIO_START: Final = AudioStart(rate=1, width=1, channels=1).event().type
AUDIO_CHUNK: Final = AudioChunk(rate=1, width=1, channels=1, audio=b"").event().type
AUDIO_STOP: Final = AudioStop().event().type
TRANSCRIPT: Final = Transcript(text="").event().type
HANDLED: Final = Handled().event().type
NOT_HANDLED: Final = NotHandled().event().type
ERROR: Final = Error(text="").event().type

_OURS: Final = "llmagentos"

_MOST_LINE_BYTES: Final = 64 << 10
_MOST_BODY_BYTES: Final = 4 << 20
"""Most data or sound in one event: ten seconds of the widest sound."""

_NO_EVENT: Final = "that is no Wyoming event"


class Wire:
    """One connection, either end. Its socket's time-out bounds every wait."""

    def __init__(self, link: socket.socket) -> None:
        """Take over a connected socket."""
        self._link = link
        self._reader = link.makefile("rb")

    def read(self) -> Event | None:
        """The next event; None when the other end hung up.

        Raises:
            EarError: it is no event, too long, or nothing came in time.
        """
        try:
            return self._read()
        except TimeoutError as exc:
            raise EarError("nothing came in time") from exc
        except OSError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise EarError(_NO_EVENT) from exc

    def _read(self) -> Event | None:
        line = self._reader.readline(_MOST_LINE_BYTES)
        if not line:
            return None
        if not line.endswith(b"\n"):
            raise EarError(_NO_EVENT)
        head = json.loads(line)
        data, kind = dict(head.get("data") or {}), head["type"]
        if more := self._body(head.get("data_length")):
            data.update(json.loads(more))
        payload = self._body(head.get("payload_length"))
        if not isinstance(kind, str):
            raise EarError(_NO_EVENT)
        return Event(type=kind, data=data, payload=payload or None)

    def _body(self, length: object) -> bytes:
        if length is None:
            return b""
        if not isinstance(length, int) or not 0 <= length <= _MOST_BODY_BYTES:
            raise EarError(f"an event holds at most {_MOST_BODY_BYTES} bytes")
        body = self._reader.read(length)
        if len(body) < length:
            raise EarError("the other end hung up within an event")
        return body

    def write(self, event: Event) -> None:
        """Send one event.

        Raises:
            EarError: the other end hung up or does not read.
        """
        whole = io.BytesIO()
        write_event(event, whole)
        try:
            self._link.sendall(whole.getbuffer())
        except OSError as exc:
            raise EarError(f"the other end went away: {exc}") from exc

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self._link.close()


# what the server says ---------------------------------------------------------------------------


def info(model: str, *, language: str = "en") -> Event:
    """What we offer."""
    ours = Attribution(name="LLMAgentOS", url="")
    asr = AsrProgram(
        name="agentd-voice", attribution=ours, installed=True, version=None,
        description="Hears the sentences of this home",
        models=[AsrModel(
            name=model, attribution=Attribution(name="Alpha Cephei", url="https://alphacephei.com"),
            installed=True, version=None, description="Vosk", languages=[language],
        )],
    )  # fmt: skip
    tts = TtsProgram(
        name="agentd-voice", attribution=ours, installed=True, version=None,
        description="Speaks replies",
        voices=[TtsVoice(
            name="espeak-ng", attribution=Attribution(name="espeak-ng", url=""),
            installed=True, version=None, description="espeak-ng", languages=[language],
        )],
    )  # fmt: skip
    return Info(asr=[asr], tts=[tts]).event()


def transcript(text: str) -> Event:
    """What was heard."""
    return Transcript(text=text).event()


def outcome(heard: Heard) -> Event:
    """What became of an utterance: `handled` when agentd answered."""
    made = Handled(text=heard.reply) if heard.was_asked else NotHandled(text=heard.reply)
    event = made.event()
    event.data[_OURS] = heard.to_json()
    return event


def failure(text: str, *, code: str) -> Event:
    """Why there is no answer."""
    return Error(text=text, code=code).event()


def speech(spoken: Speech) -> list[Event]:
    """Sound, from its start to its stop."""
    shape = {"rate": spoken.rate_hz, "width": SAMPLE_BYTES, "channels": 1}
    return _sound(spoken.pcm, spoken.rate_hz, shape)


# what the client says ---------------------------------------------------------------------------


def hear_request(pcm: bytes, *, who: str, area: str | None) -> list[Event]:
    """A whole utterance of 16 kHz mono 16 bit sound for the way to agentd."""
    shape = {"rate": RATE_HZ, "width": SAMPLE_BYTES, "channels": 1}
    asked = Event(type=HEAR, data={"who": who, "area": area})
    return [asked, *_sound(pcm, BYTES_A_SECOND // SAMPLE_BYTES, shape)]


def heard_of(event: Event) -> Heard:
    """What became of the utterance.

    Raises:
        EarError: agentd-voice says why there is no answer, or speaks another version of this.
    """
    if event.type == ERROR:
        raise EarError(str(event.data.get("text")))
    try:
        return Heard.from_json(event.data[_OURS])
    except (KeyError, TypeError, ValueError) as exc:
        raise EarError("agentd-voice answered in another version of its protocol") from exc


# what both read ---------------------------------------------------------------------------------


def format_of(data: Mapping[str, Any]) -> Format:
    """How the sound of an `audio-start` or `audio-chunk` is written.

    Raises:
        RecordingError: it is not said, or nobody makes such sound.
    """
    try:
        form = Format(int(data["rate"]), int(data["channels"]), int(data["width"]) * 8)
    except (KeyError, TypeError, ValueError) as exc:
        raise RecordingError("rate, width and channels of the audio are missing") from exc
    form.check()
    return form


def _sound(pcm: bytes, rate_hz: int, shape: Mapping[str, int]) -> list[Event]:
    piece = rate_hz * SAMPLE_BYTES // 4
    chunks = [
        AudioChunk(audio=pcm[at : at + piece], **shape).event() for at in range(0, len(pcm), piece)
    ]
    return [AudioStart(**shape).event(), *chunks, AudioStop().event()]
