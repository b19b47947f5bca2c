"""Queries of kept searches, a line of comment each. Whose they are, and with whom they are shared, is in each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)

from backbone.storage import cursors
from contracts.searches import Audience, Filter
from contracts.vocabulary import Role
from services.tracking.models import search_pins, searches, staff
from services.tracking.reference.names import name_of

_OWNER_NAME = name_of(searches.c.owner).label("owner_name")


def _shown_to(reader: UUID) -> Select[Any]:
    """A search as this person sees it."""
    pinned = and_(search_pins.c.search_id == searches.c.search_id, search_pins.c.staff_id == reader)
    chosen = select(searches, _OWNER_NAME, search_pins.c.position)
    return chosen.select_from(searches.outerjoin(search_pins, pinned))


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
    reader, owner = staff.alias("reader"), staff.alias("owner_of_search")
    of_one_unit = exists(literal_column("1")).where(
        reader.c.staff_id == staff_id, owner.c.staff_id == searches.c.owner, reader.c.unit == owner.c.unit
    )
    return or_(
        searches.c.owner == staff_id,
        searches.c.shared_with.in_(audiences),
        and_(searches.c.shared_with == Audience.UNIT.value, of_one_unit),
    )


def visible_search(
    connection: Connection, search_id: UUID, reader: UUID, seen: ColumnElement[bool], lock: bool = False
) -> Row[Any] | None:
    """One that is known to who asks."""
    chosen = _shown_to(reader).where(searches.c.search_id == search_id, seen)
    return connection.execute(chosen.with_for_update(of=searches) if lock else chosen).first()


def filters_of(connection: Connection, ids: Iterable[UUID], seen: ColumnElement[bool]) -> dict[UUID, Filter]:
    """What is asked for by those of these that are known to who asks."""
    chosen = select(searches.c.search_id, searches.c.filters).where(searches.c.search_id.in_(list(ids)), seen)
    return {row.search_id: Filter.model_validate(row.filters) for row in connection.execute(chosen)}


def page(
    connection: Connection, reader: UUID, seen: ColumnElement[bool], after: str | None, limit: int
) -> list[Row[Any]]:
    """Those that are known to who asks, the newest first."""
    chosen = _shown_to(reader).where(seen)
    if after is not None:
        chosen = chosen.where(tuple_(searches.c.made_at, searches.c.search_id) < cursors.decode(after))
    ordered = chosen.order_by(searches.c.made_at.desc(), searches.c.search_id.desc())
    return list(connection.execute(ordered.limit(limit)))


def pinned(connection: Connection, reader: UUID, seen: ColumnElement[bool]) -> list[Row[Any]]:
    """Those of them that this person has pinned, in their order."""
    chosen = _shown_to(reader).where(seen, search_pins.c.position.is_not(None))
    return list(connection.execute(chosen.order_by(search_pins.c.position)))


def pin(connection: Connection, reader: UUID, seen: ColumnElement[bool], ids: Sequence[UUID]) -> bool:
    """Pins these and no others for this person; False, and nothing is done, when one of them is not known to them."""
    chosen = select(searches.c.search_id).where(searches.c.search_id.in_(ids), seen).with_for_update(key_share=True)
    if len(connection.execute(chosen).all()) < len(ids):
        return False
    connection.execute(delete(search_pins).where(search_pins.c.staff_id == reader))
    rows = [
        {"staff_id": reader, "search_id": search_id, "position": place} for place, search_id in enumerate(ids, start=1)
    ]
    if rows:
        connection.execute(insert(search_pins), rows)
    return True


def change(connection: Connection, search_id: UUID, values: Mapping[str, Any]) -> None:
    """A locked one as it is from now on."""
    connection.execute(update(searches).where(searches.c.search_id == search_id).values(**values))


def drop(connection: Connection, search_id: UUID) -> None:
    """It is no more."""
    connection.execute(delete(searches).where(searches.c.search_id == search_id))
