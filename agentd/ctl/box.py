"""Commands about the box as a whole: stop, reset, reload, health, config, version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from agentd.ctl.command import Json, Run, connect, emit, say, warn
from agentd.ctl.failure import Code
from agentd.ctl.show import show_table
from llmagentos.client import DoorError

HEALTH_WAIT_S = 5.0
"""Longest wait for the box's own report; it is made without looking at any device."""


def stop(json: Json = False, run: Run = None) -> None:
    """Drive every output to its safe state now, and keep it there until `reset`."""
    with connect(run) as door:
        data = door.request("stop")
    emit(data, as_json=json, show=_show_stop)


def reset(json: Json = False, run: Run = None) -> None:
    """Release a stop."""
    with connect(run) as door:
        data = door.request("reset")
    emit(data, as_json=json, show=lambda _: say("Released. Devices take commands again."))


def reload(json: Json = False, run: Run = None) -> None:
    """Read the configuration file again; what did not change keeps running."""
    with connect(run) as door:
        data = door.request("reload")
    emit(data, as_json=json, show=_show_reload)
    raise typer.Exit(Code.CONFIG if data.get("errors") else Code.DONE)


def health(json: Json = False, run: Run = None) -> None:
    """Tell how the box is. Ends with 0 when ready, 1 when degraded or stopped, 3 when away."""
    with connect(run, timeout_s=HEALTH_WAIT_S) as door:
        data = door.request("health")
    emit(data, as_json=json, show=_show_health)
    raise typer.Exit(Code.DONE if data.get("status") == "ready" else Code.FAILED)


def show_config(run: Path | None, *, json: bool) -> None:
    """Print the configuration that is in force, secrets masked."""
    with connect(run) as door:
        data = door.request("config")
    emit(data, as_json=json, show=_show_config)
    raise typer.Exit(Code.CONFIG if data.get("errors") else Code.DONE)


def version(json: Json = False, run: Run = None) -> None:
    """Print the version of this program and of the running box."""
    from importlib.metadata import version as installed  # 10 ms, and nobody else needs it

    data = {"agentctl": installed("llmagentos"), "agentd": _running_version(run)}
    emit(data, as_json=json, show=_show_version)


def _running_version(run: Path | None) -> str | None:
    """None when nobody answers: a version can be asked of a box that is off."""
    try:
        with connect(run, timeout_s=1.0) as door:
            return str(door.request("health")["version"])
    except DoorError:
        return None


def _show_version(data: Mapping[str, Any]) -> None:
    say(f"agentctl {data['agentctl']}")
    say(f"agentd   {data['agentd'] or 'not running'}")


def _show_stop(data: Mapping[str, Any]) -> None:
    say("Stopped. `agentctl reset` releases it.")
    rows = ((row["device"], str(row["state"])) for row in data.get("outputs", ()))
    show_table(("output", "state"), rows, empty="This box has no outputs.")


def _show_reload(data: Mapping[str, Any]) -> None:
    changed = data.get("changed") or ()
    say(f"Reloaded: {', '.join(changed)}." if changed else "Nothing changed.")
    for line in data.get("errors") or ():
        warn(str(line))


def _show_health(data: Mapping[str, Any]) -> None:
    minutes, seconds = divmod(int(data.get("uptime_s", 0)), 60)
    p99 = (data.get("tick") or {}).get("p99_ms")
    pace = "" if p99 is None else f", tick p99 {p99:.1f} ms"
    head = f"{data['status']}: {data.get('node', '?')}, version {data.get('version', '?')}"
    say(f"{head}, up {minutes} min {seconds} s{pace}")
    parts = (
        (name, part["status"], part.get("detail") or "")
        for name, part in (data.get("parts") or {}).items()
    )
    show_table(("part", "status", ""), parts, empty="")
    for line in data.get("errors") or ():
        say(f"wrong: {line}")
    away = (data.get("devices") or {}).get("unavailable") or ()
    for row in away:
        say(f"unavailable: {row['id']}: {row['reason']}")


def _show_config(data: Mapping[str, Any]) -> None:
    say(f"# {data['path']}")
    say(str(data["toml"]).rstrip("\n"))
    for line in data.get("errors") or ():
        warn(str(line))
