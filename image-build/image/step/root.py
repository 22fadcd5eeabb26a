"""The read-only root as a folder: Debian, the product, its models, and nothing that two boxes must
not share.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from step.place import FIRST_BOOT, HERE, REPO, Place
from step.program import HOME, compile_bytes
from step.shell import BuildFailed, call, read, verb

FIRMWARE: Final = ("start4.elf", "fixup4.dat", "bcm2711-*.dtb", "bcm2712-*.dtb", "overlays")
"""What a Pi 4 or 5 takes of all that Debian's raspi-firmware lays out."""

EMPTIED: Final = (
    "boot", "var/cache", "var/log", "var/lib/apt", "var/lib/systemd", "usr/share/lintian",
    "usr/share/bug", "tmp", "run", "var/tmp",
)  # fmt: skip
"""Folders whose content no box needs."""

REMOVED: Final = (
    "etc/ssh/ssh_host_*", "etc/apt/sources.list", "etc/.pwd.lock", "etc/*-",
    "var/lib/dbus/machine-id",
)  # fmt: skip

MASKED: Final = (
    "getty@.service", "serial-getty@.service", "console-getty.service", "container-getty@.service",
    "debug-shell.service", "systemd-networkd-wait-online.service", "ssh.socket",
    "mosquitto.service", "systemd-rfkill.service", "systemd-rfkill.socket",
    "sshd-unix-local.socket", "sshd-vsock.socket", "systemd-binfmt.service",
    "systemd-journal-catalog-update.service",
)  # fmt: skip
"""Nobody can log in, SSH has no socket of its own, the broker is the product's own, and the
rest has nothing to do here."""


def unpack_base(place: Place, tar: Path) -> None:
    """Debian's root as a folder, with the image's own files over it."""
    with verb("unpacking Debian"):
        shutil.rmtree(place.root, ignore_errors=True)
        place.root.mkdir(parents=True)
        options = ["--numeric-owner", "--xattrs", "--exclude=./dev/*"]
        call(["tar", "-C", place.root, "-xf", tar, *options], log=place.log / "root.log")
        lay_over(place, HERE / "overlay", place.root)


def lay_over(place: Place, source: Path, target: Path) -> None:
    """Copy a folder of configuration, filling in the sizes of the recipe."""
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        text = file.read_text()
        for name, value in place.recipe["disk"].items():
            text = text.replace(f"@{name}@", str(value))
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text)
        copy.chmod(0o644)


def install_units(place: Place) -> None:
    """The product's units, users and device rules."""
    with verb("installing units"):
        _install_units(place)
        _install_first_boot(place)
        log = place.log / "root.log"
        call(["chroot", place.root, "systemd-sysusers"], log=log)
        call(["chroot", place.root, "systemctl", "preset-all"], log=log)
        call(["chroot", place.root, "systemctl", "set-default", "multi-user.target"], log=log)
        for unit in MASKED:
            link = place.root / "etc/systemd/system" / unit
            link.unlink(missing_ok=True)
            link.symlink_to("/dev/null")


def _install_units(place: Place) -> None:
    """What `make install` puts onto any system; install.sh has the list."""
    listed = read(["env", "PREFIX=/usr", REPO / "image-build/install.sh", "list"])
    rows = [line.split("\t") for line in listed.splitlines()]
    for source, target in [*rows, ("systemd/agentd.toml", "/usr/share/llmagentos/agentd.toml")]:
        copy = place.root / target.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / source, copy)


def _install_first_boot(place: Place) -> None:
    if not (FIRST_BOOT / "__main__.py").exists():
        return
    program = place.program / "first-boot"
    ignore = shutil.ignore_patterns("__pycache__", "*.service", "*.rules", "README*")
    shutil.copytree(FIRST_BOOT, program, ignore=ignore)
    compile_bytes(place, f"{HOME}/first-boot")
    for rules in FIRST_BOOT.glob("*.rules"):
        shutil.copy(rules, place.root / "usr/lib/udev/rules.d" / rules.name)
    for unit in FIRST_BOOT.glob("*.service"):
        shutil.copy(unit, place.root / "usr/lib/systemd/system" / unit.name)


def install_models(place: Place) -> None:
    """The models, each hashed before it is copied, with the result beside it."""
    with verb("installing models"):
        sys.path.insert(0, str(REPO))
        # The product's own shop, which needs nothing but the standard library.
        from models import catalog, fetch, store
        from models.errors import ModelError, ModelMissing

        shelf, known = place.cache.parent / "models", catalog.load()
        for model_id in place.recipe["models"]["ids"]:
            try:
                held = store.hold(model_id, catalog=known, folders=(shelf,))
            except ModelMissing:
                print(f"       fetching {model_id}", flush=True)
                held = fetch.pull(known.row(model_id), into=shelf, catalog=known)
            except ModelError as exc:
                raise BuildFailed(str(exc)) from exc
            copy = place.root / "usr/share/llmagentos/models" / held.row.id
            shutil.copytree(held.folder, copy)
            store.verify(copy, row=held.row)


def take_boot(place: Place) -> Path:
    """Kernel, initial RAM disk, device trees and firmware, moved out of the root."""
    boot = place.work / "boot"
    shutil.rmtree(boot, ignore_errors=True)
    boot.mkdir()
    for name in ("vmlinuz", "initrd.img"):
        shutil.move(next((place.root / "boot").glob(f"{name}-*")), boot / name)
    for pattern in FIRMWARE:
        for path in (place.root / "boot/firmware").glob(pattern):
            shutil.move(path, boot / path.name)
    # Later Pi 5 boards have another stepping, which upstream and the firmware name differently.
    shutil.copy(boot / "bcm2712-d-rpi-5-b.dtb", boot / "bcm2712d0-rpi-5-b.dtb")
    for pattern in ("usr/lib/raspi-firmware", "usr/lib/linux-image-*", "usr/lib/modules/*/dtb"):
        for path in place.root.glob(pattern):
            path.unlink() if path.is_symlink() else shutil.rmtree(path)
    for name in ("config.txt", "cmdline.txt"):
        shutil.copy(HERE / "card" / name, boot / name)
    return boot


def clean(place: Place) -> Path:
    """Remove what no box needs or no two may share; returns the content of the data partition."""
    root = place.root
    for name in EMPTIED:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()
    for pattern in REMOVED:
        for path in root.glob(pattern):
            path.unlink()
    for name, mode in (("tmp", 0o1777), ("var/tmp", 0o1777)):
        (root / name).chmod(mode)
    _point_to_data(place)
    data = place.work / "data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.move(root / "var", data)
    (root / "var").mkdir()
    return data


def _point_to_data(place: Place) -> None:
    """What has to be written although it stands in the read-only root."""
    root = place.root
    (root / "etc/machine-id").write_text("")  # systemd lays a generated one over it
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/stub-resolv.conf")
    (root / "etc/agentd").symlink_to("/var/lib/agentd-etc")
    # As the product's tmpfiles want it: they could not change it.
    call(["chroot", root, "chown", "-h", "root:agentd", "/etc/agentd"], log=place.log / "root.log")
    (root / "boot/config").mkdir()
    (root / "boot/firmware").mkdir()
    # The list of packages belongs to the slot, not to the data that outlives it.
    (root / "usr/lib/sysimage").mkdir(exist_ok=True)
    shutil.move(root / "var/lib/dpkg", root / "usr/lib/sysimage/dpkg")
    (root / "var/lib/dpkg").symlink_to("/usr/lib/sysimage/dpkg")
