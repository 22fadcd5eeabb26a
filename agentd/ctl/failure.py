"""What a command ends with: exit codes a script can use, and one line for a person.

LlmagentosError
 └─ Failure          a command cannot do what it was told
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, Final

from llmagentos.client import DoorClosed, DoorRefused, DoorTimeout
from llmagentos.errors import LlmagentosError


class Code(IntEnum):
    """The process's exit status."""

    DONE = 0
    FAILED = 1
    """Refused by the box, or something went wrong on the way."""
    USAGE = 2
    """The command line itself is wrong."""
    AWAY = 3
    """The daemon cannot be reached."""
    UNCLEAR = 4
    """Not understood, or it asks back and waits for a yes."""
    CONFIG = 78
    """The configuration file is wrong (EX_CONFIG of sysexits.h)."""


class Failure(LlmagentosError):
    """A command cannot do what it was told; the text is one line for a person."""

    def __init__(self, text: str, *, code: Code = Code.FAILED, hint: str = "") -> None:
        super().__init__(text)
        self.code = code
        """What the process ends with."""
        self.hint = hint
        """What to do about it; empty when the text says it already."""


START_HINT = "start it with `make run` (or `systemctl start agentd`), or name its folder with --run"


def failure_of(error: Exception) -> Failure:
    """The same mishap as an exit code and one line, whatever part of the product it came from."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, DoorTimeout):
        return Failure(str(error), code=Code.AWAY, hint="`agentctl health` shows what is slow")
    if isinstance(error, DoorClosed):
        return Failure(f"agentd is not running: {error}", code=Code.AWAY, hint=START_HINT)
    if isinstance(error, DoorRefused):
        return Failure(str(error), code=_REFUSED.get(error.code, Code.FAILED))
    if isinstance(error, OSError) and error.filename is not None:
        return Failure(f"{error.filename}: {error.strerror}")
    return Failure(str(error))


_REFUSED: Mapping[str, Code] = {"bad_request": Code.USAGE}
"""Every other refusal is the box's word, not a mistake in the command line."""


def closest(word: str, known: Iterable[str]) -> str:
    """A hint that names what the word may have meant; empty when nothing is near."""
    near = difflib.get_close_matches(word, tuple(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else ""


def code_of(answer: Mapping[str, Any]) -> Code:
    """How an `ask`, `interpret` or `set` ended, from its answer.

    A reply that is not confirmed yet is done: the device has its order and takes its time.
    """
    outcome = answer.get("outcome", {})
    kind = outcome.get("type", "actions")
    stages = {row.get("stage") for row in answer.get("applied") or ()}
    if stages & {"refused", "failed"} and not answer.get("needs_yes"):
        return Code.FAILED
    if kind == "error":
        return Code.FAILED
    is_talk = kind == "none" and (outcome.get("reason") in _TALK or bool(stages))
    if answer.get("needs_yes") or kind == "ask" or (kind == "none" and not is_talk):
        return Code.UNCLEAR
    return Code.DONE


_TALK: Final = frozenset({"no", "never_mind", "why", "repeat", "stop"})
"""Words about the conversation that are done when they are answered; a yes or an undo is done when
it did something."""
