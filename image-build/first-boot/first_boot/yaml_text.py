"""YAML as texts: every scalar as it was written, since YAML's own types take a password such as
`12_34` for a number.
"""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped] # it ships no types


class YamlError(ValueError):
    """It is not YAML."""

    def __init__(self, line: int | None) -> None:
        super().__init__("not YAML")
        self.line = line
        """Where, counted from 1; None when that is not known."""


def read(text: str) -> Any:
    """The document: dicts, lists and texts; an empty text for an empty one.

    Raises:
        YamlError: it is not YAML.
    """
    try:
        # PyYAML's faster reader in C dies of a signal on deep nesting; this one says so.
        found = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as exc:
        raise YamlError(exc.problem_mark.line + 1 if exc.problem_mark else None) from exc
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        raise YamlError(None) from exc
    return "" if found is None else found
