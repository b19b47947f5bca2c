"""A row of the office's tables as it was before and after a change, for the document of the API."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

_SCALARS: list[dict[str, object]] = [{"type": name} for name in ("string", "number", "boolean", "null")]
_LISTS: dict[str, object] = {"type": "array", "items": {"type": "string"}}
_INNER: dict[str, object] = {"type": "object", "additionalProperties": {"anyOf": [*_SCALARS, _LISTS]}}
_ITEM: dict[str, object] = {
    "type": "object",
    "additionalProperties": {"anyOf": [*_SCALARS, _LISTS, _INNER, {"type": "array", "items": _INNER}]},
}
ConfigurationRow = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [*_SCALARS, _LISTS, _ITEM, {"type": "array", "items": _ITEM}],
                    },
                },
                {"type": "null"},
            ]
        }
    ),
]
"""A row of a table of the office: its fields are those of the table's bodies, of the version that it was written with."""
