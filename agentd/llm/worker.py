"""The one thread that owns the model: opens it, keeps its prefix, scores one request at a time."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Final

from agentd.llm.call import Choose, Prefix, Refusal
from llmagentos.clock import Clock
from models.choose import (
    BadChoices,
    Chooser,
    ChooserBusy,
    ChooserCancelled,
    ChooserTimeout,
)
from models.errors import ModelError

_LOG: Final = logging.getLogger(__name__)

_CODES: Final[Mapping[type[ModelError], str]] = {
    BadChoices: "bad_request",
    ChooserBusy: "busy",
    ChooserTimeout: "deadline",
    ChooserCancelled: "cancelled",
}
"""What a client is told; any other error of the model is `unavailable`."""

_AGAIN_S: Final = 0.02
"""Pause before a cancel is said again [1]."""

_CLOSE_S: Final = 2.0
"""Longest wait for the thread at the end."""


@dataclass(frozen=True, slots=True)
class Work:
    """One request for the model."""

    ask: Prefix | Choose

    until_s: float
    """Its deadline on the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How the model is."""

    state: str
    """loading, ready, or missing: there is none, or not one that can be used"""

    detail: str = ""
    """What is wrong and what to do; empty when nothing is."""

    prefix_id: str | None = None
    prefix_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a request; with `work` None, that the condition changed."""

    work: Work | None
    result: Mapping[str, Any] | Refusal | BaseException
    """Data, a refusal for the client, or a defect that ends the program."""


class Worker:
    """Owns the model. While there is none it looks for one."""

    def __init__(
        self,
        open_model: Callable[[], Chooser],
        *,
        mark: Callable[[], object],
        clock: Clock,
        poll_s: float = 2.0,
    ) -> None:
        """Prepare; the thread starts with `start`.

        Args:
            open_model: finds, verifies and loads the model; raises `ModelError`.
            mark: something that changes when the model's files do; cheap. After a failure the
                model is tried again when it is another.
            clock: deadlines count on it.
            poll_s: time between two looks at `mark`, in seconds.
        """
        self._open_model, self._mark, self._clock, self._poll_s = open_model, mark, clock, poll_s
        self._inbox: SimpleQueue[Work | None] = SimpleQueue()
        self._closing = Event()
        self._chooser: Chooser | None = None
        self._post: Callable[[Done], None] = lambda _: None
        self._thread = Thread(target=self._run, name="model", daemon=True)
        self.condition = Condition("loading")
        """How the model is now; replaced by the thread, may be read by any."""

    def start(self, post: Callable[[Done], None]) -> None:
        """Begin; `post` is called from the thread with what becomes of each request."""
        self._post = post
        self._thread.start()

    def give(self, work: Work) -> None:
        """Hand over a request, the one before being done."""
        self._inbox.put(work)

    def cancel(self) -> None:
        """Call off the request under way. One that has not quite begun does not notice [1]."""
        if (chooser := self._chooser) is not None:
            chooser.cancel()

    def close(self) -> None:
        """Call off what is under way and free the model; waits up to 2 s."""
        self._closing.set()
        self._inbox.put(None)
        for _ in range(round(_CLOSE_S / _AGAIN_S)):
            self.cancel()  # [1]
            self._thread.join(_AGAIN_S)
            if not self._thread.is_alive():
                return

    def _run(self) -> None:
        try:
            self._chooser = chooser = self._opened()
            if chooser is None:
                return
            while (work := self._inbox.get()) is not None and not self._closing.is_set():
                self._post(Done(work, self._serve(chooser, work)))
            chooser.close()
        except BaseException as exc:  # noqa: BLE001 - handed to the main thread, which ends on it
            self._post(Done(None, exc))

    def _opened(self) -> Chooser | None:
        """The model, as soon as there is one; None when the program ends before."""
        while not self._closing.is_set():
            mark = self._mark()
            try:
                chooser = self._open_model()
            except ModelError as exc:
                _LOG.warning("no model: %s", exc)
                self._tell(Condition("missing", str(exc)))
                while self._mark() == mark and not self._closing.wait(self._poll_s):
                    pass
            else:
                self._tell(Condition("ready"))
                return chooser
        return None

    def _tell(self, condition: Condition) -> None:
        self.condition = condition
        self._post(Done(None, {}))

    def _serve(self, chooser: Chooser, work: Work) -> Mapping[str, Any] | Refusal:
        try:
            if isinstance(work.ask, Prefix):
                return self._set_prefix(chooser, work.ask)
            return self._choose(chooser, work.ask, work.until_s)
        except Refusal as exc:
            return exc
        except ModelError as exc:
            return Refusal(_CODES.get(type(exc), "unavailable"), str(exc))

    def _set_prefix(self, chooser: Chooser, ask: Prefix) -> Mapping[str, Any]:
        started_s = self._clock().mono_s
        self.condition = replace(self.condition, prefix_id=None, prefix_tokens=0)
        tokens = chooser.set_prefix(ask.text, end=ask.end)
        name = hashlib.sha256(f"{ask.end}\0{ask.text}".encode()).hexdigest()[:16]
        self.condition = replace(self.condition, prefix_id=name, prefix_tokens=tokens)
        elapsed_ms = (self._clock().mono_s - started_s) * 1000.0
        return {"tokens": tokens, "elapsed_ms": round(elapsed_ms, 1), "prefix_id": name}

    def _choose(self, chooser: Chooser, ask: Choose, until_s: float) -> Mapping[str, Any]:
        if ask.prefix_id not in (None, self.condition.prefix_id):
            raise Refusal("no_prefix", "that prefix is not resident any more, send it again")
        left_s = until_s - self._clock().mono_s
        choice = chooser.choose(ask.prompt, ask.choices, deadline_s=left_s, baseline=ask.baseline)
        return {
            "choice": choice.index,
            "scores": [round(score, 4) for score in choice.scores],
            "margin": round(choice.margin, 4),
            "elapsed_ms": round(choice.elapsed_ms, 1),
        }
