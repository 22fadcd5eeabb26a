"""The verbs of devices: what there is, what it is like, make it so."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Final

from agentd.door.field import refuse_extra, take_device, take_origin, take_text
from agentd.door.ports import Ports
from agentd.door.render import action_json, applied_json, state_json
from agentd.door.request import Request, RequestError, Serve
from agentd.door.setting import SettingError, parse_setting
from llmagentos.home import Device
from llmagentos.kind import ACTIONS, Scalar, is_output, opposite
from llmagentos.plan import Action, Decision, Plan, Stage
from llmagentos.reading import State

DECISION_S: Final = 2.0
"""Longest wait for the tick's decision; after that the reply says it is not confirmed yet."""

BLINKS: Final = 3
"""How often `identify` switches a device over and back."""

BLINK_S: Final = 0.4
"""Pause between two switchings of `identify`."""

_IDENTIFIABLE: Final = frozenset({"light", "siren", "fan", "switch"})


class DeviceVerbs:
    """devices, state, set, identify, scenes."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.table: Mapping[str, Serve] = {
            "devices": self.devices,
            "state": self.state,
            "set": self.set,
            "identify": self.identify,
            "scenes": self.scenes,
        }

    def devices(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ())
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

    def state(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ("device",))
        observation = self._ports.observe()
        home = observation.home
        wanted = [take_device(request, home)] if "device" in request.data else home.devices
        states = {
            device.id: state_json(observation.states.get(device.id, State(device.id)), key="values")
            for device in wanted
        }
        return {"states": states}

    def set(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ("device", "value", "action", "args"))
        device = take_device(request, self._ports.observe().home)
        actions = self._wanted(request, device)
        reply = self._ports.assistant.perform(actions, take_origin(request, self._ports.config()))
        return {
            "reply": reply.text,
            "cause": str(reply.cause),
            "applied": [applied_json(each) for each in reply.decision.applied]
            if reply.decision
            else [],
            "needs_yes": reply.needs_yes,
        }

    def identify(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ("device",))
        device = take_device(request, self._ports.observe().home)
        if device.kind not in _IDENTIFIABLE or not device.can("toggle"):
            words = ", ".join(sorted(_IDENTIFIABLE))
            raise RequestError("bad_request", f"a {device.kind} cannot show itself; {words} can")
        ports, origin = self._ports, take_origin(request, self._ports.config())
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

    def scenes(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ())
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
        return (Action(device.id, take_text(request, "action"), args),)

    def _decide(self, plan: Plan) -> Decision:
        try:
            return self._ports.propose(plan).result(DECISION_S)
        except FutureTimeout as exc:
            raise RequestError(
                "timeout", "it was not confirmed in time; ask for its state"
            ) from exc
