"""The real models, where they have been fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import store
from models.errors import ModelError


def gguf(model_id: str = "smollm2-135m") -> Path:
    """The verified file of a language model; skips the test where it is not."""
    try:
        return store.hold(model_id).file
    except ModelError as exc:
        pytest.skip(str(exc))
