"""An I2C bus in memory, and chips on it that answer as their datasheets' registers do."""

from __future__ import annotations

import errno
import os
import threading
from typing import Any

I2C_M_RD = 1


class Chip:
    """A part with a register pointer: the first byte written sets it, the rest are stored."""

    def __init__(self) -> None:
        self.registers = bytearray(256)
        self.pointer = 0

    def write(self, data: bytes) -> None:
        self.pointer = data[0]
        for value in data[1:]:
            self.store(self.pointer, value)
            self.pointer += 1

    def store(self, register: int, value: int) -> None:
        self.registers[register] = value

    def read(self, count: int) -> bytes:
        return bytes(self.registers[self.pointer : self.pointer + count])


class FakeI2c:
    """One bus: what `smbus2.SMBus` is to us. It outlives whoever opens it."""

    def __init__(self) -> None:
        self.chips: dict[int, Chip] = {}
        self.is_gone = False
        self.error = 0
        """An errno that every transfer fails with; 0 for none."""
        self.hold = threading.Event()
        """Cleared while the bus hangs: a transfer does not come back."""
        self.hold.set()
        self.opened = 0
        self.opens = 0
        self.transfers = 0

    def open(self, path: str) -> FakeI2c:
        if self.is_gone:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self.opened += 1
        self.opens += 1
        return self

    def close(self) -> None:
        self.opened -= 1

    def i2c_rdwr(self, *messages: Any) -> None:
        self.transfers += 1
        self.hold.wait()
        if self.is_gone or self.error:
            raise OSError(self.error or errno.ENODEV, "bus")
        for message in messages:
            chip = self.chips.get(message.addr)
            if chip is None:
                raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
            if message.flags & I2C_M_RD:
                answer = chip.read(message.len)[: message.len]
                # An open bus reads as ones: SDA is pulled up.
                for place, value in enumerate(answer.ljust(message.len, b"\xff")):
                    message.buf[place] = value
            else:
                chip.write(bytes(message))


TRIMMING = {
    # The worked example of the BMP280 datasheet (BST-BMP280-DS001, 3.12); humidity of a real part.
    "t": (27504, 26435, -1000),
    "p": (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000),
    "h": (75, 376, 0, 286, 50, 30),
}


def trimming_bytes(t: Any = None, p: Any = None, h: Any = None) -> tuple[bytes, bytes]:
    """Registers 0x88 to 0xA1 and 0xE1 to 0xE7, packed by table 16 of the datasheet."""
    t, p, h = t or TRIMMING["t"], p or TRIMMING["p"], h or TRIMMING["h"]
    numbers = [*t, *p]
    first = b"".join((number & 0xFFFF).to_bytes(2, "little") for number in numbers)
    first += bytes([0, h[0]])
    h4, h5 = h[3] & 0xFFF, h[4] & 0xFFF
    second = (h[1] & 0xFFFF).to_bytes(2, "little") + bytes(
        [h[2], h4 >> 4, (h5 & 0x0F) << 4 | h4 & 0x0F, h5 >> 4, h[5] & 0xFF]
    )
    return first, second


class Bme280Chip(Chip):
    """Measures when it is told to, and needs a moment for it."""

    def __init__(self, chip_id: int = 0x60) -> None:
        super().__init__()
        self.registers[0xD0] = chip_id
        first, second = trimming_bytes()
        self.registers[0x88:0xA2], self.registers[0xE1:0xE8] = first, second
        self.world = {"temperature": 519888, "pressure": 415148, "humidity": 30281}
        self.busy = 0
        """How many more looks at the status find it measuring."""
        self.lose_power()

    def lose_power(self) -> None:
        self.registers[0xF7:0xFF] = bytes.fromhex("8000008000008000")

    def show(self, raw: int) -> None:
        self.world["temperature"] = raw

    def store(self, register: int, value: int) -> None:
        super().store(register, value)
        if register == 0xF4 and value & 0b11:
            assert value == 0x25, "temperature and pressure once, forced"
            assert self.registers[0xF2] == 0x01, "humidity once, written before"
            self.busy = 1
            pressure, temperature = (self.world[k] << 4 for k in ("pressure", "temperature"))
            self.registers[0xF7:0xFF] = (
                pressure.to_bytes(3) + temperature.to_bytes(3) + self.world["humidity"].to_bytes(2)
            )

    def read(self, count: int) -> bytes:
        if self.pointer == 0xF3:
            self.registers[0xF3] = 0x08 if self.busy else 0
            self.busy = max(0, self.busy - 1)
        return super().read(count)


def sensirion_crc(data: bytes) -> int:
    """CRC-8 by long division over the bits, apart from the driver's own way of doing it."""
    bits = int.from_bytes(bytes([data[0] ^ 0xFF]) + data[1:]) << 8
    for place in range(len(data) * 8 - 1, -1, -1):
        if bits >> place + 8 & 1:
            bits ^= 0x131 << place
    return bits


def sht31_frame(temperature: int, humidity: int) -> bytes:
    """An answer with both checksums."""
    words = temperature.to_bytes(2), humidity.to_bytes(2)
    return b"".join(word + bytes([sensirion_crc(word)]) for word in words)


class Sht31Chip(Chip):
    """Answers once for each command."""

    def __init__(self) -> None:
        super().__init__()
        self.world = 26214
        self.humidity = 32768
        self.is_asked = False

    def show(self, raw: int) -> None:
        self.world = raw

    def write(self, data: bytes) -> None:
        assert data == b"\x24\x00"
        self.is_asked = True

    def read(self, count: int) -> bytes:
        if not self.is_asked:
            raise OSError(errno.EREMOTEIO, "not ready")
        self.is_asked = False
        return sht31_frame(self.world, self.humidity)[:count]


class Ads1115Chip(Chip):
    """Two registers of 16 bits, four inputs in volts."""

    _FULL_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)

    def __init__(self) -> None:
        super().__init__()
        self.inputs = [0.0, 0.0, 0.0, 0.0]
        self.config = 0x8583
        self.result = 0
        self.is_ready = True

    def show(self, volts: float) -> None:
        self.inputs[0] = volts

    def write(self, data: bytes) -> None:
        self.pointer = data[0]
        if self.pointer == 1 and len(data) == 3:
            self.config = int.from_bytes(data[1:])
            assert self.config & 0xC000 == 0xC000, "start, one input against ground"
            assert self.config & 0x0103 == 0x0103, "single shot, comparator off"
            self.convert()

    def convert(self) -> None:
        volts = self.inputs[self.config >> 12 & 3]
        count = round(volts / self._FULL_V[self.config >> 9 & 7] * 32768)
        self.result = max(-32768, min(32767, count)) & 0xFFFF

    def read(self, count: int) -> bytes:
        config = self.config & 0x7FFF | (0x8000 if self.is_ready else 0)
        return (config if self.pointer == 1 else self.result).to_bytes(2)[:count]


class Pca9685Chip(Chip):
    """Sixteen outputs, asleep and steadily off after power-up; counts on only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.registers[0x00] = 0x11
        self.registers[0xFE] = 0x1E
        for channel in range(16):
            self.registers[0x09 + 4 * channel] = 0x10

    def write(self, data: bytes) -> None:
        self.pointer = data[0]
        for value in data[1:]:
            self.store(self.pointer, value)
            if self.registers[0] & 0x20:
                self.pointer += 1

    def read(self, count: int) -> bytes:
        step = 1 if self.registers[0] & 0x20 else 0
        return bytes(self.registers[self.pointer + step * at] for at in range(count))

    def store(self, register: int, value: int) -> None:
        if register == 0xFE and not self.registers[0] & 0x10:
            return  # the prescaler takes nothing while the oscillator runs
        super().store(register, value)

    def measure(self) -> list[float]:
        return [self.pulse_us(channel) for channel in range(16)]

    @property
    def hertz(self) -> float:
        return 25e6 / 4096 / (self.registers[0xFE] + 1)

    def pulse_us(self, channel: int) -> float:
        """What an oscilloscope at the output shows; 0 for steadily low."""
        on, off = (
            int.from_bytes(self.registers[at : at + 2], "little")
            for at in (6 + 4 * channel, 8 + 4 * channel)
        )
        if self.registers[0] & 0x10 or off & 0x1000:
            return 0.0
        return 1e6 / self.hertz * (1 if on & 0x1000 else (off - on) % 4096 / 4096)
