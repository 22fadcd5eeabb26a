"""The socket door: bad frames, full houses, slow readers, streams, and who is asking."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentd.door.feed import Feed
from agentd.door.sock import SocketDoor, SocketTaken
from llmagentos.cause import Rank
from llmagentos.client import Door, DoorClosed, DoorRefused
from llmagentos.wire import MAX_FRAME_BYTES
from tests.agentd.door.fakes import FakeVerbs, clock

CLIENTS = 3


class Room:
    """A door with its verbs, its feed and a short house."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path, self.verbs, self.feed = path, FakeVerbs(), Feed()
        options = {"clock": clock, "clients": CLIENTS, **options}
        self.door = SocketDoor(path, self.verbs, self.feed, **options)

    def call(self) -> Door:
        return Door(self.path, timeout_s=5)

    def raw(self) -> socket.socket:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.connect(str(self.path))
        link.settimeout(5)
        return link


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path / "door.sock", claims={"cli"})
    room.door.start()
    yield room
    room.verbs.release.set()
    room.door.close()


def ask(link: socket.socket, payload: bytes) -> dict[str, Any]:
    link.sendall(payload)
    with link.makefile("rb") as lines:
        return json.loads(lines.readline())


BAD_FRAMES = [
    # frame                                            id     words of the error
    (b"hello\n",                                       None,  "not JSON"),
    (b"\n",                                            None,  "not JSON"),
    (b"[1]\n",                                         None,  "expected a JSON object"),
    (b'{"v":1,"verb":"echo"}\n',                       None,  "id must be"),
    (b'{"v":1,"id":true,"verb":"echo"}\n',             None,  "id must be"),
    (b'{"v":1,"id":[1],"verb":"echo"}\n',              None,  "id must be"),
    (b'{"v":2,"id":7,"verb":"echo"}\n',                7,     "v must be 1"),
    (b'{"id":7,"verb":"echo"}\n',                      7,     "v must be 1"),
    (b'{"v":1,"id":7}\n',                              7,     "verb is missing"),
    (b'{"v":1,"id":7,"verb":3}\n',                     7,     "verb is missing"),
    (b'{"v":1,"id":"x","verb":"echo","who":3}\n',      "x",   "who is a name"),
    (b'{"v":1,"id":7,"verb":"echo","who":"a\\nb"}\n',  7,     "who is a name"),
    (b'{"v":1,"id":7,"verb":"echo","channel":"mqtt"}\n', 7,   "channel is always"),
    (b'{"v":1,"id":7,"verb":"echo","value":NaN}\n',    None,  "not a number"),
    (b'{"v":1,"id":7,"id":8,"verb":"echo"}\n',         None,  "twice"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "number", "words"), BAD_FRAMES)
def test_bad_frame_is_answered_and_the_next_one_served(
    room: Room, frame: bytes, number: object, words: str
) -> None:
    with room.raw() as link:
        answer = ask(link, frame)
        assert (answer["status"], answer["code"]) == ("error", "bad_request")
        assert answer["id"] == number
        assert words in answer["error"]
        assert ask(link, b'{"v":1,"id":1,"verb":"echo"}\n')["status"] == "ok"


def test_frame_without_an_end_is_refused_and_hung_up_on(room: Room) -> None:
    with room.raw() as link:
        answer = ask(link, b"a" * (MAX_FRAME_BYTES + 1))
        assert "at most 65536 bytes" in answer["error"]
        with contextlib.suppress(ConnectionResetError):  # for it did not read all we sent
            assert link.recv(1) == b""


def test_origin_is_the_kernels_word_on_who_asks(room: Room) -> None:
    with room.call() as door:
        door.request("echo", who="tablet", area="study", channel="cli")
        door.request("echo")
    first, second = (request.origin for request in room.verbs.asked)
    assert (first.who, first.area, first.channel) == (f"uid:{os.getuid()}/tablet", "study", "cli")
    assert (second.who, second.area, second.channel) == (f"uid:{os.getuid()}", None, "socket")
    assert second.rank is Rank.PERSON
    assert not room.verbs.asked[0].data


def test_answers_keep_the_order_of_the_requests(room: Room) -> None:
    frames = b"".join(b'{"v":1,"id":%d,"verb":"echo"}\n' % n for n in range(10))
    with room.raw() as link:
        link.sendall(frames)
        with link.makefile("rb") as lines:
            assert [json.loads(lines.readline())["id"] for _ in range(10)] == list(range(10))


def test_half_closed_client_still_gets_its_answer(room: Room) -> None:
    with room.raw() as link:
        link.sendall(b'{"v":1,"id":1,"verb":"echo","value":5}\n')
        link.shutdown(socket.SHUT_WR)
        with link.makefile("rb") as lines:
            assert json.loads(lines.read())["data"]["value"] == 5


def test_stop_overtakes_on_its_own_connection(room: Room) -> None:
    with room.raw() as link:
        answer = ask(link, b'{"v":1,"id":1,"verb":"block"}\n{"v":1,"id":2,"verb":"stop"}\n')
        assert answer["id"] == 2
        assert answer["data"] == {"stopped": True}


def test_too_many_requests_at_once_are_answered_busy(room: Room) -> None:
    with room.raw() as link, link.makefile("rb") as lines:
        link.sendall(b'{"v":1,"id":0,"verb":"block"}\n')
        assert room.verbs.blocked.acquire(timeout=5)
        link.sendall(b"".join(b'{"v":1,"id":%d,"verb":"echo"}\n' % n for n in range(1, 18)))
        answer = json.loads(lines.readline())
        assert (answer["id"], answer["code"]) == (17, "busy")


def fill(room: Room) -> list[Door]:
    doors = [room.call() for _ in range(CLIENTS)]
    for door in doors:
        door.request("echo")
    return doors


def test_one_client_too_many_is_answered_busy(room: Room) -> None:
    doors = fill(room)
    with room.call() as late, pytest.raises(DoorRefused, match="3 clients") as caught:
        late.request("echo")
    assert caught.value.code == "busy"
    for door in doors:
        door.close()


def test_silent_client_too_many_is_shown_out(room: Room) -> None:
    doors = fill(room)
    with room.raw() as link:
        assert b"busy" in link.recv(1000)
        assert link.recv(1) == b""
    for door in doors:
        door.close()


def test_stop_is_served_when_the_house_and_the_lobby_are_full(room: Room) -> None:
    doors = fill(room)
    silent = [room.raw() for _ in range(80)]
    began = time.monotonic()
    with room.call() as late:
        assert late.request("stop") == {"stopped": True}
    assert time.monotonic() - began < 1.0
    for link in (*doors, *silent):
        link.close()


def test_room_is_free_again_after_a_client_left(room: Room) -> None:
    for door in fill(room):
        door.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            with room.call() as door:
                assert door.request("echo")
            return
        except (DoorRefused, DoorClosed):
            time.sleep(0.01)  # the server learns of the hang-up on its own threads
    pytest.fail("nobody was let in again")


def test_subscriber_gets_events_and_can_go_on_asking(room: Room) -> None:
    with room.raw() as link, link.makefile("rb") as lines:
        link.sendall(b'{"v":1,"id":5,"verb":"subscribe","kinds":["say"]}\n')
        assert json.loads(lines.readline()) == {"v": 1, "id": 5, "status": "ok", "data": {}}
        room.feed.publish({"kind": "stop"})
        room.feed.publish({"kind": "say", "text": "hello"})
        event = json.loads(lines.readline())
        assert (event["id"], event["event"]) == (5, {"kind": "say", "text": "hello"})
        link.sendall(b'{"v":1,"id":6,"verb":"echo"}\n')
        assert json.loads(lines.readline())["id"] == 6


def test_client_library_follows_the_stream(room: Room) -> None:
    with room.call() as door:
        events = door.subscribe(kinds=["say"])
        thread = threading.Timer(0.2, lambda: room.feed.publish({"kind": "say", "text": "x"}))
        thread.start()
        assert next(events) == {"kind": "say", "text": "x"}


def test_end_of_a_subscriber_ends_its_subscription(room: Room) -> None:
    with room.call() as door:
        events = door.subscribe()
        threading.Timer(0.1, lambda: room.feed.publish({"kind": "stop"})).start()
        next(events)
    deadline = time.monotonic() + 5
    while room.feed._subscriptions and time.monotonic() < deadline:
        time.sleep(0.01)  # the server learns of the hang-up on its own threads
    assert not room.feed._subscriptions


@pytest.mark.parametrize("data", [{"kinds": "say"}, {"kinds": [1]}, {"sorts": []}])
def test_bad_subscription_is_refused(room: Room, data: dict[str, Any]) -> None:
    with room.call() as door, pytest.raises(DoorRefused, match="kinds"):
        next(door.subscribe(**data))


def test_client_that_does_not_read_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentd.door.connection.SEND_S", 0.2)
    room = Room(tmp_path / "s")
    room.door.start()
    with room.raw() as link:
        link.sendall(b'{"v":1,"id":1,"verb":"large","count":20000}\n')
        time.sleep(0.8)  # the client is slow
        received = 0
        while chunk := link.recv(1 << 20):
            received += len(chunk)
        assert received < 700_000
    room.door.close()


def test_stale_socket_is_replaced_with_the_right_mode(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    room = Room(path, mode=0o600)
    room.door.start()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with room.call() as door:
        assert door.request("echo")
    room.door.close()
    assert not path.exists()


def test_live_socket_is_refused(room: Room) -> None:
    with pytest.raises(SocketTaken, match="another process already serves it"):
        Room(room.path).door.start()
    with room.call() as door:
        assert door.request("echo")


def test_other_file_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("mine")
    with pytest.raises(SocketTaken, match="not a socket"):
        Room(path).door.start()
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("path", "words"), [("a" * 120, "too long"), ("missing/s", "cannot listen")]
)
def test_impossible_path_is_one_clear_line(tmp_path: Path, path: str, words: str) -> None:
    with pytest.raises(SocketTaken, match=words):
        Room(tmp_path / path).door.start()


def test_close_hangs_up_on_everybody(tmp_path: Path) -> None:
    room = Room(tmp_path / "s")
    room.door.start()
    with room.call() as door:
        door.request("echo")
        room.door.close()
        with pytest.raises(DoorClosed):
            door.request("echo")
    with pytest.raises(DoorClosed):
        room.call()


def test_socket_without_a_feed_has_no_subscribe(tmp_path: Path) -> None:
    room = Room(tmp_path / "s")
    room.door = SocketDoor(room.path, room.verbs, None, clock=clock)
    room.door.start()
    with room.call() as door, pytest.raises(DoorRefused) as caught:
        next(door.subscribe())
    assert caught.value.code == "unknown_verb"
    room.door.close()
