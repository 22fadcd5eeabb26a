"""The door's framing: one JSON object a line, and JSON that hides nothing.

LlmagentosError
 └─ WireError            the bytes are not an acceptable message
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from llmagentos.errors import LlmagentosError

VERSION: Final = 1
"""Value of `v` in every frame on a socket."""

MAX_FRAME_BYTES: Final = 64 * 1024
"""Longest line on a socket, the newline counted."""

MAX_DEPTH: Final = 8
"""Deepest nesting that is read."""


class WireError(LlmagentosError):
    """The bytes are not an acceptable message; the text says what is wrong, for their sender."""


def decode(payload: bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> Any:
    """Read one JSON value, refusing what JSON readers disagree on.

    Args:
        payload: UTF-8 text.
        max_bytes: longest payload that is looked at.

    Raises:
        WireError: too long, not UTF-8, not JSON, NaN or infinity, a key twice, nested too deep.
    """
    if len(payload) > max_bytes:
        raise WireError(f"{len(payload)} bytes are too many, at most {max_bytes} are read")
    if _depth(payload) > MAX_DEPTH:
        raise WireError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(
            payload.decode(), parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
    except UnicodeDecodeError as exc:
        raise WireError(f"not UTF-8 at byte {exc.start}") from exc
    except json.JSONDecodeError as exc:
        raise WireError(f"not JSON: {exc.msg} at character {exc.pos}") from exc
    except ValueError as exc:
        raise WireError(str(exc)) from exc


def decode_object(payload: bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        WireError: as `decode`, or the value is not an object.
    """
    value = decode(payload, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise WireError(f"expected a JSON object, got {type(value).__name__}")
    return value


def encode(message: Mapping[str, Any]) -> bytes:
    """Write one frame, newline included.

    Raises:
        WireError: it holds a NaN, or is longer than `MAX_FRAME_BYTES`.
    """
    try:
        line = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as exc:
        raise WireError(str(exc)) from exc
    frame = line.encode() + b"\n"
    if len(frame) > MAX_FRAME_BYTES:
        raise WireError(f"{len(frame)} bytes are too many, a frame has at most {MAX_FRAME_BYTES}")
    return frame


def _depth(payload: bytes) -> int:
    """Upper bound of the nesting depth; brackets inside strings are counted too."""
    depth = deepest = 0
    for byte in payload:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {twice!r} stands twice")
    for value in found.values():
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise ValueError("a number is too large")
    return found
