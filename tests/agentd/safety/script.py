"""What may happen to a `Street`, as steps that hypothesis can draw and shrink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from agentd.schema import Limits, Requirement
from llmagentos.cause import Rank
from llmagentos.plan import Action
from tests.agentd.safety.street import DIAL, EVENING_S, MORNING_S, NOON_S, SWITCHES, Street

STEPS_A_RUN = 50
SAID_YES: dict[str, Any] = {"is_confirmed": True, "confirmed_on": "voice"}


@dataclass(frozen=True)
class Step:
    """One thing that happens; prints as the line that would make it happen."""

    name: str
    do: Callable[[Street], None] = field(repr=False)

    def __repr__(self) -> str:
        return self.name


def step(method: str, *args: Any, **more: Any) -> Step:
    words = [*map(repr, args), *(f"{key}={value!r}" for key, value in more.items())]
    return Step(f"{method}({', '.join(words)})", lambda s: getattr(s, method)(*args, **more))


def command(*actions: Action, rank: Rank, wait_s: float = 0.25, **more: Any) -> Step:
    """A command, and the turn that sees it."""

    def do(street: Street) -> None:
        street.command(*actions, rank=rank, **more)
        street.wait(wait_s)

    return Step(
        f"{rank.name} {' '.join(f'{a.device}.{a.name}{dict(a.args)}' for a in actions)} {more or ''}",
        do,
    )


def clash(*commands: tuple[Rank, Action]) -> Step:
    """Several commands that the same turn sees."""

    def do(street: Street) -> None:
        for rank, action in commands:
            street.command(action, rank=rank, who="r1")
        street.wait(0.25)

    return Step(f"clash{commands}", do)


def cling(name: str) -> Step:
    """Somebody who wants it on whatever happens, and says so without a pause."""

    def do(street: Street) -> None:
        for _ in range(4):
            street.command(Action(name, "turn_on"), rank=Rank.PERSON, **SAID_YES)
            street.wait(2.5)
        for _ in range(4):
            street.command(Action(name, "turn_on"), rank=Rank.PERSON, **SAID_YES)
            street.wait(0.5)

    return Step(f"cling({name!r})", do)


def defy(name: str) -> Step:
    """Somebody stops everything, and somebody else presses the button on the output."""

    def do(street: Street) -> None:
        street.stop()
        street.hand(name)
        street.wait(3.0)
        street.reset()

    return Step(f"defy({name!r})", do)


def meddle(name: str, other: str) -> Step:
    """Somebody asks for one output, and somebody else presses the button on another."""

    def do(street: Street) -> None:
        street.command(Action(name, "turn_on"), rank=Rank.PERSON, **SAID_YES)
        street.wait(0.5)
        street.hand(other)
        street.wait(3.0)

    return Step(f"meddle({name!r}, {other!r})", do)


def burn(name: str) -> Step:
    """An agent switches it on, its contacts weld together for a while, its lease runs out, and in
    the end somebody presses its button."""

    def do(street: Street) -> None:
        street.command(Action(name, "turn_on"), rank=Rank.AGENT, **SAID_YES)
        street.wait(0.5)
        street.stick(name, True)
        street.wait(13.0)
        street.stick(name, False)
        street.wait(3.0)
        street.hand(name)
        street.wait(3.0)

    return Step(f"burn({name!r})", do)


def _dial(value: Any) -> Action:
    return Action(DIAL, "set_value", {"value": value})


ON = {name: Action(name, "turn_on") for name in SWITCHES}
OFF = {name: Action(name, "turn_off") for name in SWITCHES}
RANKS = (Rank.PERSON, Rank.RULE, Rank.AGENT, Rank.LEARNER)
BELOW = ((Rank.RULE, "r1"), (Rank.RULE, "p1"), (Rank.AGENT, "a1"), (Rank.LEARNER, "l1"))
SENSE = [Action("heater", "explode"), Action("moon", "turn_on"), Action("tank", "turn_on"),
         _dial(150), _dial(-5), _dial(float("nan")), _dial("x")]  # fmt: skip

QUIET_STEPS = [step("wait", s) for s in (0.25, 1.0, 2.0, 5.0, 12.0, 30.0)]
COMMANDS = [
    *(command(a, rank=Rank.PERSON, **SAID_YES) for a in (*ON.values(), _dial(40), _dial(100))),
    *(command(a, rank=Rank.PERSON) for a in (*ON.values(), *OFF.values(), _dial(0))),
    *(command(ON[n], rank=Rank.PERSON, is_confirmed=True, confirmed_on="cli") for n in SWITCHES),
    *(
        command(action, rank=rank, who=who, **SAID_YES)
        for rank, who in BELOW
        for action in (*ON.values(), *OFF.values(), _dial(40), _dial(5))
    ),
    *(command(action, rank=Rank.AGENT) for action in ON.values()),
    *(command(action, rank=Rank.PERSON) for action in SENSE),
    command(ON["heater"], ON["pump"], rank=Rank.PERSON, **SAID_YES),
    command(OFF["heater"], ON["pump"], rank=Rank.PERSON, **SAID_YES),
    command(OFF["pump"], ON["heater"], rank=Rank.RULE, who="r1"),
    command(OFF["pump"], ON["pump"], rank=Rank.RULE, who="r1"),
    *(clash((Rank.LEARNER, OFF[n]), (Rank.RULE, ON[n]), (Rank.AGENT, OFF[n])) for n in SWITCHES),
    *(clash((Rank.AGENT, ON[n]), (Rank.PERSON, OFF[n])) for n in SWITCHES),
]
EVENTS = [
    step("stop"), step("reset"), step("reset"),
    *(burn(name) for name in ("heater", "pump")), *(step("mend", n) for n in ("heater", "pump")),
    *(cling(name) for name in SWITCHES), *(defy(name) for name in SWITCHES),
    meddle("heater", "pump"), meddle("pump", "lamp"), meddle("lamp", "heater"),
    *(step("promise", name) for name in SWITCHES),
    *(step("hand", name) for name in SWITCHES),
    *(step("tank", level) for level in (50.0, 50.0, 3.0, None, float("nan"))),
    step("silence", True), step("silence", False), step("silence", False),
    *(step(what, name, flag) for what in ("stick", "unplug") for name in ("pump", "heater")
      for flag in (True, False, False)),
    step("set_clock"), step("sleep", 1.0), step("sleep", 25.0),
    *(step("crash", down_s, is_swept=swept, is_torn=torn)
      for down_s in (0.5, 3.0) for swept in (True, False) for torn in (True, False)),
    *(step("power_cut", down_s, has_clock=clock) for down_s in (1.0, 4.0, 600.0)
      for clock in (True, False)),
]  # fmt: skip

STEPS = [*QUIET_STEPS * 4, *COMMANDS * 2, *EVENTS]


def _some(*values: Any) -> st.SearchStrategy[Any]:
    """Mostly none of them: too many limits at once leave nothing to happen."""
    return st.sampled_from([None] * (2 * len(values)) + list(values))


LIMITS = st.builds(
    Limits,
    max_on_s=_some(6.0, 20.0),
    min_on_s=_some(4.0),
    min_off_s=_some(3.0, 15.0),
    duty_per_day_s=_some(9.0, 25.0),
    rate_per_min=_some(1, 3),
    quiet_hours=_some("22:00-07:00"),
    interlock=st.sampled_from([None, "a"]),
    interlock_wait_s=st.sampled_from([0.0, 0.0, 5.0]),
    requires=st.sampled_from([(), (), (Requirement("tank", min=5),)]),
    confirm=st.sampled_from([False, False, False, True, "second_channel"]),
    lease_s=_some(4.0),
    manual_hold_s=st.sampled_from([0.0, 5.0, 30.0]),
)
DIAL_LIMITS = st.builds(
    Limits,
    max_on_s=_some(20.0),
    slope_per_s=_some(8.0, 8.0, 30.0),
    manual_hold_s=st.sampled_from([0.0, 5.0]),
    requires=st.sampled_from([(), (), (Requirement("tank", min=5),)]),
)
HOUSES = st.fixed_dictionaries(dict.fromkeys(SWITCHES, LIMITS) | {DIAL: DIAL_LIMITS})
HOURS = st.sampled_from([NOON_S, EVENING_S, MORNING_S])
SCRIPTS = st.lists(st.sampled_from(STEPS), min_size=STEPS_A_RUN, max_size=STEPS_A_RUN)
