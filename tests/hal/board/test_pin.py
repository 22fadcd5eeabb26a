"""gpiozero's own devices over a running board."""

from __future__ import annotations

import os
import queue
import signal
import time
from pathlib import Path

import pytest
from gpiozero import (
    PWMLED,
    Button,
    Buzzer,
    Device,
    DigitalInputDevice,
    DigitalOutputDevice,
    GPIOPinInUse,
    MotionSensor,
    OutputDevice,
    PinError,
    PinInvalidPin,
    PinSetInput,
)

from hal.board.control import BoardControl
from hal.board.pin import BoardFactory, BoardLost, BoardPinBusy
from hal.contract import PinBusy, Unplugged
from tests.hal.board.process import BoardProcess, eventually


@pytest.mark.parametrize("name", [17, "GPIO17", "BCM17", "BOARD11", "J8:11"])
def test_output_drives_and_reads_back_by_any_name(
    pins: BoardFactory, hand: BoardControl, name: int | str
) -> None:
    with DigitalOutputDevice(name, pin_factory=pins) as relay:
        assert relay.value == 0
        relay.on()
        assert (relay.value, hand.levels()[17].level) == (1, 1)


def test_inverted_output_is_high_while_off(pins: BoardFactory, hand: BoardControl) -> None:
    with DigitalOutputDevice(17, active_high=False, pin_factory=pins) as relay:
        assert (relay.value, hand.levels()[17].level) == (0, 1)


def test_device_that_names_no_first_value_takes_over_the_level(
    pins: BoardFactory, board: BoardProcess
) -> None:
    DigitalOutputDevice(17, initial_value=True, pin_factory=pins).close()
    before = [edge.level for edge in board.edges() if edge.pin == 17]
    with OutputDevice(17, initial_value=None, pin_factory=pins) as relay:
        assert relay.value == 1
    after = [edge.level for edge in board.edges() if edge.pin == 17]
    assert set(after[len(before) - 1 :]) == {1.0}


def test_closed_device_leaves_its_level_and_frees_its_line(
    pins: BoardFactory, hand: BoardControl
) -> None:
    DigitalOutputDevice(17, initial_value=True, pin_factory=pins).close()
    line = hand.levels()[17]
    assert (line.level, line.owner_pid) == (1, None)


def test_pulsed_lamp_tells_its_duty_and_keeps_it_when_closed(
    pins: BoardFactory, hand: BoardControl
) -> None:
    lamp = PWMLED(18, frequency=200, pin_factory=pins)
    lamp.value = 0.4
    assert (lamp.value, hand.levels()[18].level, hand.levels()[18].hz) == (0.4, 0.4, 200)
    lamp.close()
    assert hand.levels()[18].level == 0.4
    assert pins.pin(18).state == 0.4


def test_lamp_taken_over_at_its_duty_does_not_blink(
    pins: BoardFactory, board: BoardProcess
) -> None:
    PWMLED(18, initial_value=0.4, pin_factory=pins).close()
    count = len(board.edges())
    PWMLED(18, initial_value=pins.pin(18).state, pin_factory=pins)
    assert {edge.level for edge in board.edges()[count:]} == {0.4}


def test_buzzer_beeps_on_the_line(pins: BoardFactory, board: BoardProcess) -> None:
    with Buzzer(25, pin_factory=pins) as buzzer:
        buzzer.beep(on_time=0.01, off_time=0.01, n=2, background=False)
    levels = [edge.level for edge in board.edges() if edge.why == "write"]
    assert levels == [1, 0, 1, 0]


def test_button_press_and_release_are_told(pins: BoardFactory, hand: BoardControl) -> None:
    told: queue.Queue[str] = queue.Queue()
    with Button(16, pin_factory=pins) as button:
        button.when_pressed = lambda: told.put("pressed")
        button.when_released = lambda: told.put("released")
        assert not button.is_pressed
        hand.press(16, held_s=0.05)
        assert [told.get(timeout=2), told.get(timeout=2)] == ["pressed", "released"]


def test_motion_is_seen_and_ends(pins: BoardFactory, hand: BoardControl) -> None:
    with MotionSensor(12, pin_factory=pins) as sensor:
        hand.set_room(motion=True)
        assert sensor.wait_for_motion(timeout=2)
        hand.set_room(motion=False)
        assert sensor.wait_for_no_motion(timeout=2)


def test_bouncing_contact_is_told_once(pins: BoardFactory, hand: BoardControl) -> None:
    told: queue.Queue[int] = queue.Queue()
    with DigitalInputDevice(16, pull_up=True, bounce_time=0.05, pin_factory=pins) as contact:
        contact.when_activated = lambda: told.put(1)
        contact.when_deactivated = lambda: told.put(0)
        for level in (0, 1, 0, 1, 0):
            hand.drive(16, level)
        assert told.get(timeout=2) == 1
        hand.drive(16, None)
        assert told.get(timeout=2) == 0
        assert told.empty()


def test_edge_carries_the_boards_own_time(pins: BoardFactory, hand: BoardControl) -> None:
    ticks: queue.Queue[float] = queue.Queue()
    pin = pins.pin(16)
    pin.input_with_pull("up")

    def take(at: float, state: int) -> None:
        ticks.put(at)

    pin.when_changed = take
    time.sleep(0.1)  # the watch begins, which tells the level and is no edge
    start = time.monotonic()
    hand.drive(16, 0)
    assert start < ticks.get(timeout=2) < time.monotonic()
    assert ticks.empty()


def test_failing_callback_does_not_end_the_others(
    pins: BoardFactory, hand: BoardControl, caplog: pytest.LogCaptureFixture
) -> None:
    told: queue.Queue[str] = queue.Queue()
    with Button(16, pin_factory=pins) as broken, Button(20, pin_factory=pins) as sound:
        broken.when_pressed = lambda: 1 / 0
        sound.when_pressed = lambda: told.put("pressed")
        hand.press(16)
        hand.press(20)
        assert told.get(timeout=2) == "pressed"
    assert "ZeroDivisionError" in caplog.text


def test_line_of_another_program_is_busy_and_named(pins: BoardFactory, board: BoardProcess) -> None:
    owner = board.start_owner()
    try:
        with pytest.raises(
            BoardPinBusy, match=rf"GPIO17 is held by python\S* \(pid {owner.pid}\)"
        ) as busy:
            DigitalOutputDevice(17, pin_factory=pins)
        assert isinstance(busy.value, GPIOPinInUse)
        assert isinstance(busy.value, PinBusy)
        assert pins.pin(17).state == 1
    finally:
        owner.kill()
        owner.communicate()


def test_two_devices_of_one_program_share_no_line(pins: BoardFactory) -> None:
    with DigitalOutputDevice(17, pin_factory=pins), pytest.raises(GPIOPinInUse):
        DigitalOutputDevice(17, pin_factory=pins)


def test_stuck_relay_reads_back_wrong(pins: BoardFactory, hand: BoardControl) -> None:
    with DigitalOutputDevice(17, pin_factory=pins) as relay:
        hand.stick_pin(17, 0)
        relay.on()
        assert relay.value == 0
        hand.stick_pin(17, None)
        assert relay.value == 1


@pytest.mark.parametrize("name", [28, "GPIO28", "BOARD1", "", "lamp"])
def test_line_that_does_not_exist_is_refused(tmp_path: Path, name: int | str) -> None:
    with pytest.raises(PinInvalidPin):
        BoardFactory(tmp_path / "board.sock").pin(name)


def test_input_cannot_be_driven(pins: BoardFactory) -> None:
    pin = pins.pin(16)
    pin.input_with_pull("up")
    with pytest.raises(PinSetInput):
        pin.state = 1


def test_absent_board_is_named_when_a_line_is_wanted(tmp_path: Path) -> None:
    pins = BoardFactory(tmp_path / "board.sock")
    with pytest.raises(BoardLost, match=r"board is away: nobody answers at .*board\.sock") as lost:
        DigitalOutputDevice(17, pin_factory=pins)
    assert isinstance(lost.value, PinError)
    assert isinstance(lost.value, Unplugged)


def test_lost_board_is_an_error_and_its_successor_is_used_as_it_is(
    board: BoardProcess, pins: BoardFactory
) -> None:
    relay = DigitalOutputDevice(17, initial_value=True, pin_factory=pins)
    board.kill()
    with pytest.raises(BoardLost):
        relay.on()
    with pytest.raises(BoardLost):
        _ = relay.value
    successor = BoardProcess(board.folder)
    try:
        assert relay.value == 0  # nobody has written to this board yet
        relay.on()
        with successor.control() as hand:
            assert (relay.value, hand.levels()[17].level) == (1, 1)
    finally:
        successor.kill()


def test_button_works_on_the_next_board_and_is_not_pressed_by_the_change(
    board: BoardProcess, pins: BoardFactory
) -> None:
    told: queue.Queue[str] = queue.Queue()
    button = Button(16, pin_factory=pins)
    button.when_pressed = lambda: told.put("pressed")
    board.kill()
    successor = BoardProcess(board.folder)
    try:
        with successor.control() as hand:
            assert eventually(lambda: hand.levels()[16].owner_pid == os.getpid())
            time.sleep(0.2)  # long enough for a press that is none
            assert told.empty()
            hand.drive(16, 0)
            assert told.get(timeout=3) == "pressed"
    finally:
        successor.kill()


def test_press_in_a_gap_of_the_watch_is_seen_late(
    board: BoardProcess, pins: BoardFactory, hand: BoardControl
) -> None:
    told: queue.Queue[str] = queue.Queue()
    button = Button(16, pin_factory=pins)
    button.when_pressed = lambda: told.put("pressed")
    pins.watch.leave(16)
    hand.drive(16, 0)
    time.sleep(0.1)  # the edge passes unwatched
    assert told.empty()
    pins.watch.follow(16, stable_s=0.0)
    assert told.get(timeout=2) == "pressed"


def test_line_driven_by_a_dead_program_is_known_as_an_output(
    board: BoardProcess, pins: BoardFactory
) -> None:
    owner = board.start_owner()
    owner.kill()
    owner.communicate()
    assert [pins.pin(pin).function for pin in (17, 18, 22)] == ["output", "output", "input"]


def test_hung_board_costs_one_wait_and_not_one_for_each_device(
    board: BoardProcess, pins: BoardFactory
) -> None:
    relays = [DigitalOutputDevice(pin, pin_factory=pins) for pin in (17, 22, 23, 24)]
    board.process.send_signal(signal.SIGSTOP)
    start = time.monotonic()
    for relay in relays:
        with pytest.raises(BoardLost):
            relay.on()
    assert time.monotonic() - start < 0.9
    board.process.send_signal(signal.SIGCONT)
    assert eventually(lambda: _is_writable(relays[0]))


def _is_writable(relay: DigitalOutputDevice) -> bool:
    try:
        relay.on()
    except BoardLost:
        return False
    return bool(relay.value == 1)


def test_gpiozero_finds_the_factory_by_name(
    board: BoardProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "agentd-board")
    monkeypatch.setenv("LLMAGENTOS_BOARD", str(board.socket))
    factory = Device._default_pin_factory()
    assert isinstance(factory, BoardFactory)
    with DigitalOutputDevice(17, pin_factory=factory) as relay:
        relay.on()
        assert relay.value == 1
    factory.close()
