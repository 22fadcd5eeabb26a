"""The last configuration that could be used: a broken file never takes a running box down."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from agentd.config import Config, parse, read
from agentd.toml_source import ConfigError

GOOD_COPY: Final = "agentd.toml.good"
"""Its name in the data folder."""


def load(path: Path, *, data: Path) -> tuple[Config, bool]:
    """Read a configuration, else the last good one, else an empty one.

    Returns:
        The configuration, its `errors` telling why it is not the file's own, and whether the box
        must run in safe mode because there is neither.
    """
    good = data / GOOD_COPY
    try:
        return read(path), False
    except ConfigError as exc:
        error = str(exc)
    try:
        config = parse(good.read_text(encoding="utf-8"), path=path)
    except (OSError, UnicodeDecodeError, ConfigError):
        empty = parse("", path=path)
        return replace(empty, errors=(f"{error}; safe mode, since there is no good copy",)), True
    return replace(config, errors=(f"{error}; the last good copy is used", *config.errors)), False


def keep(config: Config, *, data: Path) -> None:
    """Remember a configuration that works, so that it survives a power cut as a whole.

    Raises:
        OSError: the data folder cannot be written.
    """
    good = data / GOOD_COPY
    if good.exists() and good.read_text(encoding="utf-8") == config.text:
        return
    new = good.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(config.text)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(0o600)  # it may hold the broker's password
    new.replace(good)
    folder = os.open(data, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
