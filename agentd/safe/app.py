"""The `agentd-safe` program: drives every output to its safe state, and ends.

systemd runs it when agentd has died (`ExecStopPost=`). It is a program of its own because it must
be quick: it loads neither understanding nor doors nor journal, and starts in half the time.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from agentd import good_copy
from agentd.furnish import Furniture
from agentd.inbox import Inbox
from agentd.loop import Loop
from llmagentos.cause import Cause
from llmagentos.clock import Instant
from llmagentos.place import run_dir


def main(argv: list[str] | None = None) -> int:
    """Make the outputs safe.

    Returns:
        Exit status: 0 when every output could be reached, 1 when not.
    """
    options = _parse(argv)
    return make_safe(options.config, run=options.run, data=options.data)


def make_safe(path: Path, *, run: Path, data: Path) -> int:
    """Drive every output of a configuration, else of its last good copy, to its safe state."""
    config, _ = good_copy.load(path, data=data)
    furniture = Furniture(run, post=lambda _: None, clock=_read_clock)
    loop = Loop(
        Inbox(),
        next_cause=lambda: Cause("safe", "00000000", 1),
        publish=lambda _: None,
        now=_read_clock(),
    )
    house, _ = furniture.furnish(config)
    loop.adopt(house, _read_clock())
    loop.make_safe(_read_clock(), rule="death", reason="agentd has died.")
    furniture.close()
    return 1 if house.faults else 0


def _read_clock() -> Instant:
    return Instant(time.monotonic(), time.time())


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="agentd-safe", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("/etc/agentd/agentd.toml"))
    parser.add_argument("--run", type=Path, default=run_dir(), help="folder of the sockets")
    parser.add_argument("--data", type=Path, default=Path("/var/lib/agentd"), help="journal")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
