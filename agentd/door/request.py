"""One request, whatever door it came through, and the ways it can be refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llmagentos.cause import Origin
from llmagentos.errors import LlmagentosError


class RequestError(LlmagentosError):
    """A request that cannot be served; its text is for the one who asked."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        """bad_request, unknown_verb, unknown_device, denied, unavailable, busy, timeout"""


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
