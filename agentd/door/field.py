"""The fields of a request, checked; a wrong one is a `RequestError` in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from agentd.config import Config
from agentd.door.request import Request, RequestError
from llmagentos.cause import Origin
from llmagentos.home import Device, Home


def take_origin(request: Request, config: Config) -> Origin:
    """Who asks, standing where the box stands unless they say otherwise.

    Raises:
        RequestError: there is no such area.
    """
    origin = request.origin
    known = {area.id for area in config.areas}
    if origin.area and origin.area not in known:
        words = ", ".join(sorted(known)) or "none"
        raise RequestError("bad_request", f"no area {origin.area!r}; there are {words}")
    return origin if origin.area else replace(origin, area=config.node.area)


def take_device(request: Request, home: Home) -> Device:
    """The device that a request names by its id, its name or an alias.

    Raises:
        RequestError: there is none of that name, or several.
    """
    name = take_text(request, "device")
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


def take_text(request: Request, key: str) -> str:
    """A text that a request must carry, without the blanks around it."""
    value = request.data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise RequestError("bad_request", f"{request.verb} needs {key}, a text")
    return value.strip()


def take_flag(request: Request, key: str) -> bool:
    """A truth that a request may carry; False without."""
    value = request.data.get(key, False)
    if not isinstance(value, bool):
        raise RequestError("bad_request", f"{key} is true or false")
    return value


def refuse_extra(request: Request, allowed: Iterable[str]) -> None:
    """Refuse a field that the verb does not know, so that a typing mistake is seen."""
    if extra := set(request.data) - set(allowed):
        words = ", ".join(allowed) or "nothing"
        raise RequestError("bad_request", f"{request.verb} takes {words}, not {sorted(extra)[0]!r}")
