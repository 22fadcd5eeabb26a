"""The past by sentence: why, what happened since ten, undo that, put the lamp back."""

from __future__ import annotations

from datetime import tzinfo

from agentd.understand.moment import resolve_past
from agentd.understand.port import PastPort, WayBack
from agentd.understand.reply import sentences
from agentd.understand.words import Words
from llmagentos.cause import Origin
from llmagentos.clock import Instant
from llmagentos.utterance import History, Observation, PutBack, Undo


class Rememberer:
    """Asks the past for what a sentence wants of it; it never acts."""

    def __init__(self, port: PastPort, words: Words, *, zone: tzinfo | None) -> None:
        self._port, self._words, self._zone = port, words, zone

    def why(self, device: str | None) -> str:
        """Why a device is as it is, or why the last thing was done."""
        return self._port.why(device)

    def happened(self, wish: History, origin: Origin, observation: Observation) -> str:
        """What happened, in sentences."""
        now, since_s = observation.now, None
        if wish.ago_s is not None:
            since_s = now.wall_s - wish.ago_s
        elif wish.since is not None:
            if not observation.is_clock_set:
                return sentences([self._words.say("clock_unknown")])
            since_s = resolve_past(wish.since, now_s=now.wall_s, zone=self._zone)
            if since_s is None:
                return sentences([self._words.say("time_to_come")])
        return self._port.happened(origin=origin, now=now, since_s=since_s, device=wish.device)

    def way_back(self, wish: Undo | PutBack, origin: Origin, now: Instant) -> WayBack:
        """What takes it back, or why it cannot be."""
        if isinstance(wish, Undo):
            return self._port.undo(origin=origin, now=now, device=wish.device)
        return self._port.put_back(now=now, at_s=now.wall_s - wish.ago_s, device=wish.device)
