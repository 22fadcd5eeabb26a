"""Sentences about what was done: what happened since ten, undo that, put the lamp back."""

from __future__ import annotations

from typing import Final

from agentd.understand.chain import Heard
from agentd.understand.intent import Target
from agentd.understand.moment import Moments
from agentd.understand.naming import Directory
from agentd.understand.phrase import Fit, Phrasebook
from agentd.understand.recogniser import Context, Recognition
from agentd.understand.said import Said
from agentd.understand.words import Words, tokens
from llmagentos.home import Home
from llmagentos.utterance import Converse, History, LocalTime, Nothing, Outcome, PutBack, Undo

STAGE: Final = "recall"
"""Name of the stage, for `Interpretation.stage`."""


class _Unclear(Exception):
    """What is meant cannot be told; `nothing` says so."""

    def __init__(self, nothing: Nothing) -> None:
        super().__init__(nothing.reason)
        self.nothing = nothing


class Recall:
    """Understands them by their form and by the names of one home; a device is named exactly."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._moments = Moments(words)
        self._book = Phrasebook.of(words.past)
        self._home, self._directory = Home(), Directory(Home(), words=words)

    def refresh(self, home: Home) -> None:
        """Take over a new home."""
        self._home, self._directory = home, Directory(home, words=self._words)

    def recognise(self, text: str, context: Context) -> Heard | None:
        """What a sentence about the past means; None when it is about something else."""
        said = Said.of(text).without_courtesy(self._words)
        for fit in self._book.fits(said):
            try:
                outcome = self._outcome(fit, context)
            except _Unclear as unclear:
                return Heard(None, unclear.nothing)
            if outcome is not None:
                device = getattr(outcome, "device", None)
                targets = (Target(devices=(device,)),) if device else ()
                return Heard(Recognition(outcome, STAGE, targets), Nothing("rejected"))
        return None

    def why(self, text: str, context: Context) -> Converse | Nothing:
        """Which device a "why" asks about; a question back when it names none that is here."""
        named = self._directory.mentioned(text)
        if len(named) == 1:
            return Converse("why", named[0])
        if named:
            return self._which(named)
        if any(
            word not in self._words.pointing for word in self._words.without_courtesy(tokens(text))
        ):
            return Nothing("no_device", self._words.say("which_device"))
        return Converse("why", self._spoken_of(context))

    def _outcome(self, fit: Fit, context: Context) -> Outcome | None:
        """What a fit means; None when a slot of it holds something else."""
        span = self._span(fit)
        if "span" in fit.slots and span is None:
            return None
        since = self._since(fit)
        if "time" in fit.slots and since is None:
            return None
        if fit.name.startswith("happened"):
            day = {"happened_today": 0, "happened_yesterday": -1}.get(fit.name)
            since = since if day is None else LocalTime(0, 0, day)
            return History(span, since, self._device(fit, context, must=True))
        if fit.name == "put_back_ago" and span:
            return PutBack(span, self._device(fit, context, must=True))
        device = self._device(fit, context, must=fit.name == "undo_device")
        if device is None and not self._is_all(fit):
            return None
        return Undo(device)

    def _span(self, fit: Fit) -> int | None:
        said = fit.slots.get("span")
        return self._moments.spans.read_last(said.words) if said else None

    def _since(self, fit: Fit) -> LocalTime | None:
        said = fit.slots.get("time")
        when = self._moments.read_time(said.words, needs_at=False) if said else None
        return when.at if when else None

    def _is_all(self, fit: Fit) -> bool:
        said = fit.slots.get("thing")
        return (
            said is None
            or self._directory.is_pronoun(said.plain())
            or (self._words.everything.equals(said.words))
        )

    def _device(self, fit: Fit, context: Context, *, must: bool) -> str | None:
        """The one device that is named; None for no name, or for everything.

        Raises:
            _Unclear: several may be meant, or, where it must be one, none.
        """
        said = fit.slots.get("thing")
        if said is None or self._words.everything.equals(said.words):
            return None
        if self._directory.is_pronoun(said.plain()):
            return self._spoken_of(context)
        found = self._directory.find(said.plain(), area=context.area)
        if found and len(found.devices) == 1:
            return found.devices[0]
        if found:
            raise _Unclear(self._which(found.devices))
        if must:
            raise _Unclear(Nothing("no_device", self._words.say("no_device")))
        return None

    def _spoken_of(self, context: Context) -> str | None:
        """The one device that was just spoken of."""
        spoken = {device for target in context.previous for device in target.devices}
        return spoken.pop() if len(spoken) == 1 else None

    def _which(self, devices: tuple[str, ...]) -> Nothing:
        names = (self._home.by_id[device].name for device in devices)
        listed = self._words.join(names, last="list_or")
        return Nothing("ambiguous", self._words.say("ambiguous", names=listed))
