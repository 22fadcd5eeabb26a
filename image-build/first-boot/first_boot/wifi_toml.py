"""wifi.toml on the card: `[wifi]` with ssid, psk, country, hidden; `[[wifi]]` for several."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Final

from first_boot.errors import OwnerMistake
from first_boot.radio import Network, Radio, check, check_country

NAME: Final = "wifi.toml"

_ALLOWED: Final[Mapping[str, type]] = {"ssid": str, "psk": str, "country": str, "hidden": bool}
_WORDS: Final = {str: "a text in quotes", bool: "true or false"}


def parse(text: str) -> Radio:
    """Read and check the file.

    Raises:
        OwnerMistake: it names line or key, and what is allowed.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        words = str(exc) if isinstance(exc, tomllib.TOMLDecodeError) else "nested too deeply"
        raise OwnerMistake(f"{NAME}: not TOML: {words}") from exc
    tables = document.pop("wifi", [])
    if document:
        raise OwnerMistake(f"{NAME}: unknown {', '.join(sorted(document))}; allowed is [wifi]")
    tables = [tables] if isinstance(tables, dict) else tables
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise OwnerMistake(f"{NAME}: write [wifi] on a line of its own, its keys below")
    networks = tuple(_network(table) for table in tables)
    countries = [check_country(each["country"], where=NAME) for each in tables if "country" in each]
    return Radio(networks, countries[0] if countries else "")


def _network(table: Mapping[str, Any]) -> Network:
    for key, value in table.items():
        if key not in _ALLOWED:
            raise OwnerMistake(f"{NAME}: unknown key {key!r}; allowed are {', '.join(_ALLOWED)}")
        if not isinstance(value, _ALLOWED[key]):
            raise OwnerMistake(f"{NAME}: {key} must be {_WORDS[_ALLOWED[key]]}")
    if "ssid" not in table:
        raise OwnerMistake(f"{NAME}: ssid is missing: the network's name")
    network = Network(table["ssid"], table.get("psk"), table.get("hidden", False))
    check(network, where=NAME)
    return network
