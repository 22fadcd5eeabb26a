"""Secrets are taken off the card: the line that held one becomes a comment that says where it is.

Only whole lines are taken, so that the numbers of the others stay the same and nothing else of a
person's file changes. Whoever calls reads the file again and sees whether a secret is left.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from first_boot import yaml_text

KEYS: Final = ("password", "psk", "passwd", "hashed_passwd", "plain_text_passwd", "passphrase")
"""Keys whose values nobody else may read."""

MOVED: Final = (
    "was moved into the box; a flash card may still hold its old bytes. "
    "To change it, write it again on a line of its own."
)
"""What the comment says of a secret that the box keeps."""

DROPPED: Final = (
    "was removed: this box has no passwords. A flash card may still hold its old bytes."
)
"""What the comment says of a secret that the box has no use for."""

STARS: Final = "********"

SHORTEST: Final = 4
"""A value of fewer letters is hidden in the report only as a whole word: `on` is in every text."""

_WORDS: Final = "|".join(KEYS)
_TOML_LINE: Final = re.compile(rf'^(\s*)(?:\w+\s*\.\s*)?["\']?({_WORDS})["\']?\s*=\s*(.*)$')
_YAML_LINE: Final = re.compile(rf'^(\s*)["\']?({_WORDS})["\']?\s*:\s+(.*)$')
_ROUGH: Final = re.compile(
    rf'(?i)["\']?\b(?:{_WORDS}|pass|key|secret|token|kennwort|passwort)["\']?\s*[=:]\s*(.+)'
)
_MARK: Final = re.compile(rf"^\s*# (?:{_WORDS}) was moved into the box;")


def lift_toml(text: str, *, secrets: Collection[str]) -> str:
    """The text without the lines that hold these secrets."""
    return _lift(text, _TOML_LINE, secrets, read=lambda rest: tomllib.loads(f"x = {rest}")["x"])


def lift_yaml(text: str, *, secrets: Collection[str], why: str = MOVED) -> str:
    """The text without the lines that hold these secrets."""
    return _lift(text, _YAML_LINE, secrets, read=yaml_text.read, why=why)


def has_mark(text: str) -> bool:
    """Whether a secret was moved out of this text into the box."""
    return any(_MARK.match(line) for line in text.split("\n"))


def rough(text: str) -> set[str]:
    """Whatever may be a secret in a text that cannot be read properly."""
    found = set()
    for line in text.split("\n"):
        if match := _ROUGH.search(line):
            value = match[1].split(" #")[0].strip()
            found |= {value, value.strip("\"' ,}")}
    return {each for each in found if re.search(r"\w", each)}


def hide(text: str, *, secrets: Iterable[str]) -> str:
    """The text with every secret replaced by stars: the last guard before it is written down."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        pattern = re.escape(secret)
        if len(secret) < SHORTEST:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, STARS, text) if secret.strip() else text
    return text


def _lift(
    text: str,
    line_of: re.Pattern[str],
    secrets: Collection[str],
    *,
    read: Callable[[str], Any],
    why: str = MOVED,
) -> str:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        match = line_of.match(line)
        if match and _value(match[3], read) in secrets:
            lines[number] = f"{match[1]}# {match[2]} {why}"
    return "\n".join(lines)


def _value(rest: str, read: Callable[[str], Any]) -> str | None:
    try:
        value = read(rest)
    except (ValueError, RecursionError):
        return None
    return None if value is None else str(value)
