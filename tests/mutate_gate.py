"""`make mutate-gate`: drop each rule of the gate in turn, and show which tests turn red.

A rule may refuse, bound, ask and fire; each of these parts is dropped on its own. A part that can
be dropped without a red test is one that nothing guards: then the exit status is 1.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from typing import Final

import pytest
from hypothesis import Phase, settings

from agentd.safety import table
from agentd.safety.rule import Rule

TESTS: Final = "tests/agentd/safety"
PROPERTY: Final = "test_property.py"
RUNS: Final = "1000"
"""Runs of the property test for each mutant; it ends with the first that is broken."""
PARTS: Final = ("refuse", "bound", "ask", "fire")


@dataclass
class Red:
    """Collects the tests that failed; a plugin of pytest."""

    tests: dict[str, None] = field(default_factory=dict)
    """Their names in order, without the case."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            file, _, name = report.nodeid.removeprefix(f"{TESTS}/").partition("::")
            self.tests[f"{file}::{name.partition('[')[0]}"] = None


def mutants(rules: tuple[Rule, ...]) -> Iterator[tuple[str, str, tuple[Rule, ...]]]:
    """(rule, part, the table without that part of it)."""
    for place, rule in enumerate(rules):
        for part in PARTS:
            if getattr(rule, part):
                less = replace(rule, **{part: None})
                yield rule.name, part, (*rules[:place], less, *rules[place + 1 :])


def red_tests() -> list[str]:
    """The tests that fail now."""
    red = Red()
    with redirect_stdout(io.StringIO()):
        pytest.main(["-q", "-p", "no:cacheprovider", TESTS], plugins=[red])
    return list(red.tests)


def main() -> int:
    """Try every mutant.

    Returns:
        Exit status: 0 when each one turned a test red, 1 when one survived.
    """
    os.environ["GATE_RUNS"] = RUNS
    settings.register_profile("mutant", phases=[Phase.generate], database=None)
    settings.load_profile("mutant")
    whole, survivors, missed, begun = table.RULES, [], [], time.monotonic()
    if red := red_tests():
        print("red before anything was dropped:", *red)
        return 1
    print(f"{'rule':<15} {'part':<7} {'property':<9} red tests of its own")
    for name, part, rules in mutants(whole):
        table.RULES = rules  # type: ignore[misc]
        red = red_tests()
        table.RULES = whole  # type: ignore[misc]
        own = [test for test in red if PROPERTY not in test]
        has_property = len(own) < len(red)
        more = f" (+{len(own) - 1})" if len(own) > 1 else ""
        print(
            f"{name:<15} {part:<7} {'red' if has_property else '-':<9} {own[0] if own else '-'}{more}",
            flush=True,
        )
        survivors += [] if red else [f"{name}.{part}"]
        missed += [] if has_property else [f"{name}.{part}"]
    print(
        f"{time.monotonic() - begun:.0f} s; survived: {', '.join(survivors) or 'none'}; "
        f"unseen by the property test alone: {', '.join(missed) or 'none'}"
    )
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
