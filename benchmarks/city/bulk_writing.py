"""The databases that a city is written into: what is noted of how far it is, COPY, and indexes that wait for the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Table

from benchmarks.city.copy_format import columns

SERVICES = ("tracking", "intake", "notify", "insight", "media", "accounts")
_OPTIONS = "-c timezone=UTC -c synchronous_commit=off -c session_replication_role=replica -c statement_timeout=0"
"""Foreign keys are not checked for each row: what refers to a case is written with it."""

_PROGRESS_TABLES = """
CREATE TABLE IF NOT EXISTS city (one boolean PRIMARY KEY, plan jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS city_days (day date PRIMARY KEY, cases integer NOT NULL);
CREATE TABLE IF NOT EXISTS city_indexes (name text PRIMARY KEY, made_by text NOT NULL, place integer NOT NULL);
"""
_INDEXES = """
SELECT i.relname, pg_get_indexdef(i.oid), c.conname, pg_get_constraintdef(c.oid), t.relname
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('p', 'u')
WHERE t.relname = ANY(%s) AND NOT EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.oid)
"""


def connect(url: str) -> psycopg.Connection[Any]:
    """`url`: as SQLAlchemy takes it."""
    return psycopg.connect(url.replace("+psycopg", ""), options=_OPTIONS)


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Makes the tables in which the filling records its progress; they belong to no service and no migration."""
    with connection.transaction():
        connection.execute(_PROGRESS_TABLES)


def written(connection: psycopg.Connection[Any]) -> set[date]:
    """The days that are written."""
    return {row[0] for row in connection.execute("SELECT day FROM city_days")}


def write_day(
    connection: psycopg.Connection[Any], day: date, cases: int, blocks: Mapping[Table, Sequence[str]]
) -> None:
    """Writes all rows of a day and the record of it in one transaction, so that nothing is doubled when the process is killed."""
    with connection.transaction():
        connection.execute("INSERT INTO city_days VALUES (%s, %s)", [day, cases])
        for table, texts in blocks.items():
            copy(connection, table, texts)


def copy(connection: psycopg.Connection[Any], table: Table, texts: Sequence[str]) -> None:
    """Lines in COPY's text format into a table."""
    fields = sql.SQL(", ").join(map(sql.Identifier, columns(table)))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), fields)
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        stream.write("".join(texts).encode())


def drop_indexes(connection: psycopg.Connection[Any], tables: Sequence[str]) -> None:
    """Drops the indexes of these tables and records how to make them again, except those that a foreign key needs."""
    with connection.transaction():
        for name, index, constraint, definition, table in connection.execute(_INDEXES, [list(tables)]).fetchall():
            made_by = index
            if constraint is not None:
                made_by = (
                    sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
                    .format(sql.Identifier(table), sql.Identifier(constraint), sql.SQL(definition))
                    .as_string(connection)
                )
            connection.execute(
                "INSERT INTO city_indexes VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [name, made_by, 0 if " gin " in made_by else 1],
            )
            drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
            if constraint is None:
                drop = sql.SQL("DROP INDEX {}").format(sql.Identifier(name))
            connection.execute(drop)


def missing_indexes(connection: psycopg.Connection[Any]) -> list[str]:
    """The dropped indexes that were not made again yet, the slowest first."""
    return [row[0] for row in connection.execute("SELECT name FROM city_indexes ORDER BY place, name")]


def make_index(connection: psycopg.Connection[Any], name: str) -> None:
    """Makes one index as it was."""
    with connection.transaction():
        connection.execute("SET LOCAL maintenance_work_mem = '1GB'")
        connection.execute("SET LOCAL max_parallel_maintenance_workers = 0")  # several are made at once
        row = connection.execute("DELETE FROM city_indexes WHERE name = %s RETURNING made_by", [name]).fetchone()
        if row is not None:
            connection.execute(row[0])
