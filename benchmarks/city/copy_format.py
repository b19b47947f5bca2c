"""Rows in COPY's text format: a block of rows is text with placeholders for what differs from case to case."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def field(value: Any, kind: Any) -> str:
    """One value in COPY's text format."""
    if value is None:
        return NULL
    if isinstance(kind, JSONB):
        return json.dumps(value, ensure_ascii=False, default=_plain).translate(_ESCAPES)
    if isinstance(kind, ARRAY):
        return f"{{{','.join(_text(item) for item in value)}}}"  # ids and codes: nothing that would be quoted
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"
    return _text(value).translate(_ESCAPES)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    return value.isoformat() if isinstance(value, date) else str(value)


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else _text(value)


def lines(table: Table, rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows, each with the columns of the first, a line each."""
    kinds = [(name, table.c[name].type) for name in columns(table)]
    formatted = []
    for row in rows:
        if unknown := set(row) - {name for name, _ in kinds}:
            raise KeyError(f"{table.name} is not given {', '.join(sorted(unknown))}")
        formatted.append("\t".join(field(row.get(name), kind) for name, kind in kinds))
    return "\n".join(formatted) + "\n" if formatted else ""


@lru_cache(maxsize=64)
def columns(table: Table) -> tuple[str, ...]:
    """The columns that are written: all but those that the database numbers itself."""
    return tuple(column.name for column in table.c if column.identity is None)


_PLACEHOLDER = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00"  # a moment
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?:[a-z]+ )*[0-9a-f]{32,64}|master key"
)
"""What a placeholder may look like; `Block` is given those that are placeholders."""


class Block:
    """Text with placeholders, which `fill` replaces by values."""

    def __init__(self, text: str, placeholders: Container[str]) -> None:
        self._parts: list[str] = []
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            if match[0] in placeholders:
                self._parts += [text[end : match.start()], match[0]]
                end = match.end()
        self._parts.append(text[end:])
        self.keys = self._parts[1::2]

    def fill(self, values: Mapping[str, str]) -> str:
        parts = self._parts.copy()
        parts[1::2] = [values[key] for key in self.keys]
        return "".join(parts)
