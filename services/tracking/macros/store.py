"""Queries of macros, a line of comment each. Whose they are, and for whom, is in each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, tuple_, update

from backbone.storage import cursors
from services.tracking.models import grounds, macros
from services.tracking.reference.names import name_of

_OWNER_NAME = name_of(macros.c.owner).label("owner_name")


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new one."""
    connection.execute(insert(macros).values(**row))


def how_many(connection: Connection, owner: UUID) -> int:
    """How many this person has made."""
    return int(connection.execute(select(func.count()).where(macros.c.owner == owner)).scalar_one())


def seen_by(staff_id: UUID, audiences: Collection[str]) -> ColumnElement[bool]:
    """What a row must fulfil to be known to this person: it is theirs, or for one of these audiences."""
    return or_(macros.c.owner == staff_id, macros.c.audience.in_(sorted(audiences)))


def visible_macro(
    connection: Connection, macro_id: UUID, seen: ColumnElement[bool], lock: bool = False
) -> Row[Any] | None:
    """One that is known to who asks."""
    chosen = select(macros, _OWNER_NAME).where(macros.c.macro_id == macro_id, seen)
    return connection.execute(chosen.with_for_update(of=macros) if lock else chosen).first()


def page(connection: Connection, seen: ColumnElement[bool], after: str | None, limit: int) -> list[Row[Any]]:
    """Those that are known to who asks, the newest first."""
    chosen = select(macros, _OWNER_NAME).where(seen)
    if after is not None:
        chosen = chosen.where(tuple_(macros.c.made_at, macros.c.macro_id) < cursors.decode(after))
    ordered = chosen.order_by(macros.c.made_at.desc(), macros.c.macro_id.desc())
    return list(connection.execute(ordered.limit(limit)))


def change(connection: Connection, macro_id: UUID, values: Mapping[str, Any]) -> None:
    """A locked one as it is from now on."""
    connection.execute(update(macros).where(macros.c.macro_id == macro_id).values(**values))


def drop(connection: Connection, macro_id: UUID) -> None:
    """It is no more."""
    connection.execute(delete(macros).where(macros.c.macro_id == macro_id))


def name_of_ground(connection: Connection, code: str, language: str) -> str | None:
    """What the administrator calls a ground now; None for one that is there no more."""
    name: str | None = connection.execute(select(grounds.c[f"name_{language}"]).where(grounds.c.code == code)).scalar()
    return name
