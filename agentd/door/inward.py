"""Commands from the network: each in its lane, judged, served and answered."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import wait
from functools import partial
from typing import Any, Final

from agentd.door.broker import Received
from agentd.door.command import MAX_BYTES, Message, Refused, Seen, judge, read_command
from agentd.door.connection import OVERTAKING
from agentd.door.lanes import Lanes
from agentd.door.outgoing import Outgoing, Post
from agentd.door.request import RequestError, Serve
from agentd.door.topic import RequestTopic, SetTopic, Topics
from agentd.progress import Progress
from llmagentos.cause import Rank
from llmagentos.clock import Clock
from llmagentos.wire import WireError

_LOG: Final = logging.getLogger(__name__)

WORKERS: Final = 6
"""Commands served at a time."""

WAITING: Final = 64
"""Commands that may wait; more are dropped and counted."""

WRITTEN_S: Final = 2.0
"""Longest wait for a command's name to be on disk; a disk that fails does not take the box away."""


class Inward:
    """Takes messages from the broker's thread and serves them on threads of its own."""

    def __init__(
        self,
        topics: Topics,
        *,
        boot: str,
        serve: Serve,
        rank: Rank,
        clock: Clock,
        seen: Seen,
        outgoing: Outgoing,
        progress: Progress,
    ) -> None:
        """Prepare; `start` starts the threads.

        Args:
            topics: every topic of this box.
            boot: id of this boot; commands that name another are refused.
            serve: answers requests, from several threads at once.
            rank: rank of every request's origin.
            clock: reads the time.
            seen: the names of commands that were begun.
            outgoing: takes the answers.
            progress: watches the threads.
        """
        self._topics, self._boot, self._serve, self._rank = topics, boot, serve, rank
        self._clock, self._seen, self._outgoing = clock, seen, outgoing
        self._lanes = Lanes(workers=WORKERS, waiting=WAITING, name="mqtt-serve", progress=progress)
        self._fast_lane = Lanes(workers=1, waiting=8, name="mqtt-stop", progress=progress)
        self.is_5 = True
        """Whether the broker speaks MQTT 5."""
        self.dropped: Counter[str] = Counter()
        """Messages that were not taken, by reason; whoever tells of them clears it."""

    def start(self) -> None:
        """Begin to serve; returns at once."""
        self._lanes.start()
        self._fast_lane.start()

    def close(self) -> None:
        """Drop what waits and end; waits up to 1 s for each command under way."""
        self._lanes.close()
        self._fast_lane.close()

    def take(self, received: Received) -> None:
        """Put one message into its lane; quick, for a storm of them must not delay a stop."""
        target = self._topics.read(received.topic)
        if target is None:
            self.dropped["no request or device has such a topic"] += 1
            return
        if isinstance(target, SetTopic) and not received.payload:
            return  # somebody cleared a retained command, as they should
        message = Message(
            target,
            # Too long is too long: the lanes need not hold megabytes to say so.
            received.payload[: MAX_BYTES + 1],
            self._clock(),
            received.is_retained,
            received.response_topic,
            received.correlation,
            received.expires_in_s,
        )
        if isinstance(target, RequestTopic) and target.verb in OVERTAKING:
            is_taken = self._fast_lane.offer("stop", partial(self._stop, message))
        else:
            key = target.device if isinstance(target, SetTopic) else f"request/{target.verb}"
            is_taken = self._lanes.offer(key, partial(self._do, message))
        if not is_taken:
            self.dropped["too many commands at once"] += 1

    def _do(self, message: Message) -> None:
        transaction = None
        try:
            command = read_command(message, rank=self._rank, channel="mqtt")
            transaction = command.transaction
            judge(command, message, boot=self._boot, seen=self._seen, now=self._clock())
            if transaction is not None and not command.is_repeatable:
                # Sent again after a crash, it must be known to have been begun.
                wait([self._seen.settle()], WRITTEN_S)
            answer = {"status": "ok", "data": self._serve(command.request)}
        except Refused as exc:
            transaction = exc.transaction
            answer = _error(exc.code, str(exc))
            self._clear(message)
        except RequestError as exc:
            answer = _error(exc.code, str(exc))
        except Exception:  # noqa: BLE001 - a defect in one verb must not end its lane
            _LOG.exception("%s failed", message.target)
            answer = _error("internal", "agentd failed on this, its log says why")
        self._answer(message, answer, transaction)

    def _stop(self, message: Message) -> None:
        """Stop, whatever is in the message: an unreadable one was meant all the same."""
        try:
            read_command(message, rank=self._rank, channel="mqtt")
        except Refused as exc:
            if message.is_retained:
                self._answer(message, _error("retained", str(exc)), None)
                return
            _LOG.debug("an unreadable stop is carried out: %s", exc)
            self._do(Message(message.target, b"{}", message.at))
            return
        self._do(message)

    def _answer(
        self, message: Message, answer: dict[str, Any], transaction: str | int | None
    ) -> None:
        target, to = message.target, message.response_topic
        if transaction is not None:
            answer["transaction"] = transaction
        if to is not None and not self._topics.is_answerable(to):
            _LOG.debug("an answer was wanted at %r, where none may be sent", to)
            to = None
        if isinstance(target, RequestTopic):
            to = to or self._topics.response(target.verb)
        elif to is None and transaction is not None:
            to = self._topics.response("set")
        if isinstance(target, SetTopic):
            answer = {"device": target.device, **answer}
            if to is None and (reason := _why_not(answer)):
                self._outgoing.tell(
                    self._topics.event("refused"), {"device": target.device, **reason}
                )
        if to is None:
            return
        try:
            self._outgoing.tell(to, answer, mark=message.correlation)
        except WireError as exc:
            _LOG.exception("the answer to %s cannot be sent", message.target)
            answer.pop("data", None)
            answer |= _error("internal", f"the answer cannot be sent: {exc}")
            self._outgoing.tell(to, answer, mark=message.correlation)

    def _clear(self, message: Message) -> None:
        """Take a retained command off the broker, so that it does not come again."""
        # MQTT 3.1.1 would send the clearing back to us as an empty command.
        if not (message.is_retained and self.is_5):
            return
        target = message.target
        levels = (
            f"{target.device}/set" if isinstance(target, SetTopic) else f"request/{target.verb}"
        )
        self._outgoing.put(Post(f"{self._topics.root}/{levels}", b"", is_retained=True))


def _error(code: str, text: str) -> dict[str, Any]:
    return {"status": "error", "code": code, "error": text}


def _why_not(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """Why a device was not set, from the answer to it; None when it was."""
    if answer["status"] == "error":
        return {"code": answer["code"], "error": answer["error"]}
    data = answer["data"]
    for applied in data.get("applied", ()) if isinstance(data, Mapping) else ():
        if applied.get("stage") in ("refused", "failed"):
            reason = applied.get("reason", "")
            return {"code": "denied", "error": reason, "cause": data.get("cause")}
    return None
