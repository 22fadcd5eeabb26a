"""What devices are like, in words: the answers to questions, and the tail of every reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from agentd.understand.targets import names
from agentd.understand.words import Words
from llmagentos.home import Device
from llmagentos.kind import Scalar
from llmagentos.reading import Quality, State

_ALIKE: Final[Mapping[str, Mapping[str, str]]] = {
    "cover": {"on": "open", "off": "closed"},
    "valve": {"on": "open", "off": "closed"},
    "lock": {"on": "locked", "off": "unlocked", "open": "unlocked", "closed": "locked"},
    "light": {"open": "on", "closed": "off"},
    "switch": {"open": "on", "closed": "off"},
    "fan": {"open": "on", "closed": "off"},
    "siren": {"open": "on", "closed": "off"},
    "binary_sensor": {"open": "on", "closed": "off", "locked": "off", "unlocked": "on"},
}
"""kind -> a state that is asked for -> the state of that kind that means the same."""

_OPENINGS: Final = frozenset({"door", "window", "garage_door", "opening"})
"""Classes of binary sensors whose on means open."""


class Describer:
    """Puts states into the words of one language."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def state_word(self, device: Device, state: State | None) -> str:
        """The main state of a device: `on`, `open`, `21.5 °C`; empty when it is not known."""
        value = _main_value(state)
        if value is None:
            return ""
        if device.kind == "binary_sensor" and device.device_class in _OPENINGS:
            value = {"on": "open", "off": "closed"}.get(str(value), value)
        if device.unit and device.kind not in ("binary_sensor", "climate"):
            return f"{_number(value)} {device.unit}"
        return self._words.states.get(str(value), _number(value))

    def sentence(self, device: Device, state: State | None, *, name: str = "") -> str:
        """One device's state as a sentence without its full stop: `Desk lamp is on`.

        Args:
            device: what it is about.
            state: what is known of it.
            name: what to call it instead of its name.
        """
        name = name or self.subject(device)
        if state is None:
            return self._words.say("unknown_state", name=self._words.definite(device.name))
        if not state.is_available:
            return self.unavailable(device, state)
        text = self._detailed(name, device, state)
        return self._words.say("stale", text=text) if state.quality is Quality.STALE else text

    def unavailable(self, device: Device, state: State) -> str:
        """Why nothing can be said of it or done with it."""
        name = self.subject(device)
        if not state.reason:
            return self._words.say("unavailable_bare", name=name)
        return self._words.say("unavailable", name=name, reason=state.reason.rstrip("."))

    def subject(self, device: Device) -> str:
        """Its name at the beginning of a sentence."""
        return device.name[:1].upper() + device.name[1:]

    def temperature(self, device: Device, state: State | None) -> str:
        """The temperature that a thermostat or sensor sees, or that it is not known."""
        value = state.values.get("current_temperature") if state else None
        value = _main_value(state) if value is None else value
        if value is None or (state and not state.is_available):
            return self.sentence(device, state)
        return self._words.say("degrees", value=_number(value))

    def is_in(self, device: Device, state: State | None, wanted: Sequence[str]) -> bool:
        """Whether a device is in one of the states that were asked for."""
        value = str(_main_value(state))
        if device.kind == "climate" and "on" in wanted:
            return state is not None and value not in ("off", "None")
        alike = _ALIKE.get(device.kind, {})
        return value in wanted or value in {alike.get(want, want) for want in wanted}

    def matching(
        self, response: str, matched: Sequence[Device], others: Sequence[Device], *, asked: str
    ) -> str:
        """The answer to a question about several devices.

        Args:
            response: any, all, which or how_many.
            matched: the devices in the state that was asked for.
            others: the ones that are not.
            asked: that state, in words.
        """
        if response == "how_many":
            return str(len(matched))
        if response == "all":
            return self._all(others, asked)
        if not matched:
            return self._words.say("not_any" if response == "any" else "none_of_them")
        listed = self._words.join(names(matched))
        return self._words.say("yes_text", text=listed) if response == "any" else listed

    def _all(self, others: Sequence[Device], asked: str) -> str:
        if not others:
            return self._words.say("yes")
        verb = self._words.say("verb_one" if len(others) == 1 else "verb_more")
        listed = self._words.join(names(others))
        text = self._words.say("not_state", names=listed, verb=verb, state=asked)
        return self._words.say("no_text", text=text)

    def _detailed(self, name: str, device: Device, state: State) -> str:
        values, say = state.values, self._words.say
        word = self.state_word(device, state)
        if device.kind in ("sensor", "number"):
            return say("value", name=name, value=word)
        if device.kind == "climate" and values.get("state") != "off":
            return self._climate(name, word, values)
        if device.kind == "light" and values.get("state") == "on":
            return self._light(name, word, values)
        level = values.get("speed") if device.kind == "fan" else values.get("position")
        if device.kind == "fan" and values.get("state") == "on" and _is_partial(level):
            return say("fan_level", name=name, level=_number(level))
        if device.kind in ("cover", "valve") and _is_partial(level):
            return say("cover_level", name=name, state=word, level=_number(level))
        return say("is_state", name=name, state=word)

    def _light(self, name: str, word: str, values: Mapping[str, Scalar]) -> str:
        """A lamp that is on, with what is worth telling: a colour, a level that is not full."""
        say, color = self._words.say, values.get("color")
        if color:
            word = say("colored", state=word, color=_number(color))
        elif (kelvin := values.get("kelvin")) is not None:
            word = say("colored", state=word, color=say("kelvin", kelvin=_number(kelvin)))
        if _is_partial(values.get("brightness")):
            return say("light_level", name=name, state=word, level=_number(values["brightness"]))
        return say("is_state", name=name, state=word)

    def _climate(self, name: str, word: str, values: Mapping[str, Scalar]) -> str:
        target = values.get("target_temperature")
        if target is None:
            return self._words.say("is_state", name=name, state=word)
        return self._words.say("target", name=name, level=_number(target))


def _main_value(state: State | None) -> Scalar:
    """The value that the device's state is about; None when there is none."""
    if state is None:
        return None
    if "state" in state.values:
        return state.values["state"]
    return next(iter(state.values.values()), None)


def _is_partial(level: Scalar) -> bool:
    return isinstance(level, int | float) and 0 < level < 100


def _number(value: Scalar) -> str:
    """A value as people write it: 21 and not 21.0."""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)
