"""The `agentd-safe` program: drives every output to its safe state, and ends.

systemd runs it when agentd has died (`ExecStopPost=`). It is a program of its own because it must
be quick: it loads neither the tick nor understanding, doors or journal, opens no sensor and no
output that is to be left as it is, and sees to the pins before it looks at any link.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from agentd import good_copy, safety
from agentd.config import Config, DeviceRow
from agentd.furnish import Furniture
from agentd.world import World
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.kind import is_output
from llmagentos.place import run_dir
from llmagentos.plan import Plan, Ruling, Stage, Verdict

LINK_S: Final = 1.0
"""Longest wait for a link to open: agentd starts after this, and has more patience."""

_TRY_S: Final = 0.05


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
    outputs = _only(config, _is_to_be_driven)
    pins = _only(replace(outputs, links=()), lambda row: row.driver.startswith("gpio."))
    failed = _drive(furniture, pins, patience_s=0.0)
    if len(outputs.devices) > len(pins.devices):
        failed = _drive(furniture, outputs, patience_s=LINK_S)
    furniture.close()
    return 1 if failed or config.faults else 0


def _only(config: Config, is_wanted: Callable[[DeviceRow], bool]) -> Config:
    """The configuration with those devices alone."""
    return replace(config, devices=tuple(filter(is_wanted, config.devices)), faults=())


def _is_to_be_driven(row: DeviceRow) -> bool:
    """A cover that keeps its place may be on its way, and must stop."""
    return is_output(row.device.kind) and (row.safe_state != "keep" or row.device.kind == "cover")


def _drive(furniture: Furniture, config: Config, *, patience_s: float) -> set[str]:
    """Devices that could not be driven to their safe state."""
    world, (house, _) = World(note=lambda *_: None), furniture.furnish(config)
    failed = set(house.faults)
    world.adopt(house, _read_clock())
    orders = safety.safe_orders(
        world.observe(_read_clock()), house.rows, rule="death", reason="agentd has died."
    )
    waiting, ends_at_s = set(orders), _read_clock().mono_s + patience_s
    while waiting := {order for order in waiting if not _is_obeyed(world, order)}:
        if _read_clock().mono_s > ends_at_s:
            break
        time.sleep(_TRY_S)  # a link opens on a thread of its own
    return failed | {order.action.device for order in waiting}


def _is_obeyed(world: World, order: safety.Order) -> bool:
    now, action = _read_clock(), order.action
    plan = Plan((action,), Cause("safe", "00000000", 1), Origin(Rank.SAFETY, "safety"), now)
    verdict = Verdict(Ruling.ALLOW, action, action, order.rule, order.reason)
    stage = world.act(verdict, plan, now).stage
    # On a slow bus what is only sent may never arrive; a cover is sent on its way and travels.
    is_cover = world.house.rows[action.device].device.kind == "cover"
    return stage is Stage.READ_BACK or (is_cover and stage is Stage.SENT)


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
