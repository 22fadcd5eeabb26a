"""The parts of first boot, each alone: what is read, what is generated, what is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.image.box import FIRST_BOOT, Box

from first_boot import cloud_init, radio, secret, wifi_toml, written  # isort: skip
from first_boot.errors import OwnerMistake  # isort: skip
from first_boot.radio import Network, Radio  # isort: skip

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEIP0du7ZPjP2e9c1uB7ajnjLEYY4iJNCvEv5XQhKxD7 phone"
PHRASE = "correct horse battery"

# wifi.toml -------------------------------------------------------------------------------------

WIFI = {
    # case                 text                                                        networks                                                      country
    "one network":         (f'[wifi]\nssid = "a"\npsk = "{PHRASE}"\ncountry = "de"\n', (Network("a", PHRASE),),                                      "DE"),
    "a key in hex":        (f'[wifi]\nssid = "a"\npsk = "{"0f" * 32}"\n',              (Network("a", "0f" * 32),),                                   ""),
    "hidden":              (f'[wifi]\nssid="a"\npsk="{PHRASE}"\nhidden = true\n',      (Network("a", PHRASE, True),),                                ""),
    "open":                ('[wifi]\nssid = "café"\n',                                 (Network("café"),),                                           ""),
    "two networks":        ('[[wifi]]\nssid = "a"\n[[wifi]]\nssid = "b"\n',            (Network("a"), Network("b")),                                 ""),
    "nothing":             ("",                                                        (),                                                           ""),
    "comments alone":      ("# [wifi]\n",                                              (),                                                           ""),
    "signs and quotes":    ("[wifi]\nssid = '\"}'\npsk = '\"} # a\\b'\n",                  (Network('"}', '"} # a\\b'),),                                 ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "networks", "country"), WIFI.values(), ids=WIFI.keys())
def test_wifi_toml_gives(text, networks, country) -> None:
    assert wifi_toml.parse(text) == Radio(networks, country)


BAD_WIFI = {
    "cut short":              ('[wifi]\nssid = "a',                          "not TOML"),
    "no name":                ('[wifi]\npsk = "12345678"\n',                 "ssid is missing"),
    "an empty name":          ('[wifi]\nssid = ""\n',                        "1 to 32 bytes"),
    "a name of 33 bytes":     (f'[wifi]\nssid = "{"ä" * 16}x"\n',            "1 to 32 bytes"),
    "a password of seven":    ('[wifi]\nssid = "a"\npsk = "1234567"\n',      "8 to 63"),
    "a password of 64":       (f'[wifi]\nssid = "a"\npsk = "{"x" * 64}"\n',  "8 to 63"),
    "an umlaut in it":        ('[wifi]\nssid = "a"\npsk = "12345678ä"\n',    "8 to 63"),
    "a line end in it":       ('[wifi]\nssid = "a"\npsk = "1234567\\n8"\n',  "8 to 63"),
    "a number":               ('[wifi]\nssid = "a"\npsk = 12345678\n',       "psk must be a text in quotes"),
    "hidden in quotes":       ('[wifi]\nssid = "a"\nhidden = "yes"\n',       "hidden must be true or false"),
    "a key that is none":     ('[wifi]\nssid = "a"\npass = "x"\n',           "unknown key 'pass'; allowed are ssid, psk"),
    "a country by its name":  ('[wifi]\nssid = "a"\ncountry = "Spain"\n',    "two letters"),
    "another table":          ("[network]\n",                                "allowed is [wifi]"),
    "no table":               ("wifi = 1\n",                                 "write [wifi]"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BAD_WIFI.values(), ids=BAD_WIFI.keys())
def test_bad_wifi_toml_is_told(text: str, said: str) -> None:
    with pytest.raises(OwnerMistake) as told:
        wifi_toml.parse(text)
    assert said in str(told.value)


# wpa_supplicant --------------------------------------------------------------------------------


def test_a_phrase_is_used_for_wpa3_and_wpa2() -> None:
    text = radio.supplicant(Radio((Network("a", PHRASE, True),), "DE"))
    assert f'psk="{PHRASE}"' in text
    assert "SAE" in text
    assert "scan_ssid=1" in text


def test_a_key_in_hex_is_never_used_for_wpa3_which_needs_the_phrase() -> None:
    assert "SAE" not in radio.supplicant(Radio((Network("a", "0f" * 32),)))


@given(st.text(min_size=1, max_size=32), st.text(max_size=70))
@example('"}\nnetwork={', 'x"\n}12345678')
def test_no_name_and_no_password_breaks_out_of_its_line(ssid: str, psk: str) -> None:
    network = Network(ssid, psk)
    try:
        radio.check(network, where="a file")
    except OwnerMistake:
        return
    lines = radio.supplicant(Radio((network,))).splitlines()
    assert sum(line.endswith("={") for line in lines) == sum(line == "}" for line in lines) == 1
    assert lines[-1] == "}"
    assert len(lines) == 7 - (len(psk) == 64) * 1


# cloud-init ------------------------------------------------------------------------------------

NETWORKS = {
    # case                       network-config                                                                        networks and country
    "Imager's":                  (f'network:\n  version: 2\n  wifis:\n    wlan0:\n      regulatory-domain: "DE"\n      access-points:\n        "a b":\n          password: "{PHRASE}"\n', Radio((Network("a b", PHRASE),), "DE")),
    "without the outer key":     (f"version: 2\nwifis: {{w: {{access-points: {{a: {{password: {PHRASE}}}}}}}}}\n",      Radio((Network("a", PHRASE),))),
    "netplan's auth":            (f"wifis: {{w: {{access-points: {{a: {{auth: {{key-management: sae, password: {PHRASE}}}}}}}}}}}", Radio((Network("a", PHRASE),))),
    "an open network":           ("wifis: {w: {access-points: {a: {}}}}",                                              Radio((Network("a"),))),
    "hidden":                    ("wifis: {w: {access-points: {a: {hidden: true}}}}",                                  Radio((Network("a", None, True),))),
    "half a character":          ('wifis: {w: {access-points: {"\\ud800": {}}}}',                                       Radio((Network("?"),))),
    "digits stay as written":    ("wifis: {w: {access-points: {0123: {password: 0123_4567}}}}",                        Radio((Network("0123", "0123_4567"),))),
    "a name that YAML reads":    ("wifis: {w: {access-points: {no: {password: 12345e678}}}}",                          Radio((Network("no", "12345e678"),))),
    "a cable alone":             ("version: 2\nethernets: {eth0: {dhcp4: true}}\n",                                    Radio()),
    "nothing":                   ("",                                                                                  Radio()),
    "lists where none belong":   ("wifis: [1, 2]\n",                                                                   Radio()),
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), NETWORKS.values(), ids=NETWORKS.keys())
def test_network_config_gives(text: str, wanted: Radio) -> None:
    assert cloud_init.parse_network(text) == wanted


BAD_CLOUD = {
    # what is wrong              parser                          text                                                       said
    "no YAML":                   (cloud_init.parse_network,      "network:\n\t- x: [",                                      "network-config, line 2: not YAML"),
    "version 1":                 (cloud_init.parse_network,      "version: 1\nconfig: []\n",                                "only version 2"),
    "a list":                    (cloud_init.parse_network,      "- a\n- b\n",                                              "`key: value` lines"),
    "an enterprise network":     (cloud_init.parse_network,      "wifis: {w: {access-points: {a: {auth: {key-management: eap}}}}}", "'eap' is no key-management"),
    "a country by its name":     (cloud_init.parse_network,      "wifis: {w: {regulatory-domain: Spain}}",                  "two letters"),
    "a short password":          (cloud_init.parse_network,      "wifis: {w: {access-points: {a: {password: short}}}}",     "8 to 63"),
    "nested without end":        (cloud_init.parse_network,      "[" * 60_000,                                              "not YAML"),
    "a script":                  (cloud_init.parse_user_data,    "#!/bin/sh\nreboot\n",                                     "must begin with #cloud-config"),
    "comments alone":            (cloud_init.parse_user_data,    "# nothing\n",                                             "must begin with #cloud-config"),
    "a cut user-data":           (cloud_init.parse_user_data,    "#cloud-config\nusers: [{name: a",                         "not YAML"),
    "control characters":        (cloud_init.parse_meta_data,    "a: \x01",                                                 "meta-data: not YAML"),
}  # fmt: skip


@pytest.mark.parametrize(("parse", "text", "said"), BAD_CLOUD.values(), ids=BAD_CLOUD.keys())
def test_bad_cloud_init_is_told(parse, text: str, said: str) -> None:
    with pytest.raises(OwnerMistake) as told:
        parse(text)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_keys_of_all_users_are_taken_and_other_lines_are_not() -> None:
    text = f"#cloud-config\nssh_authorized_keys: ['{KEY}', 'command=\"rm\" {KEY}', 'x\ny']\nusers:\n- default\n- name: a\n  ssh_authorized_keys: ['{KEY}']\n"
    assert cloud_init.parse_user_data(text).keys == (KEY,)


def test_an_empty_user_data_asks_for_nothing() -> None:
    assert cloud_init.parse_user_data("\n") == cloud_init.Wish()


def test_a_bomb_of_aliases_is_walked_once() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert cloud_init.secrets("\n".join([*rows, "psk: found"])) == {"found"}


# secrets ---------------------------------------------------------------------------------------

LINES = {
    # case                     line                                     is taken
    "as it stands":            ('password = "geheim12"',                True),
    "with a comment":          ('  password="geheim12"   # mine',       True),
    "in single quotes":        ("psk = 'geheim12'",                     True),
    "a dotted key":            ('mqtt.password = "geheim12"',           True),
    "a quoted key":            ('"password" = "geheim12"',              True),
    "another value":           ('password = "other"',                   False),
    "another key":             ('name = "geheim12"',                    False),
    "an inline table":         ('mqtt = { password = "geheim12" }',     False),
}  # fmt: skip


@pytest.mark.parametrize(("line", "is_taken"), LINES.values(), ids=LINES.keys())
def test_line_with_a_secret_is_taken(line: str, is_taken: bool) -> None:
    left = secret.lift_toml(f"a = 1\n{line}\nb = 2\n", secrets={"geheim12"})
    assert secret.has_mark(left) == is_taken
    assert (line in left) != is_taken
    assert len(left.splitlines()) == 3


def test_a_short_secret_does_not_blacken_the_report() -> None:
    assert (
        secret.hide("it is on, on the desk: onion", secrets={"on"})
        == "it is ********, ******** the desk: onion"
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_are_refused_and_come_back_as_they_were(data: bytes) -> None:
    try:
        found = written.decode(data, name="a file")
    except OwnerMistake:
        return
    if "\r" not in data.decode("latin-1") and not found.is_guessed:
        assert found.encode() == data


# the files beside the program ------------------------------------------------------------------


def test_report_is_text_that_every_windows_editor_shows_in_lines(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    box.put("agentd.toml", "[node\n")
    found = box.start()
    data = (box.places.card / "agentd-report.txt").read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") > 5
    assert "No line" not in box.report(found, "Its address is 10.0.0.2.")
    assert "10.0.0.2" in box.card_text("agentd-report.txt")


@pytest.mark.parametrize("unit", sorted(FIRST_BOOT.glob("*.service")), ids=lambda path: path.name)
def test_units_start_after_what_they_need(unit: Path) -> None:
    text = unit.read_text()
    assert "first-boot.service" in text or unit.name == "llmagentos-first-boot.service"
    if "python" in text:
        assert "ExecStart=/usr/lib/llmagentos/bin/python -P /usr/lib/llmagentos/first-boot " in text


def test_program_starts_as_its_unit_starts_it(tmp_path: Path) -> None:
    program = [sys.executable, "-P", str(FIRST_BOOT), "--help"]
    found = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "prepare" in found.stdout
