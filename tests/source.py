"""Reads the project's own source as syntax trees, for the tests that guard its rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("llmagentos", "hal", "models", "agentd")


@dataclass(frozen=True)
class Module:
    """One file of one of our packages."""

    name: str
    """Dotted; of a package's `__init__.py` the package's own."""

    path: str
    """From the root, with forward slashes."""

    tree: ast.Module

    @property
    def top(self) -> str:
        return self.name.split(".")[0]

    @property
    def file(self) -> str:
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Found:
    """Something at a place; prints as an editor opens it."""

    module: Module
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.module.path}:{self.line}: {self.what}"


def modules(root: Path) -> list[Module]:
    """All files of our packages below a root."""
    paths = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    return [read(path, root) for path in paths]


def read(path: Path, root: Path) -> Module:
    relative = path.relative_to(root)
    parts = relative.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, relative.as_posix(), ast.parse(path.read_text(encoding="utf-8")))


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of all that a module imports, wherever in it; of `from a import b`
    both `a` and `a.b`, since `b` may be a module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, node)
            yield node.lineno, base
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def absolute(module: Module, node: ast.ImportFrom) -> str:
    """The dotted name that an import starts from, relative ones resolved."""
    if not node.level:
        return node.module or ""
    package = module.name.split(".")
    if module.file != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - (node.level - 1)]
    return ".".join([*package, *([node.module] if node.module else [])])


def uses(module: Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each name that is read, with imported names in full: after
    `from time import monotonic as now`, `now` is `time.monotonic`."""
    full = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            full |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, node)
            full |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute) and (dotted := spell(node)):
            head, _, rest = dotted.partition(".")
            yield node.lineno, ".".join(filter(None, [full.get(head, head), rest]))


def spell(node: ast.expr) -> str:
    """`a.b.c` of such an expression; empty for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (left := spell(node.value)):
        return f"{left}.{node.attr}"
    return ""


def names(module: Module) -> Iterator[tuple[int, str]]:
    """Line and text of each name that the module itself gives: its own, and those of its classes,
    functions, arguments and variables."""
    yield 1, module.name.rsplit(".", 1)[-1]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def words(name: str) -> list[str]:
    """The words of a name in snake_case or CamelCase, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
