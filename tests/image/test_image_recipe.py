"""The image's recipe names the versions that the project names, and its texts are made as wanted."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

REPO = Path(__file__).parents[2]
HERE = REPO / "image-build/image"
NOT_A_WHEEL = {"llama-cpp-python", "systemd-python"}
"""Cross-compiled, and Debian's."""


def plain(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted() -> dict[str, str]:
    """What the project pins for a box, by name."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["box"]
    pairs = (line.partition(";")[0].strip().split("==") for line in lines)
    return {plain(name): version for name, version in pairs}


def locked() -> dict[str, str]:
    """What the image holds, by name."""
    rows = re.findall(r"^([\w.-]+)==(\S+) --hash=sha256:[0-9a-f]{64}$", lock_text(), re.MULTILINE)
    return {plain(name): version for name, version in rows}


def lock_text() -> str:
    return (HERE / "wheels.lock").read_text()


@pytest.fixture
def place() -> Iterator[ModuleType]:
    """The recipe's module, which lies in no package of ours."""
    sys.path.insert(0, str(HERE))
    try:
        from step import place

        yield place
    finally:
        sys.path.remove(str(HERE))


def test_every_locked_package_has_a_hash() -> None:
    lines = [line for line in lock_text().splitlines() if not line.startswith("#")]
    assert len(lines) == len(locked())


def test_image_holds_the_versions_that_the_project_pins() -> None:
    ours = {name: version for name, version in wanted().items() if name not in NOT_A_WHEEL}
    assert {name: locked().get(name) for name in ours} == ours


def test_image_compiles_the_llama_that_the_project_pins() -> None:
    recipe = tomllib.loads((HERE / "recipe.toml").read_text())
    assert recipe["llama"]["version"] == wanted()["llama-cpp-python"]


def test_slots_fit_the_bar_of_the_image() -> None:
    disk = tomllib.loads((HERE / "recipe.toml").read_text())["disk"]
    mib = sum(disk[f"{name}_mib"] for name in ("bootcfg", "boot", "root", "data"))
    assert (mib + 16) << 20 < disk["most_bytes"]


PACKAGE_LISTS = {
    "empty":            ("", []),
    "comment alone":    ("# nothing\n", []),
    "comment behind":   ("udev # devices\n", ["udev"]),
    "several a line":   ("udev dbus\n\nkmod", ["udev", "dbus", "kmod"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "names"), PACKAGE_LISTS.values(), ids=PACKAGE_LISTS)
def test_package_list_is_read(
    place: ModuleType, tmp_path: Path, text: str, names: list[str]
) -> None:
    (tmp_path / "packages").write_text(text)
    assert place.names_in(tmp_path / "packages") == names


def test_cache_keeps_one_result_of_a_step(place: ModuleType, tmp_path: Path) -> None:
    here = place.Place(tmp_path, tmp_path, {})
    (tmp_path / "base-old.tar").touch()
    (tmp_path / "llama-old.tar").touch()
    assert place.keep(here, "base", "new") == tmp_path / "base-new.tar"
    assert [path.name for path in tmp_path.glob("*.tar")] == ["llama-old.tar"]


def test_second_slot_is_started_from_where_first_boot_makes_it() -> None:
    made = sorted(path.name for path in (HERE / "overlay/usr/lib/repart.d").iterdir())
    number = next(i for i, name in enumerate(made, 1) if "boot-b" in name)
    assert f"[tryboot]\nboot_partition={number}\n" in (HERE / "card/autoboot.txt").read_text()


def test_every_file_for_a_system_is_on_the_list_of_what_is_installed() -> None:
    done = subprocess.run([HERE.parent / "install.sh", "list"], capture_output=True, text=True)
    listed = {line.partition("\t")[0] for line in done.stdout.splitlines()}
    there = {
        str(file.relative_to(REPO)) for file in (REPO / "systemd").rglob("*") if file.is_file()
    }
    assert listed == there - {"systemd/agentd.toml"}  # a configuration, which is never overwritten
