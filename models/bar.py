"""Shows a person how a pull goes on: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from models.step import Stage, Step

_QUARTER: Final = 4


class PullBar:
    """A `Progress` to be used in a with statement."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._said: tuple[str, str, int] | None = None
        """Model, source and quarter of the last plain line."""

    def __enter__(self) -> PullBar:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, step: Step) -> None:
        if step.stage is Stage.DOWNLOAD:
            self._show_bytes(step)
            return
        self._drop_bar()
        words = {
            Stage.WAIT: "another program is fetching it, waiting",
            Stage.CHECK: "unpacking and checking",
            Stage.FAILED: f"{step.source} {step.text}",
            Stage.DONE: f"ready in {step.text}",
        }
        self._say(step, words[step.stage])

    def _show_bytes(self, step: Step) -> None:
        if not self._console.is_terminal:
            self._show_quarter(step)
            return
        if self._task is None:
            words = f"{step.model} from {step.source}"
            self._task = self._bars.add_task(words, total=step.total_bytes)
        self._bars.update(self._task, completed=min(step.have_bytes, step.total_bytes))

    def _show_quarter(self, step: Step) -> None:
        quarter = step.have_bytes * _QUARTER // step.total_bytes
        mark = (step.model, step.source, quarter)
        if mark != self._said and quarter < _QUARTER:
            self._said = mark
            done, total = step.have_bytes / 1e6, step.total_bytes / 1e6
            amount = f"{done:.0f} of {total:.0f} MB" if quarter else f"{total:.0f} MB"
            self._say(step, f"{amount} from {step.source}")

    def _drop_bar(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None

    def _say(self, step: Step, words: str) -> None:
        self._console.print(f"{step.model}: {words}", highlight=False, markup=False, soft_wrap=True)
