"""The gate at its post: the rules of `agentd.safety`, what they remember, where that is written.

For the one thread of the tick; `review`, `is_stopped` and `faults` may be asked from any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from agentd import safety
from agentd.ledger import Ledger
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action, Plan, Verdict
from llmagentos.utterance import Observation

SAVE_S: Final = 10.0
"""Longest pause between two looks at what is to be written: the time that an output has been on
grows by itself."""

KIND: Final = "gate"
"""What its documents are called in the ledger."""


class Gate:
    """Judges plans and watches outputs, over restarts."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        now: Instant,
        boot_id: str = "",
        remembered: Mapping[str, str] | None = None,
    ) -> None:
        """Knows of no output before `adopt`.

        Args:
            ledger: where its memory is written.
            now: the start; outputs whose past is unknown count as switched off now.
            boot_id: of the machine: monotonic times hold within one boot.
            remembered: its documents of the last run; None for none.
        """
        self._ledger = ledger
        self._boot_id = boot_id
        self._remembered = remembered
        self._rows: Mapping[str, safety.Row] = {}
        self._state = self._saved_state = safety.GateState(started_at=now)
        self._saved: Mapping[str, str] = {}
        self._saved_at_s = now.mono_s

    @property
    def is_stopped(self) -> bool:
        """Whether a stop is latched."""
        return self._state.is_stopped

    @property
    def faults(self) -> dict[str, str]:
        """Devices that stay safe until a person resets them, with the reason."""
        return {name: track.fault for name, track in self._state.tracks.items() if track.fault}

    def adopt(self, rows: Mapping[str, safety.Row], now: Instant) -> None:
        """Take over the outputs of a house; the first time, what is remembered of them too."""
        self._rows = rows
        if self._remembered is not None:
            self._state = safety.thaw(self._remembered, rows, now=now, boot_id=self._boot_id)
            self._saved, self._remembered = self._remembered, None

    # judging ----------------------------------------------------------------------------------

    def review(self, plan: Plan, observation: Observation) -> tuple[Verdict, ...]:
        """Judge every action of a plan."""
        return safety.review(plan, self._state, observation, self._rows)

    def is_risky(self, action: Action) -> bool:
        """Whether an action that was granted must be on disk before it is done."""
        row = self._rows[action.device]
        return safety.is_risky(action, row, self._state.track(action.device))

    def watch(self, observation: Observation) -> tuple[safety.Order, ...]:
        """What must be done now without anybody asking."""
        return safety.watch(self._state, observation, self._rows)

    def safe_orders(
        self,
        observation: Observation,
        *,
        rule: str,
        reason: str,
        only: Collection[str] | None = None,
    ) -> tuple[safety.Order, ...]:
        """What drives every output, or those named, to its declared safe state."""
        rows = self._rows
        if only is not None:
            rows = {name: row for name, row in rows.items() if name in only}
        return safety.safe_orders(observation, rows, rule=rule, reason=reason)

    # learning ---------------------------------------------------------------------------------

    def note(
        self, row: safety.Row, values: Mapping[str, Scalar], now: Instant, plan: Plan | None
    ) -> None:
        """Remember what an output is like now, and whose plan made it so (None: nobody's)."""
        rank = plan.origin.rank if plan else None
        self._state = safety.note(self._state, row, values, now, rank=rank, plan=plan)

    def stop(self) -> None:
        """Latch the stop."""
        self._state = safety.stop(self._state)

    def reset(self, device: str | None = None) -> None:
        """Lift the stop and every fault, or the fault of one device."""
        self._state = safety.reset(self._state, device)

    def fault(self, device: str, reason: str) -> bool:
        """Latch the fault of a device; False when it had one."""
        if self._state.track(device).fault:
            return False
        self._state = safety.fault(self._state, device, reason.rstrip("."))
        return True

    def exempt(self, devices: Collection[str], who: str) -> None:
        """Let a promise or rule that a person has just made pass that person's own hold."""
        self._state = safety.exempt(self._state, devices, who)

    def save(self, now: Instant) -> None:
        """Have written what is new of what it remembers; does not wait."""
        is_same = self._state is self._saved_state
        if is_same and now.mono_s - self._saved_at_s < SAVE_S:
            return
        self._saved_state, self._saved_at_s = self._state, now.mono_s
        frozen = safety.freeze(self._state, now=now, boot_id=self._boot_id)
        for name, body in frozen.items():
            if self._saved.get(name) != body:
                self._ledger.record_document(KIND, name, body)
        self._saved = frozen
