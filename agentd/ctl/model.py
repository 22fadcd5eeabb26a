"""`agentctl models`: the model files of this machine. They need no running box."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentd.ctl.command import Json, emit, say, warn
from agentd.ctl.failure import Code
from agentd.ctl.show import console, show_table
from llmagentos.place import model_dirs
from models import catalog, store
from models.errors import ModelCorrupt
from models.step import Stage, Step

if TYPE_CHECKING:
    from models.catalog import Row

models = typer.Typer(
    help="List, fetch and check the model files.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its id, see `agentctl models`.")]
MaybeName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="All when left out.")]


@models.callback(invoke_without_command=True)
def _list(context: typer.Context, json: Json = False) -> None:
    """List, fetch and check the model files."""
    if context.invoked_subcommand is None:
        rows = [_row(row) for row in catalog.load().rows.values()]
        emit({"models": rows}, as_json=json, show=_show)


@models.command()
def pull(name: Name, json: Json = False) -> None:
    """Fetch a model and check every byte of it. An interrupted download is taken up again."""
    from models import fetch  # brings the download's libraries

    known = catalog.load()
    with _progress(quiet=json) as tell:
        held = fetch.pull(known.row(name), into=model_dirs()[0], progress=tell, catalog=known)
    data = {"id": name, "got": held.row.id, "folder": str(held.folder)}
    emit(data, as_json=json, show=_show_pulled)


@models.command()
def verify(name: MaybeName = None, json: Json = False) -> None:
    """Check models that are here, byte by byte. Ends with 1 when one is damaged or missing."""
    known = catalog.load()
    wanted = [known.row(name)] if name else [row for row in known.rows.values() if _present(row)]
    checked = [_check(row) for row in wanted]
    emit({"models": checked}, as_json=json, show=_show_checked)
    raise typer.Exit(Code.FAILED if any(row["error"] for row in checked) else Code.DONE)


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id, "title": row.title, "present": _present(row),
        "substitute": _stand_in(row), "licence": row.licence,
        "bytes": row.bytes, "used_by": _USERS.get(row.task, row.task),
    }  # fmt: skip


_USERS: Mapping[str, str] = {"transcribe": "agentd-voice", "choose": "agentd-llm"}


def _stand_in(row: Row) -> str | None:
    """Id of the model that is used in its place; None when it is here, or nothing is."""
    here = [each.id for each in catalog.load().chain(row.id) if _present(each)]
    return here[0] if here and here[0] != row.id else None


def _present(row: Row) -> bool:
    return store.is_present(row)


def _check(row: Row) -> dict[str, Any]:
    """Hash the files themselves: what a store remembers of them is not enough here."""
    folder = next((place / row.id for place in model_dirs() if (place / row.id).is_dir()), None)
    if folder is None:
        return {"id": row.id, "folder": None, "error": "is not on this machine"}
    try:
        store.verify(folder, row=row)
    except ModelCorrupt as exc:
        return {"id": row.id, "folder": str(folder), "error": str(exc)}
    damaged = [
        file.path for file in row.files if store.hash_file(folder / file.path) != file.sha256
    ]
    error = f"{', '.join(damaged)}: not the catalog's sha256" if damaged else ""
    return {"id": row.id, "folder": str(folder), "error": error}


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[Step], None]]:
    """Bars on a terminal, a line a stage elsewhere, nothing for a script."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _Bars() as bars:
            yield bars.take
    else:
        yield _Lines().take


class _Lines:
    """Progress for a log: a line whenever the stage changes."""

    def __init__(self) -> None:
        self._last: tuple[str, str] | None = None

    def take(self, step: Step) -> None:
        if (step.stage, step.source) != self._last:
            self._last = (step.stage, step.source)
            warn(" ".join(filter(None, (step.model, step.stage.value, step.source, step.text))))


class _Bars:
    """One bar for each download."""

    def __init__(self) -> None:
        from rich import progress

        self._bars = progress.Progress(
            progress.TextColumn("{task.description}"), progress.BarColumn(),
            progress.DownloadColumn(), progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(), console=console(is_error=True),
        )  # fmt: skip
        self._tasks: dict[tuple[str, str], Any] = {}

    def __enter__(self) -> _Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def take(self, step: Step) -> None:
        if step.stage is Stage.DOWNLOAD:
            task = self._task(step)
            self._bars.update(task, completed=step.have_bytes, total=step.total_bytes or None)
        elif step.stage is not Stage.DONE:
            about = " ".join(filter(None, (step.source, step.text)))
            self._bars.console.print(f"{step.model}: {_SAID[step.stage]} {about}", markup=False)

    def _task(self, step: Step) -> Any:
        key = (step.model, step.source)
        if key not in self._tasks:
            words = f"{step.model} from {step.source}"
            self._tasks[key] = self._bars.add_task(words, total=step.total_bytes or None)
        return self._tasks[key]


_SAID: Mapping[Stage, str] = {
    Stage.WAIT: "waits for another program that fetches it",
    Stage.CHECK: "checking",
    Stage.FAILED: "not from",
}


def _show(data: Mapping[str, Any]) -> None:
    rows = [
        (row["id"], _here(row), f"{row['bytes'] / 1e6:.0f} MB", row["licence"], row["used_by"],
         row["title"])
        for row in data["models"]
    ]  # fmt: skip
    show_table(("id", "here", "size", "licence", "used by", "what"), rows, empty="No models.")


def _here(row: Mapping[str, Any]) -> str:
    if row["present"]:
        return "present"
    return f"{row['substitute']} instead" if row["substitute"] else "missing"


def _show_pulled(data: Mapping[str, Any]) -> None:
    stand_in = "" if data["got"] == data["id"] else f" in place of {data['id']}"
    say(f"{data['got']} is here{stand_in}: {data['folder']}")


def _show_checked(data: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    rows = [(row["id"], row["error"] or "ok") for row in data["models"]]
    show_table(("id", "files"), rows, empty="No model is here; see `agentctl models pull --help`.")
