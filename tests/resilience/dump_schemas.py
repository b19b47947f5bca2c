"""Writes `schemas/`, from which test_migrations.py upgrades: `python -m tests.resilience.dump_schemas`, at a release.

Together, the files of a service (`tests.support.schema.files_of`) are what pg_dump says of its database, migrated to the newest
revision, with the rows that migrations make. What all services have, what all audited ones have, and what all those with a
history have, is written once. Each ALTER TABLE is on one line.
"""

from __future__ import annotations

import os
import re

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"  # before psycopg is first imported, see backbone.storage.database

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from backbone.messaging.topology import SERVICES
from backbone.storage import migrate
from deploy.local.parts import PostgreSQL
from deploy.local.postgresql import postgres_binaries
from tests.support.processes import create_database
from tests.support.schema import SCHEMAS, SHARED

_NOISE = re.compile(r"--|SET |SELECT pg_catalog\.set_config|COMMENT ON EXTENSION|\\(un)?restrict|$")
"""Beginnings of lines that say nothing of the schema."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = PostgreSQL(Path(folder) / "postgres")
        server.start()
        try:
            dumps = {}
            for service in SERVICES:
                url = create_database(server.url, service)
                migrate.upgrade(service, url)
                dumps[service] = _dump(url)
        finally:
            server.stop()
    for name, text in split(dumps).items():
        (SCHEMAS / f"{name}.sql").write_text(text)


def split(dumps: Mapping[str, str]) -> dict[str, str]:
    """The text of each file, of dumps by service."""
    rest = {service: _statements(dump) for service, dump in dumps.items()}
    files = {}
    for name, services in SHARED.items():
        first, *others = sorted(services)
        shared = [statement for statement in rest[first] if all(statement in rest[other] for other in others)]
        for service in services:
            rest[service] = [statement for statement in rest[service] if statement not in shared]
        files[name] = shared
    return {name: "".join(statements) for name, statements in (files | rest).items()}


def _statements(dump: str) -> list[str]:
    """A line that ends in a semicolon ends a statement, unless the body of a function is open there."""
    statements, lines = [], ""
    for line in dump.splitlines(keepends=True):
        lines += line
        if line.endswith(";\n") and lines.count("$$") % 2 == 0:
            statements.append(_on_one_line(lines) if lines.startswith("ALTER TABLE") else lines)
            lines = ""
    return statements


def _on_one_line(statement: str) -> str:
    return " ".join(statement.split()).replace("( ", "(").replace(" )", ")") + "\n"


def _dump(url: str) -> str:
    command = [str(postgres_binaries() / "pg_dump"), "--no-owner", "--no-privileges", "--inserts"]
    done = subprocess.run([*command, url.replace("+psycopg", "")], capture_output=True, text=True, check=True)
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not _NOISE.match(line.rstrip("\n")))


if __name__ == "__main__":
    main()
