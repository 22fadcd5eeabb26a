"""Tells systemd how the program is; says nothing to nobody where there is no systemd."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Final

PID_1_LATE_US: Final = 250_000
"""How late systemd's timers may be: their default accuracy."""


def ready(environ: Mapping[str, str] = os.environ) -> None:
    """The program serves now (`Type=notify`). The watchdog is asked to look as much earlier as it
    may be late, so that the time in the unit is the longest and not the shortest."""
    if (period_s := watchdog_period_s(environ)) is not None and period_s >= 1.0:
        _say(f"WATCHDOG_USEC={round(period_s * 2_000_000) - PID_1_LATE_US}")
    _say("READY=1")


def status(text: str) -> None:
    """One line for `systemctl status`."""
    _say("STATUS=" + " ".join(text.split()))


def watchdog() -> None:
    """The program still makes progress; to be said at least every `watchdog_period_s()`."""
    _say("WATCHDOG=1")


def stopping() -> None:
    """The program is on its way out."""
    _say("STOPPING=1")


def watchdog_period_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """Half the time after which systemd takes the program for hung; None when it does not watch."""
    limit_us, watched = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not limit_us.isdecimal() or int(limit_us) == 0:
        return None
    if watched and watched != str(os.getpid()):
        return None  # meant for a parent that forgot to clear its environment
    return int(limit_us) / 2_000_000.0


def log_to(program: str, *, environ: Mapping[str, str] = os.environ) -> None:
    """Send this process's log to journald with its fields where systemd started it, else to
    standard error, one line each."""
    journal = _load("systemd.journal") if "JOURNAL_STREAM" in environ else None
    if journal is None:
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    else:
        sink = journal.JournalHandler(SYSLOG_IDENTIFIER=program)
        logging.basicConfig(level=logging.INFO, handlers=[sink])


def _say(state: str) -> None:
    if (daemon := _load("systemd.daemon")) is not None:
        daemon.notify(state)  # returns False without NOTIFY_SOCKET


@cache
def _load(name: str) -> ModuleType | None:
    """A module of systemd-python, or None where it is not installed."""
    try:
        # Not `systemd` alone: a folder of that name in the current directory satisfies it.
        return importlib.import_module(name)
    except ImportError:
        return None
