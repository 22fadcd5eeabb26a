"""llama-cpp-python for arm64, cross-compiled once: a wheel that runs on every 64-bit board, and
its arithmetic a second time for cores that have dot products.

It loads its libraries through ctypes, so one wheel serves every Python, and only its tag has to be
put right: pip names a wheel after the machine that built it.
"""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from step.place import REPO, Place, content_of, keep, key_of
from step.shell import Words, call, read, verb

COMPILER = "aarch64-linux-gnu"

TOOLCHAIN = f"""
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER {COMPILER}-gcc)
set(CMAKE_CXX_COMPILER {COMPILER}-g++)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
"""

OPTIONS = ("-DGGML_NATIVE=OFF", "-DLLAVA_BUILD=OFF", "-DCMAKE_BUILD_TYPE=Release")


@dataclass(frozen=True, slots=True)
class Llama:
    """What was compiled."""

    wheel: Path

    dotprod: Path
    """libggml-cpu for cores with dot products."""


def compile_llama(place: Place) -> Llama:
    """The wheel and the library, compiled unless they are kept from an earlier build."""
    llama = place.recipe["llama"]
    gcc = read([f"{COMPILER}-gcc", "-dumpfullversion"]).strip()
    tar = keep(place, "llama", key_of(llama, content_of([Path(__file__)]), gcc))
    if not tar.exists():
        with verb("compiling llama.cpp for arm64 (about 6 minutes)"):
            _compile(place, tar)
    folder = place.work / "llama"
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(tar) as archive:
        archive.extractall(folder, filter="data")
    return Llama(next(folder.glob("*.whl")), folder / "libggml-cpu-dotprod.so")


def _compile(place: Place, tar: Path) -> None:
    with TemporaryDirectory(prefix="llama-", dir=place.work) as temp:
        work = Path(temp)
        (work / "arm64.cmake").write_text(TOOLCHAIN)
        source = _unpack(place, work)
        _make_wheel(place, source, work)
        _make_dotprod(place, source, work)
        draft = tar.with_suffix(".part")
        with tarfile.open(draft, "w") as archive:
            for file in sorted((work / "out").iterdir()):
                archive.add(file, file.name)
        draft.rename(tar)


def _unpack(place: Place, work: Path) -> Path:
    llama = place.recipe["llama"]
    wanted = work / "sdist.txt"
    wanted.write_text(f"llama-cpp-python=={llama['version']} --hash=sha256:{llama['sha256']}\n")
    call(
        [
            *(place.python, "-m", "pip", "download", "--no-deps", "--no-binary=:all:"),
            *("--require-hashes", "--dest", work, "--requirement", wanted),
        ],
        log=place.log / "llama.log",
    )
    with tarfile.open(next(work.glob("*.tar.gz"))) as archive:
        archive.extractall(work / "source", filter="data")
    return next((work / "source").iterdir())


def _options(work: Path, arch: str) -> list[str]:
    return [
        f"-DCMAKE_TOOLCHAIN_FILE={work / 'arm64.cmake'}",
        *OPTIONS,
        f"-DGGML_CPU_ARM_ARCH={arch}",
    ]


def _make_wheel(place: Place, source: Path, work: Path) -> None:
    out, log = work / "out", place.log / "llama.log"
    environ = {
        "CMAKE_ARGS": " ".join(_options(work, place.recipe["llama"]["plain"])),
        "PIP_CONSTRAINT": str(REPO / "image-build" / "constraints.txt"),
    }
    pip: Words = [place.python, "-m", "pip", "wheel", "--verbose", "--no-deps", "--no-cache-dir"]
    call([*pip, "--wheel-dir", out, source], log=log, environ=environ)
    tag: Words = ["tags", "--remove", "--platform-tag", "linux_aarch64", next(out.glob("*.whl"))]
    call([place.python, "-m", "wheel", *tag], log=log)


def _make_dotprod(place: Place, source: Path, work: Path) -> None:
    log, build = place.log / "llama.log", work / "dotprod"
    options = _options(work, place.recipe["llama"]["dotprod"])
    off = [f"-DLLAMA_BUILD_{part}=OFF" for part in ("COMMON", "TESTS", "TOOLS", "EXAMPLES")]
    shared = ["-G", "Ninja", "-DBUILD_SHARED_LIBS=ON", "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON"]
    rpath = "-DCMAKE_INSTALL_RPATH=$ORIGIN"
    llama_cpp = source / "vendor" / "llama.cpp"
    call(["cmake", "-S", llama_cpp, "-B", build, *shared, rpath, *options, *off], log=log)
    call(["cmake", "--build", build, "--target", "ggml-cpu"], log=log)
    library = next(path for path in build.rglob("libggml-cpu.so*") if not path.is_symlink())
    stripped = work / "out" / "libggml-cpu-dotprod.so"
    call([f"{COMPILER}-strip", "--strip-unneeded", "-o", stripped, library], log=log)
