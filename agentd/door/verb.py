"""The verbs of the door: one method each, the same for sockets and MQTT.

A verb checks its own arguments, does its work through the ports it was given, and returns data
that is JSON at this edge alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from typing import Any, Final

from agentd.config import Config, masked
from agentd.door.feed import Feed
from agentd.door.render import action_json, applied_json, reply_json, state_json, verdict_json
from agentd.door.request import Request, RequestError
from agentd.door.setting import SettingError, parse_setting
from agentd.inbox import InboxFull
from agentd.journal import Journal
from agentd.understand.assistant import Assistant
from agentd.understand.outcome import encode_outcome
from agentd.understand.vocabulary import Vocabulary
from agentd.why import explain
from llmagentos.cause import Cause, Origin
from llmagentos.clock import Clock
from llmagentos.home import Device
from llmagentos.kind import ACTIONS, Scalar, is_output, opposite
from llmagentos.plan import Action, Decision, Plan, Stage
from llmagentos.reading import State
from llmagentos.utterance import Observation, Utterance

DECISION_S: Final = 2.0
"""Longest wait for the tick's decision; after that the reply says it is not confirmed yet."""

STOP_S: Final = 1.0
"""Longest wait for a stop to be carried out."""

BLINKS: Final = 3
"""How often `identify` switches a device over and back."""

BLINK_S: Final = 0.4
"""Pause between two switchings of `identify`."""

_IDENTIFIABLE: Final = frozenset({"light", "siren", "fan", "switch"})


@dataclass(frozen=True)
class Ports:
    """All that the verbs may reach."""

    assistant: Assistant
    journal: Journal
    feed: Feed
    observe: Callable[[], Observation]
    propose: Callable[[Plan], Future[Decision]]
    latch: Callable[[bool, Cause, Origin], Future[None]]
    """Stop (True) or reset (False)."""
    next_cause: Callable[[], Cause]
    config: Callable[[], Config]
    reload: Callable[[], Mapping[str, Any]]
    """Reads the file again; tells what changed."""
    health: Callable[[], Mapping[str, Any]]
    report: Callable[[str, str, str], None]
    """Takes the state of a sister program: part, status, detail."""
    vocabulary: Callable[[], Vocabulary]
    models: Callable[[], list[dict[str, Any]]]
    clock: Clock


class Verbs:
    """The verb table."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._table: dict[str, Callable[[Request], Any]] = {
            name.removeprefix("do_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("do_")
        }

    def serve(self, request: Request) -> Any:
        """Answer one request.

        Raises:
            RequestError: it cannot be served; the text says why.
        """
        verb = self._table.get(request.verb)
        if verb is None:
            words = ", ".join(sorted([*self._table, "subscribe"]))
            raise RequestError("unknown_verb", f"no verb {request.verb[:40]!r}; there are {words}")
        try:
            return verb(request)
        except InboxFull as exc:
            raise RequestError("busy", str(exc)) from exc

    # sentences --------------------------------------------------------------------------------

    def do_ask(self, request: Request) -> dict[str, Any]:
        reply = self._ports.assistant.ask(self._utterance(request))
        self._ports.feed.publish({"kind": "reply", "text": reply.text, "cause": str(reply.cause)})
        return reply_json(reply)

    def do_interpret(self, request: Request) -> dict[str, Any]:
        explained = _flag(request, "explain")
        reply = self._ports.assistant.interpret(self._utterance(request), explain=explained)
        found = reply.interpretation
        return {
            "reply": reply.text,
            "outcome": encode_outcome(found.outcome),
            "stage": found.stage,
            "margin": found.margin,
            "elapsed_ms": round(found.elapsed_ms, 3),
            "verdicts": [verdict_json(each) for each in reply.verdicts],
            "explain": dict(found.explain) if explained else {},
        }

    def _utterance(self, request: Request) -> Utterance:
        text = _text(request, "text")
        if len(text) > 500:
            raise RequestError(
                "bad_request", f"a sentence has at most 500 characters, not {len(text)}"
            )
        ports = self._ports
        return Utterance(text, self._origin(request), ports.clock(), ports.next_cause())

    def _origin(self, request: Request) -> Origin:
        """Who asks, standing where the box stands unless they say otherwise."""
        origin, config = request.origin, self._ports.config()
        known = {area.id for area in config.areas}
        if origin.area and origin.area not in known:
            words = ", ".join(sorted(known)) or "none"
            raise RequestError("bad_request", f"no area {origin.area!r}; there are {words}")
        return origin if origin.area else replace(origin, area=config.node.area)

    # devices ----------------------------------------------------------------------------------

    def do_devices(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ())
        observation, config = self._ports.observe(), self._ports.config()
        rows = {row.device.id: row for row in config.devices}
        listed = []
        for device in observation.home.devices:
            row = rows.get(device.id)
            state = observation.states.get(device.id, State(device.id))
            listed.append(
                {
                    "id": device.id, "name": device.name, "aliases": list(device.aliases),
                    "area": device.area, "kind": device.kind, "device_class": device.device_class,
                    "unit": device.unit,
                    "actions": [name for name in ACTIONS[device.kind] if device.can(name)],
                    "driver": row.driver if row else None,
                    "safe_state": row.safe_state if row and is_output(device.kind) else None,
                    **state_json(state),
                }
            )  # fmt: skip
        areas = [{"id": area.id, "name": area.name} for area in observation.home.areas]
        return {"devices": listed, "areas": areas}

    def do_state(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ("device",))
        observation = self._ports.observe()
        wanted = [self._device(request)] if "device" in request.data else observation.home.devices
        states = {
            device.id: state_json(observation.states.get(device.id, State(device.id)), key="values")
            for device in wanted
        }
        return {"states": states}

    def do_set(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ("device", "value", "action", "args"))
        device = self._device(request)
        actions = self._wanted(request, device)
        reply = self._ports.assistant.perform(actions, self._origin(request))
        return {
            "reply": reply.text,
            "cause": str(reply.cause),
            "applied": [applied_json(each) for each in reply.decision.applied]
            if reply.decision
            else [],
            "needs_yes": reply.needs_yes,
        }

    def _wanted(self, request: Request, device: Device) -> tuple[Action, ...]:
        if ("value" in request.data) == ("action" in request.data):
            raise RequestError("bad_request", "set takes either value, or action and args")
        if "value" in request.data:
            try:
                return parse_setting(device, request.data["value"])
            except SettingError as exc:
                raise RequestError("bad_request", str(exc)) from exc
        args = request.data.get("args", {})
        if not isinstance(args, dict) or not all(isinstance(v, Scalar) for v in args.values()):
            raise RequestError("bad_request", "args is an object of plain values")
        return (Action(device.id, _text(request, "action"), args),)

    def _decide(self, plan: Plan) -> Decision:
        try:
            return self._ports.propose(plan).result(DECISION_S)
        except FutureTimeout as exc:
            raise RequestError(
                "timeout", "it was not confirmed in time; ask for its state"
            ) from exc

    def do_identify(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ("device",))
        device = self._device(request)
        if device.kind not in _IDENTIFIABLE or not device.can("toggle"):
            words = ", ".join(sorted(_IDENTIFIABLE))
            raise RequestError("bad_request", f"a {device.kind} cannot show itself; {words} can")
        ports, origin = self._ports, self._origin(request)
        state = ports.observe().states.get(device.id, State(device.id))
        over = opposite(device.kind, state.values)
        back = "turn_on" if over == "turn_off" else "turn_off"
        for name in (over, back) * BLINKS:
            plan = Plan((Action(device.id, name),), ports.next_cause(), origin, ports.clock())
            applied = self._decide(plan).applied[0]
            if applied.stage in (Stage.REFUSED, Stage.FAILED):
                raise RequestError("denied", applied.reason)
            time.sleep(BLINK_S)  # a person must see it; this is a door's thread, not the tick
        return {"text": f"The {device.name} has shown itself {BLINKS} times."}

    def do_scenes(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ())
        return {
            "scenes": [
                {
                    "id": scene.id,
                    "name": scene.name,
                    "actions": [action_json(a) for a in scene.actions],
                }
                for scene in self._ports.config().scenes
            ]
        }

    # the box ----------------------------------------------------------------------------------

    def do_stop(self, request: Request) -> dict[str, Any]:
        self._latch(request, is_stop=True)
        observation = self._ports.observe()
        outputs = [
            {"device": device.id, "state": observation.states[device.id].values.get("state")}
            for device in observation.home.devices
            if any(map(device.can, ACTIONS[device.kind])) and device.id in observation.states
        ]
        return {"stopped": True, "outputs": outputs}

    def do_reset(self, request: Request) -> dict[str, Any]:
        self._latch(request, is_stop=False)
        return {"stopped": False}

    def _latch(self, request: Request, *, is_stop: bool) -> None:
        ports = self._ports
        try:
            ports.latch(is_stop, ports.next_cause(), request.origin).result(STOP_S)
        except FutureTimeout as exc:
            raise RequestError("timeout", "the loop does not answer; cut the power") from exc

    def do_why(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ("device",))
        device = self._device(request).id if request.data.get("device") else None
        entries = self._ports.journal.last(device)
        text = explain(entries, self._ports.observe().home, device)
        chain = [
            {
                "cause": entry.cause, "at_s": entry.at_s, "device": entry.device,
                "action": entry.action, "channel": entry.channel, "who": entry.who,
                "chosen_by": entry.chosen_by, "text": entry.text, "rule": entry.rule,
            }
            for entry in entries
        ]  # fmt: skip
        return {"text": text, "chain": chain}

    def do_health(self, request: Request) -> Mapping[str, Any]:
        _refuse_extra(request, ())
        return self._ports.health()

    def do_reload(self, request: Request) -> Mapping[str, Any]:
        _refuse_extra(request, ())
        return self._ports.reload()

    def do_config(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ("part",))
        config = self._ports.config()
        if "part" not in request.data:
            return {"toml": masked(config), "path": str(config.path), "errors": list(config.errors)}
        if request.data["part"] != "voice":
            raise RequestError("bad_request", "the only part with settings is voice")
        voice = config.voice
        return {
            "settings": {
                "microphone": voice.microphone, "speaker": voice.speaker, "listen": voice.listen,
                "language": config.home.language, "area": config.node.area,
            }
        }  # fmt: skip

    def do_models(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ())
        return {"models": self._ports.models()}

    # ears and mouth ---------------------------------------------------------------------------

    def do_vocabulary(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ())
        found = self._ports.vocabulary()
        return {
            "sentences": list(found.sentences),
            "words": list(found.words),
            "version": found.version,
        }

    def do_listen(self, request: Request) -> dict[str, Any]:
        _refuse_extra(request, ())
        self._ports.feed.publish({"kind": "listen"})
        return {}

    def do_say(self, request: Request) -> dict[str, Any]:
        self._ports.feed.publish({"kind": "say", "text": _text(request, "text")[:1000]})
        return {}

    def do_report(self, request: Request) -> dict[str, Any]:
        if request.origin.channel == "mqtt":
            raise RequestError("denied", "only a program of this box reports its state")
        detail = request.data.get("detail", "")
        self._ports.report(_text(request, "part"), _text(request, "status"), str(detail)[:500])
        return {}

    # arguments --------------------------------------------------------------------------------

    def _device(self, request: Request) -> Device:
        name = _text(request, "device")
        home = self._ports.observe().home
        if name in home.by_id:
            return home.by_id[name]
        named = [each for each in home.devices if name.lower() in _names(each)]
        if len(named) == 1:
            return named[0]
        if named:
            words = ", ".join(each.id for each in named)
            raise RequestError("bad_request", f"several devices are called {name!r}: {words}")
        words = ", ".join(home.by_id) or "none"
        raise RequestError("unknown_device", f"no device {name[:64]!r}; there are {words}")


def _names(device: Device) -> tuple[str, ...]:
    return tuple(each.lower() for each in (device.name, *device.aliases))


def _text(request: Request, key: str) -> str:
    value = request.data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise RequestError("bad_request", f"{request.verb} needs {key}, a text")
    return value.strip()


def _flag(request: Request, key: str) -> bool:
    value = request.data.get(key, False)
    if not isinstance(value, bool):
        raise RequestError("bad_request", f"{key} is true or false")
    return value


def _refuse_extra(request: Request, allowed: Iterable[str]) -> None:
    if extra := set(request.data) - set(allowed):
        words = ", ".join(allowed) or "nothing"
        raise RequestError("bad_request", f"{request.verb} takes {words}, not {sorted(extra)[0]!r}")
