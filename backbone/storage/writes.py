"""Several writes as one statement: it costs one round trip, and is whole or not at all without a transaction around it.

    WITH decisive AS (UPDATE cases … RETURNING 1), write_1 AS (INSERT INTO timeline … ), … SELECT …

The first write decides: where it touches no row, the others get no rows to write. All of them see the database as it was before
the statement, and no two may change the same row. Rows are given as JSON, one parameter for each write, so that a statement is
the same for any number of rows, and is composed and prepared once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.exc import IntegrityError

from backbone.storage import bulk

Row = Mapping[str, Any]
Answer = TypeVar("Answer")

ATTEMPTS = 3
DUPLICATE = "23505"
"""PostgreSQL's error for a key that is there already."""

# A number below 0 is none of this domain, which every database has: that of no rows fails as a broken check does.
_NEEDED = (
    "CASE WHEN {gate} THEN CAST((SELECT count(*) - 1 FROM {name}) AS information_schema.cardinal_number) IS NOT NULL"
    " ELSE true END"
)


@dataclass(frozen=True)
class Write:
    """An INSERT, UPDATE or DELETE without RETURNING. `sql`: `{rows}` stands in it for the JSON array of its rows; without any it
    changes nothing (beware of NOT IN). `values`: further parameters, as `%(name)s`; of the first write of a statement alone.

    `returning`: the column whose values are read back; `written` gets these and the connection once the statement is done.
    `needed`: where it touches no row the whole statement fails, with an IntegrityError."""

    sql: str
    rows: Sequence[Row]
    values: Row = field(default_factory=dict)
    returning: str | None = None
    written: Callable[[Connection, list[Any]], None] | None = None
    needed: bool = False


def insert(table: Table, rows: Sequence[Row], ending: str = "") -> list[Write]:
    """These rows, which all have the columns of the first; nothing for none. `ending`: SQL, such as ON CONFLICT…"""
    return [Write(_insertion(table, tuple(rows[0]), ending), rows)] if rows else []


def given(table: Table) -> str:
    """SQL of the rows of a write as a relation `given` with the columns of a table."""
    return f'json_populate_recordset(NULL::"{table.name}", {{rows}}) AS given'


def execute(connection: Connection, decisive: Write, others: Iterable[Write] = ()) -> int:
    """Writes all in one statement; how many rows the decisive one touched. Writes that differ in their rows alone become one.

    IntegrityError when a row of any of them is there already; then none is written."""
    return _execute(connection, [decisive, *_merged(others)], gated=True)


def execute_all(connection: Connection, writes: Iterable[Write]) -> None:
    """Writes all in one statement, none of which decides on the others; nothing for none."""
    if merged := _merged(writes):
        _execute(connection, merged, gated=False)


def repeated_when_outrun(work: Callable[[], Answer]) -> Answer:
    """What `work` answers: it reads, and adds in one statement, on a connection whose statements are transactions, what is not
    there yet. When others have added the same since it read, nothing is written, and it begins again: it reads then what they
    have added. IntegrityError when that happens `ATTEMPTS` times."""
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) != DUPLICATE:
                raise
    return work()


def _execute(connection: Connection, writes: Sequence[Write], gated: bool) -> int:
    sql = _statement(tuple((write.sql, write.returning, write.needed) for write in writes), gated)
    parameters = {f"rows_{place}": bulk.rows_parameter(write.rows) for place, write in enumerate(writes)}
    touched, *returned = connection.exec_driver_sql(sql, {**parameters, **writes[0].values}).one()
    if touched or not gated:
        for write, values in zip((write for write in writes if write.returning), returned, strict=True):
            if write.written is not None:
                write.written(connection, values)
    return int(touched)


def _merged(writes: Iterable[Write]) -> list[Write]:
    merged: dict[str, Write] = {}
    for write in writes:
        earlier = merged.get(write.sql)
        if earlier is not None:
            assert write.returning is None, "what it returns could not be told apart"
            assert not write.needed, "which of them touched no row could not be told"
            write = Write(write.sql, [*earlier.rows, *write.rows])
        merged[write.sql] = write
    return list(merged.values())


@lru_cache(maxsize=512)
def _insertion(table: Table, names: tuple[str, ...], ending: str) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return f'INSERT INTO "{table.name}" ({columns}) SELECT {columns} FROM {given(table)} {ending}'


@lru_cache(maxsize=512)
def _statement(shapes: tuple[tuple[str, str | None, bool], ...], gated: bool) -> str:
    parts, results, conditions = [], ["(SELECT count(*) FROM decisive)"], []
    for place, (sql, returning, needed) in enumerate(shapes):
        name = f"write_{place}" if place else "decisive"
        rows = f"CAST(%(rows_{place})s AS json)"
        if place and gated:
            rows = f"(SELECT {rows} WHERE EXISTS (SELECT FROM decisive))"
        own = f"{sql.replace('{rows}', rows)} RETURNING {returning or '1 AS touched'}"
        parts.append(f"{name} AS ({own})")
        if returning:
            results.append(f"ARRAY(SELECT {returning} FROM {name})")
        if needed:
            gate = "EXISTS (SELECT FROM decisive)" if gated else "true"
            conditions.append(_NEEDED.format(gate=gate, name=name))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"WITH {', '.join(parts)} SELECT {', '.join(results)}{where}"
