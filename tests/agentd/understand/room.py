"""A home to talk about, and a daemon behind it that does what it is told."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import count

from agentd.understand.assistant import Assistant
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Area, Device, Floor, Home
from llmagentos.kind import effect
from llmagentos.plan import Action, Applied, Decision, Plan, Ruling, Stage, Verdict
from llmagentos.reading import Quality, State
from llmagentos.utterance import Observation, Utterance

HOME = Home(
    devices=(
        Device("desk_lamp", "desk lamp", "light", aliases=("reading light",), area="study"),
        Device("ceiling_light", "ceiling light", "light", area="study"),
        Device("heater", "heater", "switch", area="study"),
        Device("fan", "fan", "fan", area="study"),
        Device("pump", "pump", "switch", area="garden"),
        Device("blind", "blind", "cover", area="study", device_class="blind"),
        Device("buzzer", "buzzer", "siren", area="study"),
        Device("back_door", "back door", "lock", area="garden", is_risky=True),
        Device("room_temperature", "room temperature", "sensor", area="study",
               device_class="temperature", unit="°C"),
        Device("soil", "soil", "sensor", area="garden", device_class="moisture", unit="%"),
        Device("thermostat", "thermostat", "climate", area="study", minimum=5, maximum=30),
    ),
    areas=(Area("study", "study", floor="ground"), Area("garden", "garden")),
    floors=(Floor("ground", "ground floor"),),
)  # fmt: skip

VALUES = {
    "desk_lamp": {"state": "off"},
    "ceiling_light": {"state": "off"},
    "heater": {"state": "off"},
    "fan": {"state": "off"},
    "pump": {"state": "off"},
    "blind": {"state": "closed", "position": 0},
    "buzzer": {"state": "off"},
    "back_door": {"state": "locked"},
    "room_temperature": {"state": 21.5, "temperature": 21.5},
    "soil": {"state": 34, "moisture": 34},
    "thermostat": {"state": "heat", "target_temperature": 20, "current_temperature": 21.5},
}


@dataclass
class Daemon:
    """Does every action at once and reads it back, unless it is told otherwise."""

    home: Home = HOME
    values: dict[str, dict] = field(default_factory=lambda: {k: dict(v) for k, v in VALUES.items()})
    refused: dict[str, str] = field(default_factory=dict)
    """Device -> the gate's reason."""
    asks_first: dict[str, str] = field(default_factory=dict)
    """Device -> why the gate wants a yes."""
    stage: Stage = Stage.READ_BACK
    is_stuck: bool = False
    unavailable: dict[str, str] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    now_s: float = 1000.0
    counter: count = field(default_factory=lambda: count(1))

    def clock(self) -> Instant:
        return Instant(self.now_s, 1_735_732_800.0 + self.now_s)

    def observe(self) -> Observation:
        states = {
            name: State(name, {}, self.clock(), Quality.UNAVAILABLE, self.unavailable[name])
            if name in self.unavailable
            else State(name, value, self.clock())
            for name, value in self.values.items()
        }
        return Observation(self.home, states, self.clock())

    def preview(self, plan: Plan) -> tuple[Verdict, ...]:
        return tuple(self._verdict(action, plan) for action in plan.actions)

    def propose(self, plan: Plan) -> Future[Decision]:
        self.plans.append(plan)
        future: Future[Decision] = Future()
        if not self.is_stuck:
            future.set_result(Decision(plan, tuple(self._apply(a, plan) for a in plan.actions)))
        return future

    def next_cause(self) -> Cause:
        return Cause("box", "0badcafe", next(self.counter))

    def _verdict(self, action: Action, plan: Plan) -> Verdict:
        if reason := self.refused.get(action.device):
            return Verdict(Ruling.DENY, action, None, "interlock", reason)
        if (reason := self.asks_first.get(action.device)) and not plan.is_confirmed:
            return Verdict(Ruling.CONFIRM, action, None, "confirm", reason)
        return Verdict(Ruling.ALLOW, action, action)

    def _apply(self, action: Action, plan: Plan) -> Applied:
        verdict = self._verdict(action, plan)
        done = Applied(action, Stage.REFUSED, plan.cause, self.clock(), verdict=verdict)
        if verdict.ruling is not Ruling.ALLOW:
            return done
        self.values[action.device] |= effect(
            self.home.by_id[action.device].kind, action.name, action.args
        )
        return replace(done, stage=self.stage, state=dict(self.values[action.device]))


def assistant(daemon: Daemon, **options) -> Assistant:
    return Assistant(
        daemon.home, observe=daemon.observe, propose=daemon.propose, preview=daemon.preview,
        why=lambda device: f"why {device}", next_cause=daemon.next_cause, clock=daemon.clock,
        time_zone="Europe/Berlin", **options,
    )  # fmt: skip


def say(
    text: str, *, area: str | None = "study", who: str = "anna", at_s: float = 0.0
) -> Utterance:
    return Utterance(text, Origin(Rank.PERSON, "cli", who, area), Instant(at_s, at_s))
