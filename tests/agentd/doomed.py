"""agentd as it is, but for a probe that dies or fails at one state, once it is told to.

    python -P -m tests.agentd.doomed FOLDER

FOLDER holds agentd.toml and is run and data folder at once. A file `doom` in it says where and
how: `written kill`, `writing ENOSPC`.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path

from agentd.app import Agentd
from agentd.step import Step
from hal.contract import Unplugged
from llmagentos import notify

CRASH_LIMIT = 1000


class Probe:
    """Waits for its state; its file is gone when it has struck."""

    def __init__(self, order: Path) -> None:
        self._order = order

    def __call__(self, step: Step) -> None:
        try:
            wanted, how = self._order.read_text().split()
        except (FileNotFoundError, ValueError):
            return
        if step.value != wanted:
            return
        self._order.unlink()
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        code = getattr(errno, how)
        if step is Step.ACTUATED:  # what a driver makes of it
            raise Unplugged(f"pin 17: {os.strerror(code)}")
        raise OSError(code, os.strerror(code))


def main() -> None:
    folder = Path(sys.argv[1])
    notify.log_to("agentd")
    box = Agentd(
        folder / "agentd.toml", run=folder, data=folder / "data",
        crash_limit=CRASH_LIMIT, steps=Probe(folder / "doom"),
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: box.end())
    box.serve()


if __name__ == "__main__":
    main()
