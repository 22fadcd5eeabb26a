"""The verbs of the box as a whole: stop, health, configuration, models."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Final

from agentd.config import masked
from agentd.door.field import refuse_extra, take_device
from agentd.door.ports import Ports
from agentd.door.request import Request, RequestError, Serve
from llmagentos.kind import ACTIONS

STOP_S: Final = 1.0
"""Longest wait for a stop to be carried out."""


class BoxVerbs:
    """stop, reset, health, reload, config, models."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.table: Mapping[str, Serve] = {
            "stop": self.stop,
            "reset": self.reset,
            "health": self.health,
            "reload": self.reload,
            "config": self.config,
            "models": self.models,
        }

    def stop(self, request: Request) -> dict[str, Any]:
        self._latch(request, is_stop=True)
        observation = self._ports.observe()
        outputs = [
            {"device": device.id, "state": observation.states[device.id].values.get("state")}
            for device in observation.home.devices
            if any(map(device.can, ACTIONS[device.kind])) and device.id in observation.states
        ]
        return {"stopped": True, "outputs": outputs}

    def reset(self, request: Request) -> dict[str, Any]:
        """Lift the stop and every fault, or the fault of one device."""
        refuse_extra(request, ("device",))
        if "device" in request.data:
            device = take_device(request, self._ports.observe().home)
            ports = self._ports
            self._wait(ports.reset_device(device.id, ports.next_cause(), request.origin))
            return {"reset": device.id}
        self._latch(request, is_stop=False)
        return {"stopped": False}

    def health(self, request: Request) -> Mapping[str, Any]:
        refuse_extra(request, ())
        return self._ports.health()

    def reload(self, request: Request) -> Mapping[str, Any]:
        refuse_extra(request, ())
        return self._ports.reload()

    def config(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ("part",))
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

    def models(self, request: Request) -> dict[str, Any]:
        refuse_extra(request, ())
        return {"models": self._ports.models()}

    def _latch(self, request: Request, *, is_stop: bool) -> None:
        ports = self._ports
        try:
            self._wait(ports.latch(is_stop, ports.next_cause(), request.origin))
        except RequestError:
            if not (is_stop and ports.is_stopped()):  # a slow disk holds up its note alone
                raise

    @staticmethod
    def _wait(done: Future[None]) -> None:
        try:
            done.result(STOP_S)
        except FutureTimeout as exc:
            raise RequestError("timeout", "the box does not answer; cut the power") from exc
