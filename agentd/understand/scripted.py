"""Twin of the recognisers for tests: it understands what its table holds."""

from __future__ import annotations

from collections.abc import Mapping

from agentd.understand.recogniser import Context, Recogniser, Recognition
from llmagentos.home import Home
from llmagentos.utterance import Observation, Outcome


class ScriptedRecogniser(Recogniser):
    """Understands exactly the sentences of its table."""

    name = "scripted"

    def __init__(self, table: Mapping[str, Outcome]) -> None:
        self._table = dict(table)
        self.home = Home()
        """The home of the last `refresh`."""
        self.heard: list[tuple[str, Context]] = []
        """What it was asked, in order."""

    def refresh(self, home: Home) -> None:
        self.home = home

    def recognise(
        self,
        text: str,
        observation: Observation,  # noqa: ARG002
        context: Context,
    ) -> Recognition | None:
        self.heard.append((text, context))
        outcome = self._table.get(text)
        return None if outcome is None else Recognition(outcome, self.name)
