"""Names beside ids and codes: of members of staff, and of grounds as the administrator calls them now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from services.tracking.models import grounds, staff


def name_of(staff_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """The display name of a member of staff, beside a column with their id; NULL when accounts has published none."""
    named = staff.alias()
    return select(named.c.display_name).where(named.c.staff_id == staff_id).scalar_subquery()


def ground_name(code: ColumnElement[Any], language: str) -> ColumnElement[Any]:
    """What the administrator calls a ground now, beside a column with its code; NULL for one that is there no more."""
    named = grounds.alias()
    return select(named.c[f"name_{language}"]).where(named.c.code == code).scalar_subquery()


def names_of(connection: Connection, ids: Iterable[UUID]) -> dict[str, str]:
    """The display names of these members of staff, by their ids as text."""
    chosen = select(staff.c.staff_id, staff.c.display_name).where(staff.c.staff_id.in_(set(ids)))
    return {str(row.staff_id): row.display_name for row in connection.execute(chosen) if row.display_name}
