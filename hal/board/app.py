"""agentd-board: the simulated board's own process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
from pathlib import Path

from hal.board.edges import EdgeLog
from hal.board.line import Header
from hal.board.server import BoardTaken, Server
from hal.board.verb import pin_verbs
from llmagentos.clock import Instant
from llmagentos.place import run_dir

log = logging.getLogger("agentd-board")


def main(argv: list[str] | None = None) -> int:
    """Run the board until SIGTERM or SIGINT.

    Returns:
        Exit status: 0 after a stop, 1 when another board is alive in this folder.
    """
    options = _parse(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    try:
        asyncio.run(_run(options))
    except BoardTaken as exc:
        print(f"agentd-board: {exc}", file=sys.stderr)  # noqa: T201  # a command's last word
        return 1
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="agentd-board", description=__doc__)
    parser.add_argument("--run", type=Path, default=run_dir(), help="folder of board.sock, logs")
    parser.add_argument(
        "--release-on-death",
        action="store_true",
        help="lines of a dead owner become inputs again, as upstream kernels do it",
    )
    return parser.parse_args(argv)


def read_clock() -> Instant:
    """The present instant."""
    return Instant(time.monotonic(), time.time())


async def _run(options: argparse.Namespace) -> None:
    folder: Path = options.run
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    header = Header(has_strict_lines=options.release_on_death)
    edges = EdgeLog(folder / "edges.jsonl")
    header.listen(edges.append)
    server = Server(header, pin_verbs(header, read_clock), clock=read_clock)
    socket_path = folder / "board.sock"
    listening = await server.listen(socket_path)
    log.info("ready on %s", socket_path)
    await _stopped()
    listening.close()
    server.hang_up()
    socket_path.unlink(missing_ok=True)
    edges.close()


async def _stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
