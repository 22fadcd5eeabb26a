"""The rules of the house that can be read from the source: who may import whom, and what stays
in one place. Each is shown to fail on a small tree that breaks it."""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.source import PACKAGES, Found, Module, imports, modules, names, uses, words

ROOT = Path(__file__).parents[1]

PROGRAMS = ("agentd.voice", "agentd.llm", "agentd.ctl")
"""They reach agentd through its door."""

MAY_IMPORT = {
    "llmagentos":    ("llmagentos",),
    "hal":           ("llmagentos", "hal"),
    "models":        ("llmagentos", "models"),
    "agentd":        ("llmagentos", "hal", "models", "agentd"),
    "agentd.voice":  ("llmagentos", "models", "agentd.voice"),
    "agentd.llm":    ("llmagentos", "models", "agentd.llm"),
    "agentd.ctl":    ("llmagentos", "models", "agentd.ctl"),
    "agentd.ctl.app": ("llmagentos", "models", "agentd.ctl", "agentd.understand", "agentd.voice"),
}  # fmt: skip
"""What of ours a module may import; the longest name that fits it counts."""

BELOW_THE_LOOP = (
    "agentd.understand", "agentd.agents", "agentd.door", "agentd.journal", "agentd.safety",
)  # fmt: skip
"""Parts that import neither `app` nor `loop`."""

EVERYWHERE = ("numpy", "typer", "rich")
"""Libraries that more than one module may import."""

SHARED = {
    # A pin factory is a subclass of gpiozero's own; gpio.py is where everybody else meets it.
    "gpiozero": {"hal/link/gpio.py", "hal/link/gpiod.py", "hal/board/pin.py"},
    # The tables as types, and the one place that reads a file into them.
    "msgspec": {"agentd/schema.py", "agentd/rule_schema.py", "agentd/toml_source.py"},
}
"""Libraries of which more than one module must know, and those modules."""

CLOCKS = frozenset({
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
    "time.perf_counter_ns", "datetime.datetime.now",
    "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
})  # fmt: skip

TALK = frozenset({"print", "input", "sys.exit", "exit", "quit", "SystemExit"})

EMPTY_WORDS = frozenset({
    "manager", "managers", "helper", "helpers", "util", "utils", "handler", "handlers",
    "policy", "policies",
})  # fmt: skip

EMPTY_FILES = frozenset({"common", "core", "types"})

Rule = Callable[[list[Module]], Iterator[Found]]


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def breaks_arrows(sources: list[Module]) -> Iterator[Found]:
    """Arrows point down."""
    for module in sources:
        floor = max((p for p in MAY_IMPORT if is_in(module.name, p)), key=len)
        for line, name in imports(module):
            is_ours = name.split(".")[0] in PACKAGES
            # `import agentd` itself holds nothing; what is below it counts.
            if is_ours and name != "agentd" and not any(is_in(name, p) for p in MAY_IMPORT[floor]):
                yield Found(module, line, f"{floor} may not import {name}")


def reaches_into_programs(sources: list[Module]) -> Iterator[Found]:
    """A program is nobody's library; `ctl/app.py` alone composes `voice`."""
    for module in sources:
        for line, name in imports(module):
            for program in PROGRAMS:
                is_own = is_in(module.name, program) or module.name == "agentd.ctl.app"
                if is_in(name, program) and not is_own:
                    yield Found(module, line, f"{name} belongs to a program of its own")


def imports_the_loop(sources: list[Module]) -> Iterator[Found]:
    """What the loop is made of does not know the loop."""
    for module in sources:
        if any(is_in(module.name, part) for part in BELOW_THE_LOOP):
            for line, name in imports(module):
                if is_in(name, "agentd.app") or is_in(name, "agentd.loop"):
                    yield Found(module, line, f"{name} stands above {module.name}")


def spreads_a_library(sources: list[Module]) -> Iterator[Found]:
    """Each vendor library is imported in one module."""
    places: dict[str, dict[str, Found]] = defaultdict(dict)
    for module in sources:
        for line, name in imports(module):
            top = name.split(".")[0]
            if top and top not in (*PACKAGES, *EVERYWHERE, *sys.stdlib_module_names):
                places[top].setdefault(module.path, Found(module, line, f"{top} is imported"))
    for library, found in places.items():
        beyond = [each for path, each in found.items() if path not in SHARED.get(library, ())]
        for place in beyond if library in SHARED else beyond[1:]:
            yield Found(place.module, place.line, f"{library} stands in {next(iter(found))} too")


def reads_a_clock(sources: list[Module]) -> Iterator[Found]:
    """Time is a parameter; only a program's `app.py` reads a clock."""
    for module in sources:
        if module.file != "app.py":
            for line, name in uses(module):
                if name in CLOCKS:
                    yield Found(module, line, f"{name} outside an app.py")


def talks(sources: list[Module]) -> Iterator[Found]:
    """Only command line modules print, ask or exit."""
    for module in sources:
        if module.file not in ("app.py", "__main__.py") and not is_in(module.name, "agentd.ctl"):
            for line, name in uses(module):
                if name in TALK:
                    yield Found(module, line, f"{name} outside a command line module")


def says_nothing(sources: list[Module]) -> Iterator[Found]:
    """Names say what a thing is."""
    for module in sources:
        for line, name in names(module):
            if EMPTY_WORDS & set(words(name)):
                yield Found(module, line, f"the name {name} says nothing")
        if module.name.rsplit(".", 1)[-1] in EMPTY_FILES:
            yield Found(module, 1, "the file's name says nothing")


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        breaks_arrows, reaches_into_programs, imports_the_loop, spreads_a_library,
        reads_a_clock, talks, says_nothing,
    )
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_nothing_in_the_project(rule: Rule) -> None:
    found = [str(place) for place in rule(modules(ROOT))]
    assert not found, "\n" + "\n".join(found)


def test_every_library_is_asked_for_by_name_and_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = [*project["dependencies"], *project["optional-dependencies"]["box"]]
    pinned = {plain(pin.split("==")[0]) for pin in pins if "==" in pin}
    assert len(pinned) == len(pins)
    owners = packages_distributions()
    for module in modules(ROOT):
        for line, name in imports(module):
            top = name.split(".")[0]
            if top and top not in (*PACKAGES, *sys.stdlib_module_names):
                asked = {plain(owner) for owner in owners.get(top, [top])} & pinned
                assert asked, Found(module, line, f"{top} is not in pyproject.toml")


def plain(distribution: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_all_packages_are_read() -> None:
    assert {module.top for module in modules(ROOT)} == set(PACKAGES)


BAD = {
    # what is wrong                               the rule                 file                         source
    "hal knows agentd":                           ("breaks_arrows",         "hal/relay.py",              "import agentd.safety"),
    "hal knows models":                           ("breaks_arrows",         "hal/relay.py",              "from models import store"),
    "models knows hal":                           ("breaks_arrows",         "models/store.py",           "import hal"),
    "the lowest floor knows hal":                 ("breaks_arrows",         "llmagentos/plan.py",        "def f():\n    from hal import x"),
    "a program knows the daemon":                 ("breaks_arrows",         "agentd/voice/app.py",       "from agentd import config"),
    "a program knows the daemon, relatively":     ("breaks_arrows",         "agentd/voice/app.py",       "from .. import config"),
    "a package knows the daemon, relatively":     ("breaks_arrows",         "agentd/llm/__init__.py",    "from ..door import feed"),
    "a program knows hal":                        ("breaks_arrows",         "agentd/llm/app.py",         "import hal"),
    "more of ctl than app composes":              ("breaks_arrows",         "agentd/ctl/show.py",        "import agentd.understand"),
    "the daemon takes a program's part":          ("reaches_into_programs", "agentd/app.py",             "from agentd.voice import pcm"),
    "the gate knows the loop":                    ("imports_the_loop",      "agentd/safety.py",          "from agentd import loop"),
    "the door knows the app":                     ("imports_the_loop",      "agentd/door/mqtt.py",       "from agentd.app import main"),
    "a library in two modules":                   ("spreads_a_library",     "hal/second.py",             "import serial.tools"),
    "a clock, called":                            ("reads_a_clock",         "agentd/loop.py",            "import time\ntime.monotonic()"),
    "a clock, passed on":                         ("reads_a_clock",         "agentd/loop.py",            "import time\nf(time.time)"),
    "a clock under another name":                 ("reads_a_clock",         "agentd/loop.py",            "from time import monotonic as m\nm()"),
    "a calendar":                                 ("reads_a_clock",         "agentd/loop.py",            "from datetime import datetime\ndatetime.now()"),
    "a calendar in full":                         ("reads_a_clock",         "agentd/loop.py",            "import datetime as d\nd.date.today()"),
    "print":                                      ("talks",                 "hal/relay.py",              "print(1)"),
    "exit":                                       ("talks",                 "models/store.py",           "import sys\nsys.exit(1)"),
    "exit by name":                               ("talks",                 "models/store.py",           "from sys import exit as leave\nleave(1)"),
    "exit by raising":                            ("talks",                 "models/store.py",           "raise SystemExit(1)"),
    "input":                                      ("talks",                 "agentd/loop.py",            "input()"),
    "file name":                                  ("says_nothing",          "hal/utils.py",              ""),
    "other file name":                            ("says_nothing",          "hal/common.py",             ""),
    "class name":                                 ("says_nothing",          "hal/a.py",                  "class PinManager: pass"),
    "function name":                              ("says_nothing",          "hal/a.py",                  "def open_helper(): pass"),
    "argument name":                              ("says_nothing",          "hal/a.py",                  "def f(retry_policy): pass"),
    "variable name":                              ("says_nothing",          "hal/a.py",                  "HANDLER = 1"),
    "attribute name":                             ("says_nothing",          "hal/a.py",                  "def f(self):\n    self.util = 1"),
}  # fmt: skip

GOOD = {
    "hal/first.py":               "import serial\nimport numpy\nfrom llmagentos import plan",
    "hal/third.py":               "import numpy\nfrom time import sleep\nfrom hal.first import x",
    "agentd/app.py":              "import time\nfrom agentd import loop, safety\ntime.monotonic()",
    "agentd/ctl/app.py":          "from agentd.understand import a\nfrom agentd.voice import b\nprint(b)",
    "agentd/ctl/show.py":         "from agentd.ctl import app\nfrom models import store\nprint(app)",
    "agentd/voice/app.py":        "from . import pcm\nimport sys\nsys.exit(0)",
    "agentd/understand/a.py":     "import agentd.config\nfrom hal import contract",
    "models/__main__.py":         "print(1)",
    "models/policing.py":         "logger.addHandler(1)\nhandles = manage(1)",
}  # fmt: skip
"""A tree that keeps all rules, near their edges."""


def plant(root: Path, files: dict[str, str]) -> list[Module]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return modules(root)


@pytest.mark.parametrize(("rule", "path", "text"), BAD.values(), ids=BAD.keys())
def test_rule_catches(rule: str, path: str, text: str, tmp_path: Path) -> None:
    found = list(RULES[rule](plant(tmp_path, GOOD | {path: text})))
    assert path in {place.module.path for place in found}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_rule_leaves_alone_what_keeps_it(rule: Rule, tmp_path: Path) -> None:
    assert [str(place) for place in rule(plant(tmp_path, GOOD))] == []
