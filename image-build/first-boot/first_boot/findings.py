"""What was found at this start: for the report, and for what the box says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from first_boot import disk, secret
from first_boot.share import Credentials

LONGEST: Final = 400
"""Longest finding, in characters: a report is read by people."""


@dataclass
class Findings:
    """Collected while the box prepares itself."""

    problems: list[str] = field(default_factory=list)
    """What is wrong and what to do; one sentence or two each."""

    notes: list[str] = field(default_factory=list)
    """What the owner should know."""

    node: str = ""
    """Name in topics."""

    host: str = ""
    """Name on the network."""

    is_named: bool = False
    """Whether mDNS tells the host name."""

    shared: Credentials | None = None
    """What this report shows of the shared broker; None when there is nothing to show."""

    @contextmanager
    def noting(self, consequence: str) -> Iterator[None]:
        """Make an error of the file system a problem, told with what it means."""
        try:
            yield
        except OSError as exc:
            reason = exc.strerror or str(exc)
            self.problems.append(f"A step of this start failed ({reason}): {consequence}.")

    def hide(self, secrets: Iterable[str]) -> None:
        """Make sure that no finding repeats a secret."""
        known = frozenset(secrets)
        self.problems = [secret.hide(each, secrets=known)[:LONGEST] for each in self.problems]
        self.notes = [secret.hide(each, secrets=known)[:LONGEST] for each in self.notes]


def keep(findings: Findings, path: Path) -> None:
    """Leave them for `ready`, which runs later in this start.

    Raises:
        OSError: they cannot be written.
    """
    disk.write(path, json.dumps(asdict(findings)).encode())


def load(path: Path) -> Findings:
    """What `prepare` left; nothing when it left nothing."""
    try:
        document = json.loads(disk.read(path) or b"{}")
        shared = document.pop("shared", None)
        return Findings(**document, shared=Credentials(**shared) if shared else None)
    except (OSError, ValueError, TypeError):
        return Findings(problems=["The first steps of this start did not come to their end."])
