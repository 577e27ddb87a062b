"""A tree of source files as the architecture's rules see it: parsed, with every name spelt in full."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

Imported: TypeAlias = ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Module:
    """One Python file. `path` is relative to the root; `names` says what its imports call things."""

    path: PurePosixPath
    text: str
    tree: ast.Module
    names: dict[str, str]

    @property
    def package(self) -> str:
        """The dotted name of the folder that holds the file: `joinery.apps.record`."""
        return ".".join(self.path.parent.parts)

    @property
    def app(self) -> str | None:
        """`record` for anything in joinery/apps/record."""
        parts = self.path.parts
        return parts[2] if parts[:2] == ("joinery", "apps") and len(parts) > 3 else None

    @property
    def is_migration(self) -> bool:
        return "migrations" in self.path.parts

    def is_in(self, *folders: str) -> bool:
        return any(self.path.is_relative_to(folder) for folder in folders)

    def is_kind(self, kind: str) -> bool:
        """Whether this is an app's `kind` module: facts.py, or any file of a facts/ folder."""
        below = self.path.parts[3:] if self.app else ()
        return below == (f"{kind}.py",) or below[:1] == (kind,)

    def full_name(self, node: ast.AST) -> str | None:
        """`datetime.datetime.now` for `datetime.now` under `from datetime import datetime`."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.full_name(node.value)
            return f"{owner}.{node.attr}" if owner else None
        return None

    def imports(self) -> Iterator[tuple[ast.AST, str]]:
        """Each imported thing: the statement, and the full dotted name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    yield node, _imported_name(self.package, node, alias)

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def at(self, node: ast.AST, message: str) -> str:
        """A violation, as an editor can follow it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {message}"


@dataclass(frozen=True)
class Tree:
    """A repository: its Python modules, and its templates by path."""

    modules: tuple[Module, ...]
    templates: dict[PurePosixPath, str]


def read_tree(root: Path) -> Tree:
    """Read the Python files and the templates under `root`."""
    modules = []
    for folder in ("joinery", "tests", "scripts", "tools", "benchmarks"):
        for path in sorted((root / folder).rglob("*.py")):
            modules.append(read_module(PurePosixPath(path.relative_to(root)), path.read_text("utf-8")))
    templates = {
        PurePosixPath(path.relative_to(root)): path.read_text("utf-8")
        for path in sorted((root / "joinery").rglob("*"))
        if "templates" in path.parts and path.suffix in {".html", ".jinja", ".txt"}
    }
    return Tree(tuple(modules), templates)


def read_module(path: PurePosixPath, text: str) -> Module:
    tree = ast.parse(text, filename=str(path))
    package = ".".join(path.parent.parts)
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if isinstance(node, ast.Import) and not alias.asname:
                    first = alias.name.partition(".")[0]
                    names[first] = first
                else:
                    names[alias.asname or alias.name] = _imported_name(package, node, alias)
    return Module(path, text, tree, names)


def _imported_name(package: str, node: Imported, alias: ast.alias) -> str:
    if isinstance(node, ast.Import):
        return alias.name
    parents = package.split(".")
    base = parents[: len(parents) - node.level + 1] if node.level else []
    return ".".join([*base, *([node.module] if node.module else []), alias.name])
