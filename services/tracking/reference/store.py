"""Queries on the copies of what others own: units, grounds, the calendar and staff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, bindparam, case, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.accounts import StaffChanged
from contracts.intake import Catalogue
from services.tracking.models import catalogue, grounds, staff, units

_RULES = {"weekend", "deadlines", "four_eyes", "auto_close_days", "retention", "refusal_reasons", "root_causes"}

_MEMBER = select(staff).where(staff.c.staff_id == bindparam("staff"))


def keep_catalogue(connection: Connection, new: Catalogue) -> bool:
    """Takes over units, grounds, holidays and rules; False when it is no newer than ours. Units that went stay, inactive:
    old cases are about them."""
    # Only the fields that were set: where an older intake set none, the settings hold.
    rules = new.model_dump(mode="json", include=_RULES, exclude_unset=True)
    row = {"one": True, "version": new.version, "holidays": [day.isoformat() for day in new.holidays], "rules": rules}
    statement = upsert(catalogue).values(**row, calendar=new.version)
    updates = {name: statement.excluded[name] for name in ("version", "holidays", "rules")}
    same = and_(
        catalogue.c.holidays == statement.excluded.holidays,
        catalogue.c.rules["weekend"].is_not_distinct_from(statement.excluded.rules["weekend"]),
    )
    statement = statement.on_conflict_do_update(
        index_elements=["one"],
        set_={**updates, "calendar": case((same, catalogue.c.calendar), else_=statement.excluded.version)},
        where=catalogue.c.version < statement.excluded.version,
    )
    if connection.execute(statement.returning(catalogue.c.version)).scalar() is None:
        return False
    connection.execute(update(units).values(active=False))
    if new.units:
        unit = upsert(units)
        updates = {name: unit.excluded[name] for name in ("parent", "name_fa", "name_en", "active")}
        connection.execute(
            unit.on_conflict_do_update(index_elements=["code"], set_=updates),
            [one.model_dump(include={"code", *updates}) for one in new.units],
        )
    connection.execute(delete(grounds))
    if new.grounds:
        connection.execute(
            insert(grounds),
            [{"code": one.code, "kinds": [str(kind) for kind in one.kinds]} for one in new.grounds],
        )
    return True


def catalogue_version(connection: Connection) -> int:
    """The version of our copy; 0 when there is none yet."""
    return connection.execute(select(catalogue.c.version)).scalar() or 0


def calendar(connection: Connection) -> tuple[list[str], dict[str, Any]]:
    """The city's holidays, ISO days, and the rules that the administrator set."""
    row = connection.execute(select(catalogue.c.holidays, catalogue.c.rules)).first()
    return (list(row.holidays), dict(row.rules)) if row else ([], {})


def all_units(connection: Connection) -> Sequence[Row[Any]]:
    """Our copy of the tree."""
    return connection.execute(select(units)).all()


def ground_kinds(connection: Connection, ground: str) -> frozenset[str] | None:
    """The kinds a ground is offered for, None when there is no such ground."""
    kinds = connection.execute(select(grounds.c.kinds).where(grounds.c.code == ground)).scalar()
    return None if kinds is None else frozenset(kinds)


def keep_staff(connection: Connection, event: StaffChanged) -> None:
    """A member of staff as accounts published it; an older version changes nothing."""
    statement = upsert(staff).values(
        staff_id=event.staff_id,
        version=event.version,
        roles=[str(role) for role in event.roles],
        unit=event.unit,
        active=event.active,
    )
    updates = {name: statement.excluded[name] for name in ("version", "roles", "unit", "active")}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["staff_id"], set_=updates, where=staff.c.version < statement.excluded.version
        )
    )


def member(connection: Connection, staff_id: UUID) -> Row[Any] | None:
    """One member of staff."""
    return connection.execute(_MEMBER, {"staff": staff_id}).first()


def members(connection: Connection, ids: Iterable[UUID]) -> Sequence[Row[Any]]:
    """These members of staff, as far as they are active."""
    return connection.execute(select(staff).where(staff.c.staff_id.in_(list(ids)), staff.c.active)).all()
