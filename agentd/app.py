"""agentd: the composition root. A configuration in, a running box out.

Starts in order, stops in reverse: outputs first and safe, then journal, understanding, doors.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import secrets
import signal
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, Final

from agentd.agents.promises import PromiseBook
from agentd.agents.shelf import Shelf
from agentd.config import Config, read
from agentd.crash import CRASHES, CrashRecord, why_held
from agentd.credential import read_credential
from agentd.door.broker import Broker
from agentd.door.command import Seen
from agentd.door.feed import Feed
from agentd.door.mqtt import MqttDoor
from agentd.door.sock import SocketDoor, SocketTaken
from agentd.door.verb import Ports, Verbs
from agentd.health import Health, Probe, overall, unavailable
from agentd.household import Household
from agentd.inbox import Inbox
from agentd.journal import Journal, JournalError
from agentd.loop import Loop
from agentd.machine import boot_id, time_zone
from agentd.node import node_name
from agentd.past import Past
from agentd.progress import WRITE_S, Progress
from agentd.publisher import Publisher
from agentd.pulse import Pulse
from agentd.sister import probe_llm
from agentd.step import Steps, pass_by
from agentd.toml_source import ConfigError
from agentd.understand.assistant import Assistant, ModelAway
from agentd.understand.confirmation import Questions
from agentd.understand.llm_client import SocketChooser
from agentd.understand.notice_reply import NoticeReply
from agentd.understand.vocabulary import Vocabulary, build_vocabulary
from agentd.understand.words import load_words
from agentd.wall_clock import WallClock
from llmagentos import notify
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Home
from llmagentos.place import run_dir
from llmagentos.utterance import Observation, Utterance
from models import catalog, store

_log = logging.getLogger("agentd")

EXIT_CONFIG: Final = 78
"""Exit status of `--check` for a configuration that is wrong (EX_CONFIG)."""

STOP_S: Final = 1.0
"""Longest wait for a stop that was said."""

LEAVE_S: Final = 0.2
"""Pause before the end that a reset in safe mode brings, so that its answer still gets out."""

LLM_SOCKET: Final = "llm.sock"
BROKER_SOCKET: Final = "mqtt.sock"
"""Sockets of the sisters, in the run folder."""


def main(argv: list[str] | None = None) -> int:
    """Run the daemon until SIGTERM or SIGINT.

    Returns:
        Exit status: 0 after a stop, 1 when it cannot run, 78 when `--check` finds a mistake.
    """
    options = _parse(argv)
    notify.log_to("agentd")
    try:
        if options.check:
            return _check(options.config)
        faulthandler.enable()  # the watchdog's SIGABRT then tells where every thread stood
        box = Agentd(
            options.config, run=options.run, data=options.data,
            is_held=options.safe_mode, crash_limit=options.crash_limit,
        )  # fmt: skip
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: box.end())
        box.serve()
    except (ConfigError, JournalError, SocketTaken) as exc:
        print(f"agentd: {exc}", file=sys.stderr)  # noqa: T201 - a command's last word
        return EXIT_CONFIG if isinstance(exc, ConfigError) else 1
    return 0


def read_clock() -> Instant:
    """The present instant."""
    return Instant(time.monotonic(), time.time())


class Agentd:
    """The running box."""

    def __init__(
        self,
        path: Path,
        *,
        run: Path,
        data: Path,
        is_held: bool = False,
        crash_limit: int = CRASHES,
        steps: Steps = pass_by,
    ) -> None:
        """Read the configuration and make the outputs safe, before anything that takes time.

        Args:
            path: agentd.toml.
            run: folder of the sockets.
            data: folder of the journal.
            is_held: start in safe mode, as after too many crashes: outputs safe and held there,
                doors open, no rules, sensors or models, until somebody resets it.
            crash_limit: so many crashes in a row bring that.
            steps: told of every state that a plan passes.

        Raises:
            JournalError: the data folder cannot be written.
        """
        self._run = run
        self._started_at = read_clock()
        self._ending = threading.Event()
        self.progress = Progress()
        run.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._crashes = CrashRecord(run / "crashes.json")
        died = self._crashes.begin(self._started_at)
        self._held = why_held(died, limit=crash_limit, is_asked=is_held)
        self._feed, self._inbox = Feed(), Inbox()
        self._household = Household(
            path, run=run, data=data, inbox=self._inbox, clock=read_clock,
            is_held=bool(self._held), is_bare=died > crash_limit,
        )  # fmt: skip
        self._node = node_name(self._config.node.name)
        self._boot, self._numbers = secrets.token_hex(4), count(1)
        keep = self._config.journal.keep_utterances
        # What keeps dying may die of its journal; safe mode writes one that a reboot forgets.
        journal = run / "safe.db" if self._held else data / "journal.db"
        beat = self.progress.loop("journal", deadline_s=WRITE_S)
        self._journal = Journal(
            journal, clock=read_clock, keep_utterances=keep, steps=steps, beat=beat
        )
        self._wall_clock = WallClock()
        self._book = None if self._held else self._open_book()
        self._loop = Loop(
            self._inbox,
            next_cause=self._next_cause,
            publish=Publisher(self._journal, self._feed, steps=steps).publish,
            now=self._started_at,
            ledger=self._journal,
            keeper=self._book,
            boot_id=boot_id(),
            remembered=self._journal.saved("gate"),
            is_clock_set=self._wall_clock.is_set,
            steps=steps,
        )
        self._known_words: tuple[Home, Vocabulary] | None = None
        self._mqtt: MqttDoor | None = None
        self._loop.adopt(self._household.furnish(), read_clock())
        self._loop.make_safe(read_clock(), rule="start", reason="The box has just started.")
        if self._held:
            origin = Origin(Rank.SAFETY, "safe_mode")
            self._inbox.latch(is_stop=True, cause=self._next_cause(), origin=origin)

    def serve(self) -> None:
        """Open the doors, then tick until told to end.

        Raises:
            SocketTaken: another agentd serves this run folder.
        """
        self._journal.record_note("start", "; ".join(self._errors()))
        self._household.start_sensors()
        self._past = self._open_past()
        self._assistant = self._make_assistant()
        sisters = ("voice",) if self._config.voice.enabled else ()
        self._health = Health(self._probes(), sisters=sisters, clock=read_clock)
        verbs = Verbs(self._ports())
        self._socket = SocketDoor(
            self._run / "agentd.sock", verbs.serve, self._feed,
            clock=read_clock, channel="cli", claims=("voice",), progress=self.progress,
        )  # fmt: skip
        self._mqtt = self._make_mqtt(verbs)
        self._socket.start()
        if self._mqtt:
            self._mqtt.start()
        self._crashes.note_ready(read_clock())
        notify.ready()
        pulse = Pulse(
            self._loop, self._inbox, self._household,
            health=self._health, progress=self.progress, clock=read_clock,
        )  # fmt: skip
        if not self._held:
            threading.Thread(target=self._warm, name="warm", daemon=True).start()
        try:
            pulse.beat_until(self._ending)
        finally:
            self._loop.make_safe(read_clock(), rule="end", reason="The box is switching off.")
            self._close()
        self._crashes.forget()

    def end(self) -> None:
        """Make `serve` return; may be called from a signal or another thread."""
        self._ending.set()
        self._inbox.call(_wake)

    # parts ------------------------------------------------------------------------------------

    def _open_book(self) -> PromiseBook:
        """The promises of earlier runs, and what those left unfinished."""
        journal = self._journal
        book = PromiseBook(
            self._shelf(),
            boot=boot_id(),
            zone=time_zone(self._config.home.time_zone),
            now=self._started_at,
            tell=NoticeReply(load_words(self._config.home.language)).tell,
            is_clock_set=self._wall_clock.is_set(),
            exempt=self._exempt,
            note=journal.record_plan,
        )
        book.recover(journal.interrupted())
        return book

    def _shelf(self) -> Shelf:
        return Shelf(self._journal.save, self._journal.drop, self._journal.saved)

    def _open_past(self) -> Past:
        return Past(
            self._journal,
            observe=self._observe,
            preview=lambda plan: self._loop.preview(plan, read_clock()),
            zone=lambda: time_zone(self._config.home.time_zone),
        )

    def _make_assistant(self) -> Assistant:
        config = self._config
        has_model = config.llm.enabled and not self._held
        chooser = SocketChooser(self._run / LLM_SOCKET) if has_model else None
        return Assistant(
            self._loop.observe(read_clock()).home,
            observe=self._observe,
            propose=self._inbox.propose,
            preview=lambda plan: self._loop.preview(plan, read_clock()),
            why=self._past.why,
            next_cause=self._next_cause,
            clock=read_clock,
            chooser=chooser,
            stop=self._stop_said,
            time_zone=config.home.time_zone,
            promises=self._book,
            past=self._past,
            questions=Questions(self._shelf(), boot=boot_id()),
        )

    def _ports(self) -> Ports:
        return Ports(
            assistant=self._assistant,
            journal=self._journal,
            past=self._past,
            feed=self._feed,
            observe=self._observe,
            propose=self._inbox.propose,
            latch=self._latch,
            reset_device=self._reset_device,
            is_stopped=lambda: self._loop.is_stopped,
            next_cause=self._next_cause,
            config=lambda: self._config,
            reload=self._reload,
            health=self._tell_health,
            report=self._health.report,
            vocabulary=self._vocabulary,
            models=_inventory,
            clock=read_clock,
            book=self._book,
        )

    def _make_mqtt(self, verbs: Verbs) -> MqttDoor | None:
        table = self._config.mqtt
        if table.broker == "off":
            return None
        host = str(self._run / BROKER_SOCKET) if table.broker == "own" else table.broker
        password = table.password or read_credential("mqtt-password")
        return MqttDoor(
            Broker(host, table.port, table.user, password),
            node=self._node,
            boot=self._boot,
            serve=verbs.serve,
            feed=self._feed,
            home=lambda: self._observe().home,
            states=lambda: self._observe().states,
            info=self._info,
            clock=read_clock,
            progress=self.progress,
            seen=self._recall_seen(),
            outbox=self._journal.outbox,
        )

    def _recall_seen(self) -> Seen:
        """The commands begun of late, so that none sent again after a restart is begun again."""
        seen = Seen(note=self._journal.record_seen, settle=self._journal.settle)
        seen.recall(self._journal.seen(), now_s=read_clock().mono_s)
        return seen

    def _probes(self) -> dict[str, Probe]:
        probes: dict[str, Probe] = {"journal": self._journal.status}
        if self._config.llm.enabled:
            probes["llm"] = lambda: probe_llm(self._run / LLM_SOCKET)
        if self._config.mqtt.broker != "off":
            probes["mqtt"] = lambda: self._mqtt.status() if self._mqtt else ("away", "")
        return probes

    # what the doors ask for -------------------------------------------------------------------

    def _next_cause(self) -> Cause:
        return Cause(self._node, self._boot, next(self._numbers))

    def _observe(self) -> Observation:
        return self._loop.observe(read_clock())

    def _stop_said(self, utterance: Utterance) -> str:
        """Stop everything because somebody said so; what to answer."""
        cause = utterance.cause or self._next_cause()
        done = self._inbox.latch(is_stop=True, cause=cause, origin=utterance.origin)
        with suppress(FutureTimeout):  # a slow disk holds up its note, not the stop
            done.result(STOP_S)
        if not self._loop.is_stopped:
            return "The box does not answer; cut the power."
        return "Everything is stopped, until somebody resets it."

    def _latch(self, is_stop: bool, cause: Cause, origin: Origin) -> Future[None]:
        """Stop or reset; a reset in safe mode ends the process, and its supervisor starts it anew,
        whole and with a clean record."""
        if self._held and not is_stop:
            threading.Timer(LEAVE_S, self.end).start()
            done: Future[None] = Future()
            done.set_result(None)
            return done
        return self._inbox.latch(is_stop=is_stop, cause=cause, origin=origin)

    def _reset_device(self, device: str, cause: Cause, origin: Origin) -> Future[None]:
        return self._inbox.latch(is_stop=False, cause=cause, origin=origin, device=device)

    def _exempt(self, devices: frozenset[str], who: str) -> None:
        """A person has just made a promise or rule: their own hold does not keep it off."""
        self._inbox.call(lambda: self._loop.exempt(devices, who))

    def _vocabulary(self) -> Vocabulary:
        home = self._observe().home
        if self._known_words is None or self._known_words[0] is not home:
            self._known_words = (home, build_vocabulary(home))
        return self._known_words[1]

    def _info(self) -> Mapping[str, Any]:
        area = self._config.node.area
        mode = "safe_mode" if self._is_safe_mode else "normal"
        return {"name": self._node, "version": version("llmagentos"), "area": area, "mode": mode}

    def _tell_health(self) -> Mapping[str, Any]:
        now = read_clock()
        states, parts = self._loop.observe(now).states, self._health.parts()
        away, faults = unavailable(states), self._loop.faults
        return {
            "status": overall(
                parts,
                [*away, *faults],
                is_stopped=self._loop.is_stopped,
                is_safe_mode=self._is_safe_mode,
                errors=self._errors(),
            ),
            "node": self._node,
            "version": version("llmagentos"),
            "uptime_s": round(self._started_at.age_s(now), 1),
            "parts": parts,
            "devices": {
                "ok": len(states) - len(away),
                "unavailable": away,
                "faulty": [{"id": name, "reason": why} for name, why in faults.items()],
            },
            "tick": self._health.pace(),
            "errors": self._errors(),
        }

    def _errors(self) -> list[str]:
        """What is wrong with the box as a whole, one line each."""
        return [*([self._held] if self._held else ()), *self._config.errors]

    # configuration ----------------------------------------------------------------------------

    @property
    def _config(self) -> Config:
        return self._household.config

    @property
    def _is_safe_mode(self) -> bool:
        return bool(self._held) or self._household.is_lost

    def _reload(self) -> Mapping[str, Any]:
        """Read the file again and tell everybody who lives on it."""
        try:
            changed = self._household.reload(self._loop)
        except ConfigError as exc:
            return {"changed": [], "errors": [str(exc)]}
        self._assistant.refresh(self._observe().home)
        if self._mqtt:
            self._mqtt.announce()
        self._feed.publish({"kind": "config", "changed": changed})
        return {"changed": changed, "errors": list(self._config.errors)}

    # running ----------------------------------------------------------------------------------

    def _warm(self) -> None:
        """What may take long and is not needed to be ready."""
        self._household.keep_good_copy()
        self._vocabulary()
        try:
            self._assistant.warm()
        except ModelAway as exc:
            _log.info("the language model has no prefix yet: %s", exc)

    def _close(self) -> None:
        """In reverse order of the start."""
        notify.stopping()
        if self._mqtt:
            self._mqtt.close()
        self._socket.close()
        self._household.close()
        self._journal.record_note("end", "")
        self._journal.close()


def _wake() -> None:
    """Nothing to do but to look again."""


def _inventory() -> list[dict[str, Any]]:
    """The models of the catalog, and which of them are here."""
    return [
        {
            "id": row.id, "present": store.is_present(row), "licence": row.licence,
            "bytes": row.bytes, "used_by": row.task,
        }
        for row in catalog.load().rows.values()
    ]  # fmt: skip


def _check(path: Path) -> int:
    """Read a configuration and tell every mistake."""
    config = read(path)
    for error in config.errors:
        print(error, file=sys.stderr)  # noqa: T201 - the command's output
    return EXIT_CONFIG if config.errors else 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="agentd", description="The daemon of LLMAgentOS.", allow_abbrev=False
    )
    parser.add_argument("--config", type=Path, default=Path("/etc/agentd/agentd.toml"))
    parser.add_argument("--run", type=Path, default=run_dir(), help="folder of the sockets")
    parser.add_argument("--data", type=Path, default=Path("/var/lib/agentd"), help="journal")
    parser.add_argument("--check", action="store_true", help="read the configuration and end")
    parser.add_argument(
        "--safe-mode",
        action="store_true",
        help="hold outputs safe until a reset; no rules or models",
    )
    parser.add_argument(
        "--crash-limit", type=int, default=CRASHES, metavar="N",
        help="crashes in a row that bring safe mode (%(default)s); raised by tests that kill it",
    )  # fmt: skip
    return parser.parse_args(argv)
