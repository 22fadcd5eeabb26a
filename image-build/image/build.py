"""Makes the card image, Debian and LLMAgentOS for arm64. Needs root, mounts nothing.

The recipe is `main`, one verb a line. recipe.toml, packages and wheels.lock say what goes in.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Final

from step.base import bootstrap
from step.disk import make_card, make_data, make_root, report
from step.manifest import write_manifest
from step.place import HERE, Place, names_in, open_place
from step.program import install_program
from step.root import clean, install_models, install_units, take_boot, unpack_base
from step.shell import BuildFailed, call, leave, read, verb
from step.wheel import compile_llama

BINFMT: Final = "/proc/sys/fs/binfmt_misc"


def main() -> int:
    """Build the image; 0 when it is there."""
    began_at = time.monotonic()
    try:
        place = open_place()
        prepare(place)
        llama = compile_llama(place)
        base = bootstrap(place)
        unpack_base(place, base)
        install_program(place, llama)
        install_models(place)
        install_units(place)
        write_manifest(place)
        boot = take_boot(place)
        data = clean(place)
        make_root(place)
        make_data(place, data)
        make_card(place, boot)
        print(report(place))
    except BuildFailed as problem:
        return leave(problem)
    except KeyboardInterrupt:
        print("\nimage: stopped; what was finished is kept")
        return 130
    print(f"image: made in {(time.monotonic() - began_at) / 60:.1f} minutes")
    return 0


def prepare(place: Place) -> None:
    """Make sure of tools, of arm64 programs running here, and of a Python with pip and wheel.

    Raises:
        BuildFailed: not root, or something cannot be had.
    """
    if os.geteuid() != 0:
        raise BuildFailed("a root file system has owners, so this needs root: sudo make image")
    for log in place.log.glob("*.log"):
        log.unlink()
    install_tools(place)
    run_arm64(place)
    if not place.python.exists():
        with verb("making the build's own Python"):
            shutil.rmtree(place.work / "tools", ignore_errors=True)
            log = place.log / "tools.log"
            call([sys.executable, "-m", "venv", place.work / "tools"], log=log)
            call([place.python, "-m", "pip", "install", "--quiet", "wheel"], log=log)


def install_tools(place: Place) -> None:
    """Install the Debian packages that are missing here."""
    wanted = names_in(HERE / "tools")
    listed = read(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n"])
    have = {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
    if missing := [name for name in wanted if name not in have]:
        with verb(f"installing {' '.join(missing)}"):
            install = HERE.parent / "setup" / "packages.sh"
            call([install, "install", *missing], log=place.log / "tools.log")


def run_arm64(place: Place) -> None:
    """Let the kernel hand arm64 programs to qemu-user."""
    log = place.log / "tools.log"
    if not os.path.exists(f"{BINFMT}/register"):
        call(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT], log=log)
    if not os.path.exists(f"{BINFMT}/qemu-aarch64") and os.uname().machine != "aarch64":
        call(["update-binfmts", "--enable", "qemu-aarch64"], log=log)


if __name__ == "__main__":
    sys.exit(main())
