"""Migrations are frozen history: they import no code of ours, so none of them changes when a module does."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from backbone.messaging.topology import SERVICES
from backbone.storage import migrate

ALLOWED = {"alembic", "sqlalchemy", *sys.stdlib_module_names} - {"importlib", "runpy"}
VERSIONS = sorted(file for file in migrate.ROOT.glob("*/migrations/versions/*.py") if file.stem != "__init__")


def name_of(file: Path) -> str:
    return str(file.relative_to(migrate.ROOT))


def imported(tree: ast.Module) -> set[str]:
    """The top-level packages that a module imports, anywhere in it; a relative import counts as "."."""
    packages: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add("." if node.level else str(node.module).partition(".")[0])
    return packages


def assigned(tree: ast.Module) -> dict[str, object]:
    """The constants that a module sets at its top level, by name."""
    constants: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            constants |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
    return constants


@pytest.mark.parametrize("file", VERSIONS, ids=name_of)
def test_a_migration_imports_alembic_sqlalchemy_and_the_standard_library_alone(file: Path) -> None:
    assert imported(ast.parse(file.read_text())) <= ALLOWED


@pytest.mark.parametrize("service", SERVICES)
def test_revisions_are_named_for_their_files_and_follow_each_other(service: str) -> None:
    files = [file for file in VERSIONS if file.is_relative_to(migrate.ROOT / service)]
    constants = [assigned(ast.parse(file.read_text())) for file in files]
    assert [revision["revision"] for revision in constants] == [file.stem for file in files]
    assert [revision["down_revision"] for revision in constants] == [None, *(file.stem for file in files[:-1])]
    assert files[0].stem == "0001_initial"


@pytest.mark.parametrize(
    "line",
    [
        "from services.media.models import metadata",
        "import backbone.outbox",
        "from . import other",
        "def upgrade():\n    from contracts import base",
    ],
)
def test_the_check_finds_an_import_of_ours(line: str) -> None:
    assert not imported(ast.parse(line)) <= ALLOWED
