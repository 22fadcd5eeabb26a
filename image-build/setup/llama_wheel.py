"""Builds llama-cpp-python once for this kind of CPU, keeps the wheel, installs it in this venv.

The default build optimises for the CPU as it announces itself. Under some hypervisors that is
more than may be used (AMX) and the first computation dies, so the instruction sets are named
here one by one. None is newer than AVX2 and dotprod: AVX-512 and VNNI gained nothing measurable
with the small models, AVX2 decodes four times as fast as SSE. The wheel is kept per set.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

X86_SETS: Final = {
    "GGML_SSE42": "sse4_2",
    "GGML_AVX": "avx",
    "GGML_AVX2": "avx2",
    "GGML_BMI2": "bmi2",
    "GGML_FMA": "fma",
    "GGML_F16C": "f16c",
}
"""CMake option of each instruction set, with its flag in /proc/cpuinfo."""

ARM_SETS: Final = {"+dotprod": "asimddp", "+fp16": "asimdhp"}
"""Suffix of the architecture, with its feature in /proc/cpuinfo; a Pi 5 has both, a Pi 4 none."""

COMPILER_BYTES: Final = 1 << 30
"""Memory left to each compiler that runs at once; the largest file takes about 0.8 GB."""

STEP: Final = re.compile(r"\[(\d+)/(\d+)\]")


def main() -> int:
    """Make sure that this venv has the wheel; 0 when it has. `--where` only tells its folder."""
    version = pinned_version((ROOT / "pyproject.toml").read_text())
    options = cmake_options(platform.machine(), Path("/proc/cpuinfo").read_text())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmagentos/wheels"
    folder = cache / cache_key(version, platform.machine(), platform.libc_ver()[1], options)
    if "--where" in sys.argv[1:]:
        print(folder)
        return 0
    try:
        with only_one(cache):
            if not folder.is_dir():
                build(version, options, folder)
    except KeyboardInterrupt:
        print("\nset-up: stopped; nothing half-built is kept")
        return 130
    except BuildFailed as exc:
        print(f"\nset-up: {exc}", file=sys.stderr)
        return 1
    return install(folder)


class BuildFailed(Exception):
    """The wheel could not be built; the text says where to look."""


def pinned_version(pyproject: str) -> str:
    """The version that the project asks for."""
    extras = tomllib.loads(pyproject)["project"]["optional-dependencies"]["box"]
    pin = next(line for line in extras if line.startswith("llama-cpp-python=="))
    return str(pin.partition("==")[2])


def cmake_options(machine: str, cpuinfo: str) -> tuple[str, ...]:
    """What to hand to CMake for a CPU that describes itself so."""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    flags = set(found[1].split()) if found else set()
    options = ["-DGGML_NATIVE=OFF", "-DLLAVA_BUILD=OFF"]
    if machine in ("x86_64", "AMD64"):
        for option, flag in X86_SETS.items():
            options.append(f"-D{option}={'ON' if flag in flags else 'OFF'}")
    elif machine == "aarch64":
        sets = "".join(suffix for suffix, feature in ARM_SETS.items() if feature in flags)
        options.append(f"-DGGML_CPU_ARM_ARCH={'armv8.2-a' if sets else 'armv8-a'}{sets}")
    return tuple(options)


def cache_key(version: str, machine: str, libc: str, options: tuple[str, ...]) -> str:
    """Name of the folder for wheels that may stand in for each other. The wheel loads its library
    through ctypes, so one serves every Python."""
    mark = hashlib.sha256(" ".join(options).encode()).hexdigest()[:8]
    return f"llama-cpp-python-{version}-py3-{machine}-glibc{libc}-{mark}"


def build(version: str, options: tuple[str, ...], folder: Path) -> None:
    """Build the wheel aside, then let its folder appear in one step."""
    print(f"set-up: building llama-cpp-python {version}, once on this machine", flush=True)
    print("        (about 5 minutes on two PC cores, 25 on a Pi 4)", flush=True)
    cache = folder.parent
    for leftover in cache.glob(".building-*"):  # of a build that was killed
        shutil.rmtree(leftover)
    with TemporaryDirectory(prefix=".building-", dir=cache) as temp:
        log = cache / "build.log"
        code = run_pip(version, options, Path(temp), log)
        if code or not list(Path(temp, "wheel").glob("*.whl")):
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise BuildFailed(f"llama-cpp-python did not build:\n{tail}\nAll of it: {log}")
        Path(temp, "wheel").rename(folder)
    log.unlink()


def run_pip(version: str, options: tuple[str, ...], temp: Path, log: Path) -> int:
    """Run the build with its progress shown; returns pip's exit status."""
    # pip's own cache would hand out a wheel built with other options.
    command = [
        *(sys.executable, "-P", "-m", "pip", "wheel", "--verbose", "--no-deps", "--no-cache-dir"),
        *("--progress-bar=off", "--wheel-dir", str(temp / "wheel"), f"llama-cpp-python=={version}"),
    ]
    environ = os.environ | {
        "CMAKE_ARGS": " ".join(options),
        "CMAKE_BUILD_PARALLEL_LEVEL": str(compilers()),
        "TMPDIR": str(temp),
        "PIP_CONSTRAINT": str(ROOT / "image-build" / "constraints.txt"),
    }
    with subprocess.Popen(
        command, env=environ, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as pip:  # fmt: skip
        try:
            watch(pip, log)
        except BaseException:
            pip.terminate()
            raise
    return pip.returncode


def compilers() -> int:
    """How many to run at once: one a core, as far as the memory goes."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(os.cpu_count() or 1, memory // COMPILER_BYTES))


def watch(pip: subprocess.Popen[str], log: Path) -> None:
    """Copy what pip says to the log, and show where it is until it ends."""
    lines: Queue[str | None] = Queue()
    Thread(target=_read, args=(pip, log, lines), daemon=True).start()
    show = Progress()
    while True:
        try:
            line = lines.get(timeout=1.0)
        except Empty:
            show.tick(time.monotonic())
            continue
        if line is None:
            break
        show.hear(line)
        show.tick(time.monotonic())
    show.end()


def _read(pip: subprocess.Popen[str], log: Path, lines: Queue[str | None]) -> None:
    with log.open("w") as copy:
        for line in pip.stdout or ():
            copy.write(line)
            lines.put(line)
    lines.put(None)


class Progress:
    """One line that changes on a terminal, a line each quarter of a minute elsewhere."""

    PAUSE_S: Final = 15.0

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._began_at = self._said_at = time.monotonic()
        self._place = "downloading the source"
        self._shown = ""

    def hear(self, line: str) -> None:
        """Take one line of pip's output."""
        if step := STEP.match(line.strip()):
            self._place = f"compiling, {step[1]} of {step[2]}"
        elif "Building wheel" in line:
            self._place = "configuring"

    def tick(self, now_s: float) -> None:
        """Show the state, when there is something new or it is time for a sign of life."""
        minutes, seconds = divmod(int(now_s - self._began_at), 60)
        text = f"        {minutes}:{seconds:02} {self._place}"
        if self._is_terminal and text != self._shown:
            print(f"\r\033[K{text}", end="", flush=True)
            self._shown = text
        elif not self._is_terminal and now_s - self._said_at >= self.PAUSE_S:
            print(text, flush=True)
            self._said_at = now_s

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal:
            print("\r\033[K", end="", flush=True)


def install(folder: Path) -> int:
    """Put the wheel into this venv; returns pip's exit status."""
    wheel = next(folder.glob("*.whl"))
    pip = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)]
    return subprocess.run(pip, check=False).returncode


@contextmanager
def only_one(cache: Path) -> Iterator[None]:
    """Let one set-up at a time build; the others wait and find its wheel."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up: another set-up is building llama-cpp-python, waiting", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
