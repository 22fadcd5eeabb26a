"""What is plugged in, read from a copy of the files that a real machine shows."""

from __future__ import annotations

import socket

from agentd.ctl.scan import find_brokers, find_parts
from tests.agentd.ctl.conftest import answer_of

# /proc/asound/pcm of a Raspberry Pi 4 with a USB microphone
PCM = """\
00-00: bcm2835 Headphones : bcm2835 Headphones : playback 8
02-00: USB Audio : USB Audio : capture 1
03-00: USB Audio : Jabra 410 : playback 1 : capture 1
garbage
05-00:
"""


def write(root, path, text=""):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def found(root):
    return [(part.sort, part.where, part.what) for part in find_parts(root)]


def test_every_part_is_named_as_agentd_toml_wants_it(tmp_path):
    node = write(tmp_path, "dev/ttyUSB0")
    write(tmp_path, "dev/serial/by-id/.keep").unlink()
    (tmp_path / "dev/serial/by-id/usb-FTDI_A5-if00").symlink_to(node)
    write(tmp_path, "dev/i2c-1")
    write(tmp_path, "sys/class/i2c-dev/i2c-1/name", "bcm2835 (i2c@7e804000)\n")
    write(tmp_path, "dev/gpiochip0")
    write(tmp_path, "sys/bus/w1/devices/28-0316a279a5ff/w1_slave")
    write(tmp_path, "sys/bus/w1/devices/w1_bus_master1/name")
    write(tmp_path, "proc/asound/pcm", PCM)
    assert found(tmp_path) == [
        ("serial", "/dev/serial/by-id/usb-FTDI_A5-if00", "ttyUSB0"),
        ("i2c", "/dev/i2c-1", "bcm2835 (i2c@7e804000)"),
        ("gpio", "/dev/gpiochip0", ""),
        ("onewire", "28-0316a279a5ff", "DS18B20 temperature"),
        ("speaker", "hw:0,0", "bcm2835 Headphones"),
        ("microphone", "hw:2,0", "USB Audio"),
        ("microphone", "hw:3,0", "Jabra 410"),
        ("speaker", "hw:3,0", "Jabra 410"),
    ]


def test_a_machine_with_nothing_on_it(tmp_path):
    assert found(tmp_path) == []


def test_a_sound_list_that_is_not_text_is_passed_over(tmp_path):
    write(tmp_path, "proc/asound/pcm").write_bytes(b"\xff\x00\xfe: :\n\n:::\n")
    assert found(tmp_path) == []


def test_a_broker_is_found_where_one_listens():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert [part.where for part in find_brokers((port,))] == [f"127.0.0.1:{port}"]
    assert list(find_brokers((port,))) == []


def test_scan_for_a_script_is_a_list(agentctl):
    result = agentctl("scan", "--json")
    assert (result.exit_code, isinstance(answer_of(result), list)) == (0, True)
