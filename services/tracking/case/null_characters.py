"""PostgreSQL cannot hold the character U+0000, and nobody types it: requests that contain it are refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from contracts.errors import InvalidField


def reject_null_characters(request: BaseModel) -> None:
    """InvalidField when any text of the request contains one."""
    if any("\x00" in text for text in _texts(request.model_dump(mode="json"))):
        raise InvalidField(fields=[{"field": "body", "reason": "null_character"}])


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
