"""The product in the root: /usr/lib/llmagentos, a virtual environment of Debian's Python with every
package inside, and commands that start Python so that nothing around them can change what it
imports.
"""

from __future__ import annotations

import shutil
import tarfile
from configparser import ConfigParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from step.place import HERE, REPO, Place, content_of, keep, key_of
from step.shell import Words, call, read, verb
from step.wheel import Llama

HOME: Final = "/usr/lib/llmagentos"
OURS: Final = ("agentd", "hal", "models", "llmagentos")
PLATFORMS: Final = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
LOCK: Final = HERE / "wheels.lock"

START: Final = """#!{home}/bin/python -P
import sys

from {module} import {function}

sys.exit({function}())
"""

START_LLM: Final = """#!{home}/bin/python -P
import ctypes
import sys

# A Pi 5 multiplies with dot products, a Pi 4 cannot. The loader takes the library that is already
# there under its name, so this decides which one llama.cpp gets.
AT_HWCAP, DOT_PRODUCTS = 16, 1 << 20
if ctypes.CDLL(None).getauxval(AT_HWCAP) & DOT_PRODUCTS:
    ctypes.CDLL("{library}", ctypes.RTLD_GLOBAL)

from {module} import {function}

sys.exit({function}())
"""

VENV: Final = """home = /usr/bin
include-system-site-packages = true
version = {version}
"""


def install_program(place: Place, llama: Llama) -> None:
    """Everything under /usr/lib/llmagentos, byte-compiled."""
    with verb("installing LLMAgentOS and its Python packages"):
        _make_venv(place)
        _unpack_packages(place, llama)
        _install_ours(place)
        _write_commands(place)
        compile_bytes(place, *(f"{_packages(place)}/{name}" for name in OURS))


def compile_bytes(place: Place, *folders: str) -> None:
    """Byte-compile folders of the root, with the root's own Python.

    The files never change, so the compiled ones are trusted without looking at a time stamp,
    which a file system image does not keep anyway.
    """
    command: Words = ["chroot", place.root, "/usr/bin/python3", "-m", "compileall", "-q"]
    call([*command, "--invalidation-mode=unchecked-hash", *folders], log=place.log / "program.log")


def _packages(place: Place) -> str:
    return f"/{place.packages.relative_to(place.root)}"


def _make_venv(place: Place) -> None:
    (place.program / "bin").mkdir(parents=True)
    for name in ("python", "python3"):
        (place.program / "bin" / name).symlink_to("/usr/bin/python3")
    text = VENV.format(version=place.recipe["python"]["version"])
    (place.program / "pyvenv.cfg").write_text(text)


def _unpack_packages(place: Place, llama: Llama) -> None:
    """The packages of others, which change seldom and are kept byte-compiled."""
    how = content_of([LOCK, Path(__file__)])
    key = key_of(how, llama.wheel.name, content_of([llama.wheel, llama.dotprod]))
    tar = keep(place, "packages", key)
    if not tar.exists():
        _install_packages(place, llama)
        compile_bytes(place, _packages(place))
        draft = tar.with_suffix(".part")
        with tarfile.open(draft, "w") as archive:
            archive.add(place.packages, ".")
        draft.rename(tar)
        return
    with tarfile.open(tar) as archive:
        archive.extractall(place.packages, filter="tar")


def _install_packages(place: Place, llama: Llama) -> None:
    log = place.log / "program.log"
    platforms = [f"--platform={name}" for name in (*PLATFORMS, "linux_aarch64")]
    pip: Words = [
        *(place.python, "-m", "pip", "install", "--no-deps", "--no-compile", "--quiet"),
        # pip would hold this machine's Python, which may be older, against what a package asks.
        "--ignore-requires-python",
        *("--target", place.packages, f"--python-version={place.recipe['python']['version']}"),
        *platforms,
    ]
    call([*pip, "--require-hashes", "--requirement", LOCK], log=log)
    call([*pip, llama.wheel], log=log)
    libraries = place.packages / "llama_cpp" / "lib"
    shutil.copy(llama.dotprod, libraries / llama.dotprod.name)
    _drop_copies(libraries)
    for name in ("bin", "include", "lib", "share"):  # what wheels put beside their packages
        shutil.rmtree(place.packages / name, ignore_errors=True)


def _drop_copies(libraries: Path) -> None:
    """A wheel holds no links, so each library is in it once for each of its names."""
    for copy in libraries.glob("*.so.*"):
        plain = copy.name.partition(".so.")[0] + ".so"
        copy.unlink()
        copy.symlink_to(plain)


def _install_ours(place: Place) -> None:
    log = place.log / "program.log"
    with TemporaryDirectory(prefix="source-", dir=place.work) as temp:
        source = Path(temp, "source")
        _copy_source(source)
        pip: Words = [
            place.python,
            "-m",
            "pip",
            "wheel",
            "--no-deps",
            "--quiet",
            "--wheel-dir",
            temp,
        ]
        call([*pip, source], log=log)
        wheel = next(Path(temp).glob("llmagentos-*.whl"))
        install: Words = [
            place.python,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--no-compile",
            "--quiet",
        ]
        call([*install, "--target", place.packages, "--upgrade", wheel], log=log)
    shutil.rmtree(place.packages / "bin", ignore_errors=True)


def _copy_source(folder: Path) -> None:
    """What belongs to the product, without what lies about in a working copy."""
    folder.mkdir()
    for name in (*OURS, "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        listed: Words = ["git", "-C", REPO, "ls-files", "-z", "-co", "--exclude-standard", name]
        for path in read(listed).split("\0"):
            if path and (REPO / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPO / path, folder / path)


def _write_commands(place: Place) -> None:
    entries = ConfigParser()
    entries.read(next(place.packages.glob("llmagentos-*.dist-info")) / "entry_points.txt")
    library = f"{_packages(place)}/llama_cpp/lib/libggml-cpu-dotprod.so"
    for name, target in entries["console_scripts"].items():
        module, _, function = target.partition(":")
        text = START_LLM if name == "agentd-llm" else START
        file = place.program / "bin" / name
        words = {"home": HOME, "module": module, "function": function, "library": library}
        file.write_text(text.format(**words))
        file.chmod(0o755)
    (place.root / "usr/bin/agentctl").symlink_to(f"{HOME}/bin/agentctl")
