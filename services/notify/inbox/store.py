"""The inbox's queries. Who may read what is decided here, so that no list can show more (DESIGN: Guarantees)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, literal, or_, select, tuple_, union
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.notify import MessageChannel
from contracts.vocabulary import Role
from services.notify.models import cases, contacts, messages, readings, units

AnyRow = Row[Any]


@dataclass(frozen=True)
class Reader:
    """Whose inbox it is. `name`: under which read messages are recorded; a citizen and the holder of their code share it."""

    name: str
    code_hashes: tuple[str, ...] = ()
    citizen_id: UUID | None = None
    staff_id: UUID | None = None
    roles: tuple[str, ...] = ()
    unit: str | None = None

    @classmethod
    def by_code(cls, code_hashes: Sequence[str]) -> Reader:
        return cls("citizen", code_hashes=tuple(code_hashes))

    @classmethod
    def citizen(cls, citizen_id: UUID) -> Reader:
        return cls("citizen", citizen_id=citizen_id)

    @classmethod
    def staff(cls, staff_id: UUID, roles: Sequence[str], unit: str | None) -> Reader:
        return cls(str(staff_id), staff_id=staff_id, roles=tuple(roles), unit=unit)


def page(connection: Connection, reader: Reader, after: tuple[datetime, UUID] | None, limit: int) -> list[AnyRow]:
    """The newest messages of this reader, or those after (older than) the given one.

    Each condition under which a message is theirs finds its newest by its own index; the newest of all are taken.
    """
    parts = []
    for theirs in _theirs(reader):
        newest = _from().where(messages.c.channel == MessageChannel.INBOX, theirs).order_by(*_NEWEST).limit(limit)
        if after is not None:
            newest = newest.where(messages.c.at <= after[0], tuple_(messages.c.at, messages.c.id) < after)
        parts.append(select(newest.with_only_columns(messages.c.id).subquery()))
    chosen = _shown(reader).where(messages.c.id.in_(union(*parts))).order_by(*_NEWEST).limit(limit)
    return list(connection.execute(chosen))


def of_ids(connection: Connection, reader: Reader, ids: Sequence[UUID]) -> list[AnyRow]:
    """Those of these messages that are this reader's."""
    chosen = _shown(reader).where(messages.c.channel == MessageChannel.INBOX, or_(*_theirs(reader)))
    return list(connection.execute(chosen.where(messages.c.id.in_(ids)).order_by(*_NEWEST)))


def mark_read(connection: Connection, reader: Reader, ids: Sequence[UUID]) -> None:
    """Records that this reader has read them."""
    if ids:
        rows = [{"message_id": message_id, "reader": reader.name} for message_id in ids]
        connection.execute(upsert(readings).values(rows).on_conflict_do_nothing())


_NEWEST = (messages.c.at.desc(), messages.c.id.desc())


def _from() -> Select[Any]:
    joined = messages.outerjoin(contacts, contacts.c.case_id == messages.c.case_id)
    return select(messages).select_from(joined.outerjoin(cases, cases.c.case_id == messages.c.case_id))


def _shown(reader: Reader) -> Select[Any]:
    read = exists().where(readings.c.message_id == messages.c.id, readings.c.reader == reader.name)
    more = (contacts.c.language.label("contact_language"), cases.c.promised_on, read.label("read"))
    return _from().add_columns(*more)


def _theirs(reader: Reader) -> list[ColumnElement[bool]]:
    """The conditions under which a message is this reader's, one for each index."""
    if reader.staff_id is not None:
        return _of_staff(reader)
    if reader.citizen_id is not None:
        own = select(contacts.c.case_id).where(contacts.c.citizen_id == reader.citizen_id)
    else:
        own = select(contacts.c.case_id).where(contacts.c.code_hash.in_(reader.code_hashes))
    return [and_(messages.c.audience == "citizen", messages.c.case_id.in_(own))]


def _of_staff(reader: Reader) -> list[ColumnElement[bool]]:
    addressed: list[ColumnElement[bool]] = [messages.c.staff_id == reader.staff_id]
    addressed += [
        messages.c.role == role
        for role in (Role.HEAD, Role.SCREENER, Role.CUSTODIAN, Role.ADMINISTRATOR)
        if role in reader.roles
    ]
    if reader.unit is not None:
        # Conflict of interest (DOMAIN: The people): whoever belongs to the unit complained about, or below it.
        free = or_(messages.c.case_id.is_(None), cases.c.unit.is_(None), cases.c.unit.not_in(_upwards(reader.unit)))
        addressed = [and_(condition, free) for condition in addressed]
    if Role.LIAISON in reader.roles and reader.unit is not None:
        addressed.append(and_(messages.c.role == Role.LIAISON, messages.c.unit.in_(_downwards(reader.unit))))
    return addressed


def _upwards(unit: str) -> Select[Any]:
    """The unit and all above it."""
    here = select(units.c.code, units.c.parent).where(units.c.code == unit).cte("upwards", recursive=True)
    above = select(units.c.code, units.c.parent).join(here, units.c.code == here.c.parent)
    return select(here.union(above).c.code)


def _downwards(unit: str) -> Select[Any]:
    """The unit and all below it."""
    here = select(literal(unit).label("code")).cte("downwards", recursive=True)
    below = select(units.c.code).join(here, units.c.parent == here.c.code)
    return select(here.union(below).c.code)
