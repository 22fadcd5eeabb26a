"""The `agentd-llm` program: the language model in a process of its own, out of everybody's way."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from agentd.llm.listen import SocketTaken
from agentd.llm.server import Server
from agentd.llm.worker import Condition, Worker
from llmagentos import notify
from llmagentos.clock import Instant
from llmagentos.place import model_dirs, run_dir
from models import catalog, store
from models.choose import Chooser
from models.errors import ModelError
from models.llama import CONTEXT_TOKENS

_LOG: Final = logging.getLogger("agentd-llm")

_NICE: Final = 19
"""A choice may take longer; a command to a pin may not."""

_TAKEN: Final = 69
"""Exit status EX_UNAVAILABLE: somebody else serves the socket."""

_USAGE: Final = 78
"""Exit status EX_CONFIG: no such model."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program until SIGTERM."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="agentd-llm: %(message)s",
        stream=sys.stderr,
    )
    os.nice(_NICE)
    try:
        rows = catalog.load().chain(options.model)
        server = _server(options, [row.id for row in rows])
    except ModelError as exc:
        _LOG.error("%s", exc)
        sys.exit(_USAGE)
    except SocketTaken as exc:
        _LOG.error("%s", exc)
        sys.exit(_TAKEN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    notify.ready()
    server.run()
    notify.stopping()


def _server(options: argparse.Namespace, model_ids: Sequence[str]) -> Server:
    options.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    worker = Worker(
        partial(_open_model, options),
        mark=partial(_mark, [folder / name for folder in model_dirs() for name in model_ids]),
        clock=_clock,
    )
    return Server(
        options.run / "llm.sock",
        worker,
        model=options.model,
        clock=_clock,
        beat=_Beat(),
        beat_s=notify.watchdog_period_s(),
    )


def _open_model(options: argparse.Namespace) -> Chooser:
    """Find, verify and load the model; llama.cpp comes into the process here."""
    from models.llama_chooser import LlamaChooser

    started_s = time.monotonic()
    chooser = LlamaChooser(
        store.hold(options.model).file,
        clock=_clock,
        threads=options.threads,
        context_tokens=options.context,
    )
    elapsed_s = time.monotonic() - started_s
    _LOG.info("%s ready in %.1f s, %d threads", options.model, elapsed_s, chooser.threads)
    return chooser


def _mark(folders: Iterable[Path]) -> object:
    """Names, sizes and times of the model's files."""
    found = set()
    for folder in folders:
        with suppress(OSError):  # a pull may be replacing the folder just now
            for file in folder.iterdir():
                status = file.stat()
                found.add((str(file), status.st_size, status.st_mtime_ns))
    return found


class _Beat:
    """Tells systemd of progress, and of the model's condition when it changes."""

    def __init__(self) -> None:
        self._said = ""

    def __call__(self, condition: Condition) -> None:
        text = condition.detail or condition.state
        if text != self._said:
            self._said = text
            notify.status(text)
        notify.watchdog()


def _clock() -> Instant:
    return Instant(time.monotonic(), time.time())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agentd-llm", description=__doc__)
    parser.add_argument("--run", type=Path, default=run_dir(), help="folder of the socket")
    parser.add_argument("--model", default="smollm2-135m", help="id in the catalog")
    parser.add_argument("--threads", type=int, help="default: one core less than there are")
    parser.add_argument(
        "--context", type=int, default=CONTEXT_TOKENS, help="tokens of prefix, prompt and choices"
    )
    parser.add_argument("--verbose", action="store_true", help="log what llama.cpp says")
    return parser
