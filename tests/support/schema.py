"""Reads the schema of a PostgreSQL database, for tests that compare two of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg

from backbone.messaging.topology import SERVICES
from contracts.audit import AUDITED

_CASTS = re.compile(r"::character varying|::text|\[\]|[() ]")

_QUERY = """
SELECT 'column', attrelid::regclass::text, attname,
       concat_ws(' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NOT NULL' END,
                 pg_get_expr(adbin, adrelid), attidentity, col_description(attrelid, attnum))
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid AND relnamespace = 'public'::regnamespace AND relkind = 'r'
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', '', proname, prosrc FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
UNION ALL
SELECT 'extension', '', extname, '' FROM pg_extension
"""

Object = tuple[str, str, str, str]
"""(kind, table, name, definition)"""

SCHEMAS = Path(__file__).parents[1] / "resilience" / "schemas"
SHARED = {
    "common": frozenset(SERVICES),
    "audited": frozenset(AUDITED),
    "history": frozenset({"accounts", "intake", "notify"}),
}
"""Files of what several services have, and which do; in the order in which they are restored."""


def files_of(service: str) -> list[Path]:
    """The files of a service's schema, in the order in which they are restored."""
    return [SCHEMAS / f"{name}.sql" for name in (*(name for name in SHARED if service in SHARED[name]), service)]


def objects(url: str) -> set[Object]:
    """Columns, indexes, constraints, triggers, functions and extensions, in whatever order they were made.

    Casts and brackets are left out of definitions: a schema that was dumped and restored has others.
    """
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(_QUERY).fetchall()
    return {(kind, table, name, _CASTS.sub("", definition)) for kind, table, name, definition in rows}
