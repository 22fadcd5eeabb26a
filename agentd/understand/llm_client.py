"""The language model in its own process, as a chooser: a client of the agentd-llm socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from llmagentos.client import Door, DoorError, DoorRefused, DoorTimeout
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
        self._tokens = 0

    def set_prefix(self, text: str, *, end: str = "\n") -> int:
        self._prefix = {"text": text, "end": end}
        self._request("prefix", self._prefix)
        return self._tokens

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
            "prompt": prompt, "choices": list(choices), "deadline_ms": int(deadline_s * 1000),
        }  # fmt: skip
        if baseline:
            data["baseline"] = {"prompts": list(baseline.prompts), "weight": baseline.weight}
        answer = self._request("choose", data)
        try:
            scores = tuple(float(score) for score in answer["scores"])
            return Choice(int(answer["choice"]), scores, float(answer["elapsed_ms"]))
        except (KeyError, TypeError, ValueError) as exc:
            raise ChooserAway(f"agentd-llm gave no choice: {exc!r}") from exc

    def cancel(self) -> None:
        """Without effect: the deadline bounds every choice, and nobody else has this connection."""

    def close(self) -> None:
        if self._door:
            self._door.close()
            self._door = None

    def _request(self, verb: str, data: Mapping[str, Any]) -> Any:
        """Ask, on a new connection where the old one broke: the process may have been restarted.

        Raises:
            ModelError: as `Chooser.choose`.
        """
        was_open = self._door is not None
        try:
            return self._ask(verb, data)
        except ChooserAway:
            if not was_open:
                raise
        return self._ask(verb, data)

    def _ask(self, verb: str, data: Mapping[str, Any]) -> Any:
        try:
            door = self._connected()
            answer = door.request(verb, **data)
        except DoorRefused as exc:
            raise _ERRORS.get(exc.code, ChooserAway)(str(exc)) from exc
        except DoorTimeout as exc:
            self.close()  # what comes late must not be taken for the next answer
            raise ChooserTimeout(str(exc)) from exc
        except DoorError as exc:
            self.close()
            raise ChooserAway(str(exc)) from exc
        return answer

    def _connected(self) -> Door:
        """The open connection; a new one is given the prefix before anything else."""
        if self._door is None:
            self._door = Door(self._path, timeout_s=_LONGEST_WAIT_S)
            if self._prefix:
                self._tokens = int(self._door.request("prefix", **self._prefix).get("tokens", 0))
        return self._door
