"""Safe mode, clause by clause: outputs safe, status published, door and configuration reachable, no
rules, no promises, no models. Each clause is also seen to be otherwise in a box that is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentd.crash import CRASHES
from agentd.door.request import Request
from agentd.door.sock import SocketDoor
from llmagentos.clock import Instant
from tests.agentd.box import ROOM, ask, running
from tests.broker import MOSQUITTO, Broker, Phone, wait_until
from tests.hal.board.process import BoardProcess

BUTTON = 16
HOME = (
    ROOM.replace('pins = "mock"', 'pins = "board"').replace("[llm]\nenabled = false", "[llm]")
    + f"""
[[device]]
id = "button"
kind = "button"
driver = "gpio.button"
pin = {BUTTON}
[[rule]]
id = "press"
when = {{ device = "button", value = "pressed" }}
do = [{{ device = "lamp", action = "turn_on" }}]
"""
)
ODD = "it is so murky in here that I see nothing"
"""A sentence that only a model would make something of."""

WELL, HELD = "a box that is well", "safe mode"


class Model:
    """Whoever answers at llm.sock, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.verbs: list[str] = []
        self._door = SocketDoor(folder / "llm.sock", self._serve, clock=lambda: Instant(0.0, 0.0))
        self._door.start()

    def _serve(self, request: Request) -> dict[str, object]:
        self.verbs.append(request.verb)
        return {"state": "ready", "model": "fake", "tokens": 1}

    def close(self) -> None:
        self._door.close()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")


@pytest.fixture
def board(folder: Path) -> Iterator[BoardProcess]:
    board = BoardProcess(folder)
    yield board
    board.kill()


@pytest.fixture
def model(folder: Path) -> Iterator[Model]:
    model = Model(folder)
    yield model
    model.close()


@pytest.fixture(params=[WELL, HELD])
def box(
    request: pytest.FixtureRequest, folder: Path, board: BoardProcess, model: Model
) -> Iterator[str]:
    """Two boxes: one has died too often."""
    if request.param == HELD:
        (folder / "crashes.json").write_text(f'{{"crashes": {CRASHES - 1}, "ready_at_s": null}}')
    with running(folder, HOME):
        wait_until(lambda: ask(folder, "health")["status"], what="a word")
        yield request.param


def test_outputs_are_held_safe_against_every_way_in(box: str, folder: Path) -> None:
    stage = "refused" if box == HELD else "read_back"
    assert ask(folder, "set", device="heater", value="on")["applied"][0]["stage"] == stage
    said = ask(folder, "ask", text="turn on the desk lamp")
    assert said["applied"][0]["stage"] == stage
    assert ("until somebody resets it" in said["reply"]) == (box == HELD)
    off = ask(folder, "set", device="heater", value="off")
    assert off["applied"][0]["stage"] == "read_back", "towards safe it always goes"


def test_no_rule_runs(box: str, folder: Path, board: BoardProcess) -> None:
    with board.control() as control:
        control.press(BUTTON, held_s=0.2)
    if box == HELD:
        with pytest.raises(AssertionError, match="not within"):
            wait_until(lambda: is_lit(folder), timeout_s=2.0)
    else:
        wait_until(lambda: is_lit(folder), what="the rule to run")


def is_lit(folder: Path) -> bool:
    return bool(ask(folder, "state", device="lamp")["states"]["lamp"]["values"]["state"] == "on")


def test_no_model_is_asked(box: str, folder: Path, model: Model) -> None:
    ask(folder, "ask", text=ODD)
    assert bool(set(model.verbs) - {"health"}) == (box == WELL)


def test_the_configuration_is_reachable_and_can_be_mended(box: str, folder: Path) -> None:
    assert 'id = "heater"' in ask(folder, "config")["toml"]
    config = folder / "agentd.toml"
    config.write_text(HOME.replace('id = "fan"', 'id = "fan"\nname = "breeze"'))
    assert ask(folder, "reload") == {"changed": ["fan"], "errors": []}
    config.write_text("[[device]\n")
    assert "not TOML" in ask(folder, "reload")["errors"][0]
    assert (ask(folder, "health")["status"] == "safe_mode") == (box == HELD)


@pytest.mark.skipif(not MOSQUITTO, reason="mosquitto is not installed")
def test_the_network_is_told(folder: Path) -> None:
    broker = Broker(folder)
    broker.start()
    phone = Phone(broker.port)
    mqtt = f'[mqtt]\nbroker = "127.0.0.1"\nport = {broker.port}'
    try:
        with running(folder, ROOM.replace('[mqtt]\nbroker = "off"', mqtt), is_held=True):
            assert phone.wait("agentd/box/status", lambda note: note.payload == b"online")
            assert phone.wait("agentd/box/info").json["mode"] == "safe_mode"
            assert phone.wait("agentd/box/heater/state").json["state"] == "off"
            phone.say("agentd/box/request/health", {"transaction": "t"})
            told = phone.wait("agentd/box/response/health").json["data"]
            assert told["status"] == "safe_mode"
            assert "held safe until somebody resets it" in told["errors"][0]
    finally:
        phone.close()
        broker.kill()
