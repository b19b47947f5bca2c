"""The inbox's queries. Who may read what is decided here, so that no list can show more (DESIGN: Guarantees)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, or_, select, tuple_, union
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.notify import MessageChannel
from contracts.units import UnitTree
from contracts.vocabulary import Role
from services.notify.models import cases, contacts, messages, readings, units
from services.notify.notifications.recipients import FOR_DEPUTIES

AnyRow = Row[Any]


@dataclass(frozen=True)
class Reader:
    """Whose inbox it is. `name`: under which read messages are recorded; a citizen and the holder of their code share it.
    `units_in_conflict`: those whose cases are hidden from a member of staff; `liaison_units`: those for which they answer;
    `substitute_units`: those about which they have the messages of screeners and heads; `deputy_of`: whose messages about
    their work they have as well."""

    name: str
    code_hashes: tuple[str, ...] = ()
    citizen_id: UUID | None = None
    staff_id: UUID | None = None
    roles: tuple[str, ...] = ()
    units_in_conflict: frozenset[str] = frozenset()
    liaison_units: frozenset[str] = frozenset()
    substitute_units: frozenset[str] = frozenset()
    deputy_of: frozenset[UUID] = frozenset()

    @classmethod
    def by_code(cls, code_hashes: Sequence[str]) -> Reader:
        return cls("citizen", code_hashes=tuple(code_hashes))

    @classmethod
    def citizen(cls, citizen_id: UUID) -> Reader:
        return cls("citizen", citizen_id=citizen_id)

    @classmethod
    def staff(
        cls,
        staff_id: UUID,
        roles: Sequence[str],
        unit: str | None,
        tree: UnitTree,
        offices: Sequence[str] = (),
        away: Sequence[AnyRow] = (),
    ) -> Reader:
        """`offices`: the units of the inspection itself, for substitutes; `away`: the accounts of those for whom they stand
        in."""
        answered = {other.unit for other in away if other.unit is not None and Role.LIAISON in (other.roles or ())}
        answered |= {unit} if unit is not None else set()
        return cls(
            str(staff_id),
            staff_id=staff_id,
            roles=tuple(roles),
            units_in_conflict=tree.in_conflict(unit),
            liaison_units=(
                frozenset(code for own in answered for code in tree.below(own))
                if Role.LIAISON in roles
                else frozenset()
            ),
            deputy_of=frozenset(other.staff_id for other in away),
            substitute_units=tree.about_inspection(*offices) if Role.SUBSTITUTE in roles else frozenset(),
        )


def unit_tree(connection: Connection) -> UnitTree:
    """The units of the newest catalogue that has arrived."""
    return UnitTree({row.code: row.parent for row in connection.execute(select(units.c.code, units.c.parent))})


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
    with_contact = messages.outerjoin(contacts, contacts.c.case_id == messages.c.case_id)
    return select(messages).select_from(with_contact.outerjoin(cases, cases.c.case_id == messages.c.case_id))


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
    if reader.deputy_of:
        of_their_work = messages.c.audience.in_(sorted(FOR_DEPUTIES))
        addressed.append(and_(messages.c.staff_id.in_(sorted(reader.deputy_of)), of_their_work))
    addressed += [
        messages.c.role == role
        for role in (Role.HEAD, Role.SCREENER, Role.CUSTODIAN, Role.ADMINISTRATOR)
        if role in reader.roles
    ]
    if reader.substitute_units:
        # They are screener and head of cases about the inspection itself.
        about = cases.c.unit.in_(sorted(reader.substitute_units))
        addressed += [and_(messages.c.role == role, about) for role in (Role.HEAD, Role.SCREENER)]
    if reader.units_in_conflict:
        # Conflict of interest (DOMAIN: The people): whoever belongs to the unit complained about, or below it.
        hidden = sorted(reader.units_in_conflict)
        free = or_(messages.c.case_id.is_(None), cases.c.unit.is_(None), cases.c.unit.not_in(hidden))
        addressed = [and_(condition, free) for condition in addressed]
    if reader.liaison_units:
        own = sorted(reader.liaison_units)
        addressed.append(and_(messages.c.role == Role.LIAISON, messages.c.unit.in_(own)))
    return addressed
