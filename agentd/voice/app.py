"""The `agentd-voice` program: ears and a mouth for the box, in a process of their own."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from agentd.voice.card import PortAudioCard
from agentd.voice.daemon import Daemon, VoiceSettings
from agentd.voice.errors import EarError
from agentd.voice.follower import Follower
from agentd.voice.listener import Listener
from agentd.voice.microphone import Microphone
from agentd.voice.mouth import Mouth
from agentd.voice.pipeline import Pipeline
from agentd.voice.talk import Talk
from agentd.voice.wyoming_door import WyomingDoor
from llmagentos import notify
from llmagentos.clock import Instant
from llmagentos.place import run_dir
from models import store
from models.errors import ModelError
from models.espeak import EspeakSpeaker

_LOG: Final = logging.getLogger("agentd-voice")

_REPORT_S: Final = 30.0
"""agentd takes a sister program for away after three missed reports."""

_MODEL_RETRY_S: Final = 5.0
"""Pause between two looks for a speech model that is missing."""

_TURN_S: Final = 0.5
_TAKEN: Final = 69
"""Exit status EX_UNAVAILABLE: somebody else serves the socket."""


class Program:
    """Everything, put together; one object per process."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Compose the parts; nothing runs yet."""
        self._model_id: str = options.model
        self._stopping = threading.Event()
        self._failed = False
        self._hearing = ("no_microphone", "started with --no-microphone")
        daemon = Daemon(options.run / "agentd.sock")
        card = None if options.no_microphone else PortAudioCard()
        speaker = EspeakSpeaker()
        self._pipeline = Pipeline(daemon.ask, clock=_clock)
        self._mouth = Mouth(speaker, card, show=_show)
        microphone = None if card is None else self._microphone(card)
        self._talk = Talk(self._pipeline, self._mouth, microphone)
        self._door = WyomingDoor(options.run / "voice.sock", self._pipeline, speaker)
        self._follower = Follower(
            daemon,
            pipeline=self._pipeline,
            talk=self._talk,
            status=self.status,
            wait=self._stopping.wait,
            on_settings=self._settle,
        )

    def _microphone(self, card: PortAudioCard) -> Microphone:
        self._hearing = ("no_microphone", "not looked for yet")
        return Microphone(
            card, clock=_clock, wait=self._stopping.wait, report=self._note_microphone
        )

    def stop(self) -> None:
        """End soon; may be called from a signal."""
        self._stopping.set()

    def status(self) -> tuple[str, str]:
        """How the program is, as agentd is told it: a word and its detail."""
        if self._pipeline.lack:
            return "missing", self._pipeline.lack
        word, detail = self._hearing
        if unknown := self._pipeline.unknown_words:
            detail += f"; the speech model does not know: {', '.join(unknown)}"
        return word, detail

    def run(self) -> int:
        """Serve until `stop`; returns the exit status.

        Raises:
            EarError: another program serves the socket.
        """
        self._load()
        self._door.start()
        listening = self._start("microphone", self._talk.listen)
        self._start("mouth", self._mouth.run)
        self._start("follower", self._follower.run)
        notify.ready()
        self._watch()
        notify.stopping()
        self._door.close()
        self._mouth.hush()
        listening.join(1.0)
        return int(self._failed)

    def _watch(self) -> None:
        """Report, look for a missing model, and tell systemd that we live."""
        turn_s = min(_TURN_S, notify.watchdog_period_s() or _TURN_S)
        told, told_s, loaded_s = ("", ""), _clock().mono_s, _clock().mono_s
        while not self._stopping.wait(turn_s):
            notify.watchdog()
            now_s = _clock().mono_s
            if self._pipeline.listener is None and now_s - loaded_s > _MODEL_RETRY_S:
                self._load()
                loaded_s = now_s
            if self.status() != told or now_s - told_s > _REPORT_S:
                told, told_s = self.status(), now_s
                notify.status(": ".join(told))
                self._follower.refresh()

    def _load(self) -> None:
        """Load the speech model, if it is there by now."""
        from models.vosk import VoskTranscriber

        started_s = _clock().mono_s
        try:
            transcriber = VoskTranscriber(store.find(self._model_id))
        except ModelError as exc:
            if str(exc) != self._pipeline.lack:
                _LOG.warning("cannot hear yet: %s", exc)
            self._pipeline.miss(str(exc))
            return
        self._pipeline.use(Listener(transcriber, clock=_clock))
        _LOG.info("%s loaded in %.1f s", transcriber.name, _clock().mono_s - started_s)

    def _settle(self, settings: VoiceSettings) -> None:
        self._door.area = settings.area

    def _note_microphone(self, status: str, detail: str) -> None:
        if (status, detail) != self._hearing:
            _LOG.info("%s: %s", status, detail)
        self._hearing = (status, detail)

    def _start(self, name: str, body: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=self._guard, args=(body,), name=name, daemon=True)
        thread.start()
        return thread

    def _guard(self, body: Callable[[], None]) -> None:
        """A defect in one part ends the program: it is started again whole."""
        try:
            body()
        except BaseException:
            self._failed = True
            self._stopping.set()
            raise


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program until SIGTERM."""
    options = _parser().parse_args(arguments)
    notify.log_to("agentd-voice")
    program = Program(options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: program.stop())
    try:
        code = program.run()
    except EarError as exc:
        _LOG.error("%s", exc)
        sys.exit(_TAKEN)
    sys.exit(code)


def _clock() -> Instant:
    return Instant(time.monotonic(), time.time())


def _show(text: str) -> None:
    """Print a reply that cannot be spoken; never into the journal, as it may quote people."""
    if "JOURNAL_STREAM" in os.environ:
        _LOG.info("a reply of %d characters was not spoken: no sound card", len(text))
    else:
        sys.stdout.write(f"says: {text}\n")
        sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agentd-voice", description=__doc__)
    parser.add_argument("--run", type=Path, default=run_dir(), help="folder of the sockets")
    parser.add_argument("--model", default="vosk-small-en", help="id in the catalog")
    parser.add_argument(
        "--no-microphone", action="store_true", help="hear clients only, open no sound card"
    )
    return parser
