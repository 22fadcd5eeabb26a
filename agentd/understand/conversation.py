"""What two people would remember while they talk: the open question, and what was spoken of."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from agentd.understand.intent import Target
from agentd.understand.words import Words, tokens
from llmagentos.cause import Origin
from llmagentos.clock import Instant
from llmagentos.utterance import Act, Ask, Converse, Outcome

QUESTION_S: Final = 60.0
"""Seconds after which a "yes" no longer belongs to the question: longer, and it may be somebody
else's yes to something else that then acts."""

MEMORY_S: Final = 180.0
"""Seconds for which "it" still means what was spoken of."""

_MOST_CONVERSATIONS: Final = 64

_WORDS: Final = ("yes", "no", "never_mind", "repeat", "undo", "stop", "why")

_KEEPING: Final = frozenset({"repeat", "why"})
"""Words that leave an open question open."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A question that waits for a yes."""

    wish: Outcome
    """What a yes does, exactly this: act, or promise."""
    asked_at: Instant
    chosen_by: str
    """rule or model, as in `Plan.chosen_by`."""
    text: str
    """The question, for "repeat"."""
    origin: Origin | None = None
    """Who asked for it, and through which channel; None before the box knows the question."""
    id: str = ""
    """Names it among all questions of the box; empty before the box knows it."""

    def is_open(self, now: Instant) -> bool:
        """Whether a yes still belongs to it."""
        return 0 <= self.asked_at.age_s(now) <= QUESTION_S


@dataclass
class Conversation:
    """One person's talk with the box over one channel. Guarded by `lock`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: int = 0
    """Sentences that are being dealt with or wait for it."""
    pending: Pending | None = None
    previous: tuple[Target, ...] = ()
    previous_at: Instant | None = None
    said: str = ""
    """The last reply."""
    unfinished: tuple[str, Instant] | None = None
    """A sentence that lacked a time or the like, and when it was asked for."""
    promised: tuple[str, ...] = ()
    """Ids of what was promised by the last sentence: what "cancel that" means."""

    def open_question(self, now: Instant) -> Pending | None:
        """The question that still waits, if its time is not over."""
        asked = self.pending
        return asked if asked and asked.is_open(now) else None

    def unfinished_text(self, now: Instant) -> str:
        """The sentence that the next one may complete; empty for none."""
        if self.unfinished is None or self.unfinished[1].age_s(now) > QUESTION_S:
            return ""
        return self.unfinished[0]

    def spoken_of(self, now: Instant) -> tuple[Target, ...]:
        """What "it" and "them" mean now."""
        if self.previous_at is None or self.previous_at.age_s(now) > MEMORY_S:
            return ()
        return self.previous

    def remember(self, targets: tuple[Target, ...], now: Instant) -> None:
        """Keep what was just spoken of; a sentence about nothing leaves it as it was."""
        if targets:
            self.previous, self.previous_at = targets, now

    def note(
        self, outcome: Outcome, targets: tuple[Target, ...], now: Instant, *, chosen_by: str
    ) -> None:
        """Keep what a sentence did to the talk: a question opens, anything else closes it."""
        self.remember(targets, now)
        if not isinstance(outcome, Converse):
            self.promised = ()
        if isinstance(outcome, Ask) and outcome.options:
            self.pending = Pending(Act(outcome.options), now, chosen_by, outcome.text)
        elif not (isinstance(outcome, Converse) and outcome.what in _KEEPING):
            self.pending = None


class Conversations:
    """All of them, by channel and person; the least recently used is forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[str, str], Conversation] = OrderedDict()

    def of(self, origin: Origin) -> Conversation:
        """The conversation that an origin belongs to."""
        key = (origin.channel, origin.who)
        with self._lock:
            found = self._open.setdefault(key, Conversation())
            self._open.move_to_end(key)
            while len(self._open) > _MOST_CONVERSATIONS:
                self._open.popitem(last=False)
            return found


def hear(text: str, words: Words) -> Converse | None:
    """A word about the conversation itself, or None.

    The device that a "why" asks about is left open.
    """
    said = tokens(text)
    for what in _WORDS:
        phrases = words.conversation[what]
        if phrases.equals(said) or phrases.equals(words.without_courtesy(said)):
            return Converse(what)
    return Converse("why") if words.conversation["why_openers"].starts(said) else None
