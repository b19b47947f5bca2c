"""Queries of devices and of what is pushed to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage.writes import Write
from contracts.notify import MessageState
from contracts.preferences import PreferredChannel
from services.notify.delivery import store as delivery
from services.notify.models import messages, preferences, push_subscriptions, pushes
from services.notify.preferences.store import Holder, HolderKind

AnyRow = Row[Any]

_DUE_MARK = "notify_push_due"
OPEN = (MessageState.DUE, MessageState.SENDING)


def mark_due(connection: Connection) -> None:
    """Notes that this transaction may make a push due."""
    connection.info[_DUE_MARK] = True


def take_due_mark(connection: Connection) -> bool:
    """Whether that was noted on this connection; the note is removed."""
    return bool(connection.info.pop(_DUE_MARK, False))


# --- devices ---


def keep_subscription(connection: Connection, values: Mapping[str, Any]) -> None:
    """Stores a device, or the new keys of one that is there."""
    new = upsert(push_subscriptions).values(values)
    kept = {name: new.excluded[name] for name in ("sealed", "service", "server_key", "expires_at")}
    connection.execute(new.on_conflict_do_update(index_elements=[push_subscriptions.c.id], set_=kept))


def devices(connection: Connection, holder: Holder) -> list[AnyRow]:
    """Of one holder, newest first."""
    newest = (push_subscriptions.c.created_at.desc(), push_subscriptions.c.id.desc())
    return list(connection.execute(select(push_subscriptions).where(*_of(holder)).order_by(*newest)))


def subscription(connection: Connection, subscription_id: UUID) -> AnyRow | None:
    """One device; None when it is gone."""
    chosen = select(push_subscriptions).where(push_subscriptions.c.id == subscription_id)
    return connection.execute(chosen).first()


def remove_subscriptions(connection: Connection, ids: Collection[UUID], now: datetime) -> None:
    """Devices that are pushed to no more; what waits for them has failed."""
    if not ids:
        return
    connection.execute(delete(push_subscriptions).where(push_subscriptions.c.id.in_(ids)))
    waiting = update(pushes).where(pushes.c.subscription_id.in_(ids), pushes.c.state == MessageState.DUE)
    ended = waiting.values(state=MessageState.FAILED, reason="gone").returning(pushes.c.sms_id)
    release_sms(connection, [sms_id for sms_id in connection.execute(ended).scalars() if sms_id], now)


def remove_endpoint(connection: Connection, endpoint_hash: str, now: datetime) -> None:
    """A device whose push service says that it is gone, whoever subscribed it."""
    chosen = select(push_subscriptions.c.id).where(push_subscriptions.c.endpoint_hash == endpoint_hash)
    remove_subscriptions(connection, list(connection.execute(chosen).scalars()), now)


def forget_holder(connection: Connection, holder: Holder, now: datetime) -> None:
    """No device and no preference of this holder any more."""
    remove_subscriptions(connection, [row.id for row in devices(connection, holder)], now)
    connection.execute(delete(preferences).where(*_preferences_of(holder)))


def note_sent(connection: Connection, subscription_id: UUID, now: datetime) -> None:
    """The device's push service took a message."""
    this = push_subscriptions.c.id == subscription_id
    connection.execute(update(push_subscriptions).where(this).values(last_sent_at=now))


def _of(holder: Holder) -> tuple[Any, Any]:
    return push_subscriptions.c.holder_kind == holder.kind, push_subscriptions.c.holder_id == holder.id


def _preferences_of(holder: Holder) -> tuple[Any, Any]:
    return preferences.c.holder_kind == holder.kind, preferences.c.holder_id == holder.id


# --- composing ---

_WANTED = f"('{PreferredChannel.BOTH}', '{PreferredChannel.PUSH}')"
_COMPOSE = f"""
INSERT INTO pushes (id, inbox_id, sms_id, subscription_id, holder_kind, holder_id, event, case_id, audience, template, state,
    urgent, at, created_at, next_attempt_at)
SELECT DISTINCT ON (message.id, device.endpoint_hash) CAST(md5(message.id || ':' || device.id) AS uuid), message.id,
    message.sms_id, device.id, device.holder_kind, device.holder_id, message.event, message.case_id, message.audience,
    message.template, '{MessageState.DUE}', message.urgent, message.at, message.created_at, message.created_at
FROM json_to_recordset({{rows}}) AS message (id uuid, sms_id uuid, event text, case_id uuid, citizen_id uuid, audience text,
    template text, urgent boolean, at timestamptz, created_at timestamptz, staff_id uuid, role text)
LEFT JOIN contacts AS contact ON contact.case_id = message.case_id AND message.audience = 'citizen'
CROSS JOIN LATERAL (
    SELECT of_case.* FROM push_subscriptions AS of_case
    WHERE message.audience = 'citizen' AND of_case.holder_kind = '{HolderKind.CASE}' AND of_case.holder_id = message.case_id
    UNION ALL
    SELECT of_account.* FROM push_subscriptions AS of_account
    WHERE message.audience = 'citizen' AND of_account.holder_kind = '{HolderKind.CITIZEN}'
        AND of_account.holder_id = coalesce(contact.citizen_id, message.citizen_id)
    UNION ALL
    SELECT of_staff.* FROM push_subscriptions AS of_staff
    WHERE message.staff_id IS NOT NULL AND of_staff.holder_kind = '{HolderKind.STAFF}' AND (
        of_staff.holder_id = message.staff_id OR of_staff.holder_id IN (
            SELECT deputy FROM leaves
            WHERE leaves.staff_id = message.staff_id AND starts_at <= message.created_at AND ends_at > message.created_at
        )
    )
    UNION ALL
    SELECT of_role.* FROM push_subscriptions AS of_role JOIN staff ON staff.staff_id = of_role.holder_id AND staff.active
    WHERE message.role IS NOT NULL AND of_role.holder_kind = '{HolderKind.STAFF}' AND (
        message.role = ANY(staff.roles) OR ('substitute' = ANY(staff.roles) AND message.role IN ('head', 'screener'))
    )
) AS device
LEFT JOIN preferences AS chosen ON chosen.holder_kind = device.holder_kind AND chosen.holder_id = device.holder_id
LEFT JOIN preferences AS of_code ON message.audience = 'citizen' AND of_code.holder_kind = '{HolderKind.CASE}'
    AND of_code.holder_id = message.case_id
WHERE EXISTS (SELECT FROM push_subscriptions)
    AND coalesce(of_code.channel, chosen.channel, '{PreferredChannel.BOTH}') IN {_WANTED}
ORDER BY message.id, device.endpoint_hash, device.holder_kind
ON CONFLICT DO NOTHING"""


def adding_pushes(rows: Sequence[Mapping[str, Any]]) -> list[Write]:
    """A push for each device of whoever may read these messages in their inbox, and wants to be told there. Whether a member of
    staff may, is looked at when it is sent."""
    return [Write(_COMPOSE, rows, returning="id", written=_mark_made)] if rows else []


def _mark_made(connection: Connection, ids: list[Any]) -> None:
    if ids:
        mark_due(connection)


# --- sending ---


def claim_due(connection: Connection, *, now: datetime, lease: UUID, seconds: float, limit: int) -> list[AnyRow]:
    """Leases pushes that are due, urgent ones first, and those whose lease has ended without an outcome."""
    due = and_(pushes.c.state == MessageState.DUE, pushes.c.next_attempt_at <= now)
    abandoned = and_(pushes.c.state == MessageState.SENDING, pushes.c.leased_until <= now)
    order = (pushes.c.urgent.desc(), pushes.c.next_attempt_at)
    chosen = select(pushes.c.id).where(or_(due, abandoned)).order_by(*order).limit(limit)
    ids = list(connection.execute(chosen.with_for_update(skip_locked=True)).scalars())
    if not ids:
        return []
    leased = (
        update(pushes)
        .where(pushes.c.id.in_(ids))
        .values(
            state=MessageState.SENDING,
            lease=lease,
            leased_until=now + timedelta(seconds=seconds),
            attempts=pushes.c.attempts + 1,
            tried_first_at=func.coalesce(pushes.c.tried_first_at, now),
        )
        .returning(pushes)
    )
    return sorted(connection.execute(leased), key=lambda row: ids.index(row.id))


def settle(connection: Connection, row: AnyRow, lease: UUID, values: Mapping[str, Any], now: datetime) -> bool:
    """Ends the attempt of this lease; False when another sender has leased the push since. Where it is sent, or has failed, the
    SMS that waits for it goes its way."""
    settled = (
        update(pushes)
        .where(pushes.c.id == row.id, pushes.c.lease == lease, pushes.c.state == MessageState.SENDING)
        .values(lease=None, leased_until=None, **values)
    )
    if connection.execute(settled).rowcount != 1:
        return False
    if values["state"] not in OPEN and row.sms_id is not None:
        release_sms(connection, [row.sms_id], now)
    return True


def release_sms(connection: Connection, sms_ids: Collection[UUID], now: datetime) -> None:
    """What these SMS waited for has ended: they are looked at again at once."""
    if not sms_ids:
        return
    # Whoever prepares one of them right now has read how far the pushes were before this, and is about to put it off.
    chosen = select(messages.c.id).where(messages.c.id.in_(sms_ids)).order_by(messages.c.id)
    connection.execute(chosen.with_for_update())
    waiting = update(messages).where(messages.c.id.in_(sms_ids), messages.c.state == MessageState.DUE)
    released = waiting.where(messages.c.next_attempt_at > now).values(next_attempt_at=now)
    if connection.execute(released).rowcount:
        delivery.mark_due(connection)


def states_of_sms(connection: Connection, sms_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """How far the pushes of the same notification are, by its SMS."""
    states: dict[UUID, set[str]] = {}
    if sms_ids:
        chosen = select(pushes.c.sms_id, pushes.c.state).where(pushes.c.sms_id.in_(sms_ids))
        for row in connection.execute(chosen):
            states.setdefault(row.sms_id, set()).add(row.state)
    return states


def next_due(connection: Connection) -> datetime | None:
    """When the next push becomes due, or its lease ends; None while there is neither."""
    due = select(func.min(pushes.c.next_attempt_at)).where(pushes.c.state == MessageState.DUE)
    leased = select(func.min(pushes.c.leased_until)).where(pushes.c.state == MessageState.SENDING)
    moment: datetime | None = connection.execute(
        select(func.least(due.scalar_subquery(), leased.scalar_subquery()))
    ).scalar()
    return moment


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Deletes pushes of the log made before; how many."""
    old = select(pushes.c.id).where(pushes.c.created_at < before).order_by(pushes.c.created_at).limit(limit)
    return connection.execute(delete(pushes).where(pushes.c.id.in_(old))).rowcount
