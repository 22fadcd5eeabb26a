"""What a client can ask of the language model, read from its frames.

LlmagentosError
 └─ Refusal      the model's process says no; code and text go to the client
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from llmagentos.errors import LlmagentosError
from llmagentos.wire import VERSION, WireError, decode_object, encode
from models.choose import Baseline

_MOST_CHOICES: Final = 1000
_LONGEST_MS: Final = 600_000.0
_CHOOSE_MS: Final = 10_000.0
"""Deadline of a choice that names none."""
_PREFIX_MS: Final = 120_000.0
"""Deadline of a prefix that names none: a small board reads 50 tokens a second."""


class Refusal(LlmagentosError):
    """A request that is not served; its text is for the one who asked."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        """bad_request, busy, deadline, cancelled, no_prefix (the one named is not resident; send
        it again) or unavailable"""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Make a text resident."""

    text: str
    end: str = "\n"
    """What follows each choice."""


@dataclass(frozen=True, slots=True)
class Choose:
    """Score a closed set."""

    prompt: str
    choices: tuple[str, ...]
    prefix_id: str | None = None
    """The prefix that must be resident, as the answer to `prefix` named it; None for any."""
    baseline: Baseline | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Call off what the same process asked under a number."""

    target: int


@dataclass(frozen=True, slots=True)
class Health:
    """Say how the model is."""


Ask = Prefix | Choose | Cancel | Health


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    number: int
    """The client's own; its answer carries it."""

    ask: Ask

    within_s: float
    """Time it has from its arrival, in seconds."""


class BadCall(Refusal):
    """A frame that is no request; it carries the number to answer to, None when unknown."""

    def __init__(self, number: int | None, text: str) -> None:
        super().__init__("bad_request", text)
        self.number = number


def read_call(frame: bytes) -> Call:
    """Read one frame.

    Raises:
        BadCall: it is no request; the text says why.
    """
    try:
        message = decode_object(frame)
    except WireError as exc:
        raise BadCall(None, str(exc)) from exc
    number = message.pop("id", None)
    if isinstance(number, bool) or not isinstance(number, int):
        raise BadCall(None, "id must be a whole number of yours; the answer repeats it")
    try:
        return _call(number, message)
    except Refusal as exc:
        raise BadCall(number, str(exc)) from exc


def refuse(number: int | None, refusal: Refusal) -> bytes:
    """The frame that says no."""
    error = str(refusal)[:2000]
    return encode(
        {"v": VERSION, "id": number, "status": "error", "code": refusal.code, "error": error}
    )


def _call(number: int, message: dict[str, Any]) -> Call:
    version, verb = message.pop("v", None), message.pop("verb", None)
    if version is True or version != VERSION:
        raise _bad(f"v must be {VERSION}, it is {version!r}")
    if not isinstance(verb, str) or verb not in _VERBS:
        raise _bad(f"no verb {verb!r}; there are {', '.join(_VERBS)}")
    within_ms = _number(message, "deadline_ms", _PREFIX_MS if verb == "prefix" else _CHOOSE_MS)
    if not 0.0 <= within_ms <= _LONGEST_MS:
        raise _bad(f"deadline_ms is {within_ms:g}, it must be from 0 to {_LONGEST_MS:g}")
    ask = _VERBS[verb](message)
    if message:
        raise _bad(f"{verb} takes no {', '.join(sorted(message))}")
    return Call(number, ask, within_ms / 1000.0)


def _prefix(message: dict[str, Any]) -> Prefix:
    return Prefix(_text(message, "text"), _text(message, "end", "\n"))


def _choose(message: dict[str, Any]) -> Choose:
    choices = _texts(message, "choices")
    if len(choices) > _MOST_CHOICES:
        raise _bad(f"{len(choices)} choices are too many, at most {_MOST_CHOICES} are scored")
    named = _text(message, "prefix_id") if "prefix_id" in message else None
    return Choose(_text(message, "prompt"), choices, named, _baseline(message))


def _baseline(message: dict[str, Any]) -> Baseline | None:
    weight = _number(message, "weight", Baseline(()).weight)
    return Baseline(_texts(message, "baseline"), weight) if "baseline" in message else None


def _cancel(message: dict[str, Any]) -> Cancel:
    target = message.pop("target", None)
    if isinstance(target, bool) or not isinstance(target, int):
        raise _bad("target must be the id of the request to call off")
    return Cancel(target)


def _health(_: dict[str, Any]) -> Health:
    return Health()


_VERBS: Final[Mapping[str, Callable[[dict[str, Any]], Ask]]] = MappingProxyType(
    {"prefix": _prefix, "choose": _choose, "cancel": _cancel, "health": _health}
)
"""verb -> reads its arguments, taking each from the message"""


def _text(message: dict[str, Any], key: str, default: str | None = None) -> str:
    value = message.pop(key, default)
    if not isinstance(value, str):
        raise _bad(f"{key} must be text")
    return value


def _texts(message: dict[str, Any], key: str) -> tuple[str, ...]:
    value = message.pop(key, None)
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _bad(f"{key} must be a list of texts")
    return tuple(value)


def _number(message: dict[str, Any], key: str, default: float) -> float:
    value = message.pop(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(f"{key} must be a number")
    return float(value)


def _bad(text: str) -> Refusal:
    return Refusal("bad_request", text)
