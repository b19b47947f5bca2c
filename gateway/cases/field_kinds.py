"""What kind of value a field of a body takes, and its limits: by its type, and by its schema in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

FieldKind = Literal[
    "text",
    "flag",
    "number",
    "day",
    "moment",
    "choice",
    "group",
    "id",
    "unit",
    "ground",
    "article",
    "staff",
    "case",
    "attachment",
    "upload",
    "slot",
]
_LIMITS = {"minLength": "min_length", "maxLength": "max_length", "minimum": "minimum", "maximum": "maximum"}
_OF_LIST = {"minItems": "min_items", "maxItems": "max_items"}


def kind_of(value: Any) -> FieldKind:
    """Of the type of its values."""
    if value is AwareDatetime:
        return "moment"
    if isinstance(value, type):
        if issubclass(value, BaseModel):
            return "group"
        if issubclass(value, StrEnum):
            return "choice"
        kinds: tuple[tuple[type, FieldKind], ...] = (
            (bool, "flag"),
            (int, "number"),
            (float, "number"),
            (datetime, "moment"),
            (date, "day"),
            (UUID, "id"),
        )
        for kind, name in kinds:
            if issubclass(value, kind):
                return name
    return "text"


def limits_of(schema: Mapping[str, Any], many: bool) -> dict[str, Any]:
    """Lengths, counts and bounds that the schema of a field says."""
    plain = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    values = plain.get("items", {}) if many else plain
    counts = {name: plain[key] for key, name in _OF_LIST.items() if key in plain} if many else {}
    return {**counts, **{name: values[key] for key, name in _LIMITS.items() if key in values}}
