"""Which of a machine's GPIO chips the board's pin header hangs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from hal.contract import DriverError, Unplugged

HEADERS: Final[Mapping[str, int | None]] = {
    "pinctrl-rp1": 28,
    "pinctrl-bcm2711": 28,
    "pinctrl-bcm2835": 28,
    "tegra234-gpio": None,
    "tegra194-gpio": None,
    "tegra186-gpio": None,
    "tegra-gpio": None,
}
"""Label of the chip a header hangs on -> how many of its lines reach the header, from 0 on (Pi 5,
Pi 4, earlier Pis; Jetson Orin, Xavier, TX2, Nano); None for all."""

OpenChip = Callable[[str], Any]
"""Opens a chip by its path, as `gpiod.Chip` does."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One GPIO chip of this machine."""

    path: str
    """Such as /dev/gpiochip0."""

    label: str
    """The kernel driver's name for it, such as pinctrl-rp1."""

    lines: int
    """How many lines it has."""

    @property
    def is_header(self) -> bool:
        """Whether a board's pin header is known to hang on it."""
        return self.label in HEADERS


def look_at(paths: Sequence[str], *, open_chip: OpenChip) -> tuple[Chip, ...]:
    """The chips among `paths` that this user may open."""
    found = []
    for path in paths:
        try:
            with open_chip(path) as chip:
                info = chip.get_info()
                found.append(Chip(path, info.label, info.num_lines))
        except OSError:
            continue
    return tuple(found)


def find_header(paths: Sequence[str], *, open_chip: OpenChip) -> str:
    """The path of the chip that a known header hangs on, or of the only chip.

    Raises:
        Unplugged: there is no chip at all.
        DriverError: none of them is known, or none may be opened.
    """
    if not paths:
        raise Unplugged('this machine has no /dev/gpiochip*; without hardware write pins = "board"')
    chips = look_at(paths, open_chip=open_chip)
    if not chips:
        raise DriverError(f"may not open {', '.join(paths)}: add this user to the group gpio")
    for chip in chips:
        if chip.is_header:
            return chip.path
    if len(chips) == 1:
        return chips[0].path
    there_are = ", ".join(f"{chip.path} ({chip.label})" for chip in chips)
    raise DriverError(f"which GPIO chip is the header's? Write board.chip; there are {there_are}")


@contextmanager
def opening(path: str) -> Iterator[None]:
    """Turn what the operating system says while a chip is opened into errors of ours."""
    try:
        yield
    except PermissionError as error:
        raise DriverError(f"may not open {path}: add this user to the group gpio") from error
    except OSError as error:
        raise Unplugged(f"no GPIO chip at {path}: {error.strerror or error}") from error
