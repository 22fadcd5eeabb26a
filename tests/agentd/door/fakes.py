"""A verb table small enough to see through, and a clock, shared by the transports' tests."""

from __future__ import annotations

import threading
import time
from typing import Any

from agentd.door.request import Request, RequestError
from llmagentos.clock import Instant


def clock() -> Instant:
    return Instant(time.monotonic(), time.time())


class FakeVerbs:
    """Serves `echo`, `stop`, `block`, `large`, `crash`, `set`; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.stopped = threading.Event()
        self.release = threading.Event()
        self.blocked = threading.Semaphore(0)
        self.delay_s = 0.0

    def __call__(self, request: Request) -> Any:
        self.asked.append(request)
        verb = getattr(self, f"do_{request.verb}", None)
        if verb is None:
            raise RequestError("unknown_verb", f"{request.verb!r} is no verb; verbs are: echo")
        return verb(request)

    def do_echo(self, request: Request) -> Any:
        if set(request.data) - {"value"}:
            raise RequestError("bad_request", "echo takes value")
        return {"value": request.data.get("value"), "who": request.origin.who}

    def do_stop(self, request: Request) -> Any:
        self.stopped.set()
        return {"stopped": True}

    def do_block(self, request: Request) -> Any:
        self.blocked.release()
        if not self.release.wait(10):
            raise RequestError("timeout", "nobody released it")
        return {}

    def do_large(self, request: Request) -> Any:
        return {"words": ['ä"[' * 10] * int(request.data.get("count", 1))}

    def do_crash(self, request: Request) -> Any:
        raise ZeroDivisionError("a defect")

    def do_deny(self, request: Request) -> Any:
        raise RequestError("denied", "the heater is on")

    def do_set(self, request: Request) -> Any:
        time.sleep(self.delay_s)
        return {"reply": "ok", "cause": "box/00000000/1", "applied": []}
