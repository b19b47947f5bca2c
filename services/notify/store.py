"""Notify's queries, a line of comment each. What the inbox shows is in inbox_store.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage import bulk
from contracts.notify import MessageChannel, MessageState
from services.notify.models import (
    cases,
    contacts,
    erasures,
    helped,
    inbound,
    messages,
    opt_outs,
    refusal_reasons,
    staff,
    units,
)

AnyRow = Row[Any]


# --- who is to be told ---


def add_contacts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """How the citizen of each case is reached; a case that is known stays as it is."""
    if rows:
        bulk.insert(connection, contacts, rows, "ON CONFLICT DO NOTHING")


def recode_contact(connection: Connection, case_id: UUID, code_hash: str, sealed_contact: str | None) -> AnyRow | None:
    """Gives a case its new code; the contact, or None when the case is not known yet."""
    changed = (
        update(contacts)
        .where(contacts.c.case_id == case_id)
        .values(code_hash=code_hash, sealed_contact=sealed_contact, recoded=True)
        .returning(contacts)
    )
    return connection.execute(changed).first()


def note_erasure(connection: Connection, case_id: UUID, rule: str) -> None:
    """That nothing is kept any more of who filed this case, and by which rule."""
    connection.execute(upsert(erasures).values(case_id=case_id, rule=rule).on_conflict_do_nothing())


def erased(connection: Connection, case_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these cases of whose citizen nothing is kept any more."""
    return set(connection.execute(select(erasures.c.case_id).where(erasures.c.case_id.in_(case_ids))).scalars())


def forget_citizen(connection: Connection, case_id: UUID) -> None:
    """How the citizen of a case is reached, and who it is. The messages stay, for what they count."""
    nobody = {"sealed_contact": None, "mobile_hash": None, "citizen_id": None}
    connection.execute(update(contacts).where(contacts.c.case_id == case_id).values(nobody))
    told = {"sealed": None, "mobile_hash": None}
    connection.execute(update(messages).where(messages.c.case_id == case_id).values(told))


def contacts_of(connection: Connection, case_ids: Sequence[UUID]) -> dict[UUID, AnyRow]:
    """Contacts by case."""
    found = connection.execute(select(contacts).where(contacts.c.case_id.in_(case_ids)))
    return {row.case_id: row for row in found}


def contact_by_code(connection: Connection, code_hashes: Sequence[str]) -> AnyRow | None:
    """The contact whose code has one of these hashes."""
    return connection.execute(select(contacts).where(contacts.c.code_hash.in_(code_hashes))).first()


def language_of(connection: Connection, mobile_hash: str) -> str | None:
    """The language in which this mobile filed last."""
    newest = select(contacts.c.language).where(contacts.c.mobile_hash == mobile_hash)
    return connection.execute(newest.order_by(contacts.c.registered_at.desc()).limit(1)).scalar()


def is_opted_out(connection: Connection, mobile_hashes: Sequence[str]) -> set[str]:
    """Which of these mobiles do not want our messages."""
    chosen = select(opt_outs.c.mobile_hash).where(opt_outs.c.mobile_hash.in_(mobile_hashes))
    return set(connection.execute(chosen).scalars())


def opt_out(connection: Connection, mobile_hash: str, now: datetime, told_by: str) -> None:
    """This mobile wants no more messages from now on."""
    values = {"mobile_hash": mobile_hash, "since": now, "told_by": told_by}
    connection.execute(upsert(opt_outs).values(values).on_conflict_do_nothing())


def opt_in(connection: Connection, mobile_hash: str) -> None:
    """This mobile wants messages again."""
    connection.execute(delete(opt_outs).where(opt_outs.c.mobile_hash == mobile_hash))


def keep_staff(connection: Connection, values: Mapping[str, Any]) -> None:
    """A member of staff as accounts last said; an older version changes nothing."""
    new = upsert(staff).values(values)
    newer = new.on_conflict_do_update(
        index_elements=[staff.c.staff_id],
        set_={name: new.excluded[name] for name in values if name != "staff_id"},
        where=staff.c.version < new.excluded.version,
    )
    connection.execute(newer)


def staff_member(connection: Connection, staff_id: UUID) -> AnyRow | None:
    """A member of staff, or None when accounts has not told of them yet."""
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


def keep_reasons(connection: Connection, rows: Sequence[Mapping[str, str]]) -> None:
    """What the reasons for refusing are called now; the caller holds what `keep_units` locks."""
    connection.execute(delete(refusal_reasons))
    if rows:
        connection.execute(insert(refusal_reasons), list(rows))


def reasons(connection: Connection) -> Sequence[AnyRow]:
    """What the reasons for refusing are called; none before the catalogue was told."""
    return connection.execute(select(refusal_reasons)).all()


# --- cases ---


def keep_cases(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What tracking said of each case; a lower sequence than one's own changes nothing but the promised day."""
    if not rows:
        return
    newer = "CASE WHEN cases.sequence < excluded.sequence THEN excluded.{0} ELSE cases.{0} END"
    kept = {name: newer.format(name) for name in rows[0] if name != "case_id"}
    kept["promised_on"] = "coalesce(excluded.promised_on, cases.promised_on)"
    changes = ", ".join(f"{name} = {value}" for name, value in kept.items())
    bulk.insert(connection, cases, rows, f"ON CONFLICT (case_id) DO UPDATE SET {changes}")


def cases_of(connection: Connection, case_ids: Sequence[UUID]) -> dict[UUID, AnyRow]:
    """What is known of these cases."""
    return {row.case_id: row for row in connection.execute(select(cases).where(cases.c.case_id.in_(case_ids)))}


# --- messages ---


def add_messages(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """Stores those that are new; their ids."""
    if not rows:
        return set()
    return set(bulk.insert(connection, messages, rows, "ON CONFLICT DO NOTHING RETURNING id").scalars())


def supersede(connection: Connection, case_id: UUID, template: str) -> list[AnyRow]:
    """Takes back this message of a case as long as nobody has begun to send it."""
    taken_back = (
        update(messages)
        .where(messages.c.case_id == case_id, messages.c.template == template)
        .where(messages.c.channel == MessageChannel.SMS, messages.c.state == MessageState.DUE)
        .where(messages.c.tried_first_at.is_(None))
        .values(state=MessageState.SKIPPED, reason="superseded")
        .returning(messages)
    )
    return list(connection.execute(taken_back))


def claim(
    connection: Connection, *, now: datetime, lease: UUID, seconds: float, hold: float, limit: int
) -> list[AnyRow]:
    """Leases messages whose time has come, and those whose sender has not been heard of since its lease ended.

    First what is worth nothing in a few minutes (one-time codes): a city that files at once fills the queue with notices,
    and whoever wants to sign in then does not wait behind them.
    """
    case_known = exists().where(cases.c.case_id == messages.c.case_id)
    due = and_(messages.c.state == MessageState.DUE, messages.c.next_attempt_at <= now)
    soon_worthless = messages.c.expires_at.is_not(None)
    told = or_(~messages.c.waits_for_case, messages.c.created_at <= now - timedelta(seconds=hold), case_known)
    orphaned = and_(messages.c.state == MessageState.SENDING, messages.c.leased_until <= now)
    ids: list[UUID] = []
    for condition, order in (
        (and_(due, soon_worthless), [messages.c.expires_at]),
        (orphaned, [messages.c.leased_until]),
        (and_(due, ~soon_worthless, told), [messages.c.urgent.desc(), messages.c.next_attempt_at]),
    ):
        if len(ids) < limit:
            chosen = select(messages.c.id).where(condition).order_by(*order).limit(limit - len(ids))
            ids += connection.execute(chosen.with_for_update(skip_locked=True)).scalars()
    if not ids:
        return []
    leased = (
        update(messages)
        .where(messages.c.id.in_(ids))
        .values(
            state=MessageState.SENDING,
            lease=lease,
            leased_until=now + timedelta(seconds=seconds),
            attempts=messages.c.attempts + 1,
        )
        .returning(messages)
    )
    return sorted(connection.execute(leased), key=lambda row: ids.index(row.id))


_BEGUN = text(
    "UPDATE messages SET params = told.params, mobile_hash = told.mobile_hash, provider = told.provider,"
    " tried_first_at = coalesce(messages.tried_first_at, :now)"
    " FROM json_to_recordset(CAST(:rows AS json)) AS told (id uuid, params jsonb, mobile_hash text, provider text)"
    " WHERE messages.id = told.id"
)


def begin_attempts(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Notes of messages claimed in this transaction that their provider is about to be asked: id, params, mobile_hash,
    provider."""
    if rows:
        connection.execute(_BEGUN, {"rows": bulk.rows_parameter(rows), "now": now})


def hand_over(connection: Connection, message_id: UUID, lease: UUID, provider: str) -> bool:
    """Notes which provider is asked now, in case nobody lives to say what it answered; False as above."""
    noted = update(messages).where(messages.c.id == message_id, messages.c.lease == lease).values(provider=provider)
    return connection.execute(noted).rowcount == 1


def settle(connection: Connection, message_id: UUID, lease: UUID, values: Mapping[str, Any]) -> bool:
    """Ends the attempt of this lease; False when the lease is another's by now."""
    ended = (
        update(messages)
        .where(messages.c.id == message_id, messages.c.lease == lease, messages.c.state == MessageState.SENDING)
        .values(lease=None, leased_until=None, **values)
    )
    return connection.execute(ended).rowcount == 1


def at_provider(connection: Connection, provider: str, provider_message_ids: Sequence[str]) -> list[AnyRow]:
    """Our messages by the provider's ids, locked. `provider` names its kind: kavenegar, for all accounts there."""
    found = (
        select(messages)
        .where(messages.c.provider_message_id.in_(provider_message_ids))
        .where(func.split_part(messages.c.provider, "-", 1) == provider.split("-")[0])
        .order_by(messages.c.id)
        .with_for_update()
    )
    return list(connection.execute(found))


def set_delivery(connection: Connection, message_id: UUID, values: Mapping[str, Any]) -> None:
    """What became of a message at the handset."""
    connection.execute(update(messages).where(messages.c.id == message_id).values(**values))


def claim_looks(connection: Connection, *, now: datetime, limit: int) -> list[AnyRow]:
    """Sent messages whose status is to be asked now, locked."""
    chosen = (
        select(
            messages.c.id,
            messages.c.provider,
            messages.c.provider_message_id,
            messages.c.looks,
            messages.c.sent_at,
        )
        .where(messages.c.next_look_at <= now)
        .order_by(messages.c.next_look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(connection.execute(chosen))


_NEXT_LOOK = text(
    "UPDATE messages SET next_look_at = told.next_look_at, looks = messages.looks + 1"
    " FROM json_to_recordset(CAST(:rows AS json)) AS told (id uuid, next_look_at timestamptz) WHERE messages.id = told.id"
)


def set_next_look(connection: Connection, when: Sequence[tuple[UUID, datetime | None]]) -> None:
    """When to ask next; None: no more."""
    if when:
        rows = [{"id": message_id, "next_look_at": moment} for message_id, moment in when]
        connection.execute(_NEXT_LOOK, {"rows": bulk.rows_parameter(rows)})


# --- what handsets say ---


def first_time(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Notes a handset's text; False when it has been here before."""
    noted = upsert(inbound).values(values).on_conflict_do_nothing().returning(inbound.c.provider)
    return connection.execute(noted).first() is not None


def last_question(connection: Connection, mobile_hash: str) -> AnyRow | None:
    """The message to this mobile that asked for 1 or 2 and went out last, locked."""
    newest = (
        select(messages)
        .where(messages.c.mobile_hash == mobile_hash, messages.c.asks_reply, messages.c.sent_at.is_not(None))
        .order_by(messages.c.sent_at.desc())
        .limit(1)
        .with_for_update()
    )
    return connection.execute(newest).first()


def answer_question(connection: Connection, message_id: UUID, reply: str) -> None:
    """What the citizen answered."""
    connection.execute(update(messages).where(messages.c.id == message_id).values(reply=reply))


def may_help(connection: Connection, mobile_hash: str, now: datetime, every: timedelta) -> bool:
    """True at most once in `every` for a mobile; notes that it was."""
    new = upsert(helped).values(mobile_hash=mobile_hash, at=now)
    again = new.on_conflict_do_update(
        index_elements=[helped.c.mobile_hash], set_={"at": now}, where=helped.c.at <= now - every
    )
    return connection.execute(again.returning(helped.c.at)).first() is not None


def answers_since(connection: Connection, mobile_hash: str, since: datetime) -> int:
    """How many answers were made for this handset since then."""
    counted = select(func.count()).where(
        messages.c.mobile_hash == mobile_hash,
        messages.c.audience == "handset",
        messages.c.created_at > since,
    )
    return connection.execute(counted).scalar_one()
