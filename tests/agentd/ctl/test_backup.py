"""Backup and restore, over a real box: all or nothing, and no password in the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentd.ctl.app import app
from agentd.ctl.backup import with_password
from tests.agentd.box import ROOM, ask, running

PASSWORD = 'pass = word\\"'
WITH_PASSWORD = ROOM.replace(
    'broker = "off"', 'broker = "off"\nuser = "home"\npassword = "pass = word\\\\\\""'
)
NIGHT = {
    "id": "night", "when": {"at": "23:00", "days": ["mon"]},
    "do": [{"device": "lamp", "action": "set_brightness", "args": {"brightness": 5}}],
    "only_if": [{"device": "lamp", "value": "on"}],
}  # fmt: skip
OTHER = {"id": "other", "when": {"every_s": 3600}, "say": "An “hour”\\ is over."}


class Place:
    """A running box, and the command line at it."""

    def __init__(self, folder: Path) -> None:
        self.config, self.folder = folder / "agentd.toml", folder
        self.file = folder / "box.backup"

    def call(self, *words: str):
        return CliRunner(env={"LLMAGENTOS_RUN": str(self.folder)}).invoke(app, list(words))

    def rules(self) -> dict:
        listed = ask(self.folder, "rules")["rules"]
        return {each["id"]: (each["rule"], each["enabled"]) for each in listed}

    def change(self, change) -> None:
        """Change what the backup holds, and its hashes with it."""
        from agentd.ctl.backup import decode, encode

        held = decode(self.file.read_text(), name="x")
        self.file.write_text(encode(change(held)))


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("r")  # short: a socket's path has 107 bytes
    with running(folder, WITH_PASSWORD):
        yield Place(folder)


def test_what_was_backed_up_comes_back(place: Place) -> None:
    for rule in (NIGHT, OTHER):
        ask(place.folder, "rules", add=rule)
    ask(place.folder, "rules", disable="other")
    said = place.call("backup", str(place.file))
    assert (said.exit_code, "password is not in it" in said.stdout) == (0, True)
    before = place.rules()
    ask(place.folder, "rules", remove="night")
    ask(place.folder, "rules", add={**OTHER, "id": "newer"})
    place.config.write_text(WITH_PASSWORD.replace("desk lamp", "table lamp"))
    ask(place.folder, "reload")
    done = place.call("restore", str(place.file))
    assert done.exit_code == 0, done.stderr
    assert place.rules() == before
    assert place.config.read_text() == WITH_PASSWORD
    names = [each["name"] for each in ask(place.folder, "devices")["devices"]]
    assert "desk lamp" in names
    kept = place.config.with_name("agentd.toml.before-restore")
    assert "table lamp" in kept.read_text()


def test_no_secret_is_in_the_file_and_it_is_for_its_owner_alone(place: Place) -> None:
    place.call("backup", str(place.file))
    assert "word" not in place.file.read_text().replace("password", "")
    assert place.file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text[: len(text) // 2], id="cut off"),
        pytest.param(lambda text: "", id="empty"),
        pytest.param(lambda text: "[]", id="another JSON"),
        pytest.param(lambda text: text.replace("desk lamp", "disk lamp"), id="a byte"),
        pytest.param(lambda text: text.replace("agentd-backup", "zip"), id="another format"),
        pytest.param(
            lambda text: text.replace('"version": 1', '"version": 2'), id="a later version"
        ),
    ],
)
def test_a_damaged_file_changes_nothing(place: Place, damage) -> None:
    place.call("backup", str(place.file))
    place.file.write_text(damage(place.file.read_text()))
    assert_nothing_changes(place, "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"toml": "[node]\nnam = 1\n"}, "nam", id="configuration"),
        pytest.param({"rules": ({**NIGHT, "do": [{"device": "nose", "action": "turn_on"}]},)}, "nose", id="a rule without its device"),
        pytest.param({"rules": ({**NIGHT, "id": 5},)}, "id", id="a rule of another type"),
        pytest.param({"rules": (NIGHT, NIGHT)}, "stands twice", id="two rules of one id"),
    ],
)  # fmt: skip
def test_what_the_box_would_not_take_changes_nothing(place: Place, change, said) -> None:
    from dataclasses import replace

    place.call("backup", str(place.file))
    place.change(lambda held: replace(held, **change))
    assert_nothing_changes(place, said)


def test_a_rule_that_is_switched_off_and_unknown_puts_all_back(place: Place) -> None:
    from dataclasses import replace

    place.call("backup", str(place.file))
    place.change(lambda held: replace(held, off=("nix",)))
    assert_nothing_changes(place, "all is as it was: no rule 'nix'")


def test_a_configuration_that_cannot_be_written_puts_all_back(place: Place) -> None:
    place.call("backup", str(place.file))
    place.config.with_name("agentd.toml.new").mkdir()
    assert_nothing_changes(place, "all is as it was: ")


def assert_nothing_changes(place: Place, said: str) -> None:
    ask(place.folder, "rules", add=NIGHT)
    before, text = place.rules(), place.config.read_text()
    done = place.call("restore", str(place.file))
    assert done.exit_code != 0
    assert said in done.stderr
    assert (place.rules(), place.config.read_text()) == (before, text)


def test_a_password_that_is_nowhere_is_left_out_and_told() -> None:
    masked = '[mqtt]\nbroker = "h"\npassword = "********"\n'
    assert with_password(masked, "[mqtt]\n") == (
        '[mqtt]\nbroker = "h"\n# password = "********"\n',
        True,
    )
    assert with_password("[mqtt]\n", "x") == ("[mqtt]\n", False)
    for written in ('"a\\"b\\\\1"', "'a b'"):
        there = f"password = {written}"
        assert with_password(masked, there) == (masked.replace('"********"', written), False)


def test_json_of_a_backup_has_a_version_and_hashes(place: Place) -> None:
    place.call("backup", str(place.file), "--json")
    body = json.loads(place.file.read_text())
    assert (body["format"], body["version"]) == ("agentd-backup", 1)
    assert set(body["sha256"]) == set(body["parts"]) == {"toml", "rules", "off"}
