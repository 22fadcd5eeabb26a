"""agentd-board: the simulated board's own process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import random
import signal
import sys
import time
from pathlib import Path
from typing import Final

from hal.board.edges import EdgeLog
from hal.board.line import Header
from hal.board.onewire import OneWire
from hal.board.plan import PACKAGED, PlanError, RoomPlan, load_plan
from hal.board.room import RoomState
from hal.board.server import BoardTaken, Server
from hal.board.uart import SerialEnd
from hal.board.verb import MAX_SPEED, pin_verbs, world_verbs
from hal.board.world import World
from llmagentos.clock import Instant
from llmagentos.place import run_dir

log = logging.getLogger("agentd-board")

TURN_S: Final = 0.2
"""Period of the physics: the blind moves by one percent a turn."""


def main(argv: list[str] | None = None) -> int:
    """Run the board until SIGTERM or SIGINT.

    Returns:
        Exit status: 0 after a stop, 1 when another board is alive in this folder, 78 when the
        room's file cannot be used.
    """
    options = _parse(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    try:
        asyncio.run(_run(options, load_plan(options.room)))
    except BoardTaken as exc:
        return _fail(exc, 1)
    except PlanError as exc:
        return _fail(exc, 78)
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="agentd-board", description="A simulated board with a small room around it."
    )
    parser.add_argument("--run", type=Path, default=run_dir(), help="folder of all its files")
    parser.add_argument("--room", type=Path, default=PACKAGED, help="wiring and building, a TOML")
    parser.add_argument("--speed", type=_speed, default=1.0, help="the room's day, times ours")
    parser.add_argument(
        "--release-on-death",
        action="store_true",
        help="lines that nobody holds become inputs, as upstream kernels do it",
    )
    return parser.parse_args(argv)


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 <= speed <= MAX_SPEED:
        raise argparse.ArgumentTypeError(f"from 0 to {MAX_SPEED:g}, not {text}")
    return speed


def _fail(exc: Exception, status: int) -> int:
    print(f"agentd-board: {exc}", file=sys.stderr)  # noqa: T201  # a command's last word
    return status


def read_clock() -> Instant:
    """The present instant."""
    return Instant(time.monotonic(), time.time())


async def _run(options: argparse.Namespace, plan: RoomPlan) -> None:
    folder: Path = options.run
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stop = _stop_on_signals()
    header = Header(has_strict_lines=options.release_on_death)
    edges = EdgeLog(folder / "edges.jsonl")
    header.listen(edges.append)
    world = _make_world(folder, header, plan, speed=options.speed)
    later = asyncio.get_running_loop().call_later
    verbs = {
        **pin_verbs(header, read_clock),
        **world_verbs(world, header, clock=read_clock, later=later),
    }
    server = Server(header, verbs, clock=read_clock)
    listening = await server.listen(folder / "board.sock")
    # Only the board that owns the socket may touch the other files.
    world.serial.plug()
    world.tell()
    log.info("ready on %s", folder / "board.sock")
    await _live(world, stop)
    listening.close()
    server.hang_up()
    (folder / "board.sock").unlink(missing_ok=True)
    world.serial.unplug()
    world.onewire.remove()
    edges.close()


def _make_world(folder: Path, header: Header, plan: RoomPlan, *, speed: float) -> World:
    now = read_clock()
    local = time.localtime(now.wall_s)
    return World(
        header,
        plan=plan,
        state=RoomState(hour=local.tm_hour + local.tm_min / 60),
        serial=SerialEnd(folder / "serial" / "room", noise=random.Random()),
        onewire=OneWire(folder / "w1"),
        speed=speed,
        now=now,
    )


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _live(world: World, stop: asyncio.Event) -> None:
    while not stop.is_set():
        world.turn(read_clock())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TURN_S)


if __name__ == "__main__":
    sys.exit(main())
