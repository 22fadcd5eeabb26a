"""`agentctl confirm`: what waits for a yes anywhere in the box, and the yes or no to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from agentd.ctl.command import Json, Run, connect, emit
from agentd.ctl.failure import Code, Failure, code_of
from agentd.ctl.sentence import show_reply
from agentd.ctl.show import show_table

Question = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="Say yes to this one; without it, list all.")
]
Refuse = Annotated[bool, typer.Option("--no", help="Say no to it.")]


def confirm(
    question: Question = None, refuse: Refuse = False, json: Json = False, run: Run = None
) -> None:
    """List what waits for a yes, or say yes to it from here, whoever asked for it."""
    if question is None and refuse:
        raise Failure("--no needs the id of a question", code=Code.USAGE)
    asked = {} if question is None else {"question": question, "yes": not refuse}
    with connect(run) as door:
        data = door.request("confirm", **asked)
    emit(data, as_json=json, show=_show_waiting if question is None else show_reply)
    if question is not None:
        raise typer.Exit(code_of(data))


def _show_waiting(data: Mapping[str, Any]) -> None:
    rows = (
        (row["question"], row["text"], " ".join(filter(None, (row["channel"], row["who"]))),
         f"{row['left_s']:.0f} s")
        for row in data["waiting"]
    )  # fmt: skip
    show_table(("id", "question", "asked by", "left"), rows, empty="Nothing waits for a yes.")
