"""The verb of questions that wait for a yes, over whatever channel it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentd.door.field import refuse_extra, take_origin, take_text
from agentd.door.ports import Ports
from agentd.door.render import reply_json
from agentd.door.request import Request, RequestError, Serve
from agentd.understand.conversation import QUESTION_S, Pending
from agentd.understand.outcome import encode_outcome
from llmagentos.cause import Rank
from llmagentos.clock import Instant


class ConfirmVerbs:
    """confirm."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.table: Mapping[str, Serve] = {
            "confirm": self.confirm,
        }

    def confirm(self, request: Request) -> dict[str, Any]:
        """All questions of the box that wait; with the id of one as `question`, a yes to it."""
        refuse_extra(request, ("question", "yes"))
        assistant, now = self._ports.assistant, self._ports.clock()
        if "question" not in request.data:
            if "yes" in request.data:
                raise RequestError("bad_request", "confirm takes yes only with a question")
            return {"waiting": [_waiting_json(each, now) for each in assistant.waiting()]}
        if request.origin.rank < Rank.PERSON:
            raise RequestError("denied", "only a person confirms")
        name, is_yes = take_text(request, "question"), request.data.get("yes", True)
        if not isinstance(is_yes, bool):
            raise RequestError("bad_request", "yes is true or false")
        known = [each.id for each in assistant.waiting()]
        if name not in known:
            words = ", ".join(known) or "none"
            raise RequestError("bad_request", f"no question {name[:64]!r} waits; there are {words}")
        origin = take_origin(request, self._ports.config())
        return reply_json(assistant.settle(name, origin, is_yes=is_yes))


def _waiting_json(asked: Pending, now: Instant) -> dict[str, Any]:
    origin = asked.origin
    return {
        "question": asked.id,
        "text": asked.text,
        "wish": encode_outcome(asked.wish),
        "channel": origin.channel if origin else "",
        "who": origin.who if origin else "",
        "area": origin.area if origin else None,
        "left_s": round(max(0.0, QUESTION_S - asked.asked_at.age_s(now)), 1),
    }
