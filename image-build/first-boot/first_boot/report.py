"""agentd-report.txt: what is wrong, what to know, and who this box is, for its owner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from first_boot.findings import Findings
from first_boot.share import Credentials

NAME: Final = "agentd-report.txt"

_END: Final = "\r\n"
"""So that every editor of every Windows shows lines."""


def render(findings: Findings, *, version: str, state: Iterable[str] = ()) -> bytes:
    """The report.

    Args:
        findings: what the start found.
        version: of the software.
        state: lines about how the box is, once that is known.
    """
    lines = [
        f"LLMAgentOS {version}: report of {findings.node or 'this box'}",
        "The box writes this file at each start; what you write here is lost.",
        "",
        *_section("WHAT IS WRONG", findings.problems or ["Nothing that this box knows of."]),
        *_section("GOOD TO KNOW", findings.notes),
        *_section("THIS BOX", [*_names(findings), *state]),
        *(_broker(findings.shared) if findings.shared else ()),
    ]
    return (_END.join(lines) + _END).encode()


def _names(findings: Findings) -> Iterator[str]:
    if findings.node:
        yield f"Its name in MQTT topics is {findings.node}."
    if findings.host:
        where = f" (mDNS: {findings.host}.local)" if findings.is_named else ""
        yield f"Its host name is {findings.host}{where}."


def _section(title: str, lines: Iterable[str]) -> list[str]:
    found = [f"- {' '.join(line.split())}" for line in lines]
    return [title, "", *found, ""] if found else []


def _broker(shared: Credentials) -> list[str]:
    return [
        "MQTT BROKER",
        "",
        f"- user: {shared.user}",
        f"- password: {shared.password}",
        "- Write these down: the next start writes this report without them. To see them again,",
        "  delete this file from the card and start the box.",
        "- The connection is not encrypted: use it in a network whose members you trust.",
        "",
    ]
