"""What can go wrong with the journal."""

from __future__ import annotations

from llmagentos.errors import LlmagentosError


class JournalError(LlmagentosError):
    """The file cannot be written or read; the text names it and says why."""
