"""cloud-init's NoCloud files, as Raspberry Pi Imager writes them: user-data, meta-data and
network-config. Only what this box can honour is taken; the rest is named and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from first_boot import yaml_text
from first_boot.errors import OwnerMistake
from first_boot.radio import Network, Radio, check, check_country
from first_boot.secret import KEYS

USER_DATA: Final = "user-data"
META_DATA: Final = "meta-data"
NETWORK: Final = "network-config"

LIMIT_BYTES: Final = 64 * 1024
"""Largest of these files: YAML is read at some 20 KB/s on a Pi 4."""

_TAKEN: Final = frozenset({"hostname", "fqdn", "ssh_authorized_keys", "users"})
_HARMLESS: Final = frozenset({"manage_etc_hosts", "preserve_hostname", "ssh_pwauth", "enable_ssh"})
_KEY_LINE: Final = re.compile(r"(?:ssh|ecdsa|sk-)[\w@.-]+ [A-Za-z0-9+/]+={0,3}(?: [^\n\r]*)?")


@dataclass(frozen=True, slots=True)
class Wish:
    """What user-data and meta-data ask for."""

    host: str = ""
    """Name of the box; empty when they give none."""

    keys: tuple[str, ...] = ()
    """Public SSH keys that may log in."""

    wants_ssh: bool = False
    """Whether SSH was asked for, with or without a key."""

    time_zone: str = ""
    """IANA name; only reported."""

    ignored: tuple[str, ...] = ()
    """Keys that this box does not honour."""


def parse_user_data(text: str) -> Wish:
    """Read user-data.

    Raises:
        OwnerMistake: it is no cloud-config.
    """
    if not text.strip():
        return Wish()
    if not text.lstrip().startswith("#cloud-config"):
        raise OwnerMistake(f"{USER_DATA}: must begin with #cloud-config; scripts are not run here")
    document = _load(text, USER_DATA)
    found = _list(document.get("ssh_authorized_keys"))
    for user in _list(document.get("users")):
        found += _list(_dict(user).get("ssh_authorized_keys"))
    return Wish(
        host=_text(document.get("hostname")) or _text(document.get("fqdn")).split(".")[0],
        keys=tuple(dict.fromkeys(_public_keys(found))),
        wants_ssh=bool(found) or _is_true(document.get("enable_ssh")),
        time_zone=_text(document.get("timezone")),
        ignored=tuple(sorted(_plain(document.keys() - _TAKEN - _HARMLESS))),
    )


def parse_meta_data(text: str) -> Wish:
    """Read meta-data, of which only the host name counts.

    Raises:
        OwnerMistake: it is not YAML.
    """
    return Wish(host=_text(_load(text, META_DATA).get("local-hostname")))


def parse_network(text: str) -> Radio:
    """Read network-config: the Wi-Fi networks of its version 2.

    Raises:
        OwnerMistake: it is not YAML, or not version 2, or a network in it cannot be.
    """
    document = _load(text, NETWORK)
    inner = document.get("network", document)
    if not isinstance(inner, dict) or inner.get("version", "2") != "2":
        raise OwnerMistake(f"{NETWORK}: only version 2 (netplan's form) is understood here")
    networks: dict[str, Network] = {}
    country = ""
    for card in _dict(inner.get("wifis")).values():
        if code := _text(_dict(card).get("regulatory-domain")):
            country = check_country(code, where=NETWORK)
        for ssid, access in _dict(_dict(card).get("access-points")).items():
            network = _network(_text(ssid), _dict(access))
            networks.setdefault(network.ssid, network)
    return Radio(tuple(networks.values()), country)


def secrets(text: str) -> frozenset[str]:
    """Every value under a key that holds secrets; none when the text is not YAML."""
    try:
        return frozenset(_walk(yaml_text.read(text), set()))
    except (yaml_text.YamlError, RecursionError):
        return frozenset()


def _network(ssid: str, access: Mapping[str, Any]) -> Network:
    auth = _dict(access.get("auth"))
    psk = _text(access.get("password")) or _text(auth.get("password")) or None
    kind = _text(auth.get("key-management"))
    if kind not in ("", "none", "psk", "sae"):
        text = "is no key-management that this box knows; allowed are none, psk, sae"
        raise OwnerMistake(f"{NETWORK}: {ssid!r}: {kind!r} {text}")
    network = Network(ssid, psk, _is_true(access.get("hidden")))
    check(network, where=NETWORK)
    return network


def _load(text: str, name: str) -> dict[str, Any]:
    try:
        document = yaml_text.read(text)
    except yaml_text.YamlError as exc:
        line = f", line {exc.line}" if exc.line else ""
        raise OwnerMistake(f"{name}{line}: not YAML (indentation, colons or quotes)") from exc
    if document == "":
        return {}
    if not isinstance(document, dict):
        raise OwnerMistake(f"{name}: must hold `key: value` lines")
    return document


def _public_keys(found: list[Any]) -> Iterator[str]:
    for each in found:
        line = _text(each).strip()
        if _KEY_LINE.fullmatch(line):
            yield line


def _plain(names: Any) -> Iterator[str]:
    """Keys as words for the report: what a key could hide in is not repeated."""
    for name in names:
        yield name if isinstance(name, str) and re.fullmatch(r"[\w-]{1,40}", name) else "?"


def _walk(value: Any, seen: set[int]) -> Iterator[str]:
    """Each part once: ten lines of YAML aliases can name the same list a billion times."""
    if id(value) in seen or not isinstance(value, dict | list):
        return
    seen.add(id(value))
    if isinstance(value, dict):
        yield from (word for key, word in value.items() if key in KEYS and _text(word))
    for inner in value.values() if isinstance(value, dict) else value:
        yield from _walk(inner, seen)


def _dict(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _text(value: Any) -> str:
    """A scalar, without the half characters that YAML's escapes can spell."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _is_true(value: Any) -> bool:
    return _text(value).lower() in ("true", "yes", "on")
