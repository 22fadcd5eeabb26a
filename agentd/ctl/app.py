"""agentctl: the command line of a box."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from agentd.ctl.command import Commands, Entry, Json, Run, emit, say, warn
from agentd.ctl.failure import Code, Failure
from agentd.ctl.sentence import SpokenIn

_MODEL = "smollm2-135m"
_HELP = "Talk to a box that runs LLMAgentOS, look into it, and set it up."
_CODES = (
    "Ends with 0: done, 1: refused or failed, 2: wrong command line, 3: no daemon answers, "
    "4: not understood or asks back, 78: wrong configuration."
)


class _Agentctl(Commands):
    table: ClassVar[Mapping[str, Entry]] = {
        "ask": Entry("agentd.ctl.sentence:ask", "Talk", takes_words=True),
        "interpret": Entry("agentd.ctl.app:interpret", "Talk", takes_words=True),
        "listen": Entry("agentd.ctl.sentence:listen", "Talk"),
        "say": Entry("agentd.ctl.sentence:speak", "Talk", takes_words=True),
        "devices": Entry("agentd.ctl.device:devices", "Devices"),
        "state": Entry("agentd.ctl.device:state", "Devices"),
        "set": Entry("agentd.ctl.device:set_device", "Devices", takes_words=True),
        "identify": Entry("agentd.ctl.device:identify", "Devices"),
        "watch": Entry("agentd.ctl.watch:watch", "Devices"),
        "stop": Entry("agentd.ctl.box:stop", "The box"),
        "reset": Entry("agentd.ctl.box:reset", "The box"),
        "why": Entry("agentd.ctl.box:why", "The box"),
        "health": Entry("agentd.ctl.box:health", "The box"),
        "reload": Entry("agentd.ctl.box:reload", "The box"),
        "version": Entry("agentd.ctl.box:version", "The box"),
        "scan": Entry("agentd.ctl.scan:scan", "Set up"),
        "config": Entry("agentd.ctl.app:config", "The box"),
        "models": Entry("agentd.ctl.model:models", "Set up"),
        "dev": Entry("agentd.ctl.dev:dev", "Set up"),
    }


app = typer.Typer(
    cls=_Agentctl,
    help=_HELP,
    epilog=_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _whole() -> None:
    """A callback makes typer build a group although it knows none of the commands."""


def interpret(
    text: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]")] = None,
    area: SpokenIn = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show what each stage saw.")] = False,
    homes: Annotated[Path | None, typer.Option(metavar="DIR", help="Homes as data.")] = None,
    cases: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR_OR_FILE", help="Sentences of these homes; may be repeated."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where results go.")] = None,
    no_model: Annotated[bool, typer.Option("--no-model", help="Leave the model out.")] = False,
    model: Annotated[str, typer.Option(metavar="NAME", help="See `agentctl models`.")] = _MODEL,
    json: Json = False,
    run: Run = None,
) -> None:
    """Tell what a sentence would do, without doing it. With --homes, --cases and --out it takes
    whole files of sentences, and needs no running box."""
    if not (homes or cases or out):
        from agentd.ctl.sentence import interpret_one

        interpret_one(text or (), area=area, explain=explain, json=json, run=run)
    if text or not (homes and cases and out):
        raise Failure("write --homes, --cases and --out together, or a sentence", code=Code.USAGE)
    from agentd.ctl.private_llm import private_llm

    began = time.monotonic()
    with private_llm(model) if not no_model else nullcontext() as socket:
        turns = _interpret_files(homes, cases, out, socket)
    data = {"turns": turns, "out": str(out), "elapsed_s": round(time.monotonic() - began, 3)}
    emit(data, as_json=json, show=lambda _: say(f"{turns} turns, written to {out}"))


def _interpret_files(homes: Path, cases: list[Path], out: Path, llm: Path | None) -> int:
    from agentd.understand import batch
    from agentd.understand.llm_client import SocketChooser

    if llm is None:
        return batch.run(homes, cases, out)
    chooser = SocketChooser(llm)
    try:
        return batch.run(homes, cases, out, chooser=chooser)
    finally:
        chooser.close()


config = typer.Typer(help="Print the configuration in force, or check a file.")


@config.callback(invoke_without_command=True)
def _print_config(context: typer.Context, json: Json = False, run: Run = None) -> None:
    """Print the configuration in force, secrets masked; or check a file."""
    from agentd.ctl.box import show_config

    if context.invoked_subcommand is None:
        show_config(run, json=json)


@config.command("check")
def _check_config(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An agentd.toml.")],
    json: Json = False,
) -> None:
    """Check a file without a running box. Ends with 78 when something in it is wrong."""
    from agentd.config import read
    from agentd.toml_source import ConfigError

    try:
        found = read(file)
    except ConfigError as exc:
        raise Failure(str(exc), code=Code.CONFIG) from exc
    errors = [*found.errors, *(fault.reason for fault in found.faults)]
    data = {"path": str(file), "devices": len(found.devices), "errors": errors}
    emit(data, as_json=json, show=lambda _: _show_check(file, len(found.devices), errors))
    raise typer.Exit(Code.CONFIG if errors else Code.DONE)


def _show_check(file: Path, devices: int, errors: list[str]) -> None:
    for line in errors:
        warn(line)
    if not errors:
        say(f"{file}: good, {devices} devices")


def main() -> None:
    """Entry point of `agentctl`."""
    app(prog_name="agentctl")


if __name__ == "__main__":
    main()
