"""What can go wrong with a model file, from the catalog to its use.

LlmagentosError
 └─ ModelError           base; its text says what, where and what to do
     ├─ CatalogError     a mistake in the catalog: file, row and key
     ├─ ModelUnknown     the catalog has no such row
     ├─ ModelMissing     the model is in none of the model folders
     ├─ ModelCorrupt     a file is not what the catalog promises; it was not opened
     ├─ ModelUnfit       its engine could not load it
     ├─ SourceFailed     one source did not give the model; the next may (transient)
     │   └─ SourceWrong  it gave other bytes than the catalog promises
     ├─ DiskFull         no room for it
     └─ PullFailed       no source gave the model
"""

from __future__ import annotations

from llmagentos.errors import LlmagentosError


class ModelError(LlmagentosError):
    """A model file or its use."""


class CatalogError(ModelError):
    """A mistake in the catalog."""


class ModelUnknown(ModelError):
    """The catalog has no such row."""


class ModelMissing(ModelError):
    """The model is in none of the model folders."""


class ModelCorrupt(ModelError):
    """A file is not what the catalog promises; it was not opened."""


class ModelUnfit(ModelError):
    """Its engine could not load it, although its bytes are right."""


class SourceFailed(ModelError):
    """One source did not give the model; the next one may, or the same one later."""


class SourceWrong(SourceFailed):
    """It gave other bytes than the catalog promises; they were thrown away."""


class DiskFull(ModelError):
    """No room for it."""


class PullFailed(ModelError):
    """No source gave the model; the text lists what each one said."""
