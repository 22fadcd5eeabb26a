"""The box's own broker, opened to the network: who gets in, and what they may do."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.broker import MOSQUITTO, free_port, wait_until
from tests.image.box import Box
from tests.image.card_files import BROKER, GOOD

from first_boot import share  # isort: skip


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(tmp_path / "box")
    made.put("cmdline.txt", "root=PARTLABEL=root_a\n")
    return made


def test_broker_stays_closed_until_its_owner_shares_it(box: Box) -> None:
    found = box.start()
    assert box.generated("llmagentos/broker/listen.conf") == ""  # the broker has its own
    assert "MulticastDNS=no" in box.generated("systemd/resolved.conf.d/70-llmagentos.conf")
    assert box.generated("systemd/dnssd/llmagentos.dnssd") == ""
    assert not found.is_named
    assert not box.places.credentials.exists()


def test_shared_broker_has_a_user_rights_and_a_name_on_the_network(box: Box) -> None:
    box.put("agentd.toml", GOOD + "[mqtt]\nshare = true\nport = 1884\n")
    found = box.start()
    assert "listener 1884\n" in box.generated("llmagentos/broker/listen.conf")
    assert "topic write agentd/kitchen/+/set" in box.generated("llmagentos/broker/acl")
    assert "Port=1884" in box.generated("systemd/dnssd/llmagentos.dnssd")
    assert "MulticastDNS=yes" in box.generated("systemd/network/70-llmagentos-wire.network")
    assert "kitchen.local" in box.report(found)


def test_household_broker_gives_the_box_a_name_and_no_listener(box: Box) -> None:
    box.put("agentd.toml", GOOD + BROKER)
    assert box.start().is_named
    assert box.generated("llmagentos/broker/listen.conf") == ""
    assert box.generated("systemd/dnssd/llmagentos.dnssd") == ""


def test_generated_password_is_told_once_and_again_when_the_report_was_deleted(box: Box) -> None:
    box.put("agentd.toml", "[mqtt]\nshare = true\n")
    first = box.report(box.start())
    password = share.settle(box.places.credentials).password
    assert password in first
    assert "Write these down" in first
    assert password not in box.report(box.start())
    (box.places.card / "agentd-report.txt").unlink()
    assert password in box.report(box.start())


def test_sharing_ends_with_its_line(box: Box) -> None:
    box.put("agentd.toml", "[mqtt]\nshare = true\n")
    box.start()
    box.put("agentd.toml", "")
    box.prepare()
    assert "127.0.0.1" in box.generated("llmagentos/broker/listen.conf")
    assert box.generated("llmagentos/broker/passwords") == ""
    assert box.generated("systemd/dnssd/llmagentos.dnssd") == ""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[int, share.Credentials]]:
    """A real mosquitto with our files behind the settings that the box's own broker has."""
    port, credentials = free_port(), share.settle(tmp_path / "mqtt.json")
    folder = tmp_path / "broker"
    folder.mkdir(mode=0o700)
    for name, text in share.files(credentials, node="kitchen", port=port, folder=folder).items():
        (folder / name).write_text(text or "")
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(
        f"per_listener_settings true\nuser {getpass.getuser()}\n"
        f"listener 0 {tmp_path}/mqtt.sock\nallow_anonymous true\ninclude_dir {folder}\n"
    )
    assert MOSQUITTO, "mosquitto is not installed"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([MOSQUITTO, "-c", str(conf)], stderr=log)
    yield port, credentials
    process.terminate()
    process.wait(5)


class Visitor:
    """A client from somewhere in the house."""

    def __init__(self, port: int, *, user: str = "", password: str = "") -> None:
        self.answer: str = ""
        self.heard: list[str] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, password)
        self._client.on_connect = lambda *args: setattr(self, "answer", str(args[3]))
        self._client.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        wait_until(lambda: self._connects(port), what="the broker listens")
        self._client.loop_start()
        wait_until(lambda: self.answer, what="the broker answers")

    def _connects(self, port: int) -> bool:
        try:
            return self._client.connect("127.0.0.1", port) == 0
        except OSError:
            return False

    def __enter__(self) -> paho.Client:
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.system
def test_network_gets_in_with_the_generated_password_alone(broker) -> None:
    port, credentials = broker
    known = Visitor(port, user=credentials.user, password=credentials.password)
    wrong = Visitor(port, user=credentials.user, password="geheim12")
    nobody = Visitor(port)
    with known, wrong, nobody:
        assert known.answer == "Success"
        assert wrong.answer == nobody.answer == "Not authorized"


@pytest.mark.system
def test_network_may_ask_and_listen_but_not_speak_for_the_box(broker) -> None:
    port, credentials = broker
    visitor = Visitor(port, user=credentials.user, password=credentials.password)
    with visitor as client:
        client.subscribe("#")
        for topic in ("agentd/kitchen/lamp/state", "agentd/attic/lamp/set", "agentd/kitchen/lamp/set",
                      "homeassistant/device/x/config", "agentd/kitchen/request/ask"):  # fmt: skip
            client.publish(topic, "on", qos=1).wait_for_publish(5)
        wait_until(lambda: "agentd/kitchen/request/ask" in visitor.heard)
    assert visitor.heard == ["agentd/kitchen/lamp/set", "agentd/kitchen/request/ask"]
