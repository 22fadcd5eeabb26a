"""The real pin factory over a chip in memory that behaves as the kernel documents it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gpiod.line import Bias, Direction
from gpiozero import LED, Button

from hal.contract import DriverError, PinBusy, PinUnknown, Unplugged
from hal.link.chip import find_header, look_at
from hal.link.gpio import InputLine, OutputLine, PwmLine
from hal.link.gpiod import GpiodFactory
from tests.hal.bench import eventually
from tests.hal.chip import FakeChip


@pytest.fixture
def chip() -> FakeChip:
    return FakeChip()


@pytest.fixture
def pins(chip: FakeChip) -> Iterator[GpiodFactory]:
    factory = GpiodFactory("/dev/gpiochip0", open_chip=chip.open)
    yield factory
    factory.close()


def reopen(pins: GpiodFactory, chip: FakeChip) -> GpiodFactory:
    """The next process: the old one let go of every line."""
    pins.close()
    return GpiodFactory("/dev/gpiochip0", open_chip=chip.open)


def opener(**labels: str) -> Callable[[str], Any]:
    chips = {f"/dev/{name}": FakeChip(label) for name, label in labels.items()}
    return lambda path: chips[path].open(path)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({"gpiochip0": "pinctrl-bcm2711", "gpiochip1": "raspberrypi-exp-gpio"}, "gpiochip0"),
        ({"gpiochip0": "gpio-brcmstb@107d508500", "gpiochip4": "pinctrl-rp1"}, "gpiochip4"),
        ({"gpiochip0": "pinctrl-rp1", "gpiochip10": "gpio-brcmstb"}, "gpiochip0"),
        ({"gpiochip0": "tegra234-gpio", "gpiochip1": "tegra234-gpio-aon"}, "gpiochip0"),
        ({"gpiochip0": "9030000.pl061"}, "gpiochip0"),
    ],
    ids=["pi 4", "pi 5, older kernel", "pi 5, newer kernel", "jetson orin", "an only chip"],
)
def test_header_is_found_by_label(labels: dict[str, str], found: str) -> None:
    paths = [f"/dev/{name}" for name in labels]
    assert find_header(paths, open_chip=opener(**labels)) == f"/dev/{found}"


def test_two_unknown_chips_are_a_question_not_a_guess() -> None:
    with pytest.raises(DriverError, match=r"board\.chip.*gpiochip0 \(a\), /dev/gpiochip1 \(b\)"):
        find_header(
            ["/dev/gpiochip0", "/dev/gpiochip1"], open_chip=opener(gpiochip0="a", gpiochip1="b")
        )


def test_no_chip_is_unplugged() -> None:
    with pytest.raises(Unplugged, match="no /dev/gpiochip"):
        find_header([], open_chip=opener())


@pytest.mark.parametrize(
    ("raised", "error", "says"),
    [
        (PermissionError(13, "Permission denied"), DriverError, "group gpio"),
        (FileNotFoundError(2, "No such file or directory"), Unplugged, "No such file"),
    ],
)
def test_chip_that_cannot_be_opened_is_one_clear_line(
    raised: OSError, error: type, says: str
) -> None:
    def refuse(path: str) -> Any:
        raise raised

    with pytest.raises(error, match=says):
        GpiodFactory("/dev/gpiochip0", open_chip=refuse)
    assert look_at(["/dev/gpiochip0"], open_chip=refuse) == ()


@pytest.mark.parametrize("name", [18, "18", "GPIO18", "BCM18", "NAME18"])
def test_pin_has_all_its_names(pins: GpiodFactory, name: int | str) -> None:
    assert pins.pin(name) is pins.pin(18)


@pytest.mark.parametrize("pin", [28, 53, 54, -1])
def test_lines_that_do_not_reach_the_header_are_unknown(pins: GpiodFactory, pin: int) -> None:
    with pytest.raises(PinUnknown):
        OutputLine(pins, pin, owner="lamp")


def test_jetson_takes_every_offset_of_its_chip() -> None:
    chip = FakeChip("tegra234-gpio", lines=164)
    pins = GpiodFactory("/dev/gpiochip0", open_chip=chip.open)
    OutputLine(pins, 144, owner="lamp").set(True)
    assert chip.lines[144].level == 1
    pins.close()


def test_line_of_another_program_is_busy_and_names_it(pins: GpiodFactory, chip: FakeChip) -> None:
    chip.lines[17].consumer = "spi0 CS0"
    with pytest.raises(PinBusy, match="spi0 CS0"):
        OutputLine(pins, 17, owner="lamp")


def test_looking_at_a_line_changes_nothing(pins: GpiodFactory, chip: FakeChip) -> None:
    chip.lines[17].direction, chip.lines[17].level = Direction.OUTPUT, 1
    assert (pins.pin(17).function, pins.pin(17).state) == ("output", 1)
    assert (chip.lines[17].direction, chip.lines[17].history) == (Direction.OUTPUT, [])


def test_restart_flips_no_relay(pins: GpiodFactory, chip: FakeChip) -> None:
    line = OutputLine(pins, 17, owner="relay", active_high=False)
    line.set(True)
    line.close()
    chip.lines[17].history.clear()
    again = OutputLine(reopen(pins, chip), 17, owner="relay", active_high=False)
    assert again.is_on
    assert chip.lines[17].history == []


def test_a_kernel_that_releases_lines_brings_them_back_inactive() -> None:
    chip = FakeChip(is_strict=True)
    pins = GpiodFactory("/dev/gpiochip0", open_chip=chip.open)
    OutputLine(pins, 17, owner="relay").set(True)
    assert not OutputLine(reopen(pins, chip), 17, owner="relay").is_on


def test_shorted_line_reads_as_it_is(pins: GpiodFactory, chip: FakeChip) -> None:
    line = OutputLine(pins, 17, owner="relay")
    chip.lines[17].stuck = 0
    line.set(True)
    assert not line.is_on


def test_chip_that_vanished_is_unplugged(pins: GpiodFactory, chip: FakeChip) -> None:
    line = OutputLine(pins, 17, owner="relay")
    chip.is_gone = True
    with pytest.raises(Unplugged, match="relay: pin 17: No such device"):
        line.set(True)
    with pytest.raises(Unplugged):
        _ = line.is_on
    chip.is_gone = False


@pytest.mark.parametrize("duty", [0.25, 0.8])
def test_lamp_is_lit_its_share_of_the_time(pins: GpiodFactory, chip: FakeChip, duty: float) -> None:
    line = PwmLine(pins, 18, owner="lamp")
    line.set(duty)
    samples = []
    end = time.monotonic() + 0.5
    while time.monotonic() < end:  # sampled faster than it pulses
        samples.append(chip.lines[18].level)
        time.sleep(0.0005)
    assert sum(samples) / len(samples) == pytest.approx(duty, abs=0.15)
    assert line.duty == pytest.approx(duty)


@pytest.mark.parametrize(("duty", "level"), [(0.0, 0), (1.0, 1)])
def test_lamp_fully_on_or_off_is_a_steady_level(
    pins: GpiodFactory, chip: FakeChip, duty: float, level: int
) -> None:
    line = PwmLine(pins, 18, owner="lamp")
    line.set(0.5)
    assert eventually(lambda: len(chip.lines[18].history) > 3)
    line.set(duty)
    chip.lines[18].history.clear()
    time.sleep(0.05)  # five periods in which a pulse would be seen
    assert (chip.lines[18].level, chip.lines[18].history) == (level, [])
    chip.lines[18].stuck = 1 - level
    assert line.duty == 1 - level, "a steady line is read, not remembered"


def test_dimmed_lamp_stays_lit_over_a_restart(pins: GpiodFactory, chip: FakeChip) -> None:
    line = PwmLine(pins, 18, owner="lamp")
    line.set(0.3)
    line.close()
    assert PwmLine(reopen(pins, chip), 18, owner="lamp").duty == 1.0


def test_edges_reach_the_listener(pins: GpiodFactory, chip: FakeChip) -> None:
    line = InputLine(pins, 16, owner="button", pull="up", active_high=False, debounce_s=0.02)
    told: list[bool] = []
    line.watch(told.append)
    settings = chip.lines[16].request.settings  # type: ignore[union-attr]  # it was requested
    assert (settings.debounce_period.total_seconds(), chip.lines[16].bias) == (0.02, Bias.PULL_UP)
    chip.drive(16, 0)
    assert eventually(lambda: told == [False, True])
    chip.drive(16, 1)
    assert eventually(lambda: told == [False, True, False])
    line.close()
    chip.drive(16, 0)
    assert not eventually(lambda: len(told) > 3, within_s=0.1)


def test_broken_listener_leaves_the_others_listening(pins: GpiodFactory, chip: FakeChip) -> None:
    broken, sound = (InputLine(pins, pin, owner=f"in{pin}") for pin in (16, 20))
    told: list[bool] = []

    def fail(active: bool) -> None:
        if active:
            raise RuntimeError("a defect")

    broken.watch(fail)
    sound.watch(told.append)
    chip.drive(16, 1)
    chip.drive(20, 1)
    assert eventually(lambda: told == [False, True])


def test_pin_changes_from_output_to_input(pins: GpiodFactory, chip: FakeChip) -> None:
    output = PwmLine(pins, 12, owner="lamp")
    output.set(0.5)
    output.close()
    line = InputLine(pins, 12, owner="motion", pull="down")
    chip.lines[12].history.clear()
    time.sleep(0.05)  # five periods in which a forgotten pulse would be seen
    assert not line.is_active
    assert (chip.lines[12].direction, chip.lines[12].history) == (Direction.INPUT, [])


def test_gpiozero_devices_work_on_it(pins: GpiodFactory, chip: FakeChip) -> None:
    """People may use `GPIOZERO_PIN_FACTORY=agentd-gpiod` in programs of their own."""
    with LED(17, pin_factory=pins) as led, Button(16, pin_factory=pins) as button:
        led.on()
        assert chip.lines[17].level == 1
        chip.drive(16, 0)
        assert button.is_pressed
