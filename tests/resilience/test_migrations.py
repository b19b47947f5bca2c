"""Upgrades of databases at work: from the schemas in `schemas/`, with rows in them, while others read and write.

`schemas/` holds each database as pg_dump wrote it at the last release, alembic_version included (`dump_schemas.py` renews
it). It is upgraded to this release, and then by one more revision that stands for the next release, so that there is
always something to upgrade. Rows are made of nothing but what the tables demand, by the thousand; PEYGIR_CASES says how
many cases (5,000; a million are those of ten years, and are asked for with --long).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from backbone.messaging.topology import SERVICES
from backbone.storage import migrate
from deploy.local.parts import PostgreSQL
from deploy.local.processes import System
from tests.e2e.people import people_of
from tests.resilience.conftest import SETTINGS
from tests.support import schema
from tests.support.processes import ROOT, create_database, eventually

LARGE = {
    "tracking": {"cases": 1.0, "timeline": 5.0, "attachments": 0.5, "questions": 0.3},
    "intake": {"submissions": 1.0, "identities": 0.7},
    "notify": {"contacts": 1.0, "messages": 4.0, "cases": 1.0},
    "insight": {"facts": 1.0},
    "media": {"uploads": 0.5},
    "accounts": {"citizens": 0.4, "staff": 0.0001},
}
"""Tables that grow with the cases, and how many rows there are for each."""
NEXT = "9999_next"
NEXT_REVISION = """
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {head!r}


def upgrade() -> None:
    op.add_column({table!r}, sa.Column("added", sa.Text()), if_not_exists=True)
    op.create_table("added_table", sa.Column("id", sa.Uuid(), primary_key=True), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS added_index ON {table} (added)")
"""
"""Expands a schema as CONTRIBUTING.md says that a release does."""

UPGRADE = f"""
import sys
from pathlib import Path
import {migrate.__name__} as migrate

migrate.ROOT = Path(sys.argv[1])
migrate.main(sys.argv[2:])
"""

PATIENCE = "5s"
"""What the gateway waits for a service (RPC_TIMEOUT): who waits longer for the database is told an error."""

_ANY_ROW = "-c session_replication_role=replica"
"""What a row refers to need not be there."""
_VALUES = {
    "uuid": "gen_random_uuid()",
    "bytea": "decode(md5(random()::text), 'hex')",
    "jsonb": "'{}'::jsonb",
    "boolean": "false",
    "date": "current_date",
    "timestamp with time zone": "now()",
    "smallint": "1",
    "integer": "1",
    "bigint": "1",
    "ARRAY": "'{}'",
}


def demanded(connection: psycopg.Connection[Any], table: str) -> dict[str, str]:
    """The columns that a row must have, and an expression for each: what is unique is random."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
        " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' ORDER BY ordinal_position",
        [table],
    )
    text = "md5(random()::text || clock_timestamp()::text)"
    whole = "(random() * 2000000000)::integer"
    return {
        name: whole if name in ("sequence", "position") else _VALUES.get(kind, text)
        for name, kind in columns.fetchall()
    }


def row(connection: psycopg.Connection[Any], table: str, rows: int = 1) -> sql.Composed:
    """A statement that writes so many."""
    columns = demanded(connection, table)
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM generate_series(1, {})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.SQL, columns.values())),
        sql.Literal(rows),
    )


def opened(url: str, options: str = "") -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True, options=options)


def restored(postgres: PostgreSQL, service: str, name: str) -> str:
    """A database of the last release, without rows but for those that its migrations made."""
    url = create_database(postgres.url, name)
    with opened(url) as connection:
        for file in schema.files_of(service):
            connection.execute(file.read_bytes())
    return url


def of_the_last_release(postgres: PostgreSQL, service: str, cases: int) -> str:
    url = restored(postgres, service, f"old_{service}")
    with opened(url, _ANY_ROW) as connection:
        for table, share in LARGE[service].items():
            connection.execute(row(connection, table, max(10, round(cases * share))))
        connection.execute("ANALYZE")
    return url


def head(root: Path, service: str) -> str | None:
    config = Config()
    config.set_main_option("script_location", str(root / service / "migrations"))
    return ScriptDirectory.from_config(config).get_current_head()


def next_release(folder: Path, service: str, table: str) -> Path:
    """This release's migrations of a service, and one more that changes `table`."""
    shutil.copytree(migrate.ROOT / service / "migrations", folder / service / "migrations")
    revision = NEXT_REVISION.format(revision=NEXT, head=head(migrate.ROOT, service), table=table)
    (folder / service / "migrations" / "versions" / f"{NEXT}.py").write_text(revision)
    return folder


class Load:
    """Two who write new rows and change and read old ones, and one who reads for long, until it is enough."""

    def __init__(self, url: str, tables: list[str]) -> None:
        self._url, self._tables = url, tables
        self.errors: list[str] = []
        self.added = dict.fromkeys(tables, 0)
        self._over = threading.Event()
        self._lock = threading.Lock()

    @contextmanager
    def at_work(self) -> Iterator[Load]:
        threads = [threading.Thread(target=self._write) for _ in range(2)]
        threads.append(threading.Thread(target=self._read_long))
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _write(self) -> None:
        with opened(self._url, f"{_ANY_ROW} -c statement_timeout={PATIENCE}") as connection:
            steps = [(table, *self._steps(connection, table)) for table in self._tables]
            while not self._over.is_set():
                for table, insert, touch in steps:
                    try:
                        connection.execute(insert)
                        with self._lock:
                            self.added[table] += 1
                        connection.execute(touch)
                    except psycopg.Error as error:
                        self.errors.append(f"{table}: {error}")
                time.sleep(0.002)

    @staticmethod
    def _steps(connection: psycopg.Connection[Any], table: str) -> tuple[sql.Composed, sql.Composed]:
        """One new row; and an old one locked, as a command does first."""
        # By the names of its columns, as our code reads: a plan of SELECT * ends with the first column that is added.
        columns = (
            connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table))).description or []
        )
        locked = sql.SQL("SELECT {} FROM {} LIMIT 1 FOR UPDATE SKIP LOCKED").format(
            sql.SQL(", ").join(sql.Identifier(column.name) for column in columns), sql.Identifier(table)
        )
        return row(connection, table), locked

    def _read_long(self) -> None:
        """As an export or a backup does: a transaction that reads each table and stays open for a while."""
        with opened(self._url) as connection:
            while not self._over.is_set():
                with connection.transaction():
                    for table in self._tables:
                        connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
                    self._over.wait(1.0)
                self._over.wait(0.3)


def counted(url: str, tables: list[str]) -> dict[str, int]:
    with opened(url) as connection:
        query = "SELECT count(*) FROM {}"
        return {
            table: connection.execute(sql.SQL(query).format(sql.Identifier(table))).fetchone()[0]  # type: ignore[index]  # a count is one row
            for table in tables
        }


def upgraded(root: Path, urls: dict[str, str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= {f"DATABASE_URL_{service.upper()}": url for service, url in urls.items()}
    command = [sys.executable, "-c", UPGRADE, str(root), *urls]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]


def upgrades_unnoticed(postgres: PostgreSQL, root: Path, service: str, cases: int) -> None:
    url, tables = of_the_last_release(postgres, service, cases), list(LARGE[service])
    before = counted(url, tables)
    with Load(url, tables).at_work() as load:
        eventually(lambda: all(load.added.values()))
        upgraded(root, {service: url})
        at_the_end = dict(load.added)
        eventually(lambda: all(load.added[table] > rows for table, rows in at_the_end.items()))
    assert not load.errors, load.errors[:5]
    assert all(load.added.values()), "nobody was at work"
    assert counted(url, tables) == {table: before[table] + load.added[table] for table in tables}
    with opened(url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(head(root, service),)]

    fresh = create_database(postgres.url, f"new_{service}")
    upgraded(root, {service: fresh})
    assert schema.objects(url) == schema.objects(fresh), "a database that was upgraded differs from a new one"
    upgraded(root, {service: url})
    assert schema.objects(url) == schema.objects(fresh), "an upgrade that is repeated changes something"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("service", SERVICES)
def test_an_upgrade_to_this_release_disturbs_no_user(postgres: PostgreSQL, service: str) -> None:
    upgrades_unnoticed(postgres, migrate.ROOT, service, int(os.environ.get("PEYGIR_CASES") or 5_000))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("service", SERVICES)
def test_an_upgrade_to_the_next_release_disturbs_no_user(postgres: PostgreSQL, tmp_path: Path, service: str) -> None:
    root = next_release(tmp_path, service, next(iter(LARGE[service])))
    upgrades_unnoticed(postgres, root, service, int(os.environ.get("PEYGIR_CASES") or 5_000))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("service", SERVICES)
def test_an_upgrade_with_a_million_cases_disturbs_no_user(postgres: PostgreSQL, tmp_path: Path, service: str) -> None:
    root = next_release(tmp_path, service, next(iter(LARGE[service])))
    upgrades_unnoticed(postgres, root, service, int(os.environ.get("PEYGIR_CASES") or 1_000_000))


def test_a_table_change_does_not_block_later_queries(postgres: PostgreSQL, tmp_path: Path) -> None:
    """One reads for long, the change waits for them, and all others would wait for the change."""
    url = of_the_last_release(postgres, "intake", 100)
    root = next_release(tmp_path, "intake", "identity_openings")
    with opened(url) as reading, opened(url, "-c statement_timeout=2500") as other, reading.transaction():
        reading.execute("SELECT count(*) FROM submissions, identity_openings")
        waiting = threading.Thread(target=upgraded, args=(root, {"intake": url}))
        waiting.start()
        ends = time.monotonic() + 6
        while time.monotonic() < ends:
            other.execute(row(other, "identity_openings"))
            time.sleep(0.1)
        assert waiting.is_alive(), "the change did not wait"
    waiting.join()
    with opened(url) as after:
        after.execute("SELECT added FROM identity_openings LIMIT 1")


def test_all_processes_work_on_databases_of_the_last_release(postgres: PostgreSQL, tmp_path: Path) -> None:
    for service in SERVICES:
        restored(postgres, service, f"peygir_{service}")
    with System(tmp_path, environment={**SETTINGS, "DATABASE_URL": postgres.url}) as system, people_of(system) as town:
        case, _, _ = town.complaint()
        assert case.view_at("registered")
        town.assigned(case)
        assert case.view_at("investigating")
