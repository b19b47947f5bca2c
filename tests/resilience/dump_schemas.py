"""Writes `schemas/`, from which test_migrations.py upgrades: `python -m tests.resilience.dump_schemas`, at a release.

Each file is what pg_dump says of one service's database, migrated to the newest revision, with the rows that migrations make.
"""

from __future__ import annotations

import os
import re

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"  # before psycopg is first imported, see backbone.storage.database

import subprocess
import tempfile
from pathlib import Path

from backbone.messaging.topology import SERVICES
from backbone.storage import migrate
from deploy.local.parts import PostgreSQL
from deploy.local.postgresql import postgres_binaries
from tests.support.processes import create_database

SCHEMAS = Path(__file__).parent / "schemas"
_NOISE = re.compile(r"--|SET |SELECT pg_catalog\.set_config|COMMENT ON EXTENSION|\\(un)?restrict|$")
"""Beginnings of lines that say nothing of the schema."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = PostgreSQL(Path(folder) / "postgres")
        server.start()
        try:
            for service in SERVICES:
                url = create_database(server.url, service)
                migrate.upgrade(service, url)
                (SCHEMAS / f"{service}.sql").write_text(_dump(url))
        finally:
            server.stop()


def _dump(url: str) -> str:
    command = [str(postgres_binaries() / "pg_dump"), "--no-owner", "--no-privileges", "--inserts"]
    done = subprocess.run([*command, url.replace("+psycopg", "")], capture_output=True, text=True, check=True)
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not _NOISE.match(line.rstrip("\n")))


if __name__ == "__main__":
    main()
