"""Migrations are frozen history: they import no code of ours but what is frozen itself, so none of them changes when a module
does."""

from __future__ import annotations

import ast
import io
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from backbone.messaging.topology import SERVICES
from backbone.storage import common_tables_v1, migrate

ALLOWED = {"alembic", "sqlalchemy", *sys.stdlib_module_names} - {"importlib", "runpy"}
FROZEN = "backbone.storage.common_tables_v1"
"""The one module of ours that migrations import."""
FROZEN_DDL = Path(__file__).parent / "common_tables_v1.ddl"
VERSIONS = sorted(file for file in migrate.ROOT.glob("*/migrations/versions/*.py") if file.stem != "__init__")


def name_of(file: Path) -> str:
    return str(file.relative_to(migrate.ROOT))


def imported(tree: ast.Module) -> set[str]:
    """The top-level packages that a module imports, anywhere in it, but for FROZEN; a relative import counts as "."."""
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            modules.add(".")
        elif isinstance(node, ast.ImportFrom) and node.module != FROZEN:
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {module.partition(".")[0] or "." for module in modules - {FROZEN}}


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


def test_the_common_tables_import_what_a_migration_may_and_no_more() -> None:
    assert imported(ast.parse(Path(str(common_tables_v1.__file__)).read_text())) <= ALLOWED


def test_the_common_tables_are_made_as_they_always_were() -> None:
    """The file is never renewed: where this fails, the change belongs into a new revision of each service."""
    ddl = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": ddl})
    with Operations.context(context):
        common_tables_v1.create_outbox_and_inbox()
        common_tables_v1.create_commands("commands", sa.Column("result", sa.Uuid(), nullable=False))
        common_tables_v1.create_audit()
        common_tables_v1.protect_history("history")
    assert ddl.getvalue() == FROZEN_DDL.read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_revisions_are_named_after_their_files_and_form_one_sequence(service: str) -> None:
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
        "from backbone.storage import audit",
        "from backbone.storage import audit, common_tables_v1",
        "from . import other",
        "def upgrade():\n    from contracts import base",
    ],
)
def test_the_check_finds_a_forbidden_import(line: str) -> None:
    assert not imported(ast.parse(line)) <= ALLOWED
