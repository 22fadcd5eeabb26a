"""The language model in its own process, as a chooser: a client of the agentd-llm socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from llmagentos.client import Door, DoorError, DoorRefused, DoorTimeout
from llmagentos.wire import WireError
from models.choose import (
    BadChoices,
    Baseline,
    Choice,
    Chooser,
    ChooserAway,
    ChooserBusy,
    ChooserCancelled,
    ChooserTimeout,
    check,
)  # fmt: skip
from models.errors import ModelError

_LONGEST_WAIT_S: Final = 10.0
"""Longest wait for an answer; the process keeps its own, shorter deadlines, so after this one it
hangs."""

_ERRORS: Final[Mapping[str, type[ModelError]]] = {
    "bad_request": BadChoices,
    "busy": ChooserBusy,
    "deadline": ChooserTimeout,
    "cancelled": ChooserCancelled,
}
"""Code of an error answer -> what it is here; any other means that the model is away."""


class SocketChooser(Chooser):
    """Connects when it is first needed, and again after the process was restarted."""

    def __init__(self, path: Path) -> None:
        """Remember where the socket is; nothing is opened yet.

        Args:
            path: the socket of agentd-llm, such as `/run/agentd/llm.sock`.
        """
        self._path = path
        self._door: Door | None = None
        self._prefix: dict[str, str] = {}
        self._prefix_id = ""

    def set_prefix(self, text: str, *, end: str = "\n") -> int:
        self._prefix = {"text": text, "end": end}
        return int(self._number(self._resident(), "tokens"))

    def choose(
        self,
        prompt: str,
        choices: Sequence[str],
        *,
        deadline_s: float,
        baseline: Baseline | None = None,
    ) -> Choice:
        check(prompt, choices, baseline)
        data: dict[str, Any] = {
            "prompt": prompt,
            "choices": list(choices),
            "deadline_ms": round(deadline_s * 1000.0),
        }
        if baseline:
            data |= {"baseline": list(baseline.prompts), "weight": baseline.weight}
        answer = self._scored(data)
        try:
            scores = [float(score) for score in answer["scores"]]
        except (KeyError, TypeError, ValueError) as exc:
            raise ChooserAway(f"agentd-llm gave no scores: {exc!r}") from exc
        if len(scores) != len(choices):
            raise ChooserAway("agentd-llm gave another number of scores than there are choices")
        return Choice.of(tuple(scores), elapsed_ms=self._number(answer, "elapsed_ms"))

    def cancel(self) -> None:
        """Without effect: its deadline bounds every choice."""

    def close(self) -> None:
        if self._door:
            self._door.close()
            self._door = None

    def _scored(self, data: Mapping[str, Any]) -> Any:
        """Ask for a choice under our own prefix, which another client may have replaced."""
        named = {"prefix_id": self._prefix_id} if self._prefix_id else {}
        try:
            return self._request("choose", {**data, **named})
        except DoorRefused as exc:
            if exc.code != "no_prefix":
                raise _mapped(exc) from exc
        self._resident()
        return self._asked("choose", {**data, "prefix_id": self._prefix_id})

    def _resident(self) -> Any:
        """Have the prefix read, and keep the name that the process gave it."""
        answer = self._asked("prefix", self._prefix)
        self._prefix_id = str(answer.get("prefix_id", "")) if isinstance(answer, dict) else ""
        return answer

    def _asked(self, verb: str, data: Mapping[str, Any]) -> Any:
        try:
            return self._request(verb, data)
        except DoorRefused as exc:
            raise _mapped(exc) from exc

    def _request(self, verb: str, data: Mapping[str, Any]) -> Any:
        """Ask once, and once more on a new connection where the old one broke.

        Raises:
            DoorRefused: the process said no.
            ChooserTimeout: it does not answer in time.
            ChooserAway: nobody serves the socket.
        """
        if self._door is not None:
            with suppress(ChooserAway):  # the process may have been restarted since
                return self._send(verb, data)
        return self._send(verb, data)

    def _send(self, verb: str, data: Mapping[str, Any]) -> Any:
        try:
            if self._door is None:
                self._door = Door(self._path, timeout_s=_LONGEST_WAIT_S)
            return self._door.request(verb, **data)
        except DoorRefused:
            raise
        except DoorTimeout as exc:
            self.close()  # what comes late must not be taken for the next answer
            raise ChooserTimeout(str(exc)) from exc
        except (DoorError, WireError) as exc:
            self.close()
            raise ChooserAway(str(exc)) from exc

    @staticmethod
    def _number(answer: Any, key: str) -> float:
        value = answer.get(key) if isinstance(answer, dict) else None
        return float(value) if isinstance(value, int | float) else 0.0


def _mapped(refused: DoorRefused) -> ModelError:
    return _ERRORS.get(refused.code, ChooserAway)(str(refused))
