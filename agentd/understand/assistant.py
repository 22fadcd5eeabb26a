"""The assistant: takes what somebody said, has it done or answered, and says what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final
from zoneinfo import ZoneInfo

from agentd.understand.confirmation import Questions
from agentd.understand.conversation import Conversation, Conversations, Pending
from agentd.understand.doing import Doer, make_plan
from agentd.understand.fulfilling import Fulfiller
from agentd.understand.interpreter import Interpreter, Understood
from agentd.understand.legal import clean
from agentd.understand.offer import ModelAway, Offerer
from agentd.understand.port import PastPort, PromisePort
from agentd.understand.promising import Promiser
from agentd.understand.recogniser import Recogniser
from agentd.understand.remembering import Rememberer
from agentd.understand.reply import Reply, ReplyMaker, sentences
from agentd.understand.scene import SceneRecogniser
from agentd.understand.status import StatusRecogniser
from agentd.understand.telling import Teller
from agentd.understand.words import Words, load_words
from llmagentos.cause import Cause, Origin
from llmagentos.clock import Clock
from llmagentos.home import Home
from llmagentos.plan import Action, Decision, Plan, Verdict
from llmagentos.utterance import (
    Act,
    Ask,
    AtTime,
    Converse,
    Delayed,
    Interpretation,
    Nothing,
    Observation,
    Utterance,
)  # fmt: skip
from models.choose import Chooser

LONGEST_TEXT: Final = 500
"""Characters of an utterance; more is refused, not cut: half a sentence may mean the opposite."""

WAIT_S: Final = 2.0
"""Longest wait for the tick and its devices before the reply says "not confirmed yet"."""

_MOST_WAITING: Final = 4
"""Sentences of one conversation that wait for each other; more are refused."""


def recognisers_for(words: Words) -> tuple[Recogniser, ...]:
    """The recognisers of a language, in the order in which they are asked."""
    # Loaded here: a box that comes back from a crash must not wait for them to obey a stop.
    from agentd.understand.gazetteer import LANGUAGE, GazetteerRecogniser
    from agentd.understand.hassil import HassilRecogniser

    strict = (SceneRecogniser(words), HassilRecogniser(words))
    spelt = (GazetteerRecogniser(words),) if words.language == LANGUAGE else ()
    return (*strict, *spelt, StatusRecogniser(words))


class Assistant:
    """One for the box; may be called from several threads."""

    def __init__(
        self,
        home: Home,
        *,
        observe: Callable[[], Observation],
        propose: Callable[[Plan], Future[Decision]],
        preview: Callable[[Plan], tuple[Verdict, ...]],
        why: Callable[[str | None], str],
        next_cause: Callable[[], Cause],
        clock: Clock,
        chooser: Chooser | None = None,
        stop: Callable[[Utterance], str] | None = None,
        time_zone: str = "",
        wait_s: float = WAIT_S,
        promises: PromisePort | None = None,
        past: PastPort | None = None,
        questions: Questions | None = None,
    ) -> None:
        """Build it. The sentence files are read by the first sentence, or by `warm`.

        Args:
            home: names, language and units; `refresh` takes a new one.
            observe: the present states.
            propose: hands a plan to the tick.
            preview: what the gate would say to a plan, without doing it.
            why: explains a device's last change, or the last thing done.
            next_cause: numbers an utterance that came without a cause.
            clock: reads the present instant.
            chooser: the language model; None leaves it out.
            stop: drives all outputs to their safe states, returns what to say; None when the
                caller does that on `Converse("stop")` itself.
            time_zone: IANA name for "what time is it"; empty for the system's.
            wait_s: longest wait for the devices, in seconds.
            promises: keeps timers, reminders and commands for later; None leaves them out.
            past: remembers what was done; None leaves undo and history out.
            questions: those that wait for a yes, with what an earlier run left open.
        """
        self._observe, self._preview = observe, preview
        self._next_cause, self._stop = next_cause, stop
        self._clock = clock
        zone = ZoneInfo(time_zone) if time_zone else None
        self._refreshing = threading.Lock()
        self._words = words = load_words(home.language)
        promiser = Promiser(promises, words, preview=preview, zone=zone) if promises else None
        rememberer = Rememberer(past, words, zone=zone) if past else None
        self._fulfiller = Fulfiller(
            Doer(propose, ReplyMaker(words), clock=clock, wait_s=wait_s), words,
            observe=observe, promiser=promiser, rememberer=rememberer,
        )  # fmt: skip
        self._teller = Teller(words, why=why, zone=zone, promiser=promiser, rememberer=rememberer)
        self._conversations = Conversations()
        self._questions = questions or Questions()
        self._questions.restore(self._conversations, clock())
        self._offerer = Offerer(chooser, words) if chooser else None
        self._home = home
        self._built: Interpreter | None = None

    def refresh(self, home: Home) -> None:
        """Take over a changed home; sentences that are being understood end first."""
        with self._refreshing:
            if home is not self._home:
                self._home = home
                if self._built:
                    self._built.refresh(home)

    @property
    def _interpreter(self) -> Interpreter:
        """Built by whoever needs it first; that takes 0.3 s."""
        with self._refreshing:
            if self._built is None:
                recognisers = recognisers_for(self._words)
                self._built = Interpreter(
                    self._words, recognisers, clock=self._clock, offerer=self._offerer
                )
                self._built.refresh(self._home)
            return self._built

    def warm(self) -> None:
        """Do once what would slow the first sentences down: 0.3 s, and seconds with a model.

        Raises:
            ModelAway: it does not answer; it gets the prefix when it is next asked.
        """
        self._interpreter.warm(self._current())
        if self._offerer:
            self._offerer.warm()

    def ask(self, utterance: Utterance) -> Reply:
        """Understand a sentence, have it done or answered, and tell what came of it.

        Blocks up to `wait_s` for the devices, and up to the model's deadline before that.
        """
        cause = utterance.cause or self._next_cause()
        text = clean(utterance.text, longest=LONGEST_TEXT + 1)
        if refusal := self._refuse(text):
            return self._saying(refusal, Nothing("rejected", refusal), cause)
        heard = Utterance(text, utterance.origin, utterance.at, cause)
        conversation = self._conversations.of(utterance.origin)
        with self._turn(conversation) as is_mine:
            if not is_mine:
                return self._saying(self._words.say("busy"), Nothing("busy"), cause)
            before = conversation.pending
            reply = self._answer(heard, cause, conversation)
            self._questions.follow(conversation, before, origin=heard.origin, cause=cause)
            conversation.said = reply.text
            return reply

    def interpret(self, utterance: Utterance, explain: bool = False) -> Reply:
        """What `ask` would do, without doing it and without a trace in the conversation."""
        text = clean(utterance.text, longest=LONGEST_TEXT + 1)
        if refusal := self._refuse(text):
            return self._saying(refusal, Nothing("rejected", refusal), utterance.cause)
        observation = self._current()
        conversation = self._conversations.of(utterance.origin)
        heard = Utterance(text, utterance.origin, utterance.at, utterance.cause)
        found = self._interpreter.understand(heard, observation, conversation)
        seen = found.interpretation
        if not explain:
            seen = Interpretation(seen.outcome, seen.stage, seen.elapsed_ms, seen.margin)
        verdicts: tuple[Verdict, ...] = ()
        if isinstance(seen.outcome, Act | Delayed | AtTime):
            verdicts = self._preview(make_plan(heard, found, seen.outcome.actions, _NO_CAUSE))
        said = self._teller.tell(seen.outcome, observation, conversation, origin=heard.origin)
        return Reply(said, seen, needs_yes=isinstance(seen.outcome, Ask), verdicts=verdicts,
                     cause=utterance.cause)  # fmt: skip

    def perform(self, actions: tuple[Action, ...], origin: Origin) -> Reply:
        """Have actions done that came without words (`set`), and tell what came of it.

        A question of the gate waits in the conversation of `origin`, as after a sentence.
        """
        cause = self._next_cause()
        wish = Utterance("", origin, self._clock(), cause)
        found = Understood(Interpretation(Act(actions), "direct"))
        conversation = self._conversations.of(origin)
        with self._turn(conversation) as is_mine:
            if not is_mine:
                return self._saying(self._words.say("busy"), Nothing("busy"), cause)
            before = conversation.pending
            reply = self._fulfiller.fulfil(wish, found, cause, conversation)
            self._questions.follow(conversation, before, origin=origin, cause=cause)
            return reply or self._saying(self._words.say("done"), Nothing("done"), cause)

    def waiting(self) -> tuple[Pending, ...]:
        """The questions of the whole box that wait for a yes."""
        return self._questions.waiting(self._clock())

    def settle(self, name: str, origin: Origin, *, is_yes: bool) -> Reply:
        """Say yes or no to one of these by its id, over whatever channel `origin` is."""
        now, cause = self._clock(), self._next_cause()
        asked = self._questions.find(name, now)
        if asked is None or asked.origin is None:
            return self._saying(self._words.say("question_gone"), Nothing("gone"), cause)
        talk = self._conversations.of(asked.origin)
        with self._turn(talk) as is_mine:
            if not is_mine:
                return self._saying(self._words.say("busy"), Nothing("busy"), cause)
            asked = talk.open_question(now)
            if asked is None or asked.id != name:
                return self._saying(self._words.say("question_gone"), Nothing("gone"), cause)
            talk.pending = None
            seen = Interpretation(asked.wish, "confirm")
            found = Understood(seen, confirmed=asked, chosen_by=asked.chosen_by)
            heard = Utterance("", origin, now, cause)
            reply = self._fulfiller.fulfil(heard, found, cause, talk) if is_yes else None
            self._questions.follow(talk, asked, origin=origin, cause=cause)
            return reply or self._saying(self._words.say("no"), Nothing("no"), cause)

    def _current(self) -> Observation:
        observation = self._observe()
        if observation.home is not self._home:
            self.refresh(observation.home)
        return observation

    def _refuse(self, text: str) -> str:
        """Why a text is not looked at, as a reply; empty when it is."""
        if not text:
            return self._words.say("nothing_said")
        return self._words.say("too_long") if len(text) > LONGEST_TEXT else ""

    @contextmanager
    def _turn(self, conversation: Conversation) -> Iterator[bool]:
        """Take turns within a conversation; False when too many wait already."""
        if conversation.waiting >= _MOST_WAITING:
            yield False
            return
        conversation.waiting += 1
        try:
            with conversation.lock:
                yield True
        finally:
            conversation.waiting -= 1

    def _answer(self, heard: Utterance, cause: Cause, talk: Conversation) -> Reply:
        observation = self._current()
        found = self._interpreter.understand(heard, observation, talk)
        outcome = found.interpretation.outcome
        taken_back = self._fulfiller.take_back(outcome, talk)
        talk.note(outcome, found.targets, self._clock(), chosen_by=found.chosen_by)
        is_begun = isinstance(outcome, Nothing) and outcome.reason == "incomplete"
        talk.unfinished = (heard.text, self._clock()) if is_begun else None
        if taken_back:
            return Reply(taken_back, found.interpretation, cause=cause)
        if done := self._fulfiller.fulfil(heard, found, cause, talk):
            return done
        if isinstance(outcome, Converse) and outcome.what == "stop" and self._stop:
            said = self._stop(heard)
        else:
            said = self._teller.tell(outcome, observation, talk, origin=heard.origin)
        needs_yes = isinstance(outcome, Ask) and bool(outcome.options)
        return Reply(said, found.interpretation, needs_yes=needs_yes, cause=cause)

    @staticmethod
    def _saying(text: str, outcome: Nothing, cause: Cause | None) -> Reply:
        return Reply(sentences([text]), Interpretation(outcome, "none"), cause=cause)


_NO_CAUSE: Final = Cause("none", "00000000", 0)
"""Stands in a plan that is only previewed."""

__all__ = ["Assistant", "ModelAway", "Reply", "recognisers_for"]
