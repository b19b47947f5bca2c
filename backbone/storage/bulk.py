"""Inserts many rows through one JSON parameter. The statement is the same for any number of rows, so it is compiled and prepared
once.

Arrays of PostgreSQL are given as lists, JSON columns as their values, times as datetime or ISO text, bytes as such.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Table, TextClause, text


def insert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], ending: str = ""
) -> CursorResult[Any]:
    """Inserts at least one row; all have the columns of the first. `ending`: SQL, ON CONFLICT… and RETURNING…"""
    return connection.execute(_statement(table, tuple(rows[0]), ending), {"rows": rows_parameter(rows)})


def rows_parameter(rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> str:
    """Rows, or one, as the JSON of that parameter."""
    return json.dumps(rows, ensure_ascii=False, default=_plain)


def insert_sql(table: Table, names: Iterable[str]) -> str:
    """SQL that inserts `:rows` with these columns, as a part of a larger statement."""
    columns = ", ".join(f'"{table.c[name].name}"' for name in names)
    return (
        f'INSERT INTO "{table.name}" ({columns})'
        f' SELECT {columns} FROM json_populate_recordset(NULL::"{table.name}", CAST(:rows AS json))'
    )


@lru_cache(maxsize=256)
def _statement(table: Table, names: Iterable[str], ending: str) -> TextClause:
    return text(f"{insert_sql(table, names)} {ending}")


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.isoformat() if isinstance(value, date) else str(value)
