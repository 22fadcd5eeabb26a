"""What the box will do: `agentctl timers`, `promises` and `rules`."""

from __future__ import annotations

import json as _json
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from agentd.ctl.command import Json, Run, connect, emit, say
from agentd.ctl.failure import Code, Failure
from agentd.ctl.show import show_table

RuleFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="[[rule]] tables as TOML, or one rule as JSON.")
]
RuleId = Annotated[str, typer.Argument(metavar="ID", help="See `agentctl rules`.")]

rules = typer.Typer(help="List rules and why they wait; add, remove, switch or test them.")
promises = typer.Typer(help="List timers, reminders and delayed commands; take one back.")


def timers(json: Json = False, run: Run = None) -> None:
    """List the timers that run."""
    with connect(run) as door:
        data = door.request("timers")
    emit(data, as_json=json, show=_show_timers)


@promises.callback(invoke_without_command=True)
def _promises(context: typer.Context, json: Json = False, run: Run = None) -> None:
    """List timers, reminders and delayed commands; take one back."""
    if context.invoked_subcommand is None:
        with connect(run) as door:
            data = door.request("promises")
        emit(data, as_json=json, show=_show_promises)


@promises.command("cancel")
def _cancel(
    name: Annotated[str, typer.Argument(metavar="ID", help="See `agentctl promises`.")],
    json: Json = False,
    run: Run = None,
) -> None:
    """Take a promise back."""
    with connect(run) as door:
        data = door.request("promises", cancel=name)
    emit(data, as_json=json, show=lambda _: say(f"Taken back: {name}."))


@rules.callback(invoke_without_command=True)
def _rules(context: typer.Context, json: Json = False, run: Run = None) -> None:
    """List rules and why they wait; add, remove, switch or test them."""
    if context.invoked_subcommand is None:
        _list(json=json, run=run)


@rules.command("list")
def _list(json: Json = False, run: Run = None) -> None:
    """List every rule, and what stands in its way now."""
    with connect(run) as door:
        data = door.request("rules")
    emit(data, as_json=json, show=_show_rules)


@rules.command("add")
def _add(file: RuleFile, json: Json = False, run: Run = None) -> None:
    """Add the rules of a file; all of them are checked before the first is added."""
    tables = read_rules(file)
    with connect(run) as door:
        for table in tables:
            door.request("rules", test=table)
        added = [door.request("rules", add=table)["added"] for table in tables]
    emit({"added": added}, as_json=json, show=lambda _: say(f"Added: {', '.join(added)}."))


@rules.command("remove")
def _remove(name: RuleId, json: Json = False, run: Run = None) -> None:
    """Remove a rule that was added; one of agentd.toml is removed there."""
    with connect(run) as door:
        data = door.request("rules", remove=name)
    emit(data, as_json=json, show=lambda _: say(f"Removed: {name}."))


@rules.command("enable")
def _enable(name: RuleId, json: Json = False, run: Run = None) -> None:
    """Switch a rule on."""
    with connect(run) as door:
        data = door.request("rules", enable=name)
    emit(data, as_json=json, show=lambda _: say(f"Switched on: {name}."))


@rules.command("disable")
def _disable(name: RuleId, json: Json = False, run: Run = None) -> None:
    """Switch a rule off; it stays so over restarts."""
    with connect(run) as door:
        data = door.request("rules", disable=name)
    emit(data, as_json=json, show=lambda _: say(f"Switched off: {name}."))


@rules.command("test")
def _test(file: RuleFile, json: Json = False, run: Run = None) -> None:
    """Check the rules of a file without adding them, and tell what would keep them from running
    now. Ends with 2 when one is wrong."""
    with connect(run) as door:
        data = [door.request("rules", test=table) for table in read_rules(file)]
    emit({"rules": data}, as_json=json, show=_show_tests)


def read_rules(file: Path) -> list[dict[str, Any]]:
    """The rules of a file.

    Raises:
        Failure: it is neither TOML with [[rule]] nor JSON with a rule.
        OSError: it cannot be read.
    """
    text = file.read_text(encoding="utf-8")
    try:
        found: Any = _json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except ValueError as exc:
        raise Failure(f"{file}: {exc}", code=Code.USAGE) from exc
    tables = found.get("rule", [found]) if isinstance(found, dict) else found
    if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
        raise Failure(f"{file}: no rules in it", code=Code.USAGE, hint="write [[rule]]")
    return tables


def _show_timers(data: Mapping[str, Any]) -> None:
    rows = (
        (
            timer["name"] or "-",
            timer["area"] or "-",
            span(timer["start_s"]),
            "paused" if timer["paused"] else span(timer["left_s"]),
        )
        for timer in data["timers"]
    )
    show_table(("name", "area", "set for", "left"), rows, empty="No timer is running.")


def _show_promises(data: Mapping[str, Any]) -> None:
    rows = (
        (each["id"], each["kind"], _due(each), each["text"] or each["name"] or "-")
        for each in data["promises"]
    )
    show_table(("id", "kind", "due", "what"), rows, empty="Nothing is promised.")


def _due(promise: Mapping[str, Any]) -> str:
    if promise["paused"]:
        return "paused"
    if promise["left_s"] is None:
        return "waits for the clock"
    at = promise["due_s"]
    shown = time.strftime(" (%a %H:%M)", time.localtime(at)) if at is not None else ""
    return f"in {span(promise['left_s'])}{shown}"


def _show_rules(data: Mapping[str, Any]) -> None:
    rows = ((each["id"], each["from"], _standing(each)) for each in data["rules"])
    show_table(("rule", "from", "now"), rows, empty="There are no rules.")


def _standing(rule: Mapping[str, Any]) -> str:
    return "; ".join(_standing_parts(rule))


def _standing_parts(rule: Mapping[str, Any]) -> Iterator[str]:
    if rule["problem"]:
        yield f"broken: {rule['problem']}"
        return
    if not rule["enabled"]:
        yield "off"
        return
    yield f"waits: {rule['waits']}" if rule["waits"] else "ready"
    if rule["ran_s"] is not None:
        yield f"ran {_clock(rule['ran_s'])}"
    if rule["kept_from"]:
        yield f"did not run {_clock(rule['kept_from_s'])}: {rule['kept_from']}"


def _show_tests(data: Mapping[str, Any]) -> None:
    for rule in data["rules"]:
        waits = f"good, but now {rule['waits']}" if rule["waits"] else "good, could run now"
        say(f"{rule['id']}: {waits}")


def _clock(wall_s: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(wall_s))


def span(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
