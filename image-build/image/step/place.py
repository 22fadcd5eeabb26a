"""What the image is made of and where its pieces lie while it is made."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

REPO: Final = Path(__file__).resolve().parents[3]
HERE: Final = REPO / "image-build" / "image"
FIRST_BOOT: Final = REPO / "image-build" / "first-boot"


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one build, and its recipe."""

    work: Path
    """Everything of this build; may be deleted at any time."""

    cache: Path
    """What is worth keeping between builds: packages, root, wheels."""

    recipe: dict[str, Any]
    """recipe.toml, by table."""

    @property
    def root(self) -> Path:
        """The read-only root as a folder."""
        return self.work / "root"

    @property
    def parts(self) -> Path:
        """Partitions as files."""
        return self.work / "parts"

    @property
    def log(self) -> Path:
        """Where each command's output goes."""
        return self.work / "log"

    @property
    def image(self) -> Path:
        """The result."""
        return self.work / str(self.recipe["disk"]["name"])

    @property
    def python(self) -> Path:
        """The Python of the build's own tools."""
        return self.work / "tools" / "bin" / "python"

    @property
    def program(self) -> Path:
        """Where the product lies in the root."""
        return self.root / "usr/lib/llmagentos"

    @property
    def packages(self) -> Path:
        """Where the product's Python packages lie in the root."""
        return self.program / "lib" / f"python{self.recipe['python']['version']}" / "site-packages"


def open_place() -> Place:
    """The place of a build in this copy of the repository, with its folders made."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    recipe = tomllib.loads((HERE / "recipe.toml").read_text())
    place = Place(REPO / "build" / "image", cache / "llmagentos" / "image", recipe)
    for folder in (place.cache, place.log, place.parts):
        folder.mkdir(parents=True, exist_ok=True)
    return place


def names_in(*files: Path) -> list[str]:
    """The words of package lists, without their comments."""
    lines = (line.partition("#")[0] for file in files for line in file.read_text().splitlines())
    return [word for line in lines for word in line.split()]


def key_of(*parts: object) -> str:
    """A short name for what a step depends on."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def content_of(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """Name and hash of every file in or under the paths, in order."""
    files = (file for path in paths for file in ([path] if path.is_file() else path.rglob("*")))
    return [
        (file.name, hashlib.sha256(file.read_bytes()).hexdigest())
        for file in sorted(files)
        if file.is_file()
    ]


def keep(place: Place, stem: str, key: str) -> Path:
    """The cache file for this key; files of the same stem for other keys are deleted."""
    wanted = place.cache / f"{stem}-{key}.tar"
    for other in place.cache.glob(f"{stem}-*.tar"):
        if other != wanted:
            other.unlink()
    return wanted
