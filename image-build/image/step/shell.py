"""Commands with their output in a log and a sign of life on the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SIGN_OF_LIFE_S: Final = 20.0
"""Longest silence on the terminal."""

TAIL_LINES: Final = 15

Words = list[str | Path]
"""A command, or a piece of one."""


class BuildFailed(Exception):
    """A step did not work; the text says which command, and where to read on."""


@contextmanager
def verb(text: str) -> Iterator[None]:
    """Say what is being done, and when it was done how long it took."""
    began_at = time.monotonic()
    print(f"image: {text}", flush=True)
    yield
    print(f"       done in {_clock(time.monotonic() - began_at)}", flush=True)


def call(
    command: Sequence[str | Path],
    *,
    log: Path,
    environ: Mapping[str, str] | None = None,
    stdin: str = "",
    cwd: Path | None = None,
) -> None:
    """Run a command to its end.

    Raises:
        BuildFailed: it is not there, or did not succeed.
    """
    words = [str(word) for word in command]
    began_at = time.monotonic()
    with log.open("a") as output:
        output.write(f"$ {' '.join(words)}\n")
        output.flush()
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **(environ or {})}, text=True, cwd=cwd,
            )  # fmt: skip
        except FileNotFoundError as exc:
            raise BuildFailed(f"{words[0]} is not installed; see image-build/image/tools") from exc
        try:
            _feed(process, stdin)
            _wait(process, log, began_at)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
        raise BuildFailed(f"{words[0]} ended with {process.returncode}:\n{tail}\nAll of it: {log}")


def read(command: Sequence[str | Path]) -> str:
    """What a short command prints.

    Raises:
        BuildFailed: it did not succeed.
    """
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise BuildFailed(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _feed(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()


def _wait(process: subprocess.Popen[str], log: Path, began_at: float) -> None:
    while True:
        try:
            process.wait(SIGN_OF_LIFE_S)
        except subprocess.TimeoutExpired:
            said = f"{_clock(time.monotonic() - began_at)} {_last_line(log)}"
            print(f"       {said.rstrip()}", flush=True)
        else:
            return


def _last_line(log: Path) -> str:
    """What a command said last, up to the first path, for a person who waits."""
    *_, last = "", *log.read_text(errors="replace").splitlines()
    return "" if last.startswith("$ ") else last.partition(" /")[0].strip()[:70]


def _clock(duration_s: float) -> str:
    minutes, seconds = divmod(int(duration_s), 60)
    return f"{minutes}:{seconds:02}"


def leave(problem: BuildFailed) -> int:
    """Say what went wrong; returns the exit status."""
    print(f"image: {problem}", file=sys.stderr)
    return 1
