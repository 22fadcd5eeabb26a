"""Debian: an arm64 root made by mmdebstrap, its programs run by qemu-user, kept as a tar."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

from step.manifest import DEBS, hashes_of
from step.place import FIRST_BOOT, HERE, Place, content_of, keep, key_of, names_in
from step.shell import Words, call, verb

LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
KEPT = ("/usr/share/doc/*/copyright",)
"""Licences stay where Debian puts them."""

INITRAMFS = HERE / "overlay" / "etc" / "initramfs-tools"


def bootstrap(place: Place) -> Path:
    """The tar of a Debian root with everything in `packages`, and its kernel."""
    packages = names_in(HERE / "packages", *FIRST_BOOT.glob("packages"))
    how = content_of([INITRAMFS, Path(__file__)])
    key = key_of(place.recipe["debian"], packages, LEFT_OUT, how)
    tar = keep(place, "base", key)
    if not tar.exists():
        with verb(f"installing Debian ({len(packages)} packages, about 10 minutes)"):
            _mmdebstrap(place, packages, tar)
    return tar


def sources(place: Place) -> str:
    """The lines of sources.list."""
    debian = place.recipe["debian"]
    suite, keyring = debian["suite"], debian["keyring"]
    rows = (
        (debian["mirror"], suite),
        (debian["mirror"], f"{suite}-updates"),
        (debian["security"], f"{suite}-security"),
        (debian["mirror"], debian["kernel_suite"]),
    )
    return "".join(
        f"deb [signed-by={keyring}] {url} {name} {debian['components']}\n" for url, name in rows
    )


def _mmdebstrap(place: Place, packages: list[str], tar: Path) -> None:
    debian = place.recipe["debian"]
    debs = place.cache / "debs"
    debs.mkdir(exist_ok=True)
    draft = tar.with_suffix(".part.tar")
    kernel = f"apt-get install --yes --target-release {debian['kernel_suite']} {debian['kernel']}"
    command: Words = [
        *("mmdebstrap", "--architectures=arm64", "--variant=minbase", "--mode=root"),
        *("--aptopt=APT::Install-Recommends false", f"--include={','.join(packages)}"),
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        *(f"--dpkgopt=path-include={path}" for path in KEPT),
        *("--skip=download/empty", "--skip=essential/unlink", "--verbose"),
        '--setup-hook=mkdir -p "$1"/var/cache/apt/archives',
        f"--setup-hook=sync-in '{debs}' /var/cache/apt/archives",
        # raspi-firmware copies itself there; we take its files from where they lie.
        '--essential-hook=mkdir -p "$1"/boot/firmware',
        f"--customize-hook=sync-in '{INITRAMFS}' /etc/initramfs-tools",
        f'--customize-hook=chroot "$1" {kernel}',
        f"--customize-hook=sync-out /var/cache/apt/archives '{debs}'",
        *("", draft, "-"),
    ]
    call(command, log=place.log / "base.log", stdin=sources(place))
    _append(draft, DEBS, hashes_of(debs))
    draft.rename(tar)


def _append(tar: Path, name: str, text: str) -> None:
    data = text.encode()
    entry = tarfile.TarInfo(f"./{name}")
    entry.size = len(data)
    with tarfile.open(tar, "a") as archive:
        archive.addfile(entry, BytesIO(data))
