"""The I2C bus over a bus in memory: shared, pulled, hung, and given back."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from hal.contract import DriverError, Unplugged
from hal.link.i2c import I2cBus
from hal.link.rounds import ORDERS
from tests.hal.bench import eventually
from tests.hal.i2c import Chip, FakeI2c


class Sight:
    """What one part was seen as."""

    def __init__(self, bus: I2cBus, address: int, *, period_s: float = 0.02) -> None:
        self.seen: list[int] = []
        self.losses: list[str] = []
        self.part = bus.claim(address, owner=f"at{address:x}", chip="PROBE")
        self.part.watch(self.look, self.losses.append, period_s=period_s)

    def look(self) -> None:
        self.seen.append(self.part.ask([0x10], count=1)[0])


@pytest.fixture
def wire() -> FakeI2c:
    made = FakeI2c()
    for address, value in ((0x20, 5), (0x21, 6)):
        made.chips[address] = Chip()
        made.chips[address].registers[0x10] = value
    return made


@pytest.fixture
def bus(wire: FakeI2c) -> Iterator[I2cBus]:
    made = I2cBus(open_bus=wire.open, first_pause_s=0.02)
    yield made
    wire.hold.set()
    made.close()


def test_parts_share_the_bus_each_at_its_own_period(bus: I2cBus) -> None:
    quick, slow = Sight(bus, 0x20, period_s=0.01), Sight(bus, 0x21, period_s=3600)
    assert eventually(lambda: len(quick.seen) >= 5)
    assert (set(quick.seen), slow.seen) == ({5}, [6])


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (errno.EREMOTEIO, "nothing answers at 0x20"),
        (errno.ENXIO, "nothing answers at 0x20"),
        (errno.ETIMEDOUT, "hangs"),
        (errno.EAGAIN, "hangs"),
        (errno.ENODEV, "no /dev/i2c-1"),
        (errno.EACCES, "group i2c"),
        (errno.EIO, "/dev/i2c-1: "),
    ],
)
def test_failure_is_told_in_words_and_the_bus_works_again(
    bus: I2cBus, wire: FakeI2c, error: int, says: str
) -> None:
    wire.error = error
    sight = Sight(bus, 0x20)
    assert eventually(lambda: sight.losses)
    assert says in sight.losses[0]
    opens = wire.opens
    wire.error = 0
    assert eventually(lambda: sight.seen)
    is_of_the_part = error in (errno.EREMOTEIO, errno.ENXIO)
    assert (wire.opens == opens == 1) is is_of_the_part, "a bus that failed is opened anew"


def test_bus_that_is_not_there_is_told_and_taken_when_it_comes(bus: I2cBus, wire: FakeI2c) -> None:
    wire.is_gone = True
    sight = Sight(bus, 0x20)
    assert eventually(lambda: sight.losses)
    assert "dtparam=i2c_arm=on" in sight.losses[0]
    wire.is_gone = False
    assert eventually(lambda: sight.seen)


def test_machine_without_the_bus_says_so() -> None:
    bus = I2cBus(bus=250)
    sight = Sight(bus, 0x20)
    assert eventually(lambda: sight.losses)
    assert "no /dev/i2c-250" in sight.losses[0]
    bus.close()


def test_file_that_is_no_bus_is_told_by_the_real_library() -> None:
    bus = I2cBus()
    bus.path = "/dev/null"
    sight = Sight(bus, 0x20)
    assert eventually(lambda: sight.losses)
    assert sight.losses[0].startswith("/dev/null: ")
    bus.close()


def test_one_dead_part_does_not_hide_the_others(bus: I2cBus, wire: FakeI2c) -> None:
    del wire.chips[0x20]
    dead, alive = Sight(bus, 0x20), Sight(bus, 0x21)
    assert eventually(lambda: len(alive.seen) > 10)
    assert (dead.seen, alive.losses) == ([], [])
    assert dead.losses


def test_dead_part_is_asked_ever_more_rarely(bus: I2cBus, wire: FakeI2c) -> None:
    del wire.chips[0x20]
    sight = Sight(bus, 0x20, period_s=0.001)
    time.sleep(1.0)  # pauses of 20, 40, 80, 160, 320, 640 ms
    assert 4 <= len(sight.losses) <= 7


def test_look_that_breaks_is_told_and_the_rest_goes_on(bus: I2cBus) -> None:
    losses: list[str] = []
    broken = bus.claim(0x30, owner="broken", chip="X")
    broken.watch(lambda: 1 // 0, losses.append, period_s=0.01)  # type: ignore[arg-type, return-value]
    other = Sight(bus, 0x20)
    assert eventually(lambda: losses and len(other.seen) > 3)


def test_hung_bus_blocks_nobody_and_is_left_when_closing(bus: I2cBus, wire: FakeI2c) -> None:
    sight = Sight(bus, 0x20, period_s=0.001)
    assert eventually(lambda: sight.seen)
    wire.hold.clear()
    count = wire.transfers
    assert eventually(lambda: wire.transfers > count), "it hangs within a look"
    before = time.monotonic()
    other = Sight(bus, 0x21)
    other.part.order(lambda: None, other.losses.append)
    other.part.close()
    sight.part.close()
    assert time.monotonic() - before < 0.1
    bus.close()
    assert time.monotonic() - before < 1.0
    assert wire.opened == 1, "what a hung thread still uses stays open"
    wire.hold.set()
    assert eventually(lambda: wire.opened == 0), "until it comes back"


def test_hung_bus_takes_only_so_many_orders(bus: I2cBus, wire: FakeI2c) -> None:
    part = bus.claim(0x20, owner="x", chip="X")
    wire.hold.clear()
    part.order(lambda: part.write([0, 0]), lambda why: None)
    assert eventually(lambda: wire.transfers), "it hangs within an order"
    for _ in range(ORDERS):
        part.order(lambda: None, lambda why: None)
    with pytest.raises(Unplugged, match="hangs"):
        part.order(lambda: None, lambda why: None)


def test_orders_are_carried_out_in_turn(bus: I2cBus, wire: FakeI2c) -> None:
    part = bus.claim(0x20, owner="x", chip="X")
    for value in range(20):
        part.order(lambda value=value: part.write([0x10, value]), lambda why: None)  # type: ignore[misc]
    assert eventually(lambda: wire.chips[0x20].registers[0x10] == 19)


def test_order_goes_before_the_looks_that_wait(bus: I2cBus) -> None:
    done: list[str] = []

    def look(name: str) -> Callable[[], None]:
        def slowly() -> None:
            time.sleep(0.05)  # a part that takes its time
            done.append(name)

        return slowly

    for number in range(8):
        part = bus.claim(0x20 + number, owner=f"d{number}", chip="X")
        part.watch(look(f"look {number}"), done.append, period_s=3600)
    assert eventually(lambda: done)
    part.order(lambda: done.append("order"), done.append)
    assert eventually(lambda: len(done) == 9)
    assert done.index("order") <= 3


def test_failed_order_is_told(bus: I2cBus, wire: FakeI2c) -> None:
    losses: list[str] = []
    part = bus.claim(0x33, owner="x", chip="X")
    part.order(lambda: part.write([0, 0]), losses.append)
    assert eventually(lambda: losses)


def test_look_and_order_never_mix(bus: I2cBus) -> None:
    inside, mixed, done = threading.Lock(), [], []

    def alone() -> None:
        if not inside.acquire(blocking=False):
            mixed.append(1)
            return
        time.sleep(0.002)  # long enough for the other thread to come in
        done.append(1)
        inside.release()

    part = bus.claim(0x20, owner="x", chip="X")
    part.watch(alone, mixed.append, period_s=0.0)  # type: ignore[arg-type]
    for _ in range(20):
        time.sleep(0.003)  # so that they come while a look is under way
        part.order(alone, mixed.append)  # type: ignore[arg-type]
    assert eventually(lambda: len(done) > 40)
    assert mixed == []


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (("A", None, ""), ("A", None, ""), "address 0x40 belongs to the A of 'one'"),
        (("A", None, ""), ("B", None, ""), "address 0x40 belongs to the A of 'one'"),
        (("A", 0, ""),    ("B", 1, ""),    "address 0x40 belongs to the A of 'one'"),
        (("A", 0, ""),    ("A", None, ""), "address 0x40 belongs to the A of 'one'"),
        (("A", 2, ""),    ("A", 2, ""),    "channel 2 belongs to 'one'"),
        (("A", 0, "50"),  ("A", 1, "60"),  "'one' has set the chip to 50"),
    ],
)  # fmt: skip
def test_address_that_is_taken_is_told_with_its_owner(
    bus: I2cBus, first: tuple, second: tuple, says: str
) -> None:
    names = ("chip", "channel", "setting")
    held = bus.claim(0x40, owner="one", **dict(zip(names, first, strict=True)))
    with pytest.raises(DriverError, match="two: .*" + says.replace("(", "\\(")):
        bus.claim(0x40, owner="two", **dict(zip(names, second, strict=True)))
    held.close()
    bus.claim(0x40, owner="two", **dict(zip(names, second, strict=True)))


def test_channels_of_one_chip_and_other_addresses_stand_side_by_side(bus: I2cBus) -> None:
    for channel in range(4):
        bus.claim(0x48, owner=f"d{channel}", chip="A", channel=channel)
    bus.claim(0x49, owner="other", chip="B")


def test_closed_part_is_not_looked_at(bus: I2cBus, wire: FakeI2c) -> None:
    sight = Sight(bus, 0x20, period_s=0.005)
    assert eventually(lambda: sight.seen)
    sight.part.close()
    sight.part.close()
    time.sleep(0.05)  # a look under way may end
    count = wire.transfers
    time.sleep(0.1)
    assert wire.transfers == count


def test_close_gives_the_bus_back(bus: I2cBus, wire: FakeI2c) -> None:
    sight = Sight(bus, 0x20)
    assert eventually(lambda: sight.seen)
    assert wire.opened == 1
    bus.close()
    assert wire.opened == 0
