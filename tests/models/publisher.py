"""A publisher's site on loopback that serves, breaks off, ignores or stays silent as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Publisher:
    """What it serves, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    """By path, with a leading slash."""

    breaks_after: list[int] = field(default_factory=list)
    """Bytes after which each of the next answers breaks off."""

    can_resume: bool = True
    claims: int | None = None
    """Content-Length that it announces; None for the truth."""

    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range of each request."""

    url: str = ""


@contextmanager
def serve(publisher: Publisher) -> Iterator[Publisher]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(publisher, self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    publisher.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(publisher: Publisher, request: BaseHTTPRequestHandler) -> None:
    wish = request.headers.get("Range")
    publisher.asked.append((request.path, wish))
    if request.path in publisher.redirects:
        request.send_response(302)
        request.send_header("Location", publisher.redirects[request.path])
        request.end_headers()
    elif request.path not in publisher.files:
        request.send_error(404)
    else:
        send(publisher, request, publisher.files[request.path], wish)


def send(
    publisher: Publisher, request: BaseHTTPRequestHandler, data: bytes, wish: str | None
) -> None:
    start = int(wish.removeprefix("bytes=").rstrip("-")) if wish and publisher.can_resume else 0
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    length = len(data) - start if publisher.claims is None else publisher.claims
    request.send_header("Content-Length", str(length))
    request.end_headers()
    end = start + publisher.breaks_after.pop(0) if publisher.breaks_after else len(data)
    request.wfile.write(data[start:end])
