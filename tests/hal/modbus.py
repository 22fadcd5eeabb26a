"""Modbus stations at the far end of a cable: pymodbus's own simulator behind a second pty."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import threading
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.hal.bench import Cable

READ_HOLDING, WRITE_COIL, READ_COIL = 3, 5, 1


class Stations:
    """Two stations with coils, discrete inputs, holding and input registers of their own."""

    def __init__(self, folder: Path) -> None:
        self.cable = Cable(folder)
        self.garble: Callable[[bytes], bytes] = lambda answer: answer
        """What the wire makes of each answer."""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._closing = threading.Event()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._serve, self._pump)
        ]
        for thread in self._threads:
            thread.start()
        assert self._ready.wait(5)

    def put(self, register: int, values: list[int], *, station: int = 1) -> None:
        self._do(self._server.async_setValues(station, 16, register, values))

    def coil(self, number: int, *, station: int = 1) -> bool:
        return bool(self._do(self._server.async_getValues(station, READ_COIL, number, 1))[0])

    def set_coil(self, number: int, on: bool, *, station: int = 1) -> None:
        self._do(self._server.async_setValues(station, WRITE_COIL, number, [on]))

    def close(self) -> None:
        self._closing.set()
        self._do(self._server.shutdown())  # type: ignore[no-untyped-call]
        for thread in self._threads:
            thread.join()
        self.cable.close()
        os.close(self._master)
        os.close(self._slave)

    def _do(self, what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(5)

    def _serve(self) -> None:
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        def station(number: int) -> SimDevice:
            bits = [SimData(0, count=64, values=False, datatype=DataType.BITS)]
            inputs = [SimData(0, values=[True, False] * 8, datatype=DataType.BITS)]
            words = [SimData(0, count=100, values=0, datatype=DataType.REGISTERS)]
            return SimDevice(number, simdata=(bits, inputs, words, words))

        self._server = ModbusSerialServer(
            [station(1), station(2)], port=os.ttyname(self._slave), baudrate=9600,
            ignore_missing_devices=True,
        )  # fmt: skip
        await self._server.serve_forever(background=True)
        self._ready.set()
        with suppress(asyncio.CancelledError):
            await self._server.serving

    def _pump(self) -> None:
        """Carry bytes between the two ptys."""
        while not self._closing.is_set():
            with suppress(OSError, ValueError):
                near = self.cable._master
                ready, _, _ = select.select(
                    [fd for fd in (near, self._master) if fd >= 0], [], [], 0.02
                )
                if near in ready:
                    os.write(self._master, os.read(near, 512))
                if self._master in ready:
                    self.cable.say(self.garble(os.read(self._master, 512)))
                continue
            self._closing.wait(0.01)  # nobody at the near end, or no cable
