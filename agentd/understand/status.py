"""Questions of any wording about one device that is named in full: answered with its state.

"Is the attic fan whirring?" needs no list of all that fans do: "Attic fan is on" says it.
"""

from __future__ import annotations

from agentd.understand.guard import Guard
from agentd.understand.intent import Intent, Target
from agentd.understand.naming import Directory
from agentd.understand.recogniser import Context, Recogniser, Recognition
from agentd.understand.resolver import Resolver
from agentd.understand.words import Words, tokens
from llmagentos.home import Home
from llmagentos.utterance import Observation


class StatusRecogniser(Recogniser):
    """The last to be asked: it answers and never acts."""

    name = "status"

    def __init__(self, words: Words) -> None:
        self._words = words
        self._guard = Guard(words)
        self._resolver = Resolver(words)
        self._directory = Directory(Home(), words=words)

    def refresh(self, home: Home) -> None:
        self._directory = Directory(home, words=self._words)

    def recognise(
        self, text: str, observation: Observation, context: Context
    ) -> Recognition | None:
        named = self._asked_about(tokens(text)) if self._guard.is_question(text) else ()
        if len(named) != 1:
            return None
        target = Target(devices=named)
        intent = Intent("HassGetState", target, response="one")
        outcome = self._resolver.resolve(intent, observation, context)
        return Recognition(outcome, self.name, (target,), {"device": named[0]})

    def _asked_about(self, said: tuple[str, ...]) -> tuple[str, ...]:
        """Ids of the devices whose name follows words that ask how something is."""
        openers = self._words.question["status"]
        for index in range(len(said)):
            if length := openers.match_at(said, index):
                rest = said[index + length :]
                if named := self._directory.named_first(rest):
                    return named
        return ()
