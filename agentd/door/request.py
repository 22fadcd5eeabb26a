"""One request, whatever door it came through, and the ways it can be refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from llmagentos.cause import Origin
from llmagentos.errors import LlmagentosError

NAME_CHARACTERS: Final = 64
"""Longest name that a request may give itself, its speaker or its area."""


class RequestError(LlmagentosError):
    """A request that cannot be served; its text is for the one who asked."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        """bad_request, unknown_verb, unknown_device, denied, unavailable, busy, timeout,
        internal; over MQTT also retained, expired, duplicate, older_boot, too_large"""


@dataclass(frozen=True, slots=True)
class Request:
    """What one client wants."""

    verb: str
    """A word of the verb table."""

    data: Mapping[str, Any]
    """The verb's own arguments, as decoded JSON; checked by the verb."""

    origin: Origin
    """The transport's word on who asks; never taken from `data`."""


Serve = Callable[[Request], Any]
"""Answers a request with JSON-able data. Called from a transport's thread; blocks up to 10 s.

Raises `RequestError`; anything else is a defect and goes to the log."""


def take_name(fields: dict[str, Any], key: str) -> str | None:
    """Take a name that every request may carry (`who`, `area`) out of its fields.

    Raises:
        RequestError: it is no short printable text.
    """
    value = fields.pop(key, None)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > NAME_CHARACTERS or not value.isprintable():
        raise RequestError("bad_request", f"{key} is a name of at most {NAME_CHARACTERS} letters")
    return value
