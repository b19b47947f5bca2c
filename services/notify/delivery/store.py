"""Queries of the sending of messages: leases, attempts, delivery receipts, polls, and who opted out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, delete, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage import bulk
from contracts.notify import MessageState
from services.notify.models import cases, contacts, messages, opt_outs

AnyRow = Row[Any]

_DUE_MARK = "notify_due"


def mark_due(connection: Connection) -> None:
    """Notes that this transaction makes a message due."""
    connection.info[_DUE_MARK] = True


def take_due_mark(connection: Connection) -> bool:
    """Whether a message was noted as due on this connection; the note is removed."""
    return bool(connection.info.pop(_DUE_MARK, False))


def claim_due(
    connection: Connection, *, now: datetime, lease: UUID, seconds: float, hold: float, limit: int
) -> list[AnyRow]:
    """Leases messages that are due, and those whose lease has ended without an outcome.

    First what expires in a few minutes (one-time codes): when a whole city files at once, whoever wants to sign in does not
    wait behind all the notices.
    """
    case_arrived = exists().where(cases.c.case_id == messages.c.case_id)
    due = and_(messages.c.state == MessageState.DUE, messages.c.next_attempt_at <= now)
    expiring = messages.c.expires_at.is_not(None)
    ready = or_(~messages.c.waits_for_case, messages.c.created_at <= now - timedelta(seconds=hold), case_arrived)
    abandoned = and_(messages.c.state == MessageState.SENDING, messages.c.leased_until <= now)
    ids: list[UUID] = []
    for condition, order in (
        (and_(due, expiring), [messages.c.expires_at]),
        (abandoned, [messages.c.leased_until]),
        (and_(due, ~expiring, ready), [messages.c.urgent.desc(), messages.c.next_attempt_at]),
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


def next_due(connection: Connection) -> datetime | None:
    """When the next message becomes due, or its lease ends; None while there is neither. Past for one that is held back."""
    due = select(func.min(messages.c.next_attempt_at)).where(messages.c.state == MessageState.DUE)
    abandoned = select(func.min(messages.c.leased_until)).where(messages.c.state == MessageState.SENDING)
    moment: datetime | None = connection.execute(
        select(func.least(due.scalar_subquery(), abandoned.scalar_subquery()))
    ).scalar()
    return moment


_BEGIN = text(
    "UPDATE messages SET params = attempt.params, mobile_hash = attempt.mobile_hash, provider = attempt.provider,"
    " tried_first_at = coalesce(messages.tried_first_at, :now)"
    " FROM json_to_recordset(CAST(:rows AS json)) AS attempt (id uuid, params jsonb, mobile_hash text, provider text)"
    " WHERE messages.id = attempt.id"
)


def begin_attempts(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Records, of messages claimed in this transaction, the attempt that follows: id, params, mobile_hash, provider."""
    if rows:
        connection.execute(_BEGIN, {"rows": bulk.rows_parameter(rows), "now": now})


def assign_provider(connection: Connection, message_id: UUID, lease: UUID, provider: str) -> bool:
    """Records which provider is called next, in case the process dies before it answers; False when the lease is lost."""
    assigned = update(messages).where(messages.c.id == message_id, messages.c.lease == lease).values(provider=provider)
    return connection.execute(assigned).rowcount == 1


def settle(connection: Connection, message_id: UUID, lease: UUID, values: Mapping[str, Any]) -> bool:
    """Ends the attempt of this lease; False when another sender has leased the message since."""
    settled = (
        update(messages)
        .where(messages.c.id == message_id, messages.c.lease == lease, messages.c.state == MessageState.SENDING)
        .values(lease=None, leased_until=None, **values)
    )
    return connection.execute(settled).rowcount == 1


def lock_by_provider_id(connection: Connection, provider: str, provider_message_ids: Sequence[str]) -> list[AnyRow]:
    """Messages by the provider's ids, locked. `provider`: of any of its accounts (kavenegar, kavenegar-reserve)."""
    chosen = (
        select(messages)
        .where(messages.c.provider_message_id.in_(provider_message_ids))
        .where(func.split_part(messages.c.provider, "-", 1) == provider.split("-")[0])
        .order_by(messages.c.id)
        .with_for_update()
    )
    return list(connection.execute(chosen))


def set_outcome(connection: Connection, message_id: UUID, values: Mapping[str, Any]) -> None:
    """Stores how a sent message ended."""
    connection.execute(update(messages).where(messages.c.id == message_id).values(**values))


def claim_status_polls(connection: Connection, *, now: datetime, limit: int) -> list[AnyRow]:
    """Sent messages whose status is to be polled now, locked."""
    chosen = (
        select(
            messages.c.id,
            messages.c.provider,
            messages.c.provider_message_id,
            messages.c.status_polls,
            messages.c.sent_at,
        )
        .where(messages.c.next_status_poll_at <= now)
        .order_by(messages.c.next_status_poll_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(connection.execute(chosen))


_NEXT_POLL = text(
    "UPDATE messages SET next_status_poll_at = poll.next_status_poll_at, status_polls = messages.status_polls + 1"
    " FROM json_to_recordset(CAST(:rows AS json)) AS poll (id uuid, next_status_poll_at timestamptz) WHERE messages.id = poll.id"
)


def schedule_status_polls(connection: Connection, when: Sequence[tuple[UUID, datetime | None]]) -> None:
    """When to poll next; None: no more."""
    if when:
        rows = [{"id": message_id, "next_status_poll_at": moment} for message_id, moment in when]
        connection.execute(_NEXT_POLL, {"rows": bulk.rows_parameter(rows)})


def opted_out(connection: Connection, mobile_hashes: Sequence[str]) -> set[str]:
    """Which of these mobiles opted out of messages."""
    chosen = select(opt_outs.c.mobile_hash).where(opt_outs.c.mobile_hash.in_(mobile_hashes))
    return set(connection.execute(chosen).scalars())


def callable_contact(connection: Connection, case_id: UUID) -> AnyRow | None:
    """The contact of a case whose citizen is reached by a mobile and has not opted out."""
    with_mobile = select(contacts).where(contacts.c.case_id == case_id, contacts.c.mobile_hash.is_not(None))
    return connection.execute(with_mobile.where(contacts.c.mobile_hash.not_in(select(opt_outs.c.mobile_hash)))).first()


def opt_out(connection: Connection, mobile_hash: str, now: datetime, by: str) -> None:
    """Opts a mobile out. `by`: citizen, by SMS; or provider, when it blocks the number."""
    values = {"mobile_hash": mobile_hash, "since": now, "reported_by": by}
    connection.execute(upsert(opt_outs).values(values).on_conflict_do_nothing())


def opt_in(connection: Connection, mobile_hash: str) -> None:
    """Takes the opt-out of a mobile back."""
    connection.execute(delete(opt_outs).where(opt_outs.c.mobile_hash == mobile_hash))
