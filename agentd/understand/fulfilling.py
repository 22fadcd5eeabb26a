"""What a sentence wants done: acted on, promised, or taken back."""

from __future__ import annotations

from collections.abc import Callable

from agentd.understand.conversation import Conversation
from agentd.understand.doing import Doer, make_plan
from agentd.understand.interpreter import Understood
from agentd.understand.promising import Promised, Promiser
from agentd.understand.remembering import Rememberer
from agentd.understand.reply import Reply, sentences
from agentd.understand.words import Words
from llmagentos.cause import Cause
from llmagentos.plan import Action
from llmagentos.utterance import Act, Converse, Observation, Outcome, PutBack, Undo, Utterance


class Fulfiller:
    """The one way from a sentence to the tick and to the book of promises."""

    def __init__(
        self,
        doer: Doer,
        words: Words,
        *,
        observe: Callable[[], Observation],
        promiser: Promiser | None,
        rememberer: Rememberer | None,
    ) -> None:
        self._doer, self._words, self._observe = doer, words, observe
        self._promiser, self._rememberer = promiser, rememberer

    def fulfil(
        self, heard: Utterance, found: Understood, cause: Cause, talk: Conversation
    ) -> Reply | None:
        """Do or promise what a sentence wants; None when it only wants an answer."""
        outcome, seen = found.interpretation.outcome, self._observe()
        if isinstance(outcome, Act):
            return self._do(outcome.actions, heard, found, cause, talk)
        if isinstance(outcome, Promised) and self._promiser:
            return self._promiser.keep(heard, found, cause, talk=talk, observation=seen)
        if isinstance(outcome, Undo | PutBack) and self._rememberer:
            way = self._rememberer.way_back(outcome, heard.origin, seen.now)
            if way.actions:
                return self._do(way.actions, heard, found, cause, talk)
            said = sentences([way.refusal or self._words.say("done")])
            return Reply(said, found.interpretation, cause=cause)
        return None

    def take_back(self, outcome: Outcome, talk: Conversation) -> str:
        """Cancel what the last sentence promised, if this one wants that; what to say then.

        "Never mind" right after "in ten minutes I will ..." must not leave that promise standing.
        """
        is_word = isinstance(outcome, Converse) and outcome.what in ("never_mind", "no")
        names = talk.promised
        if not (is_word or outcome == Undo()) or talk.pending or self._promiser is None:
            return ""
        talk.promised = ()
        return self._promiser.take_back(names) if names else ""

    def _do(
        self, actions: tuple[Action, ...], heard: Utterance, found: Understood, cause: Cause,
        talk: Conversation,
    ) -> Reply:  # fmt: skip
        plan = make_plan(heard, found, actions, cause)
        return self._doer.do(plan, found, talk, home=self._observe().home)
