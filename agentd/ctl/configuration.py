"""`agentctl config`: what the box runs with, and whether a file would do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from agentd.ctl.box import show_config
from agentd.ctl.command import Json, Run, emit, say, warn
from agentd.ctl.failure import Code, Failure

PROGRAM: Final = Path(sys.prefix) / "bin" / "agentd"
CHECK_WAIT_S: Final = 30.0
"""Longest check; it reads one file."""

config = typer.Typer(help="Print the configuration in force, or check a file.")


@config.callback(invoke_without_command=True)
def _print(context: typer.Context, json: Json = False, run: Run = None) -> None:
    """Print the configuration in force, secrets masked; or check a file."""
    if context.invoked_subcommand is None:
        show_config(run, json=json)


@config.command("check")
def _check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An agentd.toml.")],
    json: Json = False,
) -> None:
    """Check a file without a running box. Ends with 78 when something in it is wrong."""
    errors = mistakes(file)
    emit({"path": str(file), "errors": errors}, as_json=json, show=_show)
    raise typer.Exit(Code.CONFIG if errors else Code.DONE)


def mistakes(file: Path) -> list[str]:
    """Every mistake in a file, as the daemon itself finds them.

    Raises:
        Failure: the daemon's program does not work.
    """
    command = [str(PROGRAM), "--check", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_WAIT_S)
    lines = [line.removeprefix("agentd: ") for line in done.stderr.splitlines()]
    if done.returncode not in (Code.DONE, Code.CONFIG):
        raise Failure(f"{PROGRAM} cannot check it: {lines[-1] if lines else done.returncode}")
    return lines if done.returncode else []


def _show(data: dict[str, Any]) -> None:
    for line in data["errors"]:
        warn(line)
    if not data["errors"]:
        say(f"{data['path']}: good")
