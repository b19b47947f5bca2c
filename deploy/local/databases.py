"""Brings the databases of a local run to date, and refuses those of another version of Peygir that this one cannot use.

    python -m deploy.local.databases FOLDER SERVICE…    # FOLDER: of the run's state; "" where DATABASE_URL is another server's

A database of a newer release has all that this one needs and is left as it is. One of an earlier development version, whose
migrations are no longer there, has not: its services would start and fail at their first statement.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import psycopg
from sqlalchemy import MetaData

from backbone.storage import migrate

_SHOWN = 3


def main(folder: str, names: Sequence[str]) -> None:
    """SystemExit with a sentence that says what to do when a database is not what its service needs."""
    migrate.main(list(names))
    for name in names:
        url = migrate.url_of(name)
        metadata: MetaData = importlib.import_module(f"services.{name}.models").metadata
        if missing := missing_columns(url, metadata):
            sys.exit(_refusal(name, revision(url), missing, folder))


def missing_columns(url: str, metadata: MetaData) -> list[str]:
    """`table.column` of whatever a service needs and its database does not have."""
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        there = set(connection.execute(query).fetchall())
    needed = [(table.name, column.name) for table in metadata.sorted_tables for column in table.columns]
    return [f"{table}.{column}" for table, column in needed if (table, column) not in there]


def revision(url: str) -> str:
    """Of the database's last migration."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return ", ".join(version for (version,) in rows)


def _refusal(name: str, current: str, missing: Sequence[str], folder: str) -> str:
    some = ", ".join(missing[:_SHOWN]) + (f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else "")
    what = f"The database of {name} was made by another version of Peygir (revision {current}); it lacks {some}."
    if folder:
        remedy = f"remove the folder {folder}, with all the cases in it, and start again"
    else:
        remedy = "set DATABASE_URL to a server without databases of Peygir"
    return f"{what}\nRun that version again to keep what is in it; or {remedy}."


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
