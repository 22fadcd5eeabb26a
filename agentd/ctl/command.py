"""What every command shares: its options, its connection, its two ways of answering."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_command as build_command

from agentd.ctl.failure import Code, Failure, closest, failure_of
from llmagentos.client import Door
from llmagentos.errors import LlmagentosError
from llmagentos.place import run_dir

Json = Annotated[bool, typer.Option("--json", help="Answer with one line of JSON, for scripts.")]
Run = Annotated[
    Path | None,
    typer.Option(
        "--run",
        metavar="DIR",
        envvar="LLMAGENTOS_RUN",
        help="Socket folder of the instance to talk to; found by itself when left out.",
    ),
]

ASK_WAIT_S = 30.0
"""Longest wait for an answer that the language model may have to think about, in seconds."""


class OperatorDoor(Door):
    """The operators' door, as seen from the command line."""

    def request(self, verb: str, /, **data: Any) -> Any:
        """As `Door.request`; the box learns that a person typed it. Calls of one user share one
        conversation, so `yes` finds its question."""
        return super().request(verb, channel="cli", **data)


def connect(run: Path | None, *, timeout_s: float = ASK_WAIT_S) -> OperatorDoor:
    """Open the operators' door of the chosen instance, else of the one that is running.

    Raises:
        DoorClosed: nobody answers there.
    """
    return OperatorDoor((run or run_dir()) / "agentd.sock", timeout_s=timeout_s)


def emit(data: Any, *, as_json: bool, show: Callable[[Any], None]) -> None:
    """Answer for a script, or show it to a person."""
    if as_json:
        say(json.dumps(data, ensure_ascii=False))
    else:
        show(data)


def say(text: str) -> None:
    """One plain line on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def warn(text: str) -> None:
    """One plain line on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Entry:
    """One command of the table."""

    where: str
    """`module:function`, or `module:group` for a typer app with commands of its own."""

    panel: str
    """Heading in `--help`."""

    takes_words: bool = False
    """True where `-5` may be part of a sentence or value and is no option."""

    def build(self, name: str) -> Any:
        """The command itself, with its module imported."""
        module, _, attribute = self.where.partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            settings = {"ignore_unknown_options": True} if self.takes_words else None
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(name, context_settings=settings)(found)
            found = single
        command: Any = build_command(found)
        command.name, command.rich_help_panel = name, self.panel
        return command


class Commands(TyperGroup):
    """The whole command line. It builds the one command that is called, since each costs
    milliseconds, and it alone turns what went wrong into a line and an exit code."""

    table: ClassVar[Mapping[str, Entry]] = {}
    """By name, in the order of `--help`."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # typer's signature
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  # typer's signature
        if cmd_name not in self.table:
            hint = closest(cmd_name, self.table) or "see `agentctl --help`"
            raise Failure(f"no command {cmd_name!r}", code=Code.USAGE, hint=hint)
        return self.table[cmd_name].build(cmd_name)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002  # typer's signature
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command line and leave with its code; a person's mistake shows no traceback."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(given, prog_name, complete_var, False, windows_expand_args, **extra)
        except typer.TyperException as error:
            if not error.format_message():
                sys.exit(Code.USAGE)
            code = _report(_usage(error), as_json="--json" in given)
        except (LlmagentosError, OSError) as error:
            code = _report(failure_of(error), as_json="--json" in given)
        except typer.Abort:
            code = Code.FAILED
        sys.exit(int(code or Code.DONE))


def _usage(error: typer.TyperException) -> Failure:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "agentctl"
    text = error.format_message().rstrip(".").replace("\n", " ")
    return Failure(text, code=Code.USAGE, hint=f"see `{path} --help`")


def _report(failure: Failure, *, as_json: bool) -> Code:
    """One line: on standard error for a person, on standard output for a script."""
    code = failure.code.name.lower()
    if as_json:
        told = {"status": "error", "code": code, "error": str(failure), "hint": failure.hint}
        say(json.dumps(told, ensure_ascii=False))
        return failure.code
    hint = f" ({failure.hint})" if failure.hint else ""
    warn(f"agentctl: {failure}{hint}")
    return failure.code
