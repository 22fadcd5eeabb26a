"""What lies on the image: partitions, firmware, one architecture, no secrets, all that is imported."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.image.guest import built_image, partitions

MIB = 1 << 20
AARCH64 = 183
PACKAGES = "usr/lib/llmagentos/lib/python3.13/site-packages"
PYTHON = ("/usr/lib/llmagentos/bin/python", "-P")


@pytest.fixture(scope="module")
def image() -> Path:
    return built_image()


@pytest.fixture(scope="module")
def root(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root file system as it lies on the image, unpacked into a folder."""
    folder = tmp_path_factory.mktemp("root")
    start, size = partitions(image)["root_a"]
    part = folder / "root_a.erofs"
    with image.open("rb") as source, part.open("wb") as target:
        source.seek(start)
        for _ in range(size // MIB):
            target.write(source.read(MIB))
    extract: list[str | Path] = ["fsck.erofs", f"--extract={folder / 'root'}", part]
    subprocess.run(extract, check=True, capture_output=True)
    return folder / "root"


def run(root: Path, *command: str, cpu: str = "cortex-a72") -> str:
    """What an arm64 command prints in the unpacked root, under qemu-user."""
    inside = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside, root, *command],
        env={"QEMU_CPU": cpu, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_boot(image: Path, name: str) -> str:
    """A text of the boot partition."""
    start, _ = partitions(image)["boot_a"]
    read = ["mtype", "-i", f"{image}@@{start}", f"::{name}"]
    return subprocess.run(read, check=True, capture_output=True, text=True).stdout


def test_image_stays_below_its_bar(image: Path) -> None:
    assert image.stat().st_size < 1_600_000_000


def test_partitions_leave_room_for_a_second_slot_behind_data(image: Path) -> None:
    table = partitions(image)
    assert list(table) == ["bootcfg", "boot_a", "root_a", "data"]
    assert all(start % (4 * MIB) == 0 for start, _ in table.values())


@pytest.mark.parametrize(
    "name",
    [
        "start4.elf",
        "fixup4.dat",
        "bcm2711-rpi-4-b.dtb",
        "bcm2712-rpi-5-b.dtb",
        "vmlinuz",
        "initrd.img",
    ],
)
def test_firmware_finds(image: Path, name: str) -> None:
    start, _ = partitions(image)["boot_a"]
    listed = subprocess.run(["mdir", "-b", "-i", f"{image}@@{start}", "::"], capture_output=True)
    assert f"::/{name}\n" in listed.stdout.decode()


def test_firmware_takes_a_kernel_that_does_not_name_the_pi_5(image: Path) -> None:
    assert re.search(r"^\[pi5\]\n(#.*\n)*os_check=0$", read_boot(image, "config.txt"), re.MULTILINE)


def test_kernel_is_of_a_kind_the_firmware_can_start(image: Path, tmp_path: Path) -> None:
    start, _ = partitions(image)["boot_a"]
    subprocess.run(["mcopy", "-i", f"{image}@@{start}", "::vmlinuz", tmp_path], check=True)
    head = (tmp_path / "vmlinuz").read_bytes()[:64]
    assert head[56:60] == b"ARM\x64", "an arm64 Image has its magic here"
    assert head[4:8] != b"zimg", "the firmware cannot unpack an EFI zboot kernel"


def test_nothing_is_of_the_wrong_architecture(root: Path) -> None:
    strangers, seen = [], 0
    for file in root.rglob("*"):
        if file.is_symlink() or not file.is_file():
            continue
        with file.open("rb") as stream:
            head = stream.read(20)
        if head[:4] == b"\x7fELF":
            seen += 1
            if int.from_bytes(head[18:20], "little") != AARCH64:
                strangers.append(str(file.relative_to(root)))
    assert seen > 500
    assert strangers == []


def test_every_package_can_be_imported(root: Path) -> None:
    code = """
import importlib, pkgutil, sys
from importlib.metadata import packages_distributions
names = {n for n in packages_distributions() if n.isidentifier() and not n.startswith("_")}
ours = [m.name for p in ("agentd", "hal", "models", "llmagentos")
        for m in pkgutil.walk_packages(importlib.import_module(p).__path__, p + ".")
        if not m.name.endswith("__main__")]
for name in sorted(names | set(ours) | {"systemd.daemon"}):
    try:
        importlib.import_module(name)
    except BaseException as exc:
        print(name, repr(exc))
"""
    assert run(root, *PYTHON, "-c", code) == ""


@pytest.mark.parametrize(
    ("cpu", "library"), [("cortex-a72", "libggml-cpu.so"), ("cortex-a76", "libggml-cpu-dotprod.so")]
)
def test_llama_computes_as_its_core_can(root: Path, cpu: str, library: str) -> None:
    code = """
source = open("/usr/lib/llmagentos/bin/agentd-llm").read().partition("\\nfrom ")[0]
exec(source)
import llama_cpp
llama_cpp.llama_print_system_info()
print({line.split("/")[-1].strip() for line in open("/proc/self/maps") if "ggml-cpu" in line})
"""
    assert run(root, *PYTHON, "-c", code, cpu=cpu).strip() == str({library})


def test_models_match_their_hashes(root: Path) -> None:
    code = """
from models import store
print(store.find("vosk-small-en"), store.find("smollm2-135m"))
"""
    assert "/usr/share/llmagentos/models/smollm2-135m" in run(root, *PYTHON, "-c", code)


def test_everything_is_compiled(root: Path) -> None:
    folder = root / PACKAGES
    sources = [path for path in folder.rglob("*.py") if "/agentd/" in str(path)]
    bare = [
        path for path in sources
        if not list((path.parent / "__pycache__").glob(f"{path.stem}.cpython-313.pyc"))
    ]  # fmt: skip
    assert sources
    assert bare == []


def test_no_password_is_usable(root: Path) -> None:
    fields = [line.split(":")[1] for line in (root / "etc/shadow").read_text().splitlines()]
    assert set(fields) <= {"*", "!", "!*"}


def test_two_boxes_share_no_secret(root: Path) -> None:
    assert (root / "etc/machine-id").read_text() == ""
    assert list(root.glob("etc/ssh/ssh_host_*")) == []
    assert not (root / "var/lib/systemd/random-seed").exists()


def test_every_debian_package_is_listed_with_its_hash(root: Path) -> None:
    text = (root / "usr/share/llmagentos/manifest.txt").read_text()
    listed = set(re.findall(r"^debian (\S+) \S+ sha256:[0-9a-f]{64}$", text, re.MULTILINE))
    query = ["dpkg-query", "--admindir=/usr/lib/sysimage/dpkg", "--show"]
    assert listed == set(run(root, *query, "--showformat=${Package}\\n").split())
    kinds = set(re.findall(r"^(\w+) .* sha256:[0-9a-f]{64}$", text, re.MULTILINE))
    assert kinds == {"debian", "wheel", "source", "model"}
