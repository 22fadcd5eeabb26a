"""The assistant: takes what somebody said, has it done or answered, and says what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from agentd.understand.conversation import Conversation, Conversations, Pending
from agentd.understand.gazetteer import LANGUAGE, GazetteerRecogniser
from agentd.understand.hassil import HassilRecogniser
from agentd.understand.interpreter import Interpreter, Understood
from agentd.understand.legal import clean
from agentd.understand.offer import ModelAway, Offerer
from agentd.understand.recogniser import Recogniser
from agentd.understand.reply import (
    Reply,
    ReplyMaker,
    asked_of,
    is_read_back,
    pending_of,
    sentences,
)  # fmt: skip
from agentd.understand.scene import SceneRecogniser
from agentd.understand.status import StatusRecogniser
from agentd.understand.words import Words, load_words
from llmagentos.cause import Cause, Origin
from llmagentos.clock import Clock
from llmagentos.home import Home
from llmagentos.plan import Action, Decision, Plan, Verdict
from llmagentos.utterance import (
    Act,
    Answer,
    Ask,
    AtTime,
    ClockQuestion,
    Converse,
    Delayed,
    History,
    Interpretation,
    Nothing,
    Observation,
    PromiseRequest,
    PutBack,
    Reminder,
    TimerRequest,
    Undo,
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
    ) -> None:
        """Build it; reads the sentence files, about 150 ms.

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
        """
        self._observe, self._propose, self._preview = observe, propose, preview
        self._why, self._next_cause, self._stop = why, next_cause, stop
        self._clock, self._wait_s = clock, wait_s
        self._zone = ZoneInfo(time_zone) if time_zone else None
        self._conversations = Conversations()
        self._refreshing = threading.Lock()
        self._words = load_words(home.language)
        self._replies = ReplyMaker(self._words)
        self._offerer = Offerer(chooser, self._words) if chooser else None
        self._interpreter = Interpreter(
            self._words, recognisers_for(self._words), clock=clock, offerer=self._offerer
        )
        self._home = home
        self._interpreter.refresh(home)

    def refresh(self, home: Home) -> None:
        """Take over a changed home; sentences that are being understood end first."""
        with self._refreshing:
            if home is not self._home:
                self._home = home
                self._interpreter.refresh(home)

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
            reply = self._answer(heard, cause, conversation)
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
        if isinstance(seen.outcome, Act):
            verdicts = self._preview(self._plan(heard, found, seen.outcome, _NO_CAUSE))
        said = self._telling(found, observation, conversation)
        return Reply(said, seen, needs_yes=isinstance(seen.outcome, Ask), verdicts=verdicts,
                     cause=utterance.cause)  # fmt: skip

    def perform(self, actions: tuple[Action, ...], origin: Origin) -> Reply:
        """Have actions done that came without words (`set`), and tell what came of it.

        A question of the gate waits in the conversation of `origin`, as after a sentence.
        """
        cause = self._next_cause()
        act = Act(actions)
        wish = Utterance("", origin, self._clock(), cause)
        found = Understood(Interpretation(act, "direct"))
        conversation = self._conversations.of(origin)
        with self._turn(conversation) as is_mine:
            if not is_mine:
                return self._saying(self._words.say("busy"), Nothing("busy"), cause)
            return self._carry_out(wish, found, act, cause, conversation)

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

    def _answer(self, heard: Utterance, cause: Cause, conversation: Conversation) -> Reply:
        observation = self._current()
        found = self._interpreter.understand(heard, observation, conversation)
        outcome, now = found.interpretation.outcome, self._clock()
        said = self._telling(found, observation, conversation)
        conversation.note(outcome, found.targets, now, chosen_by=found.chosen_by)
        if isinstance(outcome, Act):
            return self._carry_out(heard, found, outcome, cause, conversation)
        if isinstance(outcome, Converse) and outcome.what == "stop" and self._stop:
            said = self._stop(heard)
        needs_yes = isinstance(outcome, Ask) and bool(outcome.options)
        return Reply(said, found.interpretation, needs_yes=needs_yes, cause=cause)

    def _carry_out(
        self, heard: Utterance, found: Understood, act: Act, cause: Cause, talk: Conversation
    ) -> Reply:
        """Propose the plan, wait for what came of it, and open a question if the gate wants one."""
        future = self._propose(self._plan(heard, found, act, cause))
        try:
            decision = future.result(self._wait_s)
        except TimeoutError:
            return Reply(self._replies.unanswered(), found.interpretation, cause=cause)
        text = ""
        if any(asked_of(a) not in pending_of(decision) for a in decision.applied):
            text = self._replies.of_decision(decision, self._home)
        if decision.needs_yes:
            question = self._replies.question(decision, self._home)
            talk.pending = Pending(pending_of(decision), self._clock(), found.chosen_by, question)
            text = f"{text} {question}".strip()
        return Reply(text, found.interpretation, decision, needs_yes=decision.needs_yes,
                     confirmed=is_read_back(decision), cause=cause)  # fmt: skip

    def _plan(self, heard: Utterance, found: Understood, act: Act, cause: Cause) -> Plan:
        return Plan(
            actions=act.actions,
            cause=cause,
            origin=heard.origin,
            at=heard.at,
            text=heard.text,
            chosen_by=found.chosen_by,
            is_confirmed=found.confirmed is not None,
        )

    def _telling(self, found: Understood, observation: Observation, talk: Conversation) -> str:
        """The reply to everything that needs no tick."""
        outcome, say = found.interpretation.outcome, self._words.say
        match outcome:
            case Act(actions):
                return sentences([self._replies.wish(actions, observation.home)])
            case Answer(text) | Ask(text):
                return sentences([text])
            case TimerRequest():
                return sentences([say("timers_later")])
            case Delayed() | AtTime() | Reminder() | PromiseRequest():
                return sentences([say("delays_later")])
            case History() | Undo() | PutBack():
                return sentences([say("undo_later")])
            case ClockQuestion(what):
                return sentences([self._clock_answer(what, observation.now.wall_s)])
            case Converse(what, device):
                return self._converse(what, device, talk)
            case Nothing(_, text):
                return sentences([text or say("not_understood")])

    def _converse(self, what: str, device: str | None, talk: Conversation) -> str:
        if what == "why":
            return self._why(device)
        if what == "repeat":
            return talk.said or sentences([self._words.say("nothing_to_repeat")])
        reply = {"undo": "undo_later", "yes": "nothing_to_confirm"}.get(what, what)
        return sentences([self._words.say(reply)])

    def _clock_answer(self, what: str, wall_s: float) -> str:
        local = datetime.fromtimestamp(wall_s, self._zone)
        shown = local.strftime(self._words.replies[f"{what}_format"])
        return self._words.say(f"clock_{what}", **{what: shown})

    @staticmethod
    def _saying(text: str, outcome: Nothing, cause: Cause | None) -> Reply:
        return Reply(sentences([text]), Interpretation(outcome, "none"), cause=cause)


_NO_CAUSE: Final = Cause("none", "00000000", 0)
"""Stands in a plan that is only previewed."""

__all__ = ["Assistant", "ModelAway", "Reply", "recognisers_for"]
