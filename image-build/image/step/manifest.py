"""The list of what the image is made of: each part, its version, and the sha256 it came with."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from step.place import REPO, Place
from step.program import LOCK
from step.shell import BuildFailed, Words, read

NAME: Final = "usr/share/llmagentos/manifest.txt"
"""Where it lies in the root; a copy lies beside the image."""

DEBS: Final = "usr/share/llmagentos/debs.sha256"
"""Where the root says, until the list is made, which Debian packages it was made of."""


def hashes_of(debs: Path) -> str:
    """A line with hash and name for every Debian package in a folder."""
    lines = []
    for deb in sorted(debs.glob("*.deb")):
        with deb.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {deb.name}\n")
    return "".join(lines)


def write_manifest(place: Place) -> None:
    """Write the list into the root and beside the image.

    Raises:
        BuildFailed: a Debian package's hash is not known.
    """
    known = dict(line.split()[::-1] for line in (place.root / DEBS).read_text().splitlines())
    rows = [*_debian(place, known), *_python(place), *_models(place)]
    text = "".join(
        f"{kind:<7}{name} {version} sha256:{digest}\n" for kind, name, version, digest in rows
    )
    (place.root / DEBS).unlink()
    (place.root / NAME).write_text(text)
    shutil.copy(place.root / NAME, place.image.with_suffix(".manifest.txt"))


Rows = Iterator[tuple[str, str, str, str]]
"""Kind, name, version, hash."""


def _debian(place: Place, known: Mapping[str, str]) -> Rows:
    form = "--showformat=${Package} ${Version} ${Architecture}\\n"
    listed: Words = ["chroot", place.root, "dpkg-query", "--show", form]
    for line in read(listed).splitlines():
        name, version, arch = line.split()
        deb = f"{name}_{version.replace(':', '%3a')}_{arch}.deb"
        if deb not in known:
            raise BuildFailed(
                f"where {deb} came from is not known; delete {place.cache}/base-*.tar"
            )
        yield "debian", name, version, known[deb]


def _python(place: Place) -> Rows:
    for name, version, digest in re.findall(
        r"(?m)^(\S+)==(\S+) --hash=sha256:(\w+)", LOCK.read_text()
    ):
        yield "wheel", name, version, digest
    llama = place.recipe["llama"]
    yield "source", "llama-cpp-python", llama["version"], llama["sha256"]


def _models(place: Place) -> Rows:
    sys.path.insert(0, str(REPO))
    from models import catalog

    known = catalog.load()
    for folder in sorted((place.root / "usr/share/llmagentos/models").iterdir()):
        for file in known.row(folder.name).files:
            yield "model", folder.name, file.path, file.sha256
