"""The reply to everything that needs no tick: answers, questions back, and what would be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from agentd.understand.conversation import Conversation
from agentd.understand.promising import Promised, Promiser
from agentd.understand.remembering import Rememberer
from agentd.understand.reply import ReplyMaker, sentences
from agentd.understand.words import Words
from llmagentos.cause import Origin
from llmagentos.utterance import (
    Act,
    Answer,
    Ask,
    ClockQuestion,
    Converse,
    History,
    Nothing,
    Observation,
    Outcome,
    PutBack,
    TimerRequest,
    Undo,
)  # fmt: skip


class Teller:
    """Words an outcome; it changes nothing."""

    def __init__(
        self,
        words: Words,
        *,
        why: Callable[[str | None], str],
        zone: tzinfo | None,
        promiser: Promiser | None,
        rememberer: Rememberer | None,
    ) -> None:
        """Build it; without one who promises or remembers it says that it cannot do that yet."""
        self._words, self._replies = words, ReplyMaker(words)
        self._why, self._zone = why, zone
        self._promiser, self._rememberer = promiser, rememberer

    def tell(
        self, outcome: Outcome, observation: Observation, talk: Conversation, *, origin: Origin
    ) -> str:
        """What to say to an outcome that is not, or not yet, carried out."""
        say = self._words.say
        match outcome:
            case Act(actions):
                return sentences([self._replies.wish(actions, observation.home)])
            case Answer(text) | Ask(text):
                return sentences([text])
            case ClockQuestion(what):
                return sentences([self._clock_answer(what, observation.now.wall_s)])
            case Converse(what, device):
                return self._converse(what, device, talk)
            case Nothing(_, text):
                return sentences([text or say("not_understood")])
            case History():
                if self._rememberer is None:
                    return sentences([say("past_later")])
                return self._rememberer.happened(outcome, origin, observation)
            case Undo() | PutBack():
                return sentences([say("past_would" if self._rememberer else "undo_later")])
            case _:
                return self._later(outcome, observation)

    def _later(self, outcome: Promised, observation: Observation) -> str:
        if self._promiser is None:
            is_timer = isinstance(outcome, TimerRequest)
            return sentences([self._words.say("timers_later" if is_timer else "delays_later")])
        return self._promiser.would(outcome, observation)

    def _converse(self, what: str, device: str | None, talk: Conversation) -> str:
        if what == "why":
            return self._rememberer.why(device) if self._rememberer else self._why(device)
        if what == "repeat":
            return talk.said or sentences([self._words.say("nothing_to_repeat")])
        reply = {"yes": "nothing_to_confirm"}.get(what, what)
        return sentences([self._words.say(reply)])

    def _clock_answer(self, what: str, wall_s: float) -> str:
        local = datetime.fromtimestamp(wall_s, self._zone)
        shown = local.strftime(self._words.replies[f"{what}_format"])
        return self._words.say(f"clock_{what}", **{what: shown})
