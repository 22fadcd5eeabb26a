"""The door's framing: one JSON object a line, and JSON that hides nothing.

A request is `{v, id, verb, ...}`, its answer `{v, id, status: "ok", data}` or
`{v, id, status: "error", code, error}`, an event of a stream `{v, id, event}`. Data too long for
one frame comes as frames `{v, id, part}`, the last of them with `status: "ok"`: the parts joined
are the JSON text of the data.

LlmagentosError
 └─ WireError            the bytes are not an acceptable message
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from llmagentos.errors import LlmagentosError

VERSION: Final = 1
"""Value of `v` in every frame on a socket."""

MAX_FRAME_BYTES: Final = 64 * 1024
"""Longest line on a socket, the newline counted."""

MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
"""Longest data of one answer, all its parts together."""

MAX_DEPTH: Final = 8
"""Deepest nesting that is read."""

_PART_CHARACTERS: Final = 15_000
"""At most 4 bytes each, or 2 for the escaped ones, so that a part stays below one frame."""

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[\]{}]")


class WireError(LlmagentosError):
    """The bytes are not an acceptable message; the text says what is wrong, for their sender."""


def decode(payload: bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> Any:
    """Read one JSON value, refusing what JSON readers disagree on.

    Args:
        payload: UTF-8 text.
        max_bytes: longest payload that is looked at.

    Raises:
        WireError: too long, not UTF-8, not JSON, NaN or infinity, a key twice, nested too deep,
            half of a surrogate pair.
    """
    if len(payload) > max_bytes:
        raise WireError(f"{len(payload)} bytes are too many, at most {max_bytes} are read")
    if _depth(payload) > MAX_DEPTH:
        raise WireError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        value = json.loads(
            payload.decode(),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError as exc:
        raise WireError(f"not UTF-8 at byte {exc.start}") from exc
    except json.JSONDecodeError as exc:
        raise WireError(f"not JSON: {exc.msg} at character {exc.pos}") from exc
    except ValueError as exc:
        raise WireError(str(exc)) from exc
    _refuse_surrogates(payload, value)
    return value


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
        WireError: it holds a NaN, something that is no JSON, or is longer than `MAX_FRAME_BYTES`.
    """
    frame = dump(message).encode() + b"\n"
    if len(frame) > MAX_FRAME_BYTES:
        raise WireError(f"{len(frame)} bytes are too many, a frame has at most {MAX_FRAME_BYTES}")
    return frame


def encode_answer(number: str | int | None, data: Any) -> list[bytes]:
    """Write the answer to request `number`: one frame, or parts where `data` is long.

    Raises:
        WireError: `data` is no JSON, or longer than `MAX_ANSWER_BYTES`.
    """
    text = dump(data)
    if len(text) <= _PART_CHARACTERS:
        head = dump({"v": VERSION, "id": number, "status": "ok"})
        return [f'{head[:-1]},"data":{text}}}\n'.encode()]
    if len(text.encode()) > MAX_ANSWER_BYTES:
        raise WireError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    parts = [text[i : i + _PART_CHARACTERS] for i in range(0, len(text), _PART_CHARACTERS)]
    frames = [encode({"v": VERSION, "id": number, "part": part}) for part in parts[:-1]]
    last = {"v": VERSION, "id": number, "status": "ok", "part": parts[-1]}
    return [*frames, encode(last)]


def dump(value: Any) -> str:
    """Write one JSON value, compact, on one line.

    Raises:
        WireError: it holds a NaN or something that is no JSON.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError) as exc:
        raise WireError(str(exc)) from exc
    # Half a surrogate pair cannot be written as UTF-8; a question mark says that something stood
    # there and lets the rest through.
    return text.encode(errors="replace").decode()


class FrameBuffer:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._searched = 0

    def push(self, chunk: bytes) -> None:
        """Add what was received."""
        self._bytes += chunk

    def pop(self) -> bytes | None:
        """Return the next whole frame without its newline, or None when it is still incomplete.

        Raises:
            WireError: it is longer than `MAX_FRAME_BYTES`; where it ends cannot be known.
        """
        end = self._bytes.find(b"\n", self._searched)
        if max(end, len(self._bytes) if end < 0 else 0) >= MAX_FRAME_BYTES:
            raise WireError(f"a frame has at most {MAX_FRAME_BYTES} bytes, this one is longer")
        if end < 0:
            self._searched = len(self._bytes)
            return None
        frame = bytes(self._bytes[:end])
        del self._bytes[: end + 1]
        self._searched = 0
        return frame


def _depth(payload: bytes) -> int:
    """Depth of the nesting; exact as far as the payload is JSON, never below the truth."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", payload)):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError("a number is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > 20:
        raise ValueError("a number is too large")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {twice!r} stands twice")
    return found


def _refuse_surrogates(payload: bytes, value: Any) -> None:
    if b"\\u" not in payload:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as exc:
        raise WireError("half of a surrogate pair is not a character") from exc
