"""agentctl: the command line of a box."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from agentd.ctl import sound
from agentd.ctl.command import Commands, Entry, Json, Run, emit, say
from agentd.ctl.failure import START_HINT, Code, Failure
from agentd.ctl.sentence import SpokenIn
from llmagentos.clock import Instant
from llmagentos.place import checkout, development_run, run_dir

if TYPE_CHECKING:
    from agentd.voice.card import Card, PortAudioCard

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
        "hear": Entry("agentd.ctl.app:hear", "Talk"),
        "listen": Entry("agentd.ctl.sentence:listen", "Talk"),
        "say": Entry("agentd.ctl.sentence:speak", "Talk", takes_words=True),
        "confirm": Entry("agentd.ctl.confirm:confirm", "Talk"),
        "devices": Entry("agentd.ctl.device:devices", "Devices"),
        "state": Entry("agentd.ctl.device:state", "Devices"),
        "set": Entry("agentd.ctl.device:set_device", "Devices", takes_words=True),
        "identify": Entry("agentd.ctl.device:identify", "Devices"),
        "watch": Entry("agentd.ctl.watch:watch", "Devices"),
        "why": Entry("agentd.ctl.past:why", "Before"),
        "history": Entry("agentd.ctl.past:history", "Before"),
        "undo": Entry("agentd.ctl.past:undo", "Before"),
        "put-back": Entry("agentd.ctl.past:put_back", "Before"),
        "timers": Entry("agentd.ctl.promise:timers", "Later"),
        "promises": Entry("agentd.ctl.promise:promises", "Later"),
        "rules": Entry("agentd.ctl.promise:rules", "Later"),
        "stop": Entry("agentd.ctl.box:stop", "The box"),
        "reset": Entry("agentd.ctl.box:reset", "The box"),
        "health": Entry("agentd.ctl.box:health", "The box"),
        "reload": Entry("agentd.ctl.box:reload", "The box"),
        "version": Entry("agentd.ctl.box:version", "The box"),
        "audio": Entry("agentd.ctl.app:audio", "Set up"),
        "scan": Entry("agentd.ctl.scan:scan", "Set up"),
        "config": Entry("agentd.ctl.configuration:config", "The box"),
        "backup": Entry("agentd.ctl.backup:backup", "The box"),
        "restore": Entry("agentd.ctl.backup:restore", "The box"),
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


def hear(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="WAV or FLAC, up to 60 s.")],
    area: SpokenIn = None,
    json: Json = False,
    run: Run = None,
) -> None:
    """Let the box hear recordings as if they had been said, and do what they say."""
    from agentd.voice.errors import EarError
    from agentd.voice.hear import hear as send

    codes = []
    for file in files:
        try:
            heard = send(file, (run or run_dir()) / "voice.sock", area=area)
        except EarError as exc:
            raise Failure(str(exc), code=Code.AWAY, hint=START_HINT) from exc
        told = {"file": str(file), **heard.to_json()}
        emit(told, as_json=json, show=sound.show_heard)
        codes.append(sound.code_of_heard(told))
    raise typer.Exit(sound.worst(codes))


def audio(
    meter: Annotated[bool, typer.Option("--meter", help="Show how loud it is.")] = False,
    microphone: Annotated[str, typer.Option(metavar="NAME", help="Part of its name.")] = "",
    seconds: Annotated[float, typer.Option(help="How long the meter runs.")] = sound.SECONDS,
    json: Json = False,
) -> None:
    """List microphones and loudspeakers; with --meter show how loud it is at one of them."""
    from agentd.voice.card import PortAudioCard

    if meter:
        _measure(PortAudioCard(), microphone, seconds, as_json=json)
    else:
        emit(_sound_devices(PortAudioCard()), as_json=json, show=sound.show_devices)


def _sound_devices(card: PortAudioCard) -> dict[str, Any]:
    """No sound is a state, not a failure; then there is a reason."""
    from agentd.voice.errors import CardError

    try:
        return {"devices": [asdict(device) for device in card.devices()], "reason": ""}
    except CardError as exc:
        return {"devices": [], "reason": str(exc)}


def _measure(card: Card, name: str, seconds: float, *, as_json: bool) -> None:
    from agentd.voice.pcm import level_dbfs

    capture = card.open_microphone(name)
    began = read_clock()
    try:
        while began.age_s(read_clock()) < seconds:
            if pcm := capture.read(round(capture.rate_hz * sound.READ_S), timeout_s=1.0):
                sound.show_level(level_dbfs(pcm), as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit from None
    finally:
        capture.close()
        if sys.stdout.isatty() and not as_json:
            say("")


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
