"""Queries of what notifications are made from: contacts, cases, staff, units; and of composed messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage import bulk
from contracts.notify import MessageChannel, MessageState
from services.notify.models import cases, contacts, erasures, messages, refusal_reasons, staff, units

AnyRow = Row[Any]


def add_contacts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """How the citizen of each case is reached; a case that has a contact keeps it."""
    if rows:
        bulk.insert(connection, contacts, rows, "ON CONFLICT DO NOTHING")


def recode_contact(connection: Connection, case_id: UUID, code_hash: str, sealed_contact: str | None) -> AnyRow | None:
    """Gives a case its new code; the contact, or None when there is none yet."""
    changed = (
        update(contacts)
        .where(contacts.c.case_id == case_id)
        .values(code_hash=code_hash, sealed_contact=sealed_contact, recoded=True)
        .returning(contacts)
    )
    return connection.execute(changed).first()


def add_erasure(connection: Connection, case_id: UUID, rule: str) -> None:
    """Records that who filed this case was erased, and by which rule."""
    connection.execute(upsert(erasures).values(case_id=case_id, rule=rule).on_conflict_do_nothing())


def erased_cases(connection: Connection, case_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these cases whose citizen was erased."""
    return set(connection.execute(select(erasures.c.case_id).where(erasures.c.case_id.in_(case_ids))).scalars())


def erase_citizen(connection: Connection, case_id: UUID) -> None:
    """Erases how the citizen of a case is reached, and who it is. The messages stay, for the figures."""
    erased = {"sealed_contact": None, "mobile_hash": None, "citizen_id": None}
    connection.execute(update(contacts).where(contacts.c.case_id == case_id).values(erased))
    without_mobile = {"sealed": None, "mobile_hash": None}
    connection.execute(update(messages).where(messages.c.case_id == case_id).values(without_mobile))


def contacts_of(connection: Connection, case_ids: Sequence[UUID]) -> dict[UUID, AnyRow]:
    """Contacts by case."""
    rows = connection.execute(select(contacts).where(contacts.c.case_id.in_(case_ids)))
    return {row.case_id: row for row in rows}


def keep_staff(connection: Connection, values: Mapping[str, Any]) -> None:
    """Stores a member of staff as in the event; an older version changes nothing."""
    new = upsert(staff).values(values)
    newer = new.on_conflict_do_update(
        index_elements=[staff.c.staff_id],
        set_={name: new.excluded[name] for name in values if name != "staff_id"},
        where=staff.c.version < new.excluded.version,
    )
    connection.execute(newer)


def staff_member(connection: Connection, staff_id: UUID) -> AnyRow | None:
    """A member of staff, or None when no event about them has arrived yet."""
    return connection.execute(select(staff).where(staff.c.staff_id == staff_id)).first()


def keep_units(connection: Connection, version: int, tree: Sequence[tuple[str, str | None]]) -> bool:
    """The tree of units of this version of the catalogue; False, and nothing changed, when it is no newer than ours."""
    connection.execute(select(func.pg_advisory_xact_lock(7_204_511)))
    if (connection.execute(select(func.max(units.c.version))).scalar() or 0) >= version:
        return False
    connection.execute(delete(units))
    if tree:
        connection.execute(insert(units), [{"code": code, "parent": up, "version": version} for code, up in tree])
    return True


def keep_refusal_reasons(connection: Connection, rows: Sequence[Mapping[str, str]]) -> None:
    """Replaces the names of refusal reasons; the caller holds the lock that `keep_units` takes."""
    connection.execute(delete(refusal_reasons))
    if rows:
        connection.execute(insert(refusal_reasons), list(rows))


def refusal_reason_names(connection: Connection) -> Sequence[AnyRow]:
    """The names of refusal reasons; none before a catalogue has arrived."""
    return connection.execute(select(refusal_reasons)).all()


def keep_cases(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores the state of each case; a lower sequence than the stored one changes nothing but the promised day."""
    if not rows:
        return
    newer = "CASE WHEN cases.sequence < excluded.sequence THEN excluded.{0} ELSE cases.{0} END"
    kept = {name: newer.format(name) for name in rows[0] if name != "case_id"}
    kept["promised_on"] = "coalesce(excluded.promised_on, cases.promised_on)"
    changes = ", ".join(f"{name} = {value}" for name, value in kept.items())
    bulk.insert(connection, cases, rows, f"ON CONFLICT (case_id) DO UPDATE SET {changes}")


def cases_of(connection: Connection, case_ids: Sequence[UUID]) -> dict[UUID, AnyRow]:
    """The states of these cases, by id."""
    return {row.case_id: row for row in connection.execute(select(cases).where(cases.c.case_id.in_(case_ids)))}


def add_messages(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """Stores those that are new; their ids."""
    if not rows:
        return set()
    return set(bulk.insert(connection, messages, rows, "ON CONFLICT DO NOTHING RETURNING id").scalars())


def supersede(connection: Connection, case_id: UUID, template: str) -> list[AnyRow]:
    """Skips this message of a case if no attempt to send it was made; the rows that were skipped."""
    skipped = (
        update(messages)
        .where(messages.c.case_id == case_id, messages.c.template == template)
        .where(messages.c.channel == MessageChannel.SMS, messages.c.state == MessageState.DUE)
        .where(messages.c.tried_first_at.is_(None))
        .values(state=MessageState.SKIPPED, reason="superseded")
        .returning(messages)
    )
    return list(connection.execute(skipped))
