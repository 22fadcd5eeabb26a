"""What the box remembers of its owner's files: the last good word of each, secrets included.

The secrets that were taken off the card live here and nowhere else; one file, replaced as a
whole, readable by root alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from first_boot import disk
from first_boot.cloud_init import Wish
from first_boot.radio import Network, Radio


@dataclass(frozen=True, slots=True)
class Memory:
    """The last good word of each file."""

    mqtt_password: str | None = field(default=None, repr=False)
    """The household broker's password."""

    wifi: Radio = field(default_factory=Radio)
    """Of wifi.toml."""

    cloud_wifi: Radio = field(default_factory=Radio)
    """Of network-config."""

    user: Wish = field(default_factory=Wish)
    """Of user-data."""

    meta: Wish = field(default_factory=Wish)
    """Of meta-data."""

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret in it."""
        mqtt = {self.mqtt_password} if self.mqtt_password else set()
        return frozenset(mqtt) | self.wifi.secrets | self.cloud_wifi.secrets


def load(path: Path) -> Memory:
    """Read it; an empty one when there is none, or when it cannot be read any more."""
    try:
        document = json.loads(disk.read(path) or b"{}")
        return Memory(
            mqtt_password=document.get("mqtt_password"),
            wifi=_radio(document.get("wifi", {})),
            cloud_wifi=_radio(document.get("cloud_wifi", {})),
            user=_wish(document.get("user", {})),
            meta=_wish(document.get("meta", {})),
        )
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return Memory()


def keep(memory: Memory, path: Path) -> bool:
    """Write it, so that it is all there or as before after a power cut.

    Returns:
        Whether anything had changed.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(asdict(memory), indent=1, ensure_ascii=False)
    return disk.write(path, text.encode())


def with_psks(radio: Radio, known: Radio) -> Radio:
    """The networks with the passwords that were moved into the box earlier."""
    psks = {each.ssid: each.psk for each in known.networks}
    networks = tuple(
        each if each.psk else replace(each, psk=psks.get(each.ssid)) for each in radio.networks
    )
    return replace(radio, networks=networks)


def _radio(document: Mapping[str, Any]) -> Radio:
    networks = tuple(Network(**each) for each in document.get("networks", ()))
    return Radio(networks, document.get("country", ""))


def _wish(document: Mapping[str, Any]) -> Wish:
    wish = Wish(**document)
    return replace(wish, keys=tuple(wish.keys), ignored=tuple(wish.ignored))
