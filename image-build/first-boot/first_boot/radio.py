"""The Wi-Fi networks a box may join, and wpa_supplicant's file of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from first_boot.errors import OwnerMistake

SSID_BYTES: Final = 32
"""Longest network name (IEEE 802.11)."""

_HEX_KEY: Final = re.compile(r"[0-9A-Fa-f]{64}")
_PHRASE: Final = re.compile(r"[\x20-\x7e]{8,63}")


@dataclass(frozen=True, slots=True)
class Network:
    """One Wi-Fi network."""

    ssid: str
    """Its name, 1 to 32 bytes of UTF-8."""

    psk: str | None = field(default=None, repr=False)
    """Password of 8 to 63 ASCII characters, or the key itself as 64 hex digits; None for an open
    network."""

    is_hidden: bool = False
    """Whether it must be asked for by name."""


@dataclass(frozen=True, slots=True)
class Radio:
    """All networks, and where the box stands."""

    networks: tuple[Network, ...] = ()
    country: str = ""
    """Two letters of ISO 3166; decides which channels may be used. Empty: those allowed
    everywhere."""

    @property
    def secrets(self) -> frozenset[str]:
        """Every password in it."""
        return frozenset(each.psk for each in self.networks if each.psk)


def check(network: Network, *, where: str) -> None:
    """Refuse what wpa_supplicant would refuse, or would read as something else.

    Raises:
        OwnerMistake: with what is allowed; the password is not repeated.
    """
    if not 1 <= len(network.ssid.encode()) <= SSID_BYTES:
        raise OwnerMistake(f"{where}: the network's name (ssid) must have 1 to 32 bytes")
    psk = network.psk
    if psk is not None and not _HEX_KEY.fullmatch(psk) and not _PHRASE.fullmatch(psk):
        text = "must have 8 to 63 letters, digits or signs of ASCII, or be a key of 64 hex digits"
        raise OwnerMistake(f"{where}: the password of {network.ssid!r} {text}; it has {len(psk)}")


def check_country(country: str, *, where: str) -> str:
    """A country's code in capitals.

    Raises:
        OwnerMistake: it is no two letters.
    """
    if not re.fullmatch(r"[A-Za-z]{2}", country):
        raise OwnerMistake(f"{where}: country must be two letters, such as DE, GB or US")
    return country.upper()


def merge(first: Radio, second: Radio) -> Radio:
    """Both lists; where they disagree, the first one holds."""
    known = {each.ssid for each in first.networks}
    more = tuple(each for each in second.networks if each.ssid not in known)
    return Radio(first.networks + more, first.country or second.country)


def supplicant(radio: Radio) -> str:
    """wpa_supplicant's configuration; names as hex, so that none can break out of its line."""
    lines = ["# Written at each start from the card's Wi-Fi files; changes here are lost."]
    if radio.country:
        lines.append(f"country={radio.country}")
    for network in radio.networks:
        lines += ["network={", *(f"\t{line}" for line in _keys(network)), "}"]
    return "\n".join(lines) + "\n"


def _keys(network: Network) -> list[str]:
    keys = [f"ssid={network.ssid.encode().hex()}"]
    if network.is_hidden:
        keys.append("scan_ssid=1")
    if network.psk is None:
        return [*keys, "key_mgmt=NONE"]
    if _HEX_KEY.fullmatch(network.psk):
        return [*keys, "key_mgmt=WPA-PSK WPA-PSK-SHA256", f"psk={network.psk}"]
    # WPA3 where the access point has it; it needs the phrase itself and protected frames.
    return [
        *keys, "key_mgmt=SAE WPA-PSK-SHA256 WPA-PSK", "ieee80211w=1", f'psk="{network.psk}"',
    ]  # fmt: skip
