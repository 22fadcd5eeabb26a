"""Set-up: which compiler options for which CPU, which Python, which packages, in which words."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SETUP = Path(__file__).parents[2] / "image-build" / "setup"


def load_llama_wheel() -> ModuleType:
    """The script, which lies in no package."""
    spec = importlib.util.spec_from_file_location("llama_wheel", SETUP / "llama_wheel.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


llama_wheel = load_llama_wheel()

# The lines of /proc/cpuinfo that count, as these machines print them.
PI_4 = "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU part\t: 0xd08\n"
PI_5 = (
    "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm "
    "lrcpc dcpop asimddp\nCPU part\t: 0xd0b\n"
)
AMX_PC = (
    "flags\t\t: fpu sse sse2 ssse3 sse4_1 sse4_2 fma avx f16c bmi1 avx2 bmi2 avx512f avx512_vnni "
    "avx_vnni amx_bf16 amx_tile amx_int8\n"
)
OLD_PC = "flags\t\t: fpu sse sse2 ssse3 sse4_1 sse4_2 avx\n"

CPUS = {
    "Pi 4":          ("aarch64", PI_4,   {"-DGGML_CPU_ARM_ARCH=armv8-a"}),
    "Pi 5":          ("aarch64", PI_5,   {"-DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16"}),
    "PC with AMX":   ("x86_64",  AMX_PC, {"-DGGML_AVX2=ON", "-DGGML_FMA=ON", "-DGGML_F16C=ON"}),
    "PC of 2011":    ("x86_64",  OLD_PC, {"-DGGML_AVX=ON", "-DGGML_AVX2=OFF", "-DGGML_FMA=OFF"}),
    "nothing known": ("x86_64",  "",     {"-DGGML_SSE42=OFF", "-DGGML_AVX=OFF", "-DGGML_AVX2=OFF"}),
    "another kind":  ("riscv64", "",     set()),
}  # fmt: skip


@pytest.mark.parametrize(("machine", "cpuinfo", "wanted"), CPUS.values(), ids=CPUS.keys())
def test_compiler_gets_what_the_cpu_has(machine: str, cpuinfo: str, wanted: set[str]) -> None:
    options = llama_wheel.cmake_options(machine, cpuinfo)
    assert wanted <= set(options)
    assert "-DGGML_NATIVE=OFF" in options


def test_no_cpu_gets_what_crashes_under_some_hypervisors() -> None:
    options = " ".join(llama_wheel.cmake_options("x86_64", AMX_PC))
    assert "AMX" not in options
    assert "AVX512" not in options


def test_wheels_of_different_cpus_are_kept_apart() -> None:
    keys = {
        llama_wheel.cache_key("0.3.36", machine, "2.36", llama_wheel.cmake_options(machine, info))
        for machine, info, _ in CPUS.values()
    }
    assert len(keys) == len(CPUS)


def test_version_is_the_one_the_project_pins() -> None:
    text = (SETUP.parents[1] / "pyproject.toml").read_text()
    assert f"llama-cpp-python=={llama_wheel.pinned_version(text)}" in text


class Machine:
    """A machine that has only the programs put on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("bash", "cat", "env", "rm"):
            (folder / name).symlink_to(f"/bin/{name}")

    def put(self, name: str, script: str) -> None:
        path = self._folder / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SETUP / command[0], *command[1:]],
            env={"PATH": str(self._folder), **environ},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def python_of(version: str) -> str:
    """A Python that says it is of that version."""
    return f'{sys.executable} -c "import sys; sys.version_info = {version}; $2"'


PYTHONS = {
    # what is there                                                       what is taken
    "3.11 alone":     ({"python3.11": "(3, 11)"},                         "python3.11"),
    "3.11 is first":  ({"python3.11": "(3, 11)", "python3": "(3, 13)"},   "python3.11"),
    "3.13 as usual":  ({"python3": "(3, 13)"},                            "python3"),
    "too new":        ({"python3": "(3, 14)", "python3.12": "(3, 12)"},   "python3.12"),
    "too old":        ({"python3": "(3, 9)", "python3.13": "(3, 13)"},    "python3.13"),
}  # fmt: skip


@pytest.mark.parametrize(("there", "taken"), PYTHONS.values(), ids=PYTHONS.keys())
def test_first_python_that_fits_is_taken(
    there: dict[str, str], taken: str, machine: Machine, tmp_path: Path
) -> None:
    for name, version in there.items():
        machine.put(name, python_of(version))
    assert machine.run("python.sh").stdout.strip() == str(tmp_path / taken)


def test_stand_in_without_a_python_behind_it_is_passed_over(
    machine: Machine, tmp_path: Path
) -> None:
    machine.put("python3.11", "echo 'command not found' >&2; exit 127")
    machine.put("python3", python_of("(3, 12)"))
    assert machine.run("python.sh").stdout.strip() == str(tmp_path / "python3")


def test_no_python_is_one_line_with_what_to_type(machine: Machine) -> None:
    done = machine.run("python.sh")
    assert done.returncode == 1
    assert "make PYTHON=/path/to/python3.11" in done.stderr
    assert done.stderr.count("\n") == 1


def make_debian(machine: Machine, *, has: str, user: int, sudo: str | None = None) -> None:
    """A Debian with these packages, where apt-get and sudo write down how they are called."""
    machine.put("dpkg-query", f'case " {has} " in *" $4 "*) printf installed ;; *) exit 1 ;; esac')
    machine.put("id", f"echo {user}")
    machine.put("apt-get", 'echo "apt-get $*"')
    machine.put("python3", "cat >/dev/null")
    if sudo is not None:
        machine.put("sudo", sudo)


RUN_PACKAGES = (
    "mosquitto mosquitto-clients libportaudio2 espeak-ng flac g++ cmake ninja-build pkg-config "
    "libsystemd-dev"
)


def test_nothing_missing_means_nothing_said_and_no_apt(machine: Machine) -> None:
    make_debian(machine, has=RUN_PACKAGES, user=1000)
    done = machine.run("packages.sh", "run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_missing_packages_are_named_in_one_line_to_type(machine: Machine) -> None:
    make_debian(machine, has=RUN_PACKAGES.replace("mosquitto ", "").replace("flac", ""), user=1000)
    done = machine.run("packages.sh", "run")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "set-up: Debian packages are missing, type: "
        f"sudo {SETUP}/packages.sh install mosquitto flac\n"
    )


def test_sudo_that_wants_a_password_is_not_asked(machine: Machine) -> None:
    make_debian(machine, has="", user=1000, sudo='[ "$1" != -n ] || exit 1; echo asked')
    done = machine.run("packages.sh", "test")
    assert done.returncode == 1
    assert "type: sudo" in done.stderr
    assert "asked" not in done.stdout


def test_sudo_without_password_installs_what_is_missing(machine: Machine) -> None:
    make_debian(machine, has="flite strace", user=1000, sudo='[ "$1" = -n ] || echo "sudo $*"')
    done = machine.run("packages.sh", "test")
    assert done.returncode == 0
    assert done.stdout == f"sudo {SETUP}/packages.sh install shellcheck\n"


def test_python_from_debian_brings_its_venv_along(machine: Machine) -> None:
    make_debian(machine, has=RUN_PACKAGES, user=1000)
    machine.put("python3", "cat >/dev/null; echo python3.13-venv")
    assert "install python3.13-venv" in machine.run("packages.sh", "run").stderr


def test_system_without_apt_is_told_and_not_stopped(machine: Machine) -> None:
    done = machine.run("packages.sh", "test")
    assert done.returncode == 0
    assert "no apt-get here" in done.stderr


def test_wrong_word_is_answered_with_the_right_ones(machine: Machine) -> None:
    assert "run | test | install" in machine.run("packages.sh", "everything").stderr


UNIT = "[Service]\nExecStart=/opt/llmagentos/bin/agentd\n{more}\n"


@pytest.mark.parametrize(
    ("more", "status"),
    [("WatchdogSec=10", 0), ("WatchdgSec=10", 1), ("WatchdogSec=soon", 1)],
    ids=["right", "unknown key", "unreadable value"],
)
def test_unit_is_checked_though_its_program_is_not_installed(
    more: str, status: int, tmp_path: Path
) -> None:
    unit = tmp_path / "agentd.service"
    unit.write_text(UNIT.format(more=more))
    done = subprocess.run(
        [SETUP / "verify_units.sh", unit], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == status, done.stderr
