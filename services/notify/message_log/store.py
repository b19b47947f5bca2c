"""Queries of the log of messages. Who may read what of it is decided here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    DateTime,
    FromClause,
    Row,
    Select,
    String,
    Uuid,
    and_,
    case,
    cast,
    false,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)

from contracts.notification_log import MOST_RESENDS, LogChannel
from contracts.notify import MessageState
from services.notify.models import cases, messages, push_subscriptions, pushes
from services.notify.preferences.store import HolderKind

AnyRow = Row[Any]
_GIVEN_UP = (MessageState.FAILED, MessageState.UNDELIVERED)


@dataclass(frozen=True)
class Filters:
    """Which messages. `hidden_units`: nothing of cases about these; `before`, `since`: when it was made."""

    hidden_units: frozenset[str] = frozenset()
    id: UUID | None = None
    channel: str | None = None
    state: str | None = None
    template: str | None = None
    case_id: UUID | None = None
    since: datetime | None = None
    before: datetime | None = None
    after: tuple[datetime, UUID] | None = None


def page(connection: Connection, filters: Filters, limit: int) -> list[AnyRow]:
    """The newest, or those behind the page before."""
    parts = []
    if filters.channel != LogChannel.PUSH:
        parts.append(_newest(_messages(filters), messages, filters, limit))
    if filters.channel in (None, LogChannel.PUSH):
        parts.append(_newest(_pushes(), pushes, filters, limit))
    if not parts:
        return []
    logged = union_all(*(select(part.subquery()) for part in parts)).subquery()
    newest = select(logged).order_by(logged.c.created_at.desc(), logged.c.id.desc()).limit(limit)
    return list(connection.execute(newest))


def case_of_number(connection: Connection, number: str) -> UUID | None:
    """The case of a number; None when there is none."""
    return connection.execute(select(cases.c.case_id).where(cases.c.number == number)).scalar()


def send_again(connection: Connection, row: AnyRow, now: datetime) -> bool:
    """A message that was given up is due once more, as if it had not been tried; False when it is not given up any more."""
    table = pushes if row.channel == LogChannel.PUSH else messages
    anew: dict[str, Any] = {
        "state": MessageState.DUE,
        "reason": None,
        "attempts": 0,
        "tried_first_at": None,
        "next_attempt_at": now,
        "sent_at": None,
        "resends": table.c.resends + 1,
    }
    if table is messages:
        anew |= {"provider": None, "provider_message_id": None, "next_status_poll_at": None, "status_polls": 0}
        anew |= {"resent_at": now}
    again = update(table).where(table.c.id == row.id, table.c.state.in_(_GIVEN_UP), table.c.resends < MOST_RESENDS)
    return connection.execute(again.values(anew)).rowcount == 1


def lock(connection: Connection, row: AnyRow) -> None:
    """One at a time."""
    table = pushes if row.channel == LogChannel.PUSH else messages
    connection.execute(select(table.c.id).where(table.c.id == row.id).with_for_update())


def _newest(chosen: Select[Any], table: FromClause, filters: Filters, limit: int) -> Select[Any]:
    equal = ("id", "state", "template", "case_id")
    conditions: list[ColumnElement[bool]] = [
        table.c[name] == value for name in equal if (value := getattr(filters, name)) is not None
    ]
    if filters.since is not None:
        conditions.append(table.c.created_at >= filters.since)
    if filters.before is not None:
        conditions.append(table.c.created_at < filters.before)
    if filters.after is not None:
        conditions.append(tuple_(table.c.created_at, table.c.id) < filters.after)
    if filters.hidden_units:
        conditions.append(_free(table, filters.hidden_units))
    return chosen.where(*conditions).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)


def _free(table: FromClause, hidden: Collection[str]) -> ColumnElement[bool]:
    """Of no case, or of one about another unit. While it is not known which it is about, the message is hidden, too."""
    known = and_(cases.c.unit.is_not(None), cases.c.unit.not_in(sorted(hidden)))
    free = or_(table.c.case_id.is_(None), known)
    if table is messages:  # of a unit that is asked neither the case nor its number is known
        free = and_(free, or_(messages.c.unit.is_(None), messages.c.unit.not_in(sorted(hidden))))
    return free


def _messages(filters: Filters) -> Select[Any]:
    given_up = and_(messages.c.state.in_(_GIVEN_UP), messages.c.resends < MOST_RESENDS)
    # Of others the sealed box is emptied: nobody knows any more where they should go.
    resendable = and_(messages.c.channel == LogChannel.SMS, messages.c.audience == "citizen", given_up)
    columns = (
        messages.c.id,
        cast(messages.c.channel, String).label("channel"),
        *_common(messages),
        messages.c.staff_id,
        messages.c.role,
        messages.c.unit,
        cases.c.number,
        messages.c.provider,
        messages.c.sent_at,
        messages.c.delivered_at,
        case((resendable, true()), else_=false()).label("resendable"),
    )
    chosen = select(*columns).select_from(messages.outerjoin(cases, cases.c.case_id == messages.c.case_id))
    return chosen if filters.channel is None else chosen.where(messages.c.channel == filters.channel)


def _pushes() -> Select[Any]:
    device = select(push_subscriptions.c.id).where(push_subscriptions.c.id == pushes.c.subscription_id).exists()
    resendable = and_(pushes.c.state == MessageState.FAILED, pushes.c.resends < MOST_RESENDS, device)
    to_staff = pushes.c.holder_kind == HolderKind.STAFF
    columns = (
        pushes.c.id,
        literal(LogChannel.PUSH.value, String).label("channel"),
        *_common(pushes),
        case((to_staff, pushes.c.holder_id), else_=cast(null(), Uuid)).label("staff_id"),
        cast(null(), String).label("role"),
        cast(null(), String).label("unit"),
        cases.c.number,
        cast(null(), String).label("provider"),
        pushes.c.sent_at,
        cast(null(), DateTime(timezone=True)).label("delivered_at"),
        cast(case((resendable, true()), else_=false()), Boolean).label("resendable"),
    )
    return select(*columns).select_from(pushes.outerjoin(cases, cases.c.case_id == pushes.c.case_id))


def _common(table: FromClause) -> Sequence[ColumnElement[Any]]:
    names = ("template", "event", "state", "reason", "audience", "case_id", "created_at", "attempts", "next_attempt_at")
    return [*(table.c[name] for name in names), table.c.resends]
