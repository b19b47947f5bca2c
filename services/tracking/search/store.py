"""Queries of kept searches, a line of comment each. Whose they are, and with whom they are shared, is in each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, text, tuple_, update

from backbone.storage import cursors
from contracts.searches import Audience
from contracts.vocabulary import Role
from services.tracking.models import searches
from services.tracking.reference.names import name_of

_OWNER_NAME = name_of(searches.c.owner).label("owner_name")


def hold(connection: Connection, owner: UUID, what: str) -> None:
    """Until the end of this transaction nobody else adds to what this person has of this kind: so a limit holds."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"{what}:{owner}"})


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new one."""
    connection.execute(insert(searches).values(**row))


def how_many(connection: Connection, owner: UUID) -> int:
    """How many this person keeps."""
    return int(connection.execute(select(func.count()).where(searches.c.owner == owner)).scalar_one())


def seen_by(staff_id: UUID, roles: Iterable[Role]) -> ColumnElement[bool]:
    """What a row must fulfil to be known to this person: it is theirs, or shared with them."""
    audiences = [Audience.ALL.value, *sorted(role.value for role in roles)]
    return or_(searches.c.owner == staff_id, searches.c.shared_with.in_(audiences))


def visible_search(
    connection: Connection, search_id: UUID, seen: ColumnElement[bool], lock: bool = False
) -> Row[Any] | None:
    """One that is known to who asks."""
    chosen = select(searches, _OWNER_NAME).where(searches.c.search_id == search_id, seen)
    return connection.execute(chosen.with_for_update(of=searches) if lock else chosen).first()


def page(connection: Connection, seen: ColumnElement[bool], after: str | None, limit: int) -> list[Row[Any]]:
    """Those that are known to who asks, the newest first."""
    chosen = select(searches, _OWNER_NAME).where(seen)
    if after is not None:
        chosen = chosen.where(tuple_(searches.c.made_at, searches.c.search_id) < cursors.decode(after))
    ordered = chosen.order_by(searches.c.made_at.desc(), searches.c.search_id.desc())
    return list(connection.execute(ordered.limit(limit)))


def change(connection: Connection, search_id: UUID, values: Mapping[str, Any]) -> None:
    """A locked one as it is from now on."""
    connection.execute(update(searches).where(searches.c.search_id == search_id).values(**values))


def drop(connection: Connection, search_id: UUID) -> None:
    """It is no more."""
    connection.execute(delete(searches).where(searches.c.search_id == search_id))
