"""What can be wrong with a file that a person wrote.

LlmagentosError
 └─ OwnerMistake     a file on the card that cannot be used; its text is for its owner
"""

from __future__ import annotations

from llmagentos.errors import LlmagentosError


class OwnerMistake(LlmagentosError):
    """A file on the card that cannot be used; the text names it and says what to do."""
