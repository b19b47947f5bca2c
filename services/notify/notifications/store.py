"""Queries of what notifications are made from: contacts, cases, staff, units; and of composed messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.messaging.inbox import HANDLED
from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.leaves import LeaveChanged
from contracts.notify import MessageChannel, MessageState
from services.notify.models import (
    cases,
    contacts,
    erasures,
    leaves,
    messages,
    open_replies,
    refusal_reasons,
    staff,
    units,
)
from services.notify.webhooks.rules import Subscriber
from services.notify.webhooks.store import SUBSCRIBERS, subscribers

AnyRow = Row[Any]


@dataclass(frozen=True)
class Stored:
    """What is stored already. `handled`: events whose effect is there; `messages`: by id; `erased`, `without_mobile`: cases whose
    citizen was erased, or is known to have no mobile; `subscribers`: partner systems that may be told of these events."""

    handled: Collection[UUID]
    messages: Collection[UUID]
    erased: Collection[UUID]
    without_mobile: Collection[UUID]
    subscribers: Sequence[Subscriber]


_STORED = f"""
SELECT {HANDLED} AS handled,
    ARRAY(SELECT id FROM messages WHERE id = ANY(CAST(%(messages)s AS uuid[]))) AS messages,
    ARRAY(SELECT case_id FROM erasures WHERE case_id = ANY(CAST(%(cases)s AS uuid[]))) AS erased,
    ARRAY(
        SELECT case_id FROM contacts WHERE case_id = ANY(CAST(%(cases)s AS uuid[])) AND sealed_contact IS NULL
    ) AS without_mobile,
    CASE WHEN %(consumer)s = 'cases' THEN {SUBSCRIBERS} END AS subscribers
"""


def read_stored(
    connection: Connection,
    consumer: str,
    events: Collection[UUID],
    messages: Collection[UUID],
    cases: Collection[UUID],
) -> Stored:
    """What is stored of these events of a consumer, and of the messages and cases that they concern."""
    parameters = {"events": list(events), "messages": list(messages), "cases": list(cases)}
    row = connection.exec_driver_sql(_STORED, {"consumer": consumer, **parameters}).one()
    handled, messages_, erased, without_mobile = map(frozenset, row[:4])
    return Stored(handled, messages_, erased, without_mobile, subscribers(row.subscribers))


def adding_contacts(rows: Sequence[Mapping[str, Any]]) -> list[Write]:
    """How the citizen of each case is reached; a case that has a contact keeps it."""
    return writes.insert(contacts, rows, "ON CONFLICT DO NOTHING")


def contact_of(connection: Connection, case_id: UUID) -> AnyRow | None:
    """How the citizen of a case is reached, locked; None when the submission itself has not arrived yet."""
    return connection.execute(select(contacts).where(contacts.c.case_id == case_id).with_for_update()).first()


def recode_contact(
    connection: Connection, case_id: UUID, code_hash: str, sealed_contact: str | None, attempt: int
) -> None:
    """Gives a case its new code."""
    values = {"code_hash": code_hash, "sealed_contact": sealed_contact, "recoded": True, "code_attempt": attempt}
    connection.execute(update(contacts).where(contacts.c.case_id == case_id).values(values))


def set_holder(connection: Connection, case_id: UUID, mobile_hash: str | None, citizen_id: UUID | None) -> None:
    """Who has a case now: by any other mobile nothing of it is answered, by any other account nothing read."""
    values = {"mobile_hash": mobile_hash, "citizen_id": citizen_id}
    connection.execute(update(contacts).where(contacts.c.case_id == case_id).values(values))
    sent_elsewhere = (
        update(messages)
        .where(messages.c.case_id == case_id, messages.c.audience == "citizen")
        .where(messages.c.mobile_hash.is_distinct_from(mobile_hash))
    )
    connection.execute(sent_elsewhere.values(mobile_hash=None))


def forget_account(connection: Connection, citizen_id: UUID) -> None:
    """The cases of this account belong to none."""
    connection.execute(update(contacts).where(contacts.c.citizen_id == citizen_id).values(citizen_id=None))


def forget_mobile(connection: Connection, case_id: UUID) -> None:
    """No message goes to the citizen of this case any more, and nothing is answered by their mobile."""
    connection.execute(update(contacts).where(contacts.c.case_id == case_id).values(sealed_contact=None))
    set_holder(connection, case_id, None, None)


def set_citizen(connection: Connection, case_id: UUID, citizen_id: UUID) -> None:
    """In whose inbox the messages of a case are."""
    connection.execute(update(contacts).where(contacts.c.case_id == case_id).values(citizen_id=citizen_id))


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
    connection.execute(delete(open_replies).where(open_replies.c.case_id == case_id))


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


def keep_leave(connection: Connection, event: LeaveChanged) -> None:
    """Who stands in for whom; an older version changes nothing."""
    names = ("leave_id", "version", "staff_id", "deputy", "starts_at", "ends_at")
    new = upsert(leaves).values({name: getattr(event, name) for name in names})
    newer = new.on_conflict_do_update(
        index_elements=[leaves.c.leave_id],
        set_={name: new.excluded[name] for name in names[1:]},
        where=leaves.c.version < new.excluded.version,
    )
    connection.execute(newer)


def away(connection: Connection, deputy: UUID, at: datetime) -> Sequence[AnyRow]:
    """Those for whom this member of staff stands in at this moment, with what is known of them."""
    leaves_of_staff = leaves.outerjoin(staff, staff.c.staff_id == leaves.c.staff_id)
    chosen = select(leaves.c.staff_id, staff.c.roles, staff.c.unit).select_from(leaves_of_staff)
    return connection.execute(
        chosen.where(leaves.c.deputy == deputy, leaves.c.starts_at <= at, leaves.c.ends_at > at)
    ).all()


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


def keeping_cases(rows: Sequence[Mapping[str, Any]]) -> list[Write]:
    """The state of each case; a lower sequence than the stored one changes nothing but the promised day."""
    if not rows:
        return []
    newer = "CASE WHEN cases.sequence < excluded.sequence THEN excluded.{0} ELSE cases.{0} END"
    kept = {name: newer.format(name) for name in rows[0] if name != "case_id"}
    kept["promised_on"] = "coalesce(excluded.promised_on, cases.promised_on)"
    changes = ", ".join(f"{name} = {value}" for name, value in kept.items())
    return writes.insert(cases, rows, f"ON CONFLICT (case_id) DO UPDATE SET {changes}")


def cases_of(connection: Connection, case_ids: Sequence[UUID]) -> dict[UUID, AnyRow]:
    """The states of these cases, by id."""
    return {row.case_id: row for row in connection.execute(select(cases).where(cases.c.case_id.in_(case_ids)))}


def stored_messages(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Those of these messages that are stored."""
    return set(connection.execute(select(messages.c.id).where(messages.c.id.in_(ids))).scalars())


def adding_messages(rows: Sequence[Mapping[str, Any]]) -> list[Write]:
    """New messages."""
    return writes.insert(messages, rows)


def supersede(connection: Connection, case_id: UUID, templates: Collection[str]) -> list[AnyRow]:
    """Skips these messages of a case if no attempt to send them was made; the rows that were skipped."""
    skipped = (
        update(messages)
        .where(messages.c.case_id == case_id, messages.c.template.in_(sorted(templates)))
        .where(messages.c.channel == MessageChannel.SMS, messages.c.state == MessageState.DUE)
        .where(messages.c.tried_first_at.is_(None))
        .values(state=MessageState.SKIPPED, reason="superseded")
        .returning(messages)
    )
    return list(connection.execute(skipped))
