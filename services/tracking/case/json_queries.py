"""Queries that answer with JSON, and are written once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, literal_column
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg


def json_object(**columns: Any) -> Any:
    """A JSON object of these columns, its names written into the SQL."""
    pairs: list[Any] = []
    for name, column in columns.items():
        pairs += [literal_column(f"'{name}'"), column]
    return func.json_build_object(*pairs)


def as_sql(query: Select[Any]) -> str:
    """The query as SQL, written once: it is asked so often that making it each time would cost as much as asking."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return str(query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True}))
