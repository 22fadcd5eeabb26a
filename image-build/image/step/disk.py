"""Folders to file systems to one card image; nothing is mounted."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from step.place import HERE, REPO, Place
from step.shell import BuildFailed, call, verb

MIB: Final = 1 << 20
CARD_FILES: Final = (
    HERE / "card/autoboot.txt",
    HERE / "card/README.txt",
    REPO / "systemd/agentd.toml",
)
"""What a person finds on the FAT partition, and what the firmware reads there first."""


def make_root(place: Place) -> None:
    """The read-only root as erofs: compressed, and quick to read here and there.

    Raises:
        BuildFailed: it does not fit into its slot.
    """
    image, most_mib = place.parts / "root_a.erofs", place.recipe["disk"]["root_mib"]
    with verb("packing the root"):
        image.unlink(missing_ok=True)
        # Times stay as they are: Debian's compiled Python files are trusted by them.
        options = ["-zlz4hc,9", "--preserve-mtime", "--quiet"]
        call(["mkfs.erofs", *options, image, place.root], log=place.log / "disk.log")
    if image.stat().st_size > most_mib * MIB:
        raise BuildFailed(f"the root has {image.stat().st_size // MIB} MiB, its slot {most_mib}")


def make_data(place: Place, content: Path) -> None:
    """The data partition, small as shipped; it grows to the card."""
    image, size = place.parts / "data.ext4", place.recipe["disk"]["data_mib"]
    image.unlink(missing_ok=True)
    options = ["-q", "-t", "ext4", "-L", "data", "-m", "1", "-E", "lazy_itable_init=0"]
    # Room in the tables, so that the file system can grow to a large card while it is in use.
    call(["mke2fs", *options, "-d", content, image, f"{size}M"], log=place.log / "disk.log")


def make_card(place: Place, boot: Path) -> None:
    """The image: FAT partitions, root and data under one partition table."""
    with verb("joining the partitions"), TemporaryDirectory(dir=place.work) as temp:
        inputs = place.parts
        for file in inputs.glob("*.vfat"):
            file.unlink()
        for file in CARD_FILES:
            shutil.copy(file, inputs / file.name)
        shutil.copytree(boot, inputs, dirs_exist_ok=True)
        config = Path(temp, "genimage.cfg")
        config.write_text(_filled(place, sorted(file.name for file in boot.iterdir())))
        for name in ("root", "tmp"):
            Path(temp, name).mkdir()
        call(
            [
                *("genimage", "--config", config, "--rootpath", Path(temp, "root")),
                *("--tmppath", Path(temp, "tmp"), "--inputpath", inputs),
                *("--outputpath", place.work),
            ],
            log=place.log / "disk.log",
        )


def report(place: Place) -> str:
    """Sizes and hash of what was made, for people and for a release.

    Raises:
        BuildFailed: the image is larger than it may be.
    """
    image, most = place.image, place.recipe["disk"]["most_bytes"]
    with image.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    (image.with_suffix(".img.sha256")).write_text(f"{digest}  {image.name}\n")
    rows = [(name, (place.parts / name).stat().st_size) for name in ("root_a.erofs", "data.ext4")]
    boot = sum(file.stat().st_size for file in (place.work / "boot").rglob("*"))
    lines = [f"{name:<14}{size / MIB:8.1f} MiB" for name, size in [*rows, ("boot files", boot)]]
    size = image.stat().st_size
    lines += [f"{'image':<14}{size / MIB:8.1f} MiB, {size} bytes", f"sha256 {digest}", str(image)]
    if size > most:
        raise BuildFailed(f"the image has {size} bytes, more than {most}")
    return "\n".join(lines)


def _filled(place: Place, boot_files: list[str]) -> str:
    text = (HERE / "genimage.cfg").read_text()
    values = place.recipe["disk"] | {
        "boot_files": ", ".join(f'"{name}"' for name in boot_files),
        "bootcfg_files": ", ".join(f'"{file.name}"' for file in CARD_FILES),
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text
