"""agentd.toml as the card has it: read by agentd's own reader, its password taken off the card."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agentd.config import Config, parse
from agentd.toml_source import ConfigError
from first_boot import secret
from first_boot.errors import OwnerMistake

NAME: Final = "agentd.toml"

EMPTY: Final = "# No agentd.toml was on the card: a box without devices.\n"
"""What agentd gets while its owner has written nothing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A usable agentd.toml."""

    config: Config = field(repr=False)
    """As agentd reads it."""

    text: str = field(repr=False)
    """For the card and for agentd: without the password, wherever that could be taken out."""

    password: str | None = field(default=None, repr=False)
    """The household broker's password; agentd gets it as a credential of its unit."""

    is_lost: bool = False
    """Whether the file says that the password is in the box, and the box has none."""

    @property
    def is_clean(self) -> bool:
        """Whether no password stays on the card."""
        return "password" not in tomllib.loads(self.text).get("mqtt", {})


def settle(text: str, *, known: str | None) -> Settings:
    """Check the card's text and separate the password from it.

    Args:
        text: the card's file.
        known: the password that was moved into the box earlier.

    Raises:
        OwnerMistake: the file cannot be used; file, line, key and what is allowed are in the text.
    """
    try:
        config = parse(text, path=Path(NAME))
    except ConfigError as exc:
        raise OwnerMistake(str(exc)) from exc
    except RecursionError as exc:
        raise OwnerMistake(f"{NAME}: not TOML: nested too deeply") from exc
    if config.mqtt.password is not None:
        return Settings(config, _without_password(text), config.mqtt.password)
    if secret.has_mark(text):
        return Settings(config, text, known, is_lost=known is None)
    return Settings(config, text)


def _without_password(text: str) -> str:
    """The text without its password's line; as it was when that would change anything else."""
    document = tomllib.loads(text)
    password = document["mqtt"].pop("password")
    left = secret.lift_toml(text, secrets={password})
    try:
        found = tomllib.loads(left)
    except tomllib.TOMLDecodeError:
        return text
    # A table that held nothing but the password may be gone with it.
    return left if document in (found, {**found, "mqtt": {}}) else text
