"""An agentd that says what a test wants, behind the real socket, and a voice that talks to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentd.door.feed import Feed
from agentd.door.request import Request, RequestError
from agentd.door.sock import SocketDoor
from agentd.voice.daemon import Daemon
from agentd.voice.follower import Follower
from agentd.voice.listener import Listener
from agentd.voice.mouth import Mouth
from agentd.voice.pipeline import Pipeline
from agentd.voice.talk import Talk
from agentd.voice.wyoming_door import WyomingDoor
from llmagentos.clock import Instant
from models.scripted_speech import ScriptedSpeaker, ScriptedTranscriber
from models.transcribe import Vocabulary
from tests.broker import wait_until

LAMP = "turn on the desk lamp"
CANARY = "the canary is yellow"


def clock() -> Instant:
    return Instant(time.monotonic(), time.time())


def both(text: str) -> dict[Vocabulary, str]:
    """Both opinions are one."""
    return dict.fromkeys(Vocabulary, text)


def split(closed: str, free: str) -> dict[Vocabulary, str]:
    """The opinions of the closed and of the free decode."""
    return {Vocabulary.SENTENCES: closed, Vocabulary.FREE: free}


class FakeAgentd:
    """Serves the verbs that voice needs; keeps what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "agentd.sock"
        self.asked: list[Request] = []
        self.reports: list[tuple[str, str]] = []
        self.sentences = [LAMP, "turn off the desk lamp", "stop", CANARY]
        self.settings: dict[str, Any] = {
            "microphone": None, "speaker": None, "listen": "push", "language": "en", "area": "study",
        }  # fmt: skip
        self.answer: Mapping[str, Any] | RequestError = {
            "reply": "Desk lamp is on.",
            "cause": "demo/00000001/7",
        }
        self.feed: Feed
        self.start()

    def start(self) -> None:
        self.feed = Feed()
        self._door = SocketDoor(
            self.path, self._serve, self.feed, clock=clock, channel="cli", claims=("voice",)
        )
        self._door.start()

    def stop(self) -> None:
        self._door.close()

    def tell(self, kind: str, **data: Any) -> None:
        self.feed.publish({"kind": kind, **data})

    def _serve(self, request: Request) -> Any:
        if request.verb == "ask":
            self.asked.append(request)
            if isinstance(self.answer, RequestError):
                raise self.answer
            return self.answer
        if request.verb == "vocabulary":
            return {
                "sentences": self.sentences,
                "words": [],
                "version": str(hash(tuple(self.sentences))),
            }
        if request.verb == "config":
            return {"settings": self.settings}
        if request.verb == "report":
            self.reports.append((request.data["status"], request.data["detail"]))
            return {}
        raise RequestError("unknown_verb", request.verb)


class House:
    """agentd-voice in this process: the real parts over scripted models, without a microphone."""

    def __init__(self, folder: Path, *script: dict[Vocabulary, str]) -> None:
        self.agentd = FakeAgentd(folder)
        self.shown: list[str] = []
        self.speaker = ScriptedSpeaker()
        self.transcriber = ScriptedTranscriber(script)
        self.ended = threading.Event()
        self.daemon = Daemon(self.agentd.path)
        self.pipeline = Pipeline(self.daemon.ask, clock=clock)
        self.mouth = Mouth(self.speaker, None, show=self.shown.append)
        self.talk = Talk(self.pipeline, self.mouth, None)
        self.door = WyomingDoor(folder / "voice.sock", self.pipeline, self.speaker)
        self.follower = Follower(
            self.daemon, pipeline=self.pipeline, talk=self.talk,
            status=lambda: ("listening", "scripted"), wait=lambda s: self.ended.wait(min(s, 0.05)),
            on_settings=lambda settings: setattr(self.door, "area", settings.area),
        )  # fmt: skip
        self.sock = folder / "voice.sock"

    def start(self, *, is_deaf: bool = False) -> House:
        if not is_deaf:
            self.pipeline.use(Listener(self.transcriber, clock=clock))
        self.door.start()
        for body in (self.follower.run, self.mouth.run):
            threading.Thread(target=body, daemon=True).start()
        if not is_deaf:
            wait_until(lambda: self.transcriber.sentences)
        return self

    def close(self) -> None:
        self.ended.set()
        self.door.close()
        self.agentd.stop()
