"""What networkd and resolved are told: DHCP on every wire and radio, and a name on the network
only where the owner opened the box to it.
"""

from __future__ import annotations

from typing import Final

_HEAD: Final = "# Written at each start; changes here are lost.\n"


def files(*, is_named: bool, has_wifi: bool, shared_port: int | None) -> dict[str, str | None]:
    """Files below /run/systemd by their path there; None for one that must not be there.

    Args:
        is_named: whether mDNS tells the network the box's name.
        has_wifi: whether there is a network to join.
        shared_port: port of the shared broker; None while it is not shared.
    """
    mdns = "yes" if is_named else "no"
    return {
        "network/70-llmagentos-wire.network": _network("Type=ether", mdns, metric=100),
        "network/71-llmagentos-wifi.network": (
            _network("Type=wlan", mdns, metric=600) if has_wifi else None
        ),
        "resolved.conf.d/70-llmagentos.conf": (
            f"{_HEAD}[Resolve]\nMulticastDNS={mdns}\nLLMNR=no\n"
        ),
        "dnssd/llmagentos.dnssd": (
            None if shared_port is None
            else f"{_HEAD}[Service]\nName=%H\nType=_mqtt._tcp\nPort={shared_port}\n"
        ),
    }  # fmt: skip


def _network(match: str, mdns: str, *, metric: int) -> str:
    # The wire wins over the radio, and a network that is not there never holds up the start. The
    # machine id is younger than the network card, so the card stands for the box.
    return (
        f"{_HEAD}[Match]\n{match}\nKind=!*\n\n"
        "[Link]\nRequiredForOnline=no\n\n"
        f"[Network]\nDHCP=yes\nLLMNR=no\nMulticastDNS={mdns}\n\n"
        f"[DHCPv4]\nClientIdentifier=mac\nUseHostname=no\nRouteMetric={metric}\n\n"
        "[DHCPv6]\nDUIDType=link-layer\n"
    )
