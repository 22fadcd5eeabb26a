"""The verbs of sentences: say it to the box, or ask what it would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentd.door.field import take_flag, take_origin, take_text
from agentd.door.ports import Ports
from agentd.door.render import reply_json, verdict_json
from agentd.door.request import Request, RequestError, Serve
from agentd.understand.outcome import encode_outcome
from llmagentos.utterance import Utterance


class SentenceVerbs:
    """ask, interpret."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.table: Mapping[str, Serve] = {
            "ask": self.ask,
            "interpret": self.interpret,
        }

    def ask(self, request: Request) -> dict[str, Any]:
        reply = self._ports.assistant.ask(self._utterance(request))
        self._ports.feed.publish({"kind": "reply", "text": reply.text, "cause": str(reply.cause)})
        return reply_json(reply)

    def interpret(self, request: Request) -> dict[str, Any]:
        explained = take_flag(request, "explain")
        reply = self._ports.assistant.interpret(self._utterance(request), explain=explained)
        found = reply.interpretation
        return {
            "reply": reply.text,
            "outcome": encode_outcome(found.outcome),
            "stage": found.stage,
            "margin": found.margin,
            "elapsed_ms": round(found.elapsed_ms, 3),
            "verdicts": [verdict_json(each) for each in reply.verdicts],
            "explain": dict(found.explain) if explained else {},
        }

    def _utterance(self, request: Request) -> Utterance:
        text = take_text(request, "text")
        if len(text) > 500:
            raise RequestError(
                "bad_request", f"a sentence has at most 500 characters, not {len(text)}"
            )
        ports = self._ports
        return Utterance(
            text, take_origin(request, self._ports.config()), ports.clock(), ports.next_cause()
        )
