"""Scope conditions of the stores' queries, found in the code, and each taken out in turn while the walk goes on.

    python -m tests.support.walk.mutants WORLD [NAME…]    # a line a mutant: "found NAME: …" or "survived NAME"

A process that holds nothing of the services yet forks for each mutant: the child imports them with the condition replaced by
true and walks the world, which nothing changes, until a leak is found.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[3]
WHO = frozenset(
    {
        *("unit", "handler", "citizen_id", "code_hash", "owner", "shared_with", "staff_id", "role", "audience"),
        *("from_office", "entry", "media", "question_id", "inspector", "asked_by"),
    }
)
"""Columns that say whose something is, or for whom."""
_SCOPES = frozenset({"CONDITION", "seen", "mine"})
_CALLS = frozenset({"condition", "scope_condition", "_theirs", "_of_staff", "_units"})
_LISTS = frozenset({"_theirs", "_of_staff"})
"""Of these calls those that give several, one of which has to hold."""
_COMPARISONS = frozenset({"in_", "not_in", "is_", "contains"})
FILES = (
    *(
        "tracking/bulk/store.py",
        "tracking/calendars/store.py",
        "tracking/case/scope.py",
        "tracking/case/store.py",
        "tracking/case/views.py",
        "tracking/citizens/views.py",
        "tracking/decisions/store.py",
        "tracking/desk/store.py",
        "tracking/evidence/access.py",
        "tracking/exports/store.py",
        "tracking/identities/store.py",
        "tracking/inquiry/store.py",
        "tracking/inquiry/views.py",
        "tracking/letters/store.py",
        "tracking/macros/store.py",
        "tracking/merging/related.py",
        "tracking/merging/views.py",
        "tracking/reference/store.py",
        "tracking/referrals/store.py",
        "tracking/screening/workload.py",
        "tracking/search/conditions.py",
        "tracking/search/queries.py",
        "tracking/search/store.py",
        "tracking/visits/store.py",
    ),
    *("insight/figures/store.py", "notify/inbox/store.py"),
)
"""Where queries for people are."""


def _column(node: ast.AST) -> str | None:
    """The name of a column, `x.c.name`, of a service's table."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "c":
        return node.attr
    return None


def _scopes(node: ast.AST) -> bool:
    """Whether this expression says for whom a row is."""
    if isinstance(node, ast.Compare):
        return any(_column(side) in WHO for side in (node.left, *node.comparators))
    if isinstance(node, ast.Name):
        return node.id in _SCOPES
    if isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr in _COMPARISONS:
            return _column(called.value) in WHO
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        return name in _CALLS
    return False


class _Finder(ast.NodeVisitor):
    """Names the conditions of a module in order: file:function:nth."""

    def __init__(self, file: str) -> None:
        self.file, self.function = file, "module"
        self.found: dict[str, ast.AST] = {}
        self._counts: dict[str, int] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:  # as ast calls it
        before, self.function = self.function, node.name
        for part in node.body:
            self.visit(part)
        self.function = before

    def visit_Assign(self, node: ast.Assign) -> None:  # as ast calls it
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:  # as ast calls it
        if node.value is not None:
            self.visit(node.value)

    def generic_visit(self, node: ast.AST) -> None:
        if _scopes(node):
            number = self._counts[self.function] = self._counts.get(self.function, 0) + 1
            self.found[f"{self.file}:{self.function}:{number}"] = node
        super().generic_visit(node)


def conditions() -> dict[str, str]:
    """All of them: name → as it is written."""
    conditions_by_name: dict[str, str] = {}
    for file in FILES:
        finder = _Finder(file)
        finder.visit(ast.parse((ROOT / "services" / file).read_text()))
        conditions_by_name |= {name: ast.unparse(node) for name, node in finder.found.items()}
    return conditions_by_name


class _Without(ast.NodeTransformer):
    def __init__(self, condition: ast.AST) -> None:
        self._condition = condition

    def visit_Starred(self, node: ast.Starred) -> ast.AST:  # as ast calls it
        if node.value is self._condition:
            return ast.copy_location(_true(), node)
        return self.generic_visit(node)

    def visit(self, node: ast.AST) -> Any:
        if node is self._condition:
            several = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _LISTS
            return ast.copy_location(ast.List([_true()], ast.Load()) if several else _true(), node)
        return super().visit(node)


def _true() -> ast.expr:
    return ast.parse("__import__('sqlalchemy').true()", mode="eval").body


class Without(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads the module of one condition without it."""

    def __init__(self, name: str) -> None:
        file, _, _ = name.partition(":")
        self._path = ROOT / "services" / file
        self._module = "services." + file.removesuffix(".py").replace("/", ".")
        finder = _Finder(file)
        tree = ast.parse(self._path.read_text())
        finder.visit(tree)
        self._tree = ast.fix_missing_locations(_Without(finder.found[name]).visit(tree))

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(self._path), "exec"), vars(module))  # noqa: S102  # our own code, changed


def walk_without(name: str, world_file: Path) -> str | None:
    """What the walk finds with this condition taken out; None: nothing."""
    sys.meta_path.insert(0, Without(name))
    from tests.support.walk.services import Services
    from tests.support.walk.walking import Walk
    from tests.support.walk.witness import Leak
    from tests.support.walk.world import World

    world = World.load(world_file)
    try:
        Walk(world, Services(world.urls, world.keys), thin=3).all(name)
    except Leak as leak:
        return str(leak)
    return None


def _preload() -> None:
    """What all mutants share; nothing of the services."""
    import importlib

    for name in (
        "nameko.extensions",
        "nameko.timer",
        "alembic",
        "httpx",
        "backbone.messaging.rpc",
        "backbone.messaging.consumers",
        "backbone.process.dependencies",
    ):
        importlib.import_module(name)
    for name in (
        "tracking",
        "insight",
        "notify",
        "intake",
        "accounts",
        "media",
        "letters",
        "referrals",
        "visits",
        "exports",
        "bulk",
        "macros",
        "calendars",
    ):
        importlib.import_module(f"contracts.{name}")


def run(names: Sequence[str], world_file: Path, at_once: int = 2) -> Iterator[tuple[str, str | None]]:
    """Each mutant in a process of its own, so many at once; what was found."""
    _preload()
    waiting = list(names)
    running: dict[int, tuple[str, int]] = {}
    while waiting or running:
        while waiting and len(running) < at_once:
            name = waiting.pop(0)
            reading, writing = os.pipe()
            if (child := os.fork()) == 0:
                os.close(reading)
                with os.fdopen(writing, "w") as pipe:
                    pipe.write(walk_without(name, world_file) or "")
                os._exit(0)
            os.close(writing)
            running[child] = (name, reading)
        child, _ = os.wait()
        name, reading = running.pop(child)
        with os.fdopen(reading) as pipe:
            yield name, pipe.read() or None


if __name__ == "__main__":
    for mutant, leak in run(sys.argv[2:] or list(conditions()), Path(sys.argv[1])):
        print(f"{'found' if leak else 'survived'} {mutant}: {(leak or '')[:300]}".replace("\n", " "), flush=True)
