"""The model's socket: a short queue, deadlines from arrival, cancelling, clients that vanish."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentd.llm.listen import SocketTaken, listen
from agentd.llm.server import CLIENTS, QUEUE, Server
from agentd.llm.worker import Worker
from llmagentos.client import DoorRefused
from llmagentos.wire import MAX_FRAME_BYTES
from models.errors import ModelCorrupt, ModelMissing
from models.scripted import ScriptedChooser
from tests.agentd.llm.house import House, clock, eventually

SLOW_S = 0.3
ASK = {"prompt": "the lamp please", "choices": ["lamp", "fan"]}


@pytest.fixture
def chooser() -> ScriptedChooser:
    return ScriptedChooser({"lamp": "lamp", "fan": "fan"}, takes_s=0.0)


@pytest.fixture
def slow() -> ScriptedChooser:
    return ScriptedChooser({"lamp": "lamp"}, takes_s=SLOW_S)


@pytest.fixture
def house(tmp_path: Path, chooser: ScriptedChooser) -> Iterator[House]:
    made = House(tmp_path, chooser)
    yield made
    made.close()


@pytest.fixture
def slow_house(tmp_path: Path, slow: ScriptedChooser) -> Iterator[House]:
    made = House(tmp_path, slow)
    yield made
    made.close()


def test_a_client_sets_a_prefix_and_gets_a_choice_under_it(house, chooser):
    with house.door() as door:
        prefix = door.request("prefix", text="a home", end=".\n")
        assert prefix["tokens"] == 2
        choice = door.request("choose", **ASK, prefix_id=prefix["prefix_id"])
        assert choice["choice"] == 0
        assert choice["margin"] == pytest.approx(choice["scores"][0] - choice["scores"][1])
        assert door.request("health") == {
            "model": "scripted", "state": "ready", "detail": "", "queue": 0,
            "prefix_id": prefix["prefix_id"], "prefix_tokens": 2,
        }  # fmt: skip
    assert (chooser.prefix, chooser.end) == ("a home", ".\n")


def test_a_choice_under_a_prefix_that_another_replaced_is_refused(house):
    with house.door() as one, house.door() as other:
        first = one.request("prefix", text="one")["prefix_id"]
        other.request("prefix", text="other")
        with pytest.raises(DoorRefused) as caught:
            one.request("choose", **ASK, prefix_id=first)
        assert caught.value.code == "no_prefix"


def test_a_prefix_that_failed_is_not_resident(house):
    with house.door() as door:
        first = door.request("prefix", text="one")["prefix_id"]
        with pytest.raises(DoorRefused, match="more than"):
            door.request("prefix", text="x" * 9000)
        with pytest.raises(DoorRefused) as caught:
            door.request("choose", **ASK, prefix_id=first)
        assert caught.value.code == "no_prefix"


def test_the_socket_is_for_its_owner_alone(house):
    assert stat.S_IMODE(house.path.stat().st_mode) == 0o600


def test_a_full_queue_says_busy_and_keeps_what_it_took(tmp_path):
    chooser = ScriptedChooser(takes_s=30.0)
    house = House(tmp_path, chooser)
    client = house.raw()
    client.send(0, "choose", **ASK, deadline_ms=60_000)
    eventually(lambda: len(chooser.asked) == 1)
    for number in range(1, QUEUE + 3):
        client.send(number, "choose", **ASK, deadline_ms=60_000)
    answers = [client.receive() for _ in range(2)]
    assert [(a["id"], a["code"]) for a in answers] == [(QUEUE + 1, "busy"), (QUEUE + 2, "busy")]
    assert house.door().request("health")["queue"] == QUEUE + 1
    house.close()


def test_requests_are_served_in_the_order_they_came(slow_house):
    client = slow_house.raw()
    for number in (5, 3, 4):
        client.send(number, "choose", **ASK)
    assert [client.receive()["id"] for _ in range(3)] == [5, 3, 4]


def test_a_deadline_counts_from_arrival_not_from_the_front_of_the_queue(slow_house):
    client = slow_house.raw()
    client.send(1, "choose", **ASK)
    started_s = time.monotonic()
    client.send(2, "choose", **ASK, deadline_ms=50)
    answer = client.receive()
    assert (answer["id"], answer["code"]) == (2, "deadline")
    assert time.monotonic() - started_s < SLOW_S
    assert client.receive()["status"] == "ok"


def test_a_deadline_that_passes_while_it_is_scored_is_told(slow_house):
    with slow_house.door() as door:
        with pytest.raises(DoorRefused) as caught:
            door.request("choose", **ASK, deadline_ms=50)
        assert caught.value.code == "deadline"
        assert door.request("choose", **ASK)["choice"] == 0


def test_a_request_that_is_scored_is_called_off_at_once(tmp_path):
    house = House(tmp_path, ScriptedChooser(takes_s=30.0))
    client = house.raw()
    client.send(1, "choose", **ASK, deadline_ms=60_000)
    eventually(lambda: house.door().request("health")["queue"] == 1)
    started_s = time.monotonic()
    client.send(2, "cancel", target=1)
    answers = {client.receive()["id"]: 0 for _ in range(2)}
    assert set(answers) == {1, 2}
    eventually(lambda: house.door().request("health")["queue"] == 0)
    assert time.monotonic() - started_s < 1.0
    house.close()


def test_another_connection_of_the_same_process_may_cancel(slow_house):
    one = slow_house.raw()
    one.send(1, "choose", **ASK)
    one.send(41, "choose", **ASK)
    with slow_house.door() as other:
        eventually(lambda: other.request("cancel", target=41) == {"cancelled": 1})
        assert other.request("cancel", target=41) == {"cancelled": 0}
    codes = {answer["id"]: answer.get("code") for answer in (one.receive(), one.receive())}
    assert codes == {1: None, 41: "cancelled"}


def test_what_a_vanished_client_asked_is_not_scored(slow_house, slow):
    client, other = slow_house.raw(), slow_house.raw()
    client.send(1, "choose", **ASK)
    eventually(lambda: len(slow.asked) == 1)
    client.send(2, "choose", **ASK)
    client.close()
    other.send(1, "choose", prompt="after", choices=["a", "b"])
    assert other.receive()["status"] == "ok"
    assert [prompt for prompt, _ in slow.asked] == [ASK["prompt"], "after"]


def test_a_bad_frame_is_answered_and_the_client_may_go_on(house):
    client = house.raw()
    client.link.sendall(b"no json at all\n")
    assert client.receive()["code"] == "bad_request"
    client.send(1, "health")
    assert client.receive()["data"]["state"] == "ready"


def test_a_frame_without_an_end_is_answered_and_hung_up_on(house):
    client = house.raw()
    client.link.sendall(b"x" * (MAX_FRAME_BYTES + 1))
    assert client.receive()["code"] == "bad_request"
    assert client.is_hung_up()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param({"prompt": "", "choices": ["a"]}, "prompt is empty", id="no-prompt"),
        pytest.param({"prompt": "p", "choices": []}, "no choices", id="no-choices"),
        pytest.param({"prompt": "p", "choices": ["a", "a"]}, "twice", id="twice"),
        pytest.param({"prompt": "p" * 9000, "choices": ["a"]}, "more than", id="long"),
    ],
)
def test_what_cannot_be_scored_is_a_bad_request(house, data, says):
    with house.door() as door:
        with pytest.raises(DoorRefused, match=says) as caught:
            door.request("choose", **data)
        assert caught.value.code == "bad_request"


def test_a_client_that_never_reads_is_dropped_and_the_rest_is_served(house):
    deaf = house.raw()
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        deaf.flood()
    with house.door() as door:
        assert door.request("health")["state"] == "ready"


def test_more_clients_than_fit_are_told_so(house):
    clients = [house.raw() for _ in range(CLIENTS)]
    for client in clients:
        client.send(1, "health")
        client.receive()
    assert house.raw().receive()["code"] == "busy"
    clients.pop().close()

    def is_let_in() -> bool:
        client = house.raw()
        client.send(1, "health")
        answer = client.receive()
        client.close()
        return answer["status"] == "ok"

    eventually(is_let_in)


def test_without_a_model_every_question_is_told_what_to_do(tmp_path, chooser):
    reason = "model m is not on this machine; fetch it: agentctl models pull m"
    house = House(tmp_path, chooser, lacks=[ModelMissing(reason), ModelCorrupt("still cut")])
    with house.door() as door:
        eventually(lambda: door.request("health")["state"] == "missing")
        assert door.request("health")["detail"] == reason
        with pytest.raises(DoorRefused, match="agentctl models pull") as caught:
            door.request("choose", **ASK)
        assert caught.value.code == "unavailable"
        assert house.opened == 1, "what failed is not tried again while nothing has changed"
        house.files += 1
        eventually(lambda: door.request("health")["detail"] == "still cut")
        house.files += 1
        eventually(lambda: door.request("health")["state"] == "ready")
        assert door.request("choose", **ASK)["choice"] == 0
    house.close()


def test_a_defect_of_the_model_ends_the_program_with_its_traceback(tmp_path):
    def broken(prompt: str, choice: str) -> float:
        raise RuntimeError("a defect")

    house = House(tmp_path, ScriptedChooser(score=broken))
    client = house.raw()
    client.send(1, "choose", **ASK)
    house.wait()
    assert str(house.failure) == "a defect"
    assert not house.path.exists()


def test_progress_is_told_while_nothing_happens(house):
    told = len(house.beats)
    eventually(lambda: len(house.beats) > told + 2)
    assert house.beats[-1].state == "ready"


def test_the_end_frees_the_model_and_removes_the_socket(tmp_path):
    chooser = ScriptedChooser(takes_s=30.0)
    house = House(tmp_path, chooser)
    client = house.raw()
    client.send(1, "choose", **ASK, deadline_ms=60_000)
    eventually(lambda: len(chooser.asked) == 1)
    started_s = time.monotonic()
    house.close()
    assert time.monotonic() - started_s < 1.0
    assert chooser.is_closed
    assert not house.path.exists()


def test_a_served_socket_is_not_taken_over(house, chooser):
    worker = Worker(lambda: chooser, mark=lambda: 0, clock=clock)
    with pytest.raises(SocketTaken, match="already serves"):
        Server(house.path, worker, model="second", clock=clock)
    assert house.door().request("health")["model"] == "scripted"


def test_a_socket_that_a_dead_process_left_is_replaced(tmp_path):
    left, _ = listen(tmp_path / "llm.sock")
    left.close()
    fresh, _ = listen(tmp_path / "llm.sock")
    fresh.close()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("file", "not a socket", id="a-file-there"),
        pytest.param("no/such/folder.sock", "cannot listen", id="no-folder"),
        pytest.param("x" * 120, "too long", id="long-path"),
    ],
)
def test_a_path_that_cannot_be_served_is_named(tmp_path, name, says):
    (tmp_path / "file").touch()
    with pytest.raises(SocketTaken, match=says):
        listen(tmp_path / name)
