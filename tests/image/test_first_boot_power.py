"""First boot on cards that are full, write-protected or pulled, and with power that is cut."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.config import parse
from tests.image.box import Box, Power
from tests.image.card_files import BROKER, GOOD, IMAGER_NETWORK, IMAGER_USER, ROOM, WIFI


@pytest.fixture(autouse=True)
def disk_is_fast(monkeypatch) -> None:
    """What is synced is checked by `Power`; to wait for this machine's disk proves nothing."""
    monkeypatch.setattr("os.fsync", lambda file: None)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the machine has one: a thousand starts are many files."""
    shared = Path("/dev/shm")
    with TemporaryDirectory(dir=shared if shared.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(tmp_path / "box")
    made.put("cmdline.txt", "root=PARTLABEL=root_a\n")
    return made


# the card --------------------------------------------------------------------------------------


def test_card_is_open_for_writing_only_while_it_is_written(box: Box) -> None:
    box.put("agentd.toml", BROKER)
    box.start()
    assert not box.is_open
    opened = []
    box.card.open = opened.append
    box.start()
    assert opened == []  # nothing new to write


def test_a_card_that_is_write_protected_keeps_its_secrets_and_is_told(box: Box) -> None:
    def refuse(is_open: bool) -> None:
        raise OSError(30, "Read-only file system")

    box.card.open = refuse
    box.put("wifi.toml", WIFI)
    found = box.start()
    assert box.card_text("wifi.toml") == WIFI
    assert "wifi.toml: a password in it stays on the card" in found.problems[0]
    assert "psk=" in box.generated("llmagentos/wifi/wpa_supplicant.conf")


def test_a_full_card_keeps_what_was_on_it(box: Box, monkeypatch) -> None:
    real = os.write

    def write(file: int, data: bytes) -> int:
        if os.readlink(f"/proc/self/fd/{file}").startswith(str(box.places.card)):
            raise OSError(28, "No space left on device")
        return real(file, data)

    monkeypatch.setattr(os, "write", write)
    box.put("wifi.toml", WIFI)
    found = box.start()
    assert "No space left on device" in found.problems[0]
    assert sorted(path.name for path in box.places.card.iterdir()) == ["cmdline.txt", "wifi.toml"]
    assert box.card_text("wifi.toml") == WIFI


def test_secrets_stay_on_the_card_when_the_box_cannot_remember_them(box: Box) -> None:
    box.put("wifi.toml", WIFI)
    box.places.memory.mkdir(parents=True)  # a folder in the file's place: it cannot be replaced
    found = box.start()
    assert "passwords stay on the card" in found.problems[0]
    assert box.card_text("wifi.toml") == WIFI


def test_second_start_with_the_same_card_writes_nothing(box: Box) -> None:
    box.put("agentd.toml", ROOM + BROKER)
    box.put("network-config", IMAGER_NETWORK)
    box.put("user-data", IMAGER_USER)
    box.report(box.start())
    before = box.lasting()
    box.power_on()
    power = Power(cut_at=None)
    shutil.copytree(box.folder / "run", box.folder / "spare", dirs_exist_ok=True)
    with power.on():
        box.prepare()
    assert box.lasting() == before
    assert box.keys_made == 1
    steps = power.steps
    with (again := Power(cut_at=None)).on():
        box.prepare()
    assert again.steps == 0, "the same start again has nothing to do"
    assert steps > 0


WHOLE = {
    "agentd.toml":     ROOM + BROKER,
    "wifi.toml":       WIFI,
    "network-config":  IMAGER_NETWORK,
    "user-data":       IMAGER_USER,
}  # fmt: skip
BEGINNINGS = ("Tr0ub4do", "correct ", "49909842", "$y$jB5$L")


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_was_cut_short_anywhere_does_no_harm(name: str, memory: Path) -> None:
    data = WHOLE[name].encode()
    for length in range(0, len(data), 3):
        box = Box(memory / str(length))
        box.put("agentd.toml", GOOD)
        box.start()
        box.put(name, data[:length])
        report = box.report(box.start())
        assert "kitchen" in box.config or name == "agentd.toml"
        parse(box.config, path=Path("agentd.toml"))
        assert not [each for each in BEGINNINGS if each in report], (length, report)
        shutil.rmtree(box.folder)


@settings(max_examples=50)
@given(st.sampled_from(sorted(WHOLE)), st.binary(max_size=300))
def test_garbage_in_any_file_is_at_worst_a_line_in_the_report(name: str, data: bytes) -> None:
    with TemporaryDirectory() as folder:
        box = Box(Path(folder) / "box")
        box.put(name, data)
        found = box.start()
        assert all("\n" not in each for each in found.problems)
        assert found.node


# power -----------------------------------------------------------------------------------------

CARDS = {
    "a household's broker": {"agentd.toml": ROOM + BROKER, "wifi.toml": WIFI, "network-config": IMAGER_NETWORK},
    "its own, shared":      {"agentd.toml": ROOM + "[mqtt]\nshare = true\n", "user-data": IMAGER_USER},
    "a broken file":        {"agentd.toml": "[node\n", "network-config": IMAGER_NETWORK},
}  # fmt: skip


@pytest.mark.parametrize("forgetful", [None, "card", "var"])
@pytest.mark.parametrize("files", CARDS.values(), ids=CARDS.keys())
def test_power_cut_at_any_step_leaves_a_box_that_starts(files, forgetful, memory: Path) -> None:
    for cut_at in range(1, 1000):
        box = Box(memory / str(cut_at))
        box.put("agentd.toml", GOOD)
        box.start()
        for name, text in files.items():
            box.put(name, text)
        box.power_on()
        power = Power(cut_at=cut_at, forgetful=forgetful and box.folder / forgetful)
        with power.on():
            box.prepare()
        assert parse(box.config, path=Path("agentd.toml")).node.name == "kitchen", cut_at
        check_came_through(box, files)
        if power.steps < cut_at:
            assert cut_at > 20, "the cuts have missed everything"
            return
        shutil.rmtree(box.folder)
    raise AssertionError("it never came to its end")


def check_came_through(box: Box, files: dict[str, str]) -> None:
    """The next start has all that the owner wrote, and nothing of it is still on the card."""
    found = box.start()
    box.report(found)
    wanted = GOOD if found.problems else box.card_text("agentd.toml")
    assert box.config == wanted
    conf = box.generated("llmagentos/wifi/wpa_supplicant.conf")
    for name, secret in (
        ("wifi.toml", "correct horse battery"),
        ("network-config", "49909842786a"),
    ):
        assert (secret in conf) == (name in files)
        assert name not in files or secret not in box.card_text(name)
    if "password" in files["agentd.toml"]:
        assert box.places.mqtt_password.read_text() == "Tr0ub4dor&3\n"
    if "share" in files["agentd.toml"]:
        kept = json.loads(box.places.credentials.read_text())
        assert kept["password"] in box.card_text("agentd-report.txt")
        assert box.places.host_key.read_text().startswith("key ")
    assert not list(box.folder.rglob("*.making*"))
