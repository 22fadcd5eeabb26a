from __future__ import annotations

import inspect
from typing import Any

import gpiozero.exc
import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from hal.contract import DriverError, HalError, PinBusy, PinUnknown, Unplugged
from hal.link import gpio
from hal.link.gpio import InputLine, OutputLine, PwmLine, open_pins


@pytest.fixture
def pins() -> Any:
    return open_pins("mock")


def test_every_exception_of_gpiozero_has_a_meaning_here() -> None:
    theirs = {
        each
        for _, each in inspect.getmembers(gpiozero.exc, inspect.isclass)
        if issubclass(each, gpiozero.exc.GPIOZeroError)
    }
    assert theirs - set(gpio.MEANING) == set(), "gpiozero grew an error: say what it means"
    assert set(gpio.MEANING) - theirs == set()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (gpiozero.exc.GPIOPinInUse("held"), PinBusy),
        (gpiozero.exc.PinInvalidPin("99"), PinUnknown),
        (gpiozero.exc.PinFixedPull("up"), DriverError),
        (gpiozero.exc.SPIBadArgs("spi"), HalError),
        (OSError(19, "No such device"), Unplugged),
        (ConnectionResetError(), Unplugged),
        (Unplugged("already ours"), Unplugged),
    ],
)
def test_foreign_errors_become_ours(theirs: Exception, ours: type[HalError]) -> None:
    with pytest.raises(HalError) as caught, gpio.mapped("lamp: pin 4"):
        raise theirs
    assert type(caught.value) is ours


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), gpio.mapped("lamp"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("kind", "options", "names"),
    [
        ("gpoid", {}, "gpiod, board, mock"),
        ("gpiod", {"chp": "/dev/gpiochip0"}, "chip"),
        ("mock", {"chip": "x"}, "none"),
    ],
)
def test_open_pins_names_what_is_allowed(kind: str, options: dict[str, str], names: str) -> None:
    with pytest.raises(DriverError, match=names):
        open_pins(kind, **options)


@pytest.mark.parametrize("active_high", [True, False])
def test_fresh_output_starts_inactive_without_a_blip(pins: Any, active_high: bool) -> None:
    line = OutputLine(pins, 17, owner="relay", active_high=active_high)
    assert not line.is_on
    assert [state.state for state in pins.pin(17).states][-1] is not active_high


@pytest.mark.parametrize("active_high", [True, False])
def test_reopened_output_keeps_its_level(pins: Any, active_high: bool) -> None:
    line = OutputLine(pins, 17, owner="relay", active_high=active_high)
    line.set(True)
    pins.pin(17).clear_states()
    line.close()
    again = OutputLine(pins, 17, owner="relay", active_high=active_high)
    assert again.is_on
    assert len(pins.pin(17).states) == 1, "the level changed on the way"


def test_output_reads_the_line_not_what_it_was_told(pins: Any) -> None:
    line = OutputLine(pins, 17, owner="relay")
    line.set(True)
    pins.pin(17)._change_state(False)  # a short to ground, on gpiozero's mock
    assert not line.is_on


def test_two_devices_cannot_share_a_pin(pins: Any) -> None:
    OutputLine(pins, 17, owner="fan").close()
    held = OutputLine(pins, 17, owner="lamp")
    with pytest.raises(PinBusy, match="lamp"):
        InputLine(pins, 17, owner="button")
    held.close()
    OutputLine(pins, 17, owner="pump")


@pytest.mark.parametrize(
    ("pin", "error"), [(99, PinUnknown), (-1, PinUnknown), (None, DriverError)]
)
def test_a_line_needs_a_pin_that_exists(pins: Any, pin: int | None, error: type) -> None:
    with pytest.raises(error, match="lamp"):
        OutputLine(pins, pin, owner="lamp")


def test_a_line_needs_a_board() -> None:
    with pytest.raises(DriverError, match=r"\[board\] pins"):
        OutputLine(None, 4, owner="lamp")


def test_a_pin_that_failed_to_open_is_free_again() -> None:
    pins = MockFactory()  # its pins cannot be pulsed
    with pytest.raises(DriverError):
        PwmLine(pins, 18, owner="lamp")
    OutputLine(pins, 18, owner="relay")


def test_reopened_pwm_keeps_its_duty(pins: Any) -> None:
    line = PwmLine(pins, 18, owner="lamp")
    line.set(0.4)
    line.close()
    assert PwmLine(pins, 18, owner="lamp").duty == pytest.approx(0.4)


def test_input_tells_the_present_state_first_then_each_change_once(pins: Any) -> None:
    line = InputLine(pins, 16, owner="button", pull="up", active_high=False, debounce_s=0.02)
    told: list[bool] = []
    line.watch(told.append)
    pin: MockPWMPin = pins.pin(16)
    pin.drive_low()
    pin.drive_low()
    pin.drive_high()
    assert told == [False, True, False]
    assert pin.bounce == pytest.approx(0.02)
    line.close()
    pin.drive_low()
    assert told == [False, True, False]


def test_fixed_resistor_of_the_board_is_a_mistake_of_the_options(pins: Any) -> None:
    with pytest.raises(DriverError, match="pin 2"):
        InputLine(pins, 2, owner="button", pull="down")
