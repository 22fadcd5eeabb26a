"""Commands that talk: ask, interpret one sentence, listen, say."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from agentd.ctl.command import Json, Run, connect, emit, say
from agentd.ctl.failure import Code, Failure, code_of

Text = Annotated[list[str], typer.Argument(metavar="TEXT", help="The sentence, quoted or not.")]
SpokenIn = Annotated[
    str | None, typer.Option("--area", metavar="ID", help="Area the speaker stands in.")
]


def ask(text: Text, area: SpokenIn = None, json: Json = False, run: Run = None) -> None:
    """Say a sentence to the box and do it. Answer its questions with `agentctl ask yes`."""
    request = {"text": sentence(text), **located(area)}
    with connect(run) as door:
        data = door.request("ask", **request)
    emit(data, as_json=json, show=show_reply)
    raise typer.Exit(code_of(data))


def interpret_one(
    text: Sequence[str], *, area: str | None, explain: bool, json: bool, run: Path | None
) -> None:
    """Ask the running box what it would do; nothing is done."""
    request = {"text": sentence(text), "explain": explain, **located(area)}
    with connect(run) as door:
        data = door.request("interpret", **request)
    emit(data, as_json=json, show=show_interpretation)
    raise typer.Exit(code_of(data))


def listen(json: Json = False, run: Run = None) -> None:
    """Open the microphone for one sentence, as a wake word would."""
    with connect(run) as door:
        data = door.request("listen")
    emit(data or {}, as_json=json, show=lambda _: say("Listening."))


def speak(text: Text, json: Json = False, run: Run = None) -> None:
    """Let the box say something aloud."""
    aloud = sentence(text)
    with connect(run) as door:
        data = door.request("say", text=aloud)
    emit(data or {}, as_json=json, show=lambda _: None)


def sentence(words: Iterable[str]) -> str:
    """The words as one sentence.

    Raises:
        Failure: a word is an option that does not exist, or nothing was said.
    """
    listed = list(words)
    for word in listed:
        if word.startswith("--"):
            raise Failure(f"no such option: {word}", code=Code.USAGE, hint="see --help")
    text = " ".join(listed).strip()
    if not text:
        raise Failure("the sentence is empty", code=Code.USAGE)
    return text


def located(area: str | None) -> dict[str, str]:
    """Where the speaker stands, when that was said."""
    return {"area": area} if area else {}


def show_reply(data: Mapping[str, Any]) -> None:
    """The reply alone; on a terminal also how to say yes."""
    say(str(data.get("reply") or "Done."))
    if data.get("needs_yes") and sys.stdout.isatty():
        say("  (agentctl ask yes)")


def show_interpretation(data: Mapping[str, Any]) -> None:
    """Reply, stage, and what each action would come to."""
    from agentd.ctl.show import number_words, show_table

    say(str(data.get("reply") or "(no reply)"))
    margin = data.get("margin")
    doubt = "" if margin is None else f", margin {margin:.2f} nats"
    kind = data.get("outcome", {}).get("type", "?")
    say(f"{kind} by {data.get('stage', '?')} in {data.get('elapsed_ms', 0.0):.1f} ms{doubt}")
    if verdicts := data.get("verdicts"):
        rows = [
            (row["device"], " ".join([row["action"], *map(number_words, row["args"].values())]),
             row["ruling"], row.get("reason") or "")
            for row in verdicts
        ]  # fmt: skip
        show_table(("device", "action", "ruling", "reason"), rows, empty="")
    if explained := data.get("explain"):
        import json

        say(json.dumps(explained, ensure_ascii=False, indent=2))
