"""Migrations on a real database: harmless when repeated, one at a time, and whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from backbone import migrate
from backbone.testing import create_database
from deploy.local.parts import PostgreSQL

FAILING = """
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half_done (id int)")
    op.execute("SELECT 1 / 0")
"""


@pytest.fixture
def database(postgres: PostgreSQL) -> str:
    return create_database(postgres.url, "migrations")


def sql(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def tables(url: str) -> set[object]:
    return {name for (name,) in sql(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def locks(url: str) -> list[tuple[object, ...]]:
    return sql(url, "SELECT pid FROM pg_locks WHERE locktype = 'advisory'")


def test_replicas_that_start_together_migrate_one_after_the_other(database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate.upgrade("intake", database), range(4)))
    assert {"submissions", "identities", "outbox", "inbox"} <= tables(database)
    assert locks(database) == []


def test_one_that_fails_changes_nothing_and_stands_in_nobodys_way(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = tmp_path / "intake" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "0001_failing.py").write_text(FAILING)
    env = migrate.ROOT / "intake" / "migrations" / "env.py"
    (versions.parent / "env.py").write_text(env.read_text())
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(migrate, "ROOT", tmp_path)
        with pytest.raises(Exception, match="division by zero") as failure:
            migrate.upgrade("intake", database)
    assert failure.value is not None, "held, as a process that goes on holds it"
    assert "half_done" not in tables(database)
    assert locks(database) == []
    migrate.upgrade("intake", database)
    assert "submissions" in tables(database)
