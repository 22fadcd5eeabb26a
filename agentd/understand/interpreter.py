"""The stages of understanding, in their order: conversation, recognisers, the model's offer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agentd.understand.chain import Chain, Heard
from agentd.understand.conversation import Conversation, Pending, hear
from agentd.understand.guard import Guard
from agentd.understand.intent import Target
from agentd.understand.later import Later
from agentd.understand.offer import ModelAway, Offerer
from agentd.understand.recall import Recall
from agentd.understand.recogniser import Context, Recogniser
from agentd.understand.words import Words
from llmagentos.clock import Clock
from llmagentos.home import Home
from llmagentos.utterance import (
    Ask,
    AtTime,
    Delayed,
    Interpretation,
    NewRule,
    Nothing,
    Observation,
    Outcome,
    Reminder,
    Undo,
    Utterance,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Understood:
    """What a sentence means, with what the conversation needs to go on."""

    interpretation: Interpretation
    targets: tuple[Target, ...] = ()
    """What was spoken of."""
    confirmed: Pending | None = None
    """The question that it says yes to."""
    chosen_by: str = "rule"
    """Who turned the words into actions, as `Plan.chosen_by`."""


class Interpreter:
    """Exactly the path of `ask`, of `interpret`, and of a run over files of sentences."""

    def __init__(
        self,
        words: Words,
        recognisers: Sequence[Recogniser],
        *,
        clock: Clock,
        offerer: Offerer | None = None,
    ) -> None:
        self._words = words
        self._guard = Guard(words)
        self._chain = Chain(recognisers, words, guard=self._guard)
        self._clock, self._offerer = clock, offerer
        self._later = Later(self._chain, words, guard=self._guard)
        self._recall = Recall(words)
        self._lock = threading.Lock()  # recognisers keep scratch state; the model has its own lock

    def refresh(self, home: Home) -> None:
        """Take over a new home."""
        with self._lock:
            self._later.refresh(home)
            self._recall.refresh(home)
            self._chain.refresh(home)

    def warm(self, observation: Observation) -> None:
        """Let the recognisers read what they read at their first sentence."""
        with self._lock:
            for text in self._words.speech["everywhere"]:
                self._chain.recognise(text, observation, Context())

    def understand(
        self, utterance: Utterance, observation: Observation, conversation: Conversation
    ) -> Understood:
        """What the sentence means now; changes nothing, the conversation included.

        Blocks up to the model's deadline where the model is asked.
        """
        started = self._clock()
        with self._lock:
            found = self._converse(utterance.text, observation, conversation)
            found = found or self._recognise(utterance, observation, conversation)
            found = self._completed(utterance, found, observation, conversation)
        if isinstance(found.interpretation.outcome, Nothing):
            found = self._offer(utterance, observation, found)
        return _timed(found, started.age_s(self._clock()) * 1000.0)

    def _converse(
        self, text: str, observation: Observation, conversation: Conversation
    ) -> Understood | None:
        word = hear(text, self._words)
        if word is None:
            return None
        asked = conversation.open_question(observation.now)
        if word.what == "yes" and asked:
            return Understood(
                Interpretation(asked.wish, "conversation"),
                confirmed=asked,
                chosen_by=asked.chosen_by,
            )
        outcome: Outcome = word
        if word.what == "undo":
            outcome = Undo()
        if word.what == "why":
            context = Context(None, conversation.spoken_of(observation.now))
            outcome = self._recall.why(text, context)
        return Understood(Interpretation(outcome, "conversation"))

    def _completed(
        self, utterance: Utterance, found: Understood, observation: Observation,
        conversation: Conversation,
    ) -> Understood:  # fmt: skip
        """The sentence before with this one at its end: "at seven", asked for the time.

        Only a promise comes of it, never an act.
        """
        begun = conversation.unfinished_text(observation.now)
        if not begun or not isinstance(found.interpretation.outcome, Nothing):
            return found
        whole = replace(utterance, text=f"{begun} {utterance.text}")
        more = self._recognise(whole, observation, conversation)
        is_promise = isinstance(more.interpretation.outcome, Delayed | AtTime | Reminder | NewRule)
        return more if is_promise else found

    def _recognise(
        self, utterance: Utterance, observation: Observation, conversation: Conversation
    ) -> Understood:
        context = Context(utterance.origin.area, conversation.spoken_of(observation.now))
        heard = self._hear(utterance.text, observation, context)
        if heard.found is None:
            return Understood(Interpretation(heard.refused, "none", explain=heard.explain))
        found = heard.found
        return Understood(
            Interpretation(found.outcome, found.recogniser, explain=heard.explain), found.targets
        )

    def _hear(self, text: str, observation: Observation, context: Context) -> Heard:
        found = self._recall.recognise(text, context)
        found = found or self._later.recognise(text, observation, context)
        if found:
            return found
        heard = self._chain.recognise(text, observation, context)
        return self._later.complete(heard, text, observation, context)

    def _offer(
        self, utterance: Utterance, observation: Observation, found: Understood
    ) -> Understood:
        """Ask the model for a wish behind a sentence that no rule understood."""
        reason = found.interpretation.outcome
        if not isinstance(reason, Nothing) or reason.reason != "rejected":
            return found
        if forbidden := self._guard.forbids_model(utterance.text):
            return self._forbidden(forbidden, found)
        if self._offerer is None:
            return found
        explain = dict(found.interpretation.explain)
        try:
            offer = self._offerer.offer(utterance, observation)
        except ModelAway as away:
            said = Nothing("model_away", self._words.say("model_away"))
            explain["model"] = str(away)
            return Understood(Interpretation(said, "none", explain=explain))
        explain["model"] = offer.explain
        outcome: Outcome = Ask(offer.text, (offer.action,)) if offer.action else reason
        stage = "model" if offer.action else "none"
        return Understood(
            Interpretation(outcome, stage, margin=offer.margin, explain=explain),
            chosen_by="model",
        )

    def _forbidden(self, why: str, found: Understood) -> Understood:
        """The reply to a sentence that no model is asked about: a refusal is heard as one."""
        said = self._words.say("no") if why == "negation" else ""
        explain = {**found.interpretation.explain, "forbidden": why}
        return Understood(Interpretation(Nothing(why, said), "none", explain=explain))


def _timed(found: Understood, elapsed_ms: float) -> Understood:
    seen = found.interpretation
    return Understood(
        Interpretation(seen.outcome, seen.stage, elapsed_ms, seen.margin, seen.explain),
        found.targets, found.confirmed, found.chosen_by,
    )  # fmt: skip
