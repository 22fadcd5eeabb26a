"""First boot as its owner meets it: files on the card in, a named box and a report out."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.image.box import Box
from tests.image.card_files import BROKER, GOOD, IMAGER_NETWORK, IMAGER_USER, ROOM, WIFI

from first_boot.app import main  # isort: skip


@pytest.fixture(autouse=True)
def disk_is_fast(monkeypatch) -> None:
    """What is synced is checked by `Power`; to wait for this machine's disk proves nothing."""
    monkeypatch.setattr("os.fsync", lambda file: None)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(tmp_path / "box")
    made.put("cmdline.txt", "root=PARTLABEL=root_a\n")
    return made


# who it is -------------------------------------------------------------------------------------


def test_two_first_starts_give_different_identities_keys_and_passwords(tmp_path: Path) -> None:
    boxes = [Box(tmp_path / name) for name in ("one", "two")]
    for box in boxes:
        box.put("agentd.toml", "[mqtt]\nshare = true\n")
        box.put("user-data", IMAGER_USER)
        box.start()
    for name in ("machine-id", "ssh_host_ed25519_key", "mqtt.json"):
        one, two = ((box.places.data / name).read_bytes() for box in boxes)
        assert one != two, name


def test_identity_stays_through_starts_and_every_program_sees_it(box: Box) -> None:
    box.start()
    first = box.places.identity.read_text()
    box.start()
    assert box.places.identity.read_text() == first == box.places.machine_id.read_text()


def test_unnamed_box_is_called_by_four_digits_of_its_own(box: Box) -> None:
    found = box.start()
    assert box.host == found.host
    assert found.node == box.node_of(None)
    digits = box.host.removeprefix("agentd-")
    assert len(digits) == 4
    assert found.node.endswith(digits), "host and node carry the same digits"


NAMES = {
    # case                            agentd.toml            user-data                               meta-data                   host            node
    "a name in agentd.toml":          (GOOD,                 "",                                     "",                         "kitchen",      "kitchen"),
    "a name that is no host name":    ('[node]\nname="a_b"', "",                                     "",                         "a-b",          "a_b"),
    "Raspberry Pi Imager's":          ("",                   "#cloud-config\nhostname: Raspi\n",     "",                         "raspi",        "raspi-"),
    "a full domain name":             ("",                   "#cloud-config\nfqdn: pi.lan.home\n",   "",                         "pi",           "pi-"),
    "meta-data's":                    ("",                   "",                                     "local-hostname: attic\n",  "attic",        "attic-"),
    "both":                           (GOOD,                 "#cloud-config\nhostname: raspi\n",     "",                         "raspi",        "kitchen"),
    "one that is all signs":          ("",                   "#cloud-config\nhostname: '!!!'\n",     "",                         "agentd-",      "agentd-"),
}  # fmt: skip


@pytest.mark.parametrize(("toml", "user", "meta", "host", "node"), NAMES.values(), ids=NAMES.keys())
def test_host_and_node_name_come_from(toml, user, meta, host, node, box: Box) -> None:
    for name, text in (("agentd.toml", toml), ("user-data", user), ("meta-data", meta)):
        if text:
            box.put(name, text)
    found = box.start()
    assert box.host.startswith(host)
    assert found.node.startswith(node)
    assert found.problems == []


# agentd.toml -----------------------------------------------------------------------------------


def test_good_settings_reach_agentd_as_they_are(box: Box) -> None:
    box.put("agentd.toml", ROOM)
    assert box.start().problems == []
    assert box.config == ROOM


BAD_SETTINGS = {
    # what is wrong                    text                                                     what the report says
    "no TOML":                         ('[node\nname = "a"\n',                                  "line 1"),
    "a key that is none":              ('[node]\nnmae = "a"\n',                                 "agentd.toml:2: unknown key 'nmae'; allowed are name, area"),
    "a value that is none":            ('[home]\nunits = "furlong"\n',                          "agentd.toml:2"),
    "a table that is none":            ("[nodes]\n",                                            "unknown table [nodes]"),
    "a file of zeros":                 ("\0" * 4096,                                            "damaged"),
    "a picture":                       (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",                       "damaged"),
    "ten megabytes":                   ("# " + "x" * 10_000_000,                                "262144 at most"),
    "nested without end":              ("a = " + "[" * 20_000,                                  "nested too deeply"),
    "cut in the middle of UTF-16":     ("\ufeff[node]".encode("utf-16-le")[:-1],                "damaged"),
    "a password of which nothing is":  ("[mqtt]\n# password was moved into the box; ...\nx=1",   "unknown key 'x'"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
def test_bad_settings_are_told_and_the_last_good_ones_stay(content, said, box: Box) -> None:
    box.put("agentd.toml", GOOD)
    box.start()
    box.put("agentd.toml", content)
    found = box.start()
    assert box.config == GOOD
    assert box.host == "kitchen"
    assert said in found.problems[0]
    assert "stays in force" in found.problems[0]
    assert " ".join(found.problems[0].split()) in box.card_text("agentd-report.txt")


def test_a_mistake_in_one_device_is_told_and_the_rest_is_in_force(box: Box) -> None:
    box.put(
        "agentd.toml",
        ROOM + '[[device]]\nid = "pump"\nkind = "switch"\ndriver = "gpio.relay"\npin = 4\n',
    )
    found = box.start()
    assert "pump" in box.config
    assert "safe_state" in found.problems[0]
    assert "The rest of it is in force" in found.problems[0]


EDITORS = {
    "Windows line ends":     GOOD.replace("\n", "\r\n").encode(),
    "UTF-8 with its mark":   b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16, little end":    b"\xff\xfe" + GOOD.encode("utf-16-le"),
    "UTF-16, big end":       b"\xfe\xff" + GOOD.encode("utf-16-be"),
    "Windows-1252":          b"# K\xfcche\r\n" + GOOD.encode(),
    "no last line end":      GOOD.rstrip().encode(),
}  # fmt: skip


@pytest.mark.parametrize("data", EDITORS.values(), ids=EDITORS.keys())
def test_settings_are_read_from_every_editor(data: bytes, box: Box) -> None:
    box.put("agentd.toml", data)
    found = box.start()
    assert found.problems == []
    assert found.node == "kitchen"
    assert (box.places.card / "agentd.toml").read_bytes() == data


def test_the_ending_that_windows_hides_is_told(box: Box) -> None:
    box.put("agentd.toml.txt", GOOD)
    assert "rename it to agentd.toml" in box.start().problems[0]


def test_settings_that_are_gone_from_the_card_stay_in_force(box: Box) -> None:
    box.put("agentd.toml", GOOD)
    box.start()
    (box.places.card / "agentd.toml").unlink()
    assert "not on the card" in box.start().notes[0]
    assert box.config == GOOD


def test_box_starts_without_a_card_that_can_be_read(box: Box) -> None:
    box.put("agentd.toml", GOOD)
    box.put("wifi.toml", WIFI)
    box.start()
    shutil.rmtree(box.places.card)
    found = box.start()
    assert "cannot be read" in found.problems[0]
    assert box.host == "kitchen"
    assert "psk=" in box.generated("llmagentos/wifi/wpa_supplicant.conf")


# secrets ---------------------------------------------------------------------------------------


def test_passwords_leave_the_card_and_the_report_never_has_them(box: Box) -> None:
    box.put("agentd.toml", GOOD + BROKER)
    box.put("wifi.toml", WIFI)
    box.put("network-config", IMAGER_NETWORK)
    box.put("user-data", IMAGER_USER)
    found = box.start()
    box.report(found)
    on_card = "".join(box.card_text(path.name) for path in box.places.card.iterdir())
    for secret in ("Tr0ub4dor&3", "correct horse battery", "49909842786a", "$y$jB5$"):
        assert secret not in on_card
    assert "a flash card may still hold its old bytes" in box.card_text("agentd.toml")
    assert box.places.mqtt_password.read_text() == "Tr0ub4dor&3\n"
    assert "password =" not in box.config


def test_passwords_that_left_the_card_are_known_at_the_next_start(box: Box) -> None:
    box.put("agentd.toml", BROKER)
    box.put("wifi.toml", WIFI)
    box.put("network-config", IMAGER_NETWORK)
    box.start()
    first = box.lasting(), box.generated("llmagentos/wifi/wpa_supplicant.conf")
    found = box.start()
    assert (box.lasting(), box.generated("llmagentos/wifi/wpa_supplicant.conf")) == first
    assert found.problems == []
    assert first[1].count("psk=") == 2


def test_a_new_password_replaces_the_old_one(box: Box) -> None:
    box.put("agentd.toml", BROKER)
    box.start()
    box.put("agentd.toml", BROKER.replace("Tr0ub4dor&3", "another one"))
    box.start()
    assert box.places.mqtt_password.read_text() == "another one\n"
    assert "another one" not in box.card_text("agentd.toml")


def test_a_password_is_forgotten_with_its_comment(box: Box) -> None:
    box.put("agentd.toml", BROKER)
    box.start()
    box.put("agentd.toml", '[mqtt]\nbroker = "hub.lan"\n')
    box.start()
    assert not box.places.mqtt_password.exists()
    assert "Tr0ub4dor&3" not in "".join(box.lasting().values())


def test_a_card_from_another_box_asks_for_its_password_again(box: Box, tmp_path: Path) -> None:
    box.put("agentd.toml", BROKER)
    box.start()
    other = Box(tmp_path / "other")
    other.put("agentd.toml", box.card_text("agentd.toml"))
    assert 'Write password = "..." in [mqtt] again' in other.start().problems[0]


INLINE = {
    "an inline table":   'mqtt = { broker = "hub", user = "a", password = "geheim12" }\n',
    "used twice":        '[mqtt]\nbroker = "hub"\npassword = "geheim12"\n[[link]]\nid = "a"\ndriver = "serial.jsonl"\npassword = "geheim12"\n',
}  # fmt: skip


@pytest.mark.parametrize("text", INLINE.values(), ids=INLINE.keys())
def test_a_password_that_cannot_be_cut_out_is_told_and_works(text: str, box: Box) -> None:
    box.put("agentd.toml", text)
    found = box.start()
    assert box.card_text("agentd.toml") == text == box.config
    assert "could not be taken off the card" in found.notes[0]
    assert box.places.mqtt_password.read_text() == "geheim12\n"


BROKEN_WITH_SECRET = {
    # case                      file               content
    "agentd.toml, no TOML":     ("agentd.toml",    '[mqtt\npassword = "hunter2hunter2"\n'),
    "agentd.toml, wrong type":  ("agentd.toml",    '[mqtt]\nbroker = 1\npassword = "hunter2hunter2"\n'),
    "a misspelt key":           ("agentd.toml",    '[mqtt]\npassword = "hunter2hunter2"\nhunter2hunter2 = 1\n'),
    "wifi.toml, no TOML":       ("wifi.toml",      '[wifi]\nssid = "a"\npsk = "hunter2hunter2\n'),
    "wifi.toml, a wrong key":   ("wifi.toml",      '[wifi]\nssid = "a"\npassword = "hunter2hunter2"\n'),
    "wifi.toml, too short":     ("wifi.toml",      '[wifi]\nssid = "hunter2"\npsk = "hunter2"\n'),
    "network-config, no YAML":  ("network-config", 'network:\n  password: "hunter2hunter2\n\t- x'),
    "network-config, the tag":  ("network-config", "password: !<hunter2hunter2\nx: [*hunter2hunter2"),
    "user-data, no YAML":       ("user-data",      "#cloud-config\npasswd: hunter2hunter2\n  - ]"),
    "user-data, as a key":      ("user-data",      "#cloud-config\npasswd: hunter2hunter2\nhunter2hunter2: 1\n"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"), BROKEN_WITH_SECRET.values(), ids=BROKEN_WITH_SECRET.keys()
)
def test_report_never_repeats_a_secret_of_a_broken_file(name, text, box: Box) -> None:
    box.put(name, text)
    found = box.start()
    assert name in box.report(found)
    assert "hunter2" not in box.card_text("agentd-report.txt").replace("'hunter2'", "")


# Wi-Fi and SSH ---------------------------------------------------------------------------------


def test_imagers_files_give_wifi_a_key_for_root_and_notes_about_the_rest(box: Box) -> None:
    box.put("user-data", IMAGER_USER)
    box.put("network-config", IMAGER_NETWORK)
    box.put("meta-data", "instance-id: rpi-imager-1768\n")
    found = box.start()
    assert found.problems == []
    conf = box.generated("llmagentos/wifi/wpa_supplicant.conf")
    assert "country=DE" in conf
    assert f"ssid={b'wobilix'.hex()}" in conf
    assert "phone" in box.generated("llmagentos/ssh/authorized_keys")
    assert "PasswordAuthentication no" in box.generated("llmagentos/ssh/sshd_config")
    notes = " ".join(found.notes)
    assert "SSH is on" in notes
    assert 'time_zone = "Europe/Berlin"' in notes
    assert "does not use apt, keyboard, packages, rpi" in notes


def test_ssh_stays_off_without_a_key(box: Box) -> None:
    box.put("user-data", "#cloud-config\nenable_ssh: true\nssh_authorized_keys: [no key at all]\n")
    found = box.start()
    assert box.generated("llmagentos/ssh/sshd_config") == ""
    assert "SSH stays off" in found.notes[0]
    assert box.keys_made == 0


def test_ssh_stays_off_when_no_host_key_can_be_made(box: Box) -> None:
    def fail(path: Path) -> None:
        raise OSError("ssh-keygen: no randomness")

    box.put("user-data", IMAGER_USER)
    box.make_key = fail
    found = box.start()
    assert "ssh-keygen: no randomness): SSH stays off" in found.problems[0]
    assert "SSH is on" not in " ".join(found.notes)
    assert box.generated("llmagentos/ssh/sshd_config") == ""


def test_wifi_ends_when_its_file_is_removed(box: Box) -> None:
    box.put("wifi.toml", WIFI)
    box.start()
    (box.places.card / "wifi.toml").unlink()
    box.start()
    assert box.generated("llmagentos/wifi/wpa_supplicant.conf") == ""
    assert "correct horse" not in "".join(box.lasting().values())


def test_wifi_stays_when_its_file_is_broken(box: Box) -> None:
    box.put("wifi.toml", WIFI)
    box.start()
    box.put("wifi.toml", "[wifi\n")
    assert "What was in force before stays in force" in box.start().problems[0]
    assert "correct horse battery" in box.generated("llmagentos/wifi/wpa_supplicant.conf")


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
def test_the_program_does_all_of_it_from_its_command_line(box: Box, monkeypatch) -> None:
    hosts: list[str] = []
    monkeypatch.setattr("socket.sethostname", hosts.append)
    box.put("user-data", IMAGER_USER)
    box.power_on()
    flags = [f"--{name.replace('_', '-')}={path}" for name, path in asdict(box.places).items()]
    assert main(["prepare", *flags]) == 0
    assert hosts == ["raspi"]
    check = ["ssh-keygen", "-y", "-P", "", "-f", str(box.places.host_key)]
    assert subprocess.run(check, capture_output=True, check=True).stdout.startswith(b"ssh-ed25519")
