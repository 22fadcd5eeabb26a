"""Words to systemd: sent where it listens, nowhere else."""

from __future__ import annotations

import os
import socket

import pytest

from llmagentos import notify


@pytest.mark.parametrize(
    ("environ", "period_s"),
    [
        pytest.param({},                                              None, id="no-watchdog"),
        pytest.param({"WATCHDOG_USEC": "10000000"},                   5.0,  id="ten-seconds"),
        pytest.param({"WATCHDOG_USEC": "0"},                          None, id="off"),
        pytest.param({"WATCHDOG_USEC": "soon"},                       None, id="not-a-number"),
        pytest.param({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}, None, id="for-another"),
        pytest.param(
            {"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.25, id="for-us"
        ),
    ],
)  # fmt: skip
def test_the_watchdog_wants_a_word_twice_in_its_time(environ, period_s):
    assert notify.watchdog_period_s(environ) == period_s


def test_systemd_hears_each_word(tmp_path, monkeypatch):
    pytest.importorskip("systemd.daemon")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        for say in (notify.ready, notify.watchdog, notify.stopping):
            say()
        notify.status("two\nlines")
        heard = [ear.recv(100).decode() for _ in range(4)]
    assert heard == ["READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=two lines"]


@pytest.mark.parametrize(
    ("limit_us", "asked"),
    [("10000000", ["WATCHDOG_USEC=9750000"]), ("500000", []), ("", [])],
    ids=["ten seconds", "too short to shorten", "none"],
)
def test_the_watchdog_is_asked_to_be_early(tmp_path, monkeypatch, limit_us, asked):
    pytest.importorskip("systemd.daemon")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify.ready({"WATCHDOG_USEC": limit_us})
        heard = [ear.recv(100).decode() for _ in range(len(asked) + 1)]
    assert heard == [*asked, "READY=1"]


def test_without_systemd_nothing_is_said_and_nothing_fails(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify.ready()
    notify.watchdog()
