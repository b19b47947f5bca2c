"""Migrations on a real database: harmless when repeated, one at a time, and whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic.util import CommandError

from backbone.storage import migrate
from deploy.local.parts import PostgreSQL
from tests.support.processes import ROOT, create_database, eventually

FAILING = """
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half_done (id int)")
    op.execute("SELECT 1 / 0")
"""

TABLE = """
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE cases AS SELECT generate_series(1, 1000) AS id")
"""

CONCURRENTLY = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY cases_id ON cases (id)")
"""

REPLICA = """
import sys
from pathlib import Path
from backbone.storage import migrate

migrate.ROOT = Path(sys.argv[1])
print("revision unknown here:", migrate.upgrade("intake", sys.argv[2]))
"""


def release(folder: Path, **migrations: str) -> Path:
    """Services as a release has them: intake with these migrations alone."""
    versions = folder / "intake" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "env.py").write_text((migrate.ROOT / "intake" / "migrations" / "env.py").read_text())
    for name, body in migrations.items():
        (versions / f"{name}.py").write_text(body)
    return folder


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
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database}
    replicas = [
        subprocess.Popen([sys.executable, "-m", "backbone.storage.migrate", "intake"], cwd=ROOT, env=environment)
        for _ in range(4)
    ]
    assert [replica.wait(60) for replica in replicas] == [0] * 4
    assert {"submissions", "identities", "outbox", "inbox"} <= tables(database)
    assert locks(database) == []


def test_a_failed_migration_changes_nothing_and_blocks_nobody(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = release(tmp_path, failing=FAILING)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(migrate, "ROOT", broken)
        with pytest.raises(Exception, match="division by zero") as failure:
            migrate.upgrade("intake", database)
    assert failure.value is not None, "held, as a process that goes on holds it"
    assert "half_done" not in tables(database)
    assert locks(database) == []
    migrate.upgrade("intake", database)
    assert "submissions" in tables(database)


def test_replicas_waiting_for_a_concurrent_index_build_all_start(database: str, tmp_path: Path) -> None:
    """Whoever waited for the lock within a transaction was waited for by the index: a deadlock, and one replica dead."""
    folder = release(tmp_path, table=TABLE, concurrently=CONCURRENTLY)
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(%s)", [migrate._LOCK])
        replicas = [
            subprocess.Popen(
                [sys.executable, "-c", REPLICA, str(folder), database],
                cwd=Path(migrate.__file__).parents[2],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(3)
        ]
        try:

            def waiting() -> bool:
                row = first.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND (query LIKE '%advisory_lock%' OR query = 'COMMIT')"
                ).fetchone()
                return row == (3,)

            eventually(waiting, timeout=60)
            first.execute("SELECT pg_advisory_unlock(%s)", [migrate._LOCK])
            outputs = [replica.communicate(timeout=60)[0] for replica in replicas]
        finally:
            for replica in replicas:
                replica.kill()
    assert [replica.returncode for replica in replicas] == [0, 0, 0], outputs
    assert sql(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'cases_id'::regclass") == [(True,)]
    assert sql(database, "SELECT version_num FROM alembic_version") == [("0002",)]


def test_an_older_release_leaves_a_newer_database_unchanged(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older = release(tmp_path / "older", table=TABLE)
    newer = release(tmp_path / "newer", table=TABLE, concurrently=CONCURRENTLY)
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setattr(migrate, "ROOT", newer)
    migrate.main(["intake"])
    monkeypatch.setattr(migrate, "ROOT", older)
    migrate.main(["intake"])
    assert capsys.readouterr().out.splitlines() == [
        "intake: database is up to date",
        "intake: a newer release has migrated the database (to 0002); it is left as it is",
    ]
    assert sql(database, "SELECT version_num FROM alembic_version") == [("0002",)]
    assert locks(database) == []


def test_other_migration_errors_remain_errors(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_heads = release(tmp_path, table=TABLE, one=CONCURRENTLY, two=CONCURRENTLY.replace('"0002"', '"0003"'))
    monkeypatch.setattr(migrate, "ROOT", two_heads)
    with pytest.raises(CommandError, match="Multiple head revisions"):
        migrate.upgrade("intake", database)
