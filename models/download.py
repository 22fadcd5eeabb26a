"""Downloads one file over HTTP, taking up an earlier attempt where it ended."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from threading import Thread
from typing import Final, cast

from models.errors import SourceFailed

ANSWER_S: Final = 5.0
"""Longest wait for an answer to begin: names looked up, connected and redirected.
It is what set-up loses for each publisher that a machine cannot reach."""

STALL_S: Final = 30.0
"""Longest silence in the middle of a download."""

_CHUNK_BYTES: Final = 1 << 18


class _Broken(SourceFailed):
    """The line went dead after the download had begun."""


def download(
    url: str,
    *,
    to: Path,
    size: int,
    report: Callable[[int], None],
    answer_s: float = ANSWER_S,
) -> None:
    """Bring `size` bytes to a file that may already hold the first of them.

    What has arrived stays there for the next attempt. Nothing is known of the bytes but their
    number: whoever asked checks their hash.

    Args:
        url: http or https.
        to: the file; made when it does not exist.
        size: length of the whole, in bytes.
        report: told the number of bytes that are there.
        answer_s: longest wait for an answer to begin.

    Raises:
        SourceFailed: not reachable, refused, of another length, or broken off with no progress.
        OSError: the file cannot be written.
    """
    have = _length(to)
    while have != size:
        try:
            _carry_on(url, to, size, have if have < size else 0, report, answer_s)
        except _Broken:
            if _length(to) <= have:
                raise
        have = _length(to)
    report(size)


def _carry_on(
    url: str, to: Path, size: int, start: int, report: Callable[[int], None], answer_s: float
) -> None:
    with _ask(url, start, answer_s) as answer:
        have = start if answer.status == 206 else 0  # a server may ignore the wish to resume
        _check_length(answer, size, have)
        with to.open("r+b" if have else "wb") as file:
            file.seek(have)
            while chunk := _read(answer):
                have += len(chunk)
                if have > size:
                    raise SourceFailed(f"gives more than the {size} bytes expected")
                file.write(chunk)
                report(have)
    if have < size:
        raise _Broken(f"broke off after {have} of {size} bytes")


def _ask(url: str, start: int, answer_s: float) -> HTTPResponse:
    """The answer with its headers read, in bounded time: looking up a name has no time-out of its
    own, and each address of a host gets a full one, so it runs in a thread that may be left."""
    headers = {"User-Agent": "llmagentos", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    coming: Future[HTTPResponse] = Future()
    Thread(target=_open, args=(url, headers, coming), name="download", daemon=True).start()
    try:
        return coming.result(timeout=answer_s)
    except TimeoutError as exc:
        coming.add_done_callback(_close_late)
        raise SourceFailed(f"does not answer within {answer_s:g} s") from exc
    except urllib.error.HTTPError as exc:
        exc.close()
        raise SourceFailed(f"answers {exc.code} {exc.reason}") from exc
    except urllib.error.URLError as exc:
        reason = getattr(exc.reason, "strerror", None) or exc.reason
        raise SourceFailed(f"cannot be reached: {reason}") from exc
    except (OSError, HTTPException, ValueError) as exc:
        raise SourceFailed(f"cannot be reached: {exc}") from exc


def _open(url: str, headers: dict[str, str], coming: Future[HTTPResponse]) -> None:
    try:
        request = urllib.request.Request(url, headers=headers)
        coming.set_result(cast(HTTPResponse, urllib.request.urlopen(request, timeout=STALL_S)))
    except Exception as exc:  # noqa: BLE001 - raised again in the thread that waits
        coming.set_exception(exc)


def _close_late(coming: Future[HTTPResponse]) -> None:
    with suppress(Exception):
        coming.result().close()


def _check_length(answer: HTTPResponse, size: int, start: int) -> None:
    """Refuse another file before it is downloaded."""
    length = answer.headers.get("Content-Length")
    if length is not None and start + int(length) != size:
        raise SourceFailed(f"has {start + int(length)} bytes instead of {size}")
    span = answer.headers.get("Content-Range", "")
    if start and not span.startswith(f"bytes {start}-"):
        raise SourceFailed(f"resumes at the wrong place: {span!r}")


def _read(answer: HTTPResponse) -> bytes:
    try:
        return answer.read(_CHUNK_BYTES)
    except (OSError, HTTPException) as exc:
        raise _Broken(f"broke off: {exc or type(exc).__name__}") from exc


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
