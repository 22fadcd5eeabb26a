"""Fetches models before there is a daemon to ask: `python -P -m models pull smollm2-135m`."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from llmagentos.place import model_dirs
from models import catalog, fetch, store
from models.bar import PullBar
from models.catalog import Catalog, Row
from models.errors import ModelError


def main() -> int:
    """Run one command; 0 when all models are there, 1 when not."""
    chosen = _parse()
    console = Console(stderr=True)
    try:
        known = catalog.load()
        for row in _wanted(chosen, known):
            with PullBar(console) as bar:
                fetch.pull(row, into=model_dirs()[0], progress=bar, catalog=known)
    except ModelError as exc:
        console.print(f"models: {exc}", highlight=False, markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("models: stopped; the next call goes on from here", highlight=False)
        return 130
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -P -m models", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    pull = commands.add_parser("pull", help="fetch models that are not here yet")
    pull.add_argument("models", nargs="*", metavar="MODEL", help="ids of the catalog")
    pull.add_argument("--set-up", action="store_true", help="those that set-up needs")
    return parser.parse_args()


def _wanted(chosen: argparse.Namespace, known: Catalog) -> list[Row]:
    """The rows asked for. Set-up is content with a substitute that is already here, so that a
    machine that reaches no publisher does not wait for one at every start."""
    asked = [known.row(model_id) for model_id in chosen.models]
    needed = [row for row in known.rows.values() if chosen.set_up and row.is_set_up]
    return asked + [row for row in needed if not _is_served(row, known)]


def _is_served(row: Row, known: Catalog) -> bool:
    try:
        store.hold(row.id, catalog=known)
    except ModelError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
