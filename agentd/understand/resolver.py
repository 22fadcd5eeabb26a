"""From an intent with its slots to an outcome: the same expansion for every recogniser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from agentd.understand.answer import Describer
from agentd.understand.intent import Intent, Target
from agentd.understand.recogniser import Context
from agentd.understand.targets import READ_ONLY, Ambiguous, find_devices
from agentd.understand.words import Words
from llmagentos.home import Device, Home
from llmagentos.kind import opposite
from llmagentos.plan import Action
from llmagentos.utterance import (
    Act,
    Answer,
    ClockQuestion,
    Delayed,
    Nothing,
    Observation,
    Outcome,
    TimerRequest,
)  # fmt: skip

_TIMER_OPS: Final[Mapping[str, str]] = {
    "HassStartTimer": "start",
    "HassCancelTimer": "cancel",
    "HassCancelAllTimers": "cancel_all",
    "HassIncreaseTimer": "increase",
    "HassDecreaseTimer": "decrease",
    "HassPauseTimer": "pause",
    "HassUnpauseTimer": "unpause",
    "HassTimerStatus": "status",
}

_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "HassLightSet": frozenset({"light"}),
    "HassFanSetSpeed": frozenset({"fan"}),
    "HassSetPosition": frozenset({"cover", "valve"}),
    "HassStopMoving": frozenset({"cover", "valve"}),
    "HassClimateSetTemperature": frozenset({"climate"}),
}
"""Kinds that an intent can be about, where its name says so."""

_ON: Final = {"cover": "open", "valve": "open", "lock": "lock", "button": "press"}
_OFF: Final = {"cover": "close", "valve": "close", "lock": "unlock", "button": "press"}
"""What HassTurnOn and HassTurnOff mean for kinds that are not switched."""


class Resolver:
    """Finds the devices of an intent and what is to be done with, or said of, them."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._describe = Describer(words)

    def resolve(self, intent: Intent, observation: Observation, context: Context) -> Outcome:
        """The outcome of one intent.

        Returns:
            `Nothing` with reason no_device or ambiguous when the home has none or several of
            what was said, out_of_scope when this home can never do such a thing.
        """
        if intent.name in _TIMER_OPS:
            return _timer(intent)
        if intent.name == "HassNevermind":
            return Nothing("never_mind", self._words.say("never_mind"))
        if intent.name in ("HassGetCurrentTime", "HassGetCurrentDate"):
            return ClockQuestion("time" if intent.name.endswith("Time") else "date")
        try:
            if intent.name == "HassGetState":
                return self._state(intent, observation, context)
            if intent.name == "HassClimateGetTemperature":
                return self._temperature(intent, observation, context)
            if intent.name in _EXPAND:
                return self._act(intent, observation, context)
        except Ambiguous as several:
            listed = self._words.join((d.name for d in several.devices), last="list_or")
            return Nothing("ambiguous", self._words.say("ambiguous", names=listed))
        return Nothing("out_of_scope", self._words.say("out_of_scope"))

    def _act(self, intent: Intent, observation: Observation, context: Context) -> Outcome:
        target = intent.target
        if target.is_empty and intent.name == "HassClimateSetTemperature":
            target = _only_climate(observation, context)
        kinds = intent.kinds or _KINDS.get(intent.name, frozenset())
        found = find_devices(target, observation.home, kinds=kinds, area=context.area)
        devices = [device for device in found if device.kind not in READ_ONLY]
        if target.is_empty or not devices:
            return Nothing("no_device", self._words.say("no_device"))
        expand = _EXPAND[intent.name]
        actions = [a for device in devices for a in expand(device, intent, observation)]
        able = tuple(a for a in actions if observation.home.by_id[a.device].can(a.name))
        if too_far := [a for a in able if not _is_in_range(a, observation.home)]:
            return Nothing("range", self._range(observation.home.by_id[too_far[0].device]))
        if not able:
            name = self._describe.subject(devices[0])
            return Nothing("cannot", self._words.say("cannot", name=name))
        return Act(able)

    def _range(self, device: Device) -> str:
        limits = {"low": device.minimum, "high": device.maximum}
        return self._words.say("range", name=self._describe.subject(device), **limits)

    def _state(self, intent: Intent, observation: Observation, context: Context) -> Outcome:
        home, states = observation.home, observation.states
        found = find_devices(intent.target, home, kinds=intent.kinds, area=context.area)
        if not found:
            return Nothing("no_device", self._words.say("no_device"))
        asked = _listed(intent.slots.get("state"))
        about = tuple(device.id for device in found)
        matched = [
            d for d in found if not asked or self._describe.is_in(d, states.get(d.id), asked)
        ]
        if intent.response in ("any", "all", "which", "how_many"):
            others = [device for device in found if device not in matched]
            said = self._words.states.get(asked[0], asked[0]) if asked else ""
            text = self._describe.matching(intent.response, matched, others, asked=said)
            return Answer(text, about)
        return Answer(self._one(found[0], intent, observation, is_so=bool(matched)), about)

    def _one(self, device: Device, intent: Intent, observation: Observation, *, is_so: bool) -> str:
        state = observation.states.get(device.id)
        if intent.response != "one_yesno" or state is None or not state.is_available:
            return self._describe.sentence(device, state)
        name = self._words.definite(device.name)
        said = self._describe.sentence(device, state, name=name)
        return self._words.say("yes_text" if is_so else "no_text", text=said)

    def _temperature(self, intent: Intent, observation: Observation, context: Context) -> Outcome:
        target = intent.target
        if target.is_empty:
            target = _only_climate(observation, context)
        home = observation.home
        found = find_devices(target, home, kinds={"climate"}, area=context.area)
        if not found and not target.is_empty:
            sensors = find_devices(target, home, kinds={"sensor"}, area=context.area)
            found = tuple(d for d in sensors if d.device_class == "temperature")
        if not found:
            return Nothing("no_device", self._words.say("no_device"))
        text = self._describe.temperature(found[0], observation.states.get(found[0].id))
        return Answer(text, (found[0].id,))


def _is_in_range(action: Action, home: Home) -> bool:
    """Whether a number is one that the device takes, as far as its limits are known."""
    device, value = home.by_id[action.device], next(iter(action.args.values()), None)
    if not isinstance(value, float) or device.minimum is None or device.maximum is None:
        return True
    return device.minimum <= value <= device.maximum


def _only_climate(observation: Observation, context: Context) -> Target:
    """The thermostat that is meant when none is named: the room's, else the only one."""
    climates = [device for device in observation.home.devices if device.kind == "climate"]
    near = [device for device in climates if context.area and device.area == context.area]
    chosen = near or climates
    if len(chosen) == 1:
        return Target(devices=(chosen[0].id,))
    return Target(area=context.area)


def _listed(value: object) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def _timer(intent: Intent) -> Outcome:
    slots, op = intent.slots, _TIMER_OPS[intent.name]
    length = _seconds(slots, "")
    if command := slots.get("conversation_command"):
        return Delayed(length or 0, str(command))
    name = slots.get("name")
    return TimerRequest(
        op=op,
        seconds=length if op in ("start", "increase", "decrease") else None,
        name=None if name is None else str(name),
        area=intent.target.area,
        start_seconds=_seconds(slots, "start_"),
    )


def _seconds(slots: Mapping[str, object], prefix: str) -> int | None:
    parts = [slots.get(prefix + unit) for unit in ("hours", "minutes", "seconds")]
    if all(part is None for part in parts):
        return None
    hours, minutes, seconds = (float(str(part or 0)) for part in parts)
    return int(hours * 3600 + minutes * 60 + seconds)


def _switch(words: Mapping[str, str], other: str) -> Callable[..., list[Action]]:
    def expand(device: Device, intent: Intent, observation: Observation) -> list[Action]:  # noqa: ARG001
        return [Action(device.id, words.get(device.kind, other))]

    return expand


def _toggle(device: Device, intent: Intent, observation: Observation) -> list[Action]:  # noqa: ARG001
    """The opposite of the present state, so that a repeated message does not undo itself."""
    state = observation.states.get(device.id)
    if state is None or "state" not in state.values:
        return [Action(device.id, "toggle")]
    return [Action(device.id, opposite(device.kind, state.values))]


def _light(device: Device, intent: Intent, observation: Observation) -> list[Action]:  # noqa: ARG001
    slots, made = intent.slots, []
    if slots.get("brightness") is not None:
        level = float(str(slots["brightness"]))
        made.append(Action(device.id, "set_brightness", {"brightness": level}))
    if slots.get("color"):
        made.append(Action(device.id, "set_color", {"color": str(slots["color"])}))
    if slots.get("temperature") is not None:
        kelvin = float(str(slots["temperature"]))
        made.append(Action(device.id, "set_color_temp", {"kelvin": kelvin}))
    return made


def _number(action: str, argument: str, slot: str) -> Callable[..., list[Action]]:
    def expand(device: Device, intent: Intent, observation: Observation) -> list[Action]:  # noqa: ARG001
        return [Action(device.id, action, {argument: float(str(intent.slots[slot]))})]

    return expand


def _stop(device: Device, intent: Intent, observation: Observation) -> list[Action]:  # noqa: ARG001
    return [Action(device.id, "stop")]


def _temperature(device: Device, intent: Intent, observation: Observation) -> list[Action]:
    """A target in the home's unit; a number said in the other one is converted to half degrees."""
    value = float(str(intent.slots["temperature"]))
    said, own = intent.slots.get("unit"), observation.home.temperature_unit
    if said and own and said != own:
        value = value * 1.8 + 32.0 if own == "°F" else (value - 32.0) / 1.8
        value = round(value * 2.0) / 2.0
    return [Action(device.id, "set_temperature", {"temperature": value})]


_EXPAND: Final[Mapping[str, Callable[..., list[Action]]]] = {
    "HassTurnOn": _switch(_ON, "turn_on"),
    "HassTurnOff": _switch(_OFF, "turn_off"),
    "HassToggle": _toggle,
    "HassLightSet": _light,
    "HassFanSetSpeed": _number("set_speed", "speed", "percentage"),
    "HassSetPosition": _number("set_position", "position", "position"),
    "HassClimateSetTemperature": _temperature,
    "HassStopMoving": _stop,
}
"""Intent -> the actions of one device."""
