"""agentctl: the command line of a box."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from agentd.ctl.command import Commands, Entry, Json, Run, emit, say
from agentd.ctl.failure import Code, Failure
from agentd.ctl.sentence import SpokenIn
from llmagentos.clock import Instant
from llmagentos.place import checkout, development_run

_MODEL = "smollm2-135m"
"""The language model that set-up brings."""

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
        "config": Entry("agentd.ctl.configuration:config", "The box"),
        "models": Entry("agentd.ctl.model:models", "Set up"),
        "dev": Entry("agentd.ctl.app:dev", "Set up"),
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

    began = read_clock()
    with private_llm(model, clock=read_clock) if not no_model else nullcontext() as socket:
        turns = _interpret_files(homes, cases, out, socket)
    data = {"turns": turns, "out": str(out), "elapsed_s": round(began.age_s(read_clock()), 3)}
    emit(data, as_json=json, show=lambda _: say(f"{turns} turns, written to {out}"))


def _interpret_files(homes: Path, cases: list[Path], out: Path, llm: Path | None) -> int:
    from agentd.understand import batch
    from agentd.understand.llm_client import SocketChooser

    if llm is None:
        return batch.run(homes, cases, out, clock=read_clock)
    chooser = SocketChooser(llm)
    try:
        return batch.run(homes, cases, out, chooser=chooser, clock=read_clock)
    finally:
        chooser.close()


def dev(
    fresh: Annotated[bool, typer.Option(help="Forget configuration, journal and logs.")] = False,
    llm: Annotated[bool, typer.Option(help="Run the language model.")] = True,
    voice: Annotated[bool, typer.Option(help="Run ears and mouth.")] = True,
    microphone: Annotated[bool, typer.Option(help="Let the ears open a microphone.")] = True,
    model: Annotated[str, typer.Option(metavar="NAME", help="See `agentctl models`.")] = _MODEL,
    board_speed: Annotated[float, typer.Option(help="Speed of the simulated room.")] = 1.0,
    run: Annotated[Path | None, typer.Option("--run", metavar="DIR", help="Sockets.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Configuration, logs.")] = None,
) -> None:
    """Run the whole appliance here, with a simulated board, until Ctrl-C."""
    from agentd.ctl.appliance import Appliance, Choice, Place
    from agentd.ctl.dev import serve

    home = checkout() or Path.cwd()
    place = Place(run=run or development_run(home), data=data or home / ".run")
    choice = Choice(llm, voice, microphone, model, board_speed)
    serve(Appliance(place, choice, clock=read_clock), clock=read_clock, is_fresh=fresh)


def read_clock() -> Instant:
    """The present instant."""
    return Instant(time.monotonic(), time.time())


def main() -> None:
    """Entry point of `agentctl`."""
    app(prog_name="agentctl")


if __name__ == "__main__":
    main()
