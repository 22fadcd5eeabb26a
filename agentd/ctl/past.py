"""Commands about what has been: why, history, undo, put-back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from agentd.ctl.command import Json, Run, connect, emit, say
from agentd.ctl.device import ask_about
from agentd.ctl.failure import code_of
from agentd.ctl.sentence import show_reply
from agentd.ctl.show import show_table

_ID = "Its id, see `agentctl devices`; "
Why = Annotated[str | None, typer.Argument(metavar="[DEVICE]", help=f"{_ID}else the last thing.")]
Any_ = Annotated[str | None, typer.Argument(metavar="[DEVICE]", help=f"{_ID}else all of them.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="2h, 15min, 10:00 or 2026-11-20T10:00; else since you last "
                 "had something done."),
]  # fmt: skip
Until = Annotated[str | None, typer.Option(metavar="TIME", help="The same; else now.")]
Ago = Annotated[str, typer.Argument(metavar="TIME", help="10min, 2h, or a time such as 10:00.")]


def why(device: Why = None, json: Json = False, run: Run = None) -> None:
    """Tell why a device is as it is, or why the last thing was done."""
    with connect(run) as door:
        data = ask_about(door, "why", _about(device=device))
    emit(data, as_json=json, show=_show_why)


def history(
    device: Any_ = None,
    since: Since = None,
    until: Until = None,
    listed: Annotated[bool, typer.Option("--list", help="List all, newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many of them.")] = 50,
    json: Json = False,
    run: Run = None,
) -> None:
    """Tell what happened, in a few sentences."""
    with connect(run) as door:
        data = ask_about(
            door, "history", _about(device=device, since=since, until=until, limit=limit)
        )
    emit(data, as_json=json, show=_show_list if listed else lambda found: say(str(found["text"])))


def undo(device: Any_ = None, json: Json = False, run: Run = None) -> None:
    """Take the last thing back that you had done; once more does it again."""
    _go_back("undo", _about(device=device), json=json, run=run)


def put_back(when: Ago, device: Any_ = None, json: Json = False, run: Run = None) -> None:
    """Make a device, or all that people have set since, as it was at a time."""
    _go_back("put_back", _about(at=when, device=device), json=json, run=run)


def _go_back(verb: str, about: Mapping[str, Any], *, json: bool, run: Run) -> None:
    with connect(run) as door:
        data = ask_about(door, verb, about)
    emit(data, as_json=json, show=show_reply)
    raise typer.Exit(code_of(data))


def _about(**fields: Any) -> dict[str, Any]:
    """What was written on the command line, and nothing else."""
    return {name: value for name, value in fields.items() if value is not None}


def _show_why(data: Mapping[str, Any]) -> None:
    say(str(data["text"]))
    for step in data.get("chain") or ():
        say(f"  {' '.join(_step_words(step))}")


def _show_list(data: Mapping[str, Any]) -> None:
    rows = (
        (_clock(entry), entry["device"], _act(entry), _who(entry), _outcome(entry))
        for entry in data["entries"]
    )
    show_table(("time", "device", "action", "by", ""), rows, empty="Nothing happened.")


def _step_words(step: Mapping[str, Any]) -> Iterator[str]:
    """`18:04:31 desk_lamp turn_on by cli uid:1000, "turn it on" (demo/1f/7)`, as far as known."""
    if step.get("at_s") is not None:
        yield _clock(step)
    yield from (str(step[key]) for key in ("device", "action") if step.get(key))
    if step.get("channel"):
        yield f"by {_who(step)}"
    if step.get("text"):
        yield f'"{step["text"]}"'
    if step.get("rule"):
        yield f"under {step['rule']}"
    if step.get("cause"):
        yield f"({step['cause']})"


def _clock(entry: Mapping[str, Any]) -> str:
    return time.strftime("%H:%M:%S", time.localtime(entry["at_s"]))


def _act(entry: Mapping[str, Any]) -> str:
    return " ".join(map(str, (entry["action"], *entry.get("args", {}).values())))


def _who(entry: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (entry["channel"], entry.get("who"))))


def _outcome(entry: Mapping[str, Any]) -> str:
    if entry["stage"] in ("refused", "failed"):
        return f"{entry['stage']}: {entry.get('reason') or 'no reason given'}"
    return str(entry.get("text") or "")
